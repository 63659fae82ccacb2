"""The flight recorder's bytes as named columns. They describe themselves (sit_firmware/recorder.py says how):

little-endian: magic "OSFR", version u8, slots per image u8, tick_us u16, images u16, images lost u16, then per slot
u8 block (0 inputs, 1 outputs, 2 state) and u8 slot number; then the images, oldest first, each slot an i32.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from sit_host._gen.image_slots import INPUTS, OUTPUTS, STATE
from sit_host.errors import ProtocolError

_MAGIC = b"OSFR"
_VERSION = 1
_HEAD = struct.Struct("<4sBBHHH")
_BLOCKS = tuple({slot.number: slot for slot in block} for block in (INPUTS, OUTPUTS, STATE))
_TICK_WRAP = 1 << 30


@dataclass(frozen=True)
class Columns:
    """A recording: values by slot name. `lost` images at the beginning were written over."""

    tick_us: int
    lost: int
    values: dict[str, list[int]]
    units: dict[str, str]

    @property
    def time_ms(self) -> list[float]:
        """Time of each image from the first, ms."""
        ticks = self.values["IN_TICK"]
        return [((tick - ticks[0]) % _TICK_WRAP) * self.tick_us / 1000 for tick in ticks]


def parse_recording(data: bytes) -> Columns:
    """Return the columns of a recording. Raises ProtocolError when the bytes aren't one this host knows."""
    if len(data) < _HEAD.size:
        raise _unknown("it is empty")
    magic, version, slots, tick_us, images, lost = _HEAD.unpack_from(data)
    if magic != _MAGIC or version != _VERSION:
        raise _unknown(f"its form is {magic!r} version {version}")
    at = _HEAD.size + 2 * slots
    if len(data) < at + images * slots * 4 or not images:
        raise _unknown(f"it has {len(data)} bytes, too few for {images} images of {slots} slots")
    values: dict[str, list[int]] = {}
    units: dict[str, str] = {}
    for index in range(slots):
        block, number = data[_HEAD.size + 2 * index : _HEAD.size + 2 * index + 2]
        slot = _BLOCKS[block].get(number) if block < len(_BLOCKS) else None
        name = slot.name if slot else f"block {block} slot {number}"
        units[name] = slot.unit if slot else ""
        values[name] = [struct.unpack_from("<i", data, at + (i * slots + index) * 4)[0] for i in range(images)]
    if "IN_TICK" not in values:
        raise _unknown("it has no times")
    return Columns(tick_us, lost, values, units)


def _unknown(why: str) -> ProtocolError:
    return ProtocolError(f"The recording can't be read: {why}.", "Give a shot first; if it stays so, update this host.")
