"""The bare processor of the emulated RP2040: machine code and its arrays in the chip's RAM, no firmware around it.

It runs the tick's entry, or one hot function, call by call, counts the cycles and gives the arrays back, which makes it
the quick way to compare machine code with its source and to see where its time goes. It needs no UF2. Registers of
peripherals are the emulator's own until `attach` puts another object in their place.
"""

from array import array
from collections.abc import Sequence
from typing import Any, Protocol

from sit_sim.emu import shims

_RAM = 0x20000000
_BACK = _RAM + 0x100  # where a call returns to
_CODE_AT = _RAM + 0x10000
_TUPLE_AT = _RAM + 0x18000  # of an entry that takes one tuple: its items, then their objects
_ARRAYS_AT = _RAM + 0x20000
_ARRAY_BYTES = 0x1000  # but for the last, the flight recorder's log
_STACK_TOP = _RAM + 0x40000
_PUSH_ALL, _POP_ALL = 0xB5F0, 0xBDF0  # r4-r7 and the return address: the frame that asm_thumb makes
_MOST_INSTRUCTIONS = 200_000
_OBJECT_WORDS = 4  # type, typecode and spare room, length, address of the items


class Registers(Protocol):
    """Words of memory by their address."""

    def __getitem__(self, address: int) -> int: ...
    def __setitem__(self, address: int, value: int) -> None: ...


class _Block:
    """A peripheral of the emulator that passes everything on."""

    def __init__(self, registers: Registers, base: int) -> None:
        self._registers, self._base = registers, base

    def read_uint32(self, offset: int) -> int:
        return self._registers[self._base + offset] & 0xFFFFFFFF

    def write_uint32(self, offset: int, value: int) -> None:
        self._registers[self._base + offset] = value

    def write_uint32_atomic(self, offset: int, value: int, atomic_type: int) -> None:
        self._registers[self._base + (atomic_type << 12) + offset] = value


class Core:
    """Machine code, loaded. Arrays are numbered as it takes them and live in the chip's RAM between calls."""

    def __init__(self, words: Sequence[int], arrays: Sequence[int] = (0, 1, 2, 3), packed: bool = False) -> None:
        """`arrays`: the order in which the code gets the arrays 0 to 5, in registers or, `packed`, in a tuple."""
        shims.check()
        from rp2040py.rp2040 import RP2040

        self.mcu: Any = RP2040()
        self._arrays, self._packed = arrays, packed
        for index, word in enumerate((_PUSH_ALL, *words, _POP_ALL)):
            self.mcu.write_uint16(_CODE_AT + 2 * index, word)
        for index, number in enumerate(arrays if packed else ()):
            at = _TUPLE_AT + 0x100 + 4 * _OBJECT_WORDS * index
            self.mcu.write_uint32(_TUPLE_AT + 4 * index, at)
            self.mcu.write_uint32(at + 4 * (_OBJECT_WORDS - 1), address(number))

    def attach(self, registers: Registers, base: int) -> None:
        """Let the code find `registers` at the peripheral with that base address."""
        block = _Block(registers, base)
        if base >> 28 == 0xD:
            self.mcu.sio = block
        else:
            self.mcu.peripherals[base >> 14 << 2] = block

    def write(self, number: int, values: Sequence[int]) -> None:
        """Fill an array."""
        self.poke(address(number), values)

    def read(self, number: int, count: int) -> array:
        """The first `count` numbers of an array."""
        start = address(number) - _RAM
        return array("i", bytes(self.mcu.sram[start : start + 4 * count]))

    def poke(self, at: int, values: Sequence[int]) -> None:
        """Put numbers into RAM."""
        data = array("i", values).tobytes()
        self.mcu.sram[at - _RAM : at - _RAM + len(data)] = data

    def call(self) -> int:
        """Run the code once on the arrays; the cycles from its first instruction to its last."""
        core = self.mcu.core
        registers = core.registers
        if self._packed:
            registers[0] = _TUPLE_AT
        else:
            for index, number in enumerate(self._arrays):
                registers[index] = address(number)
        registers[8], registers[9] = 0x88888888, 0x99999999
        registers[13] = _STACK_TOP
        registers[14] = _BACK | 1
        core.pc = _CODE_AT
        before = core.cycles
        for _ in range(_MOST_INSTRUCTIONS):
            core.execute_instruction()
            if core.pc == _BACK:
                if (registers[8], registers[9], registers[13]) != (0x88888888, 0x99999999, _STACK_TOP):
                    raise RuntimeError("the code doesn't give back the registers that it must")
                return core.cycles - before
        raise RuntimeError(f"the call didn't end within {_MOST_INSTRUCTIONS} instructions, it is at {core.pc:#x}")


def address(number: int) -> int:
    """Where an array lies: 0 state, 1 inputs, 2 outputs, 3 params, 4 the board's memory, 5 the recorder's log."""
    return _ARRAYS_AT + number * _ARRAY_BYTES
