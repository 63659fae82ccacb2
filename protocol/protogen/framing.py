"""Framing written out plainly, byte by byte. It shares no code with either codec: the vectors are made with it."""

import struct
import zlib

from protogen.schema import MAC_BYTES


def cobs(data: bytes) -> bytes:
    """COBS as its paper tells it: runs of non-zero bytes, each behind its length plus one."""
    out = bytearray()
    run = bytearray()
    for byte in data:
        if byte:
            run.append(byte)
            if len(run) == 254:
                out += b"\xff" + run
                run.clear()
        else:
            out += bytes([len(run) + 1]) + run
            run.clear()
    return bytes(out + bytes([len(run) + 1]) + run)


def raw(seq: int, number: int, session: int, payload: bytes, flags: int = 0, mac: bytes = bytes(MAC_BYTES)) -> bytes:
    """A frame before COBS."""
    body = struct.pack("<HBBI", seq, number, flags, session) + payload + mac
    return body + struct.pack("<I", zlib.crc32(body))


def wire(frame: bytes) -> bytes:
    """A frame as it goes over the wire, its zero included."""
    return cobs(frame) + b"\0"
