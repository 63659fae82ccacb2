"""The FRAM as a chip on the emulated SPI bus: MB85RS2MT's commands over the simulator's store.

What was clocked in before power went is written; a write that is under way when power goes keeps what it has so far.
Commands from the datasheet: WREN 06, WRDI 04, RDSR 05, READ 03, WRITE 02, RDID 9F. Addresses have three bytes.
"""

from __future__ import annotations

from collections.abc import Callable

from sit_sim.targets.errors import PowerCut
from sit_sim.targets.fram import Fram

_WREN, _WRDI, _RDSR, _READ, _WRITE, _RDID = 0x06, 0x04, 0x05, 0x03, 0x02, 0x9F
_WEL = 0x02
_ID = bytes((0x04, 0x7F, 0x48, 0x03))  # Fujitsu, continuation, 2 Mbit, product
_ADDRESS_END = 4  # command and three bytes of address


class FramChip:
    """One chip select, one byte at a time. `on_cut` is called when the store says that power is gone."""

    def __init__(self, fram: Fram, on_cut: Callable[[], None]) -> None:
        self._fram = fram
        self._on_cut = on_cut
        self._selected = False
        self._enabled = False
        self._heard = bytearray()
        self._address = 0
        self._read = b""

    def select(self, selected: bool) -> None:
        """Chip select falls (True) or rises."""
        if selected and not self._selected:
            self._heard.clear()
            self._read = b""
        elif self._selected and not selected:
            self._end()
        self._selected = selected

    def power_lost(self) -> None:
        """Keep what a write has clocked in; forget the rest."""
        if self._selected:
            self._end()
        self._selected = self._enabled = False

    def transfer(self, byte: int) -> int:
        """One byte each way; 0 while the chip isn't selected."""
        if not self._selected:
            return 0
        heard = self._heard
        place = len(heard)
        heard.append(byte)
        if place == 0:
            if byte == _WREN:
                self._enabled = True
            elif byte == _WRDI:
                self._enabled = False
            return 0
        command = heard[0]
        if command == _RDSR:
            return _WEL if self._enabled else 0
        if command == _RDID:
            return _ID[(place - 1) % len(_ID)]
        if command == _READ and place >= _ADDRESS_END:
            return self._data(place - _ADDRESS_END)
        return 0

    def _data(self, index: int) -> int:
        size = len(self._fram.data)
        if index == 0:
            self._address = int.from_bytes(self._heard[1:4], "big") % size
        if index == 0 and not self._answers():
            self._read = b"\xff"
        if self._read:
            return 0xFF
        return self._fram.data[(self._address + index) % size]

    def _answers(self) -> bool:
        """Counts the read; False while the store's read fault is on: the line then stays high."""
        try:
            self._fram.readinto(self._address, bytearray(1))
        except OSError:
            return False
        except PowerCut:
            self._on_cut()
        return True

    def _end(self) -> None:
        """Chip select rises: what was written takes effect, the write enable falls."""
        heard = self._heard
        if not heard or heard[0] != _WRITE:
            return
        if self._enabled and len(heard) > _ADDRESS_END:
            address = int.from_bytes(heard[1:4], "big") % len(self._fram.data)
            try:
                self._fram.write(address, bytes(heard[_ADDRESS_END:]))
            except OSError:
                pass  # the fault of a store that doesn't take it: the chip says nothing, a read back shows it
            except PowerCut:
                self._on_cut()
        self._enabled = False
