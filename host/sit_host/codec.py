"""The host's own frame codec: COBS, header, MAC, CRC-32. The firmware has another one; vectors tie them together.

A frame before COBS, little-endian: seq u16, id u8, flags u8, session u32, payload, mac 8 bytes, crc32 u32.
The CRC covers all before it. On the wire a zero byte ends each frame.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from cobs import cobs

from sit_host._gen.messages import MAX_PAYLOAD

_HEADER = struct.Struct("<HBBI")
_CRC = struct.Struct("<I")
_MAC_BYTES = 8
OVERHEAD = _HEADER.size + _MAC_BYTES + _CRC.size
MAX_FRAME = OVERHEAD + MAX_PAYLOAD
MAX_WIRE = MAX_FRAME + MAX_FRAME // 254 + 1
"""Longest frame after COBS, without its closing zero."""


@dataclass(frozen=True)
class Frame:
    """One whole frame whose CRC was right."""

    seq: int
    id: int
    payload: bytes
    session: int = 0
    flags: int = 0
    mac: bytes = bytes(_MAC_BYTES)


@dataclass(frozen=True)
class BadFrame:
    """Bytes between two zeros that are no frame; `why` is a word for it: cobs, length or crc."""

    why: str
    size: int


def encode_frame(
    seq: int, id: int, payload: bytes, *, session: int = 0, flags: int = 0, mac: bytes = bytes(_MAC_BYTES)
) -> bytes:
    """Return the bytes for the wire, closing zero included. Raises ValueError when the payload is too long."""
    if len(payload) > MAX_PAYLOAD:
        raise ValueError(f"The payload has {len(payload)} bytes: at most {MAX_PAYLOAD} fit a frame.")
    body = signed_part(seq, id, payload, session=session, flags=flags) + mac
    return bytes(cobs.encode(body + _CRC.pack(zlib.crc32(body)))) + b"\0"


def signed_part(seq: int, id: int, payload: bytes, *, session: int = 0, flags: int = 0) -> bytes:
    """Return what a frame's MAC covers: header and payload."""
    return _HEADER.pack(seq, id, flags, session) + payload


def decode_frame(encoded: bytes) -> Frame | BadFrame:
    """Return the frame in the bytes between two zeros."""
    if len(encoded) > MAX_WIRE:
        return BadFrame("length", len(encoded))
    try:
        body = cobs.decode(encoded)
    except cobs.DecodeError:
        return BadFrame("cobs", len(encoded))
    if not OVERHEAD <= len(body) <= MAX_FRAME:
        return BadFrame("length", len(encoded))
    if _CRC.unpack_from(body, len(body) - _CRC.size)[0] != zlib.crc32(body[: -_CRC.size]):
        return BadFrame("crc", len(encoded))
    seq, id, flags, session = _HEADER.unpack_from(body)
    end = len(body) - _CRC.size - _MAC_BYTES
    return Frame(seq, id, bytes(body[_HEADER.size : end]), session, flags, bytes(body[end : end + _MAC_BYTES]))


class Decoder:
    """Cuts a stream of bytes, however chopped, into frames. Holds at most one frame; never raises."""

    def __init__(self) -> None:
        self._partial = bytearray()
        self._overrun = 0  # bytes of an over-long frame that were dropped

    def feed(self, data: bytes) -> list[Frame | BadFrame]:
        """Return what the new bytes complete, in order. Empty frames (a zero after a zero) are nothing."""
        *ended, rest = data.split(b"\0")
        found = []
        for piece in ended:
            self._keep(piece)
            item = self._end()
            if item is not None:
                found.append(item)
        self._keep(rest)
        return found

    def _keep(self, piece: bytes) -> None:
        room = MAX_WIRE + 1 - len(self._partial)
        self._partial += piece[:room]
        self._overrun += max(0, len(piece) - room)

    def _end(self) -> Frame | BadFrame | None:
        encoded, overrun = bytes(self._partial), self._overrun
        self._partial.clear()
        self._overrun = 0
        if overrun:
            return BadFrame("length", len(encoded) + overrun)
        return decode_frame(encoded) if encoded else None
