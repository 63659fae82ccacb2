"""Vectors of conduct: what a receiver drops, what it finds in a stream, how a device answers frame after frame."""

import struct
import zlib
from typing import Any

from protogen.framing import cobs, raw, wire
from protogen.schema import CRC_BYTES, HEADER_BYTES, MAC_BYTES, REPLY_BIT, Schema

HOST_NONCE = 0x0A00C0DE
OTHER_NONCE = 0x0B00C0DE


def _status(schema: Schema, session: int = HOST_NONCE, seq: int = 7) -> bytes:
    return raw(seq, _id(schema, "STATUS"), session, b"")


def _id(schema: Schema, name: str) -> int:
    return next(m.id for m in schema.messages if m.name == name)


def bad(schema: Schema) -> list[tuple[str, str, bytes]]:
    """(name, why, bytes): why is cobs, length or crc."""
    good = _status(schema)
    longest = raw(1, 3, HOST_NONCE, bytes(schema.max_payload))
    flipped = bytearray(good)
    flipped[2] ^= 1
    no_crc = good[: -CRC_BYTES - MAC_BYTES]
    return [
        ("one flipped bit", "crc", wire(bytes(flipped))),
        ("CRC in the wrong byte order", "crc", wire(good[:-4] + good[:-5:-1])),
        ("CRC zero", "crc", wire(good[:-4] + bytes(4))),
        ("one byte lost", "crc", wire(longest[:40] + longest[41:])),
        ("two frames run into one", "crc", wire(good + good)),
        ("a distance past the end", "cobs", b"\x09\x01\x02\0"),
        ("a distance past the end of a whole frame", "cobs", cobs(good)[:-1] + b"\0"),
        ("a lone distance of 255", "cobs", b"\xff\0"),
        ("header alone", "length", wire(good[:HEADER_BYTES])),
        ("one byte short of the shortest", "length", wire(_crced(no_crc[:-1] + bytes(MAC_BYTES)))),
        ("no bytes but the code", "length", b"\x01\0"),
        ("one byte longer than the longest, CRC right", "length", wire(_crced(longest[:-CRC_BYTES] + b"\x05"))),
        ("a whole COBS block without a zero", "length", b"\xff" + b"\x11" * 254 + b"\x01\0"),
        ("a thousand bytes", "length", b"\x55" * 1000 + b"\0"),
    ]


def _crced(body: bytes) -> bytes:
    return body + struct.pack("<I", zlib.crc32(body))


def streams(by_name: dict[str, bytes]) -> list[dict[str, Any]]:
    """What a receiver finds in bytes as they may come; `by_name` are whole frames."""
    one, two = "STATUS pattern", "EVENTS_READ pattern"
    cut = by_name[one][:9]
    rows = [
        ("two frames", by_name[one] + by_name[two], [one, two]),
        ("zeros around a frame", b"\0\0" + by_name[one] + b"\0\0\0", [one]),
        ("noise, then a zero, then a frame", b"sit> \r\n\0" + by_name[one], [one]),
        ("half a frame, then a zero, then a frame", cut + b"\0" + by_name[one], [one]),
        ("half a frame runs into the next, the one after is found", cut + by_name[one] + by_name[two], [two]),
        ("a thousand bytes, then a frame", b"\x55" * 1000 + b"\0" + by_name[two], [two]),
        ("a frame without its zero", by_name[one] + by_name[two][:-1], [one]),
    ]
    return [{"name": name, "wire": data.hex(), "frames": names} for name, data, names in rows]


