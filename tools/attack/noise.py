"""Hostile bytes for a device's link: noise, shaken frames, and frames that are right but for what they ask.

`Source(seed).burst()` gives frames. Most frames pass the decoder (COBS, length and CRC
right), and most of those carry the session that the same bytes have opened, so that they reach the dispatcher.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from cobs import cobs
from sit_host._gen import messages
from sit_host.codec import MAX_PAYLOAD, encode_frame
from sit_host.wire import Field, Message

MOVING = frozenset({"SELFTEST", "ZERO", "PRIME", "CHANGE"})
"""Requests that move something by themselves; all others move nothing whatever they hold."""
_RANGES = {"u8": (0, 0xFF), "u16": (0, 0xFFFF), "u32": (0, 0xFFFFFFFF), "i8": (-0x80, 0x7F), "i16": (-0x8000, 0x7FFF),
           "i32": (-(1 << 31), (1 << 31) - 1)}  # fmt: skip
BURST = 32


class Source:
    """Frames of one seed. `moving` lets those through that move something when the device takes them."""

    def __init__(self, seed: int, moving: bool = False) -> None:
        self.draw = random.Random(f"{seed} hostile bytes")
        self.session = 1
        self._seq = 0
        self._kept: list[bytes] = []
        self._requests: list[type[Message]] = [
            rule.request for rule in messages.RULES.values() if moving or rule.request.NAME not in MOVING
        ]
        self._left_out = {rule.request.ID for rule in messages.RULES.values() if rule.request not in self._requests}
        self._kinds: tuple[tuple[Callable[[], bytes], int], ...] = (
            (self._noise, 2),
            (self._shaken, 2),
            (self._long, 1),
            (self._any_payload, 3),
            (self._typed, 6),
            (self._again, 2),
            (self._hello, 1),
        )

    def burst(self) -> list[bytes]:
        """Some frames in a row."""
        kinds, weights = zip(*self._kinds, strict=True)
        return [kind() for kind in self.draw.choices(kinds, weights, k=BURST)]

    def allowed(self, id: int) -> bool:
        """False for the id of a request that moves something, when none such is wanted."""
        return id not in self._left_out

    def _noise(self) -> bytes:
        return self.draw.randbytes(self.draw.randrange(1, 300)) + b"\0"

    def _long(self) -> bytes:
        """Longer than any frame, as a flood is."""
        return bytes(self.draw.randrange(1, 256) for _ in range(self.draw.randrange(300, 700))) + b"\0"

    def _shaken(self) -> bytes:
        """A right frame with some bytes changed, cut or doubled; now and then two run into each other."""
        data = bytearray(self._typed())
        for _ in range(self.draw.randrange(1, 4)):
            at = self.draw.randrange(len(data))
            if self.draw.random() < 0.5:
                data[at] = self.draw.randrange(256)
            elif self.draw.random() < 0.5:
                del data[at:]
                data += b"\0"
            else:
                data[at:at] = data[: self.draw.randrange(8)]
        return bytes(data)

    def _any_payload(self) -> bytes:
        """Any id that moves nothing, any payload, the CRC right."""
        number = self.draw.choice([id for id in range(256) if self.allowed(id)])
        return self._frame(number, self.draw.randbytes(self.draw.randrange(MAX_PAYLOAD + 1)))

    def _typed(self) -> bytes:
        """A request whose fields hold edges and values in and out of range."""
        kind = self.draw.choice(self._requests)
        payload = b"".join(self._field(field) for field in kind.FIELDS)[:MAX_PAYLOAD]
        frame = self._frame(kind.ID, payload)
        if len(self._kept) < 64:
            self._kept.append(frame)
        else:
            self._kept[self.draw.randrange(64)] = frame
        return frame

    def _field(self, field: Field) -> bytes:
        draw = self.draw
        if field.kind not in _RANGES:
            size = int(field.kind[5:]) if field.kind.startswith("bytes") else draw.randrange(0, 80)
            return draw.choice((bytes(size), draw.randbytes(size)))
        low, high = _RANGES[field.kind]
        inside = (field.low, field.high) if field.low is not None and field.low < (field.high or 0) else (low, high)
        value = draw.choice(
            (low, high, inside[0], inside[1], inside[0] - 1, inside[1] + 1, draw.randint(*inside), 0, 1)
        )
        value = max(low, min(high, int(value)))
        return value.to_bytes(int(field.kind[1:]) // 8, "little", signed=field.kind[0] == "i")

    def _again(self) -> bytes:
        """A frame that came before, whole."""
        return self.draw.choice(self._kept) if self._kept else self._noise()

    def _hello(self) -> bytes:
        """A session is opened; the frames after it know its number."""
        self.session = self.draw.randrange(1, 1 << 32)
        hash_ = messages.SCHEMA_HASH if self.draw.random() < 0.9 else self.draw.randbytes(8)
        self._seq = self.draw.randrange(1 << 16)
        return encode_frame(self._seq, messages.Hello.ID, messages.Hello(self.session, hash_).pack())

    def seq(self) -> int:
        """Mostly the next number, for a device takes no others."""
        if self.draw.random() < 0.2:
            return self.draw.randrange(1 << 16)
        self._seq = (self._seq + 1) & 0xFFFF
        return self._seq

    def _frame(self, id: int, payload: bytes) -> bytes:
        draw = self.draw
        session = self.session if draw.random() < 0.8 else draw.randrange(1 << 32)
        frame = encode_frame(
            self.seq(), id, payload, session=session, flags=draw.choice((0, 0, 0, draw.randrange(256))),
            mac=draw.choice((bytes(8), draw.randbytes(8))),
        )  # fmt: skip
        if draw.random() < 0.05:
            return bytes(cobs.encode(bytes(cobs.decode(frame[:-1]))[:-4] + draw.randbytes(4))) + b"\0"
        return frame
