"""`--wire-log FILE`: each frame on the wire, one line: time, direction, name, numbers, hex of the payload.

Times are seconds of the transport's clock. `>` left this host, `<` came from the device.
"""

from __future__ import annotations

from pathlib import Path
from typing import IO, Protocol

from sit_host._gen import messages
from sit_host.codec import BadFrame, Decoder, Frame
from sit_host.errors import UsageError

SECRET = (messages.Pair.ID, messages.Service.ID)
"""Requests whose payload is a key or follows from a code: never written anywhere."""


class Tap(Protocol):
    """Sees the bytes of a link."""

    def sent(self, now_s: float, data: bytes) -> None:
        """Bytes left this host."""
        ...

    def received(self, now_s: float, data: bytes) -> None:
        """Bytes came from the device."""
        ...


class WireLog:
    """Writes what it sees to a file, line by line, so that a broken run leaves all up to its end."""

    def __init__(self, path: Path) -> None:
        """Begin the file anew. Raises UsageError when it can't be written."""
        try:
            self._file: IO[str] = path.open("w", encoding="utf-8", buffering=1)
        except OSError as error:
            raise UsageError(
                f"The wire log {path} can't be written: {error.strerror}.", "Name another file."
            ) from error
        self._ways = {">": Decoder(), "<": Decoder()}

    def sent(self, now_s: float, data: bytes) -> None:
        """Write the frames that these bytes complete."""
        self._write(now_s, ">", data)

    def received(self, now_s: float, data: bytes) -> None:
        """Write the frames that these bytes complete."""
        self._write(now_s, "<", data)

    def close(self) -> None:
        """Close the file. May be called twice."""
        self._file.close()

    def _write(self, now_s: float, way: str, data: bytes) -> None:
        for item in self._ways[way].feed(data):
            self._file.write(f"{now_s:12.6f} {way} {describe(item)}\n")


def describe(item: Frame | BadFrame) -> str:
    """Return one line about a frame: name, sequence number, session, result of a reply, payload."""
    if isinstance(item, BadFrame):
        return f"BAD {item.why} {item.size} bytes"
    text = f"{message_name(item.id)} seq={item.seq} session={item.session:08x}"
    if item.id & messages.REPLY_BIT and item.payload:
        text += f" result={item.payload[0]}"
    if item.id in SECRET:
        return f"{text} ({len(item.payload)} bytes, not shown)"
    return f"{text} {item.payload.hex()}".rstrip()


def message_name(id: int) -> str:
    """Return the schema's name of a message id, a reply's with `reply` after it."""
    rule = messages.RULES.get(id & ~messages.REPLY_BIT)
    if rule is not None:
        return f"{rule.request.NAME} reply" if id & messages.REPLY_BIT else rule.request.NAME
    push = messages.PUSHES.get(id)
    return push.NAME if push is not None else f"message 0x{id:02x}"