def exchanges(schema: Schema) -> list[dict[str, Any]]:
    """What a device does with one frame after another, from boot on."""
    arm = struct.pack("<HHH", 2000, 0, 30)
    hello = struct.pack("<I", HOST_NONCE) + schema.hash
    steps: list[tuple[str, int, str | int, int, bytes, str]] = [
        # name, seq, message, session, payload, result
        ("a read needs no session", 1, "STATUS", 0, b"", "OK"),
        ("a change before HELLO", 2, "ZERO", 0, b"", "NO_SESSION"),
        ("a change before HELLO under any session", 3, "ZERO", HOST_NONCE, b"", "NO_SESSION"),
        ("STOP before HELLO", 4, "STOP", 0, b"", "OK"),
        ("HELLO with the nonce 0", 5, "HELLO", 0, bytes(4) + schema.hash, "BAD_VALUE"),
        ("HELLO", 10, "HELLO", 0, hello, "OK"),
        ("the same HELLO again", 10, "HELLO", 0, hello, "repeat"),
        ("a message nobody knows", 11, 0x5F, HOST_NONCE, b"", "UNKNOWN_MESSAGE"),
        ("a reserved message", 12, schema.reserved[0][0], HOST_NONCE, b"", "UNKNOWN_MESSAGE"),
        ("an id with the reply bit", 13, "STATUS+", HOST_NONCE, b"", "UNKNOWN_MESSAGE"),
        ("a byte too few", 14, "ARM", HOST_NONCE, arm[:-1], "BAD_LENGTH"),
        ("a byte too many", 14, "ARM", HOST_NONCE, arm + b"\0", "BAD_LENGTH"),
        ("a lease one too short", 14, "ARM", HOST_NONCE, struct.pack("<HHH", 499, 0, 1), "BAD_VALUE"),
        ("a lease one too long", 14, "ARM", HOST_NONCE, struct.pack("<HHH", 10001, 0, 1), "BAD_VALUE"),
        ("a cursor past any table", 14, "ARM", HOST_NONCE, struct.pack("<HHH", 2000, 512, 1), "BAD_VALUE"),
        ("ARM", 20, "ARM", HOST_NONCE, arm, "OK"),
        ("the same ARM again", 20, "ARM", HOST_NONCE, arm, "repeat"),
        ("ARM's number on other bytes", 20, "ARM", HOST_NONCE, struct.pack("<HHH", 2000, 1, 30), "SEQUENCE"),
        ("an older number never seen", 19, "RENEW", HOST_NONCE, struct.pack("<H", 2000), "SEQUENCE"),
        ("a read with an older number", 19, "STATUS", HOST_NONCE, b"", "OK"),
        ("a read that comes twice is read twice", 19, "STATUS", HOST_NONCE, b"", "OK"),
        ("a change from another session", 21, "RENEW", OTHER_NONCE, struct.pack("<H", 2000), "NO_SESSION"),
        ("STOP from another session with an old number", 1, "STOP", OTHER_NONCE, b"", "OK"),
        ("the same STOP again", 1, "STOP", OTHER_NONCE, b"", "OK"),
        ("STOP with a payload of a later minor version", 1, "STOP", HOST_NONCE, b"\x01\x02", "OK"),
        ("DISARM without a session", 0, "DISARM", 0, b"", "OK"),
        ("a newer number", 21, "RENEW", HOST_NONCE, struct.pack("<H", 2000), "OK"),
        ("ARM once more, long after", 20, "ARM", HOST_NONCE, arm, "repeat"),
        ("numbers may leave gaps", 0x7000, "RENEW", HOST_NONCE, struct.pack("<H", 2000), "OK"),
        ("half the circle ahead is old", 0xF001, "RENEW", HOST_NONCE, struct.pack("<H", 2000), "SEQUENCE"),
        ("up to the last number", 0xEFFF, "RENEW", HOST_NONCE, struct.pack("<H", 2000), "OK"),
        ("over the wrap", 1, "RENEW", HOST_NONCE, struct.pack("<H", 2000), "OK"),
        ("another HELLO", 1, "HELLO", 0, struct.pack("<I", OTHER_NONCE) + schema.hash, "OK"),
        ("the session before has ended", 22, "RENEW", HOST_NONCE, struct.pack("<H", 2000), "NO_SESSION"),
        ("the new session's numbers are its own", 2, "RENEW", OTHER_NONCE, struct.pack("<H", 2000), "OK"),
    ]  # fmt: skip
    numbers = {s.name: s.value for s in schema.statuses if s.kind == "refusal"} | {"OK": 0}
    rows = []
    for name, seq, message, session, payload, result in steps:
        if isinstance(message, int):
            number = message
        else:
            number = _id(schema, message.rstrip("+")) | (REPLY_BIT if message.endswith("+") else 0)
        expected = {"repeat": True} if result == "repeat" else {"result": numbers[result]}
        rows.append({"name": name, **expected, "wire": wire(raw(seq, number, session, payload)).hex()})
    return rows
