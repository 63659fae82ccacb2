"""A trace: what the firmware saw and did in each tick that was run, as bytes that compare.

A record is little-endian int32: tick, the inputs, the outputs, the phase. The same seed gives the same bytes on every
target; ticks that were jumped over have no record.
"""

from __future__ import annotations

import struct
from array import array
from pathlib import Path
from typing import BinaryIO

from sit_firmware import image

RECORD = struct.Struct(f"<i{image.N_INPUTS}i{image.N_OUTPUTS}ii")


class Trace:
    """Collects records in a file or, with `path` None, in memory (`data`)."""

    def __init__(self, path: Path | None = None) -> None:
        self.data = bytearray()
        self._file: BinaryIO | None = path.open("wb") if path else None

    def add(self, tick: int, inputs: array[int], outputs: array[int], phase: int) -> None:
        """One tick."""
        record = RECORD.pack(tick & 0x7FFFFFFF, *inputs, *outputs, phase)
        if self._file is not None:
            self._file.write(record)
        else:
            self.data += record

    def close(self) -> None:
        """End the file."""
        if self._file is not None:
            self._file.close()
            self._file = None


def read(data: bytes) -> list[tuple[int, tuple[int, ...], tuple[int, ...], int]]:
    """(tick, inputs, outputs, phase) of each record."""
    split = 1 + image.N_INPUTS
    return [(record[0], record[1:split], record[split:-1], record[-1]) for record in RECORD.iter_unpack(bytes(data))]
