"""The bare processor of the emulated RP2040: machine code and the four arrays in its RAM, no firmware around it.

It runs the entries of `sit_build.entries` call by call, counts their cycles and gives the arrays back, which makes it
the quick way to compare machine code with its source and to see where its time goes. It needs no UF2.
"""

from array import array
from collections.abc import Sequence

from sit_sim.emu import shims

_RAM = 0x20000000
_ARRAYS_AT = _RAM + 0x10000
_ARRAY_BYTES = 0x1000
_STACK_TOP = _RAM + 0x40000
_BACK = _RAM + 0x100  # where a call returns to
_CODE_AT = _RAM + 0x200
_PUSH_ALL, _POP_ALL = 0xB5F0, 0xBDF0  # r4-r7 and the return address: the frame that asm_thumb makes
_MOST_INSTRUCTIONS = 200_000


class Core:
    """One entry's machine code, loaded. The arrays live in the chip's RAM between calls: `write` and `read` them."""

    def __init__(self, words: Sequence[int]) -> None:
        shims.check()
        from rp2040py.rp2040 import RP2040

        self._mcu = RP2040()
        for index, word in enumerate((_PUSH_ALL, *words, _POP_ALL)):
            self._mcu.write_uint16(_CODE_AT + 2 * index, word)

    def write(self, number: int, values: Sequence[int]) -> None:
        """Fill array 0..3 (state, inputs, outputs, params)."""
        start = _ARRAYS_AT + number * _ARRAY_BYTES - _RAM
        data = array("i", values).tobytes()
        self._mcu.sram[start : start + len(data)] = data

    def read(self, number: int, count: int) -> array:
        """The first `count` numbers of array 0..3."""
        start = _ARRAYS_AT + number * _ARRAY_BYTES - _RAM
        return array("i", bytes(self._mcu.sram[start : start + 4 * count]))

    def call(self) -> int:
        """Run the entry once on the arrays; the cycles from its first instruction to its last."""
        core = self._mcu.core
        registers = core.registers
        for number in range(4):
            registers[number] = _ARRAYS_AT + number * _ARRAY_BYTES
        registers[13] = _STACK_TOP
        registers[14] = _BACK | 1
        core.pc = _CODE_AT
        before = core.cycles
        for _ in range(_MOST_INSTRUCTIONS):
            core.execute_instruction()
            if core.pc == _BACK:
                return core.cycles - before
        raise RuntimeError(f"the call didn't end within {_MOST_INSTRUCTIONS} instructions, it is at {core.pc:#x}")
