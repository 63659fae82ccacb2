"""A debug probe: finds the firmware's process image in the emulated chip's RAM, as one would over SWD, and reads it.

MicroPython keeps an array as an object of four words: type, typecode and spare room, length, address of its items. The
four arrays of the image are told by typecode 'i', by length and by what the parameter block holds.
"""

from __future__ import annotations

from array import array
from typing import Any

import numpy as np
from sit_firmware import image, params
from sit_firmware.boards.signals import tone_table

_RAM = 0x20000000
_INTEGERS = ord("i")


class Probe:
    """Reads the arrays of a running firmware."""

    def __init__(self, sram: Any) -> None:
        self._sram = sram
        self._places: dict[str, tuple[int, int]] = {}

    def find(self) -> bool:
        """Look for the image; True when all of it is there."""
        words = np.frombuffer(bytes(self._sram), dtype="<u4")
        places = words[3:].astype(np.int64) - _RAM
        lengths = words[2:-1]
        good = (words[1:-2] == _INTEGERS) & (places > 0) & (places < len(self._sram)) & (places % 4 == 0)
        found: dict[int, list[int]] = {}
        for index in np.nonzero(good & (lengths <= max(image.N_STATE, image.N_PARAMS)))[0]:
            found.setdefault(int(lengths[index]), []).append(int(places[index]))
        self._places = {}
        block = array("i", [0] * image.N_PARAMS)
        params.defaults(block)
        for name, length in (("params", image.N_PARAMS), ("state", image.N_STATE)):
            for place in found.get(length, []):
                is_params = self._array(place, length)[image.P_TICK_US] == block[image.P_TICK_US]
                if is_params == (name == "params"):
                    self._places[name] = (place, length)
        tones = tone_table()
        for place in found.get(image.N_OUTPUTS, []):
            if self._array(place, len(tones)) != tones:
                self._places["outputs"] = (place, image.N_OUTPUTS)
        for place in found.get(image.N_INPUTS, []):
            self._places["inputs"] = (place, image.N_INPUTS)
        return len(self._places) == 4

    def forget(self) -> None:
        """The firmware that was found is gone."""
        self._places = {}

    @property
    def found(self) -> bool:
        """True from a successful `find` on."""
        return len(self._places) == 4

    def read(self, name: str) -> array[int]:
        """The array `state`, `inputs`, `outputs` or `params` now."""
        return self._array(*self._places[name])

    def slot(self, name: str, slot: int) -> int:
        """One slot of an array now."""
        place = self._places[name][0] + 4 * slot
        return int.from_bytes(self._sram[place : place + 4], "little", signed=True)

    def _array(self, place: int, count: int) -> array[int]:
        return array("i", bytes(self._sram[place : place + 4 * count]))
