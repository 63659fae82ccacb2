"""The RP2040's tick as the machine code that a board carries, on the emulated processor with the fake's registers."""

from functools import cache
from pathlib import Path

import fake_rp2040 as fake
import sit_firmware
from sit_build import entries, forms
from sit_sim.emu.core import Core

PACKAGE = Path(sit_firmware.__file__).parent
MODULES = forms.constant_modules(PACKAGE)
BLOCKS = (fake.SIO, fake.TIMER, fake.ADC, fake.SPI1, fake.PIO1, fake.COIL_COMPARE & ~0xFFF, fake.RING_AT & ~0xFFF)


class OnCore:
    """A function of arrays that runs on a processor of its own. `arrays`: their numbers, as Core counts them."""

    def __init__(self, chip, words, arrays, packed=False):
        self._memory, self._arrays = chip.registers.memory, arrays
        self._core = Core(words, arrays, packed)
        for base in BLOCKS:
            self._core.attach(chip.registers, base)
        self.cycles = []

    def __call__(self, *values):
        core = self._core
        for address, words in self._memory:
            core.poke(address, words)
        for number, array in zip(self._arrays, values, strict=True):
            core.write(number, array)
        self.cycles.append(core.call())
        for number, array in zip(self._arrays, values, strict=True):
            array[:] = core.read(number, len(array))


def cycle_of(chip):
    """`cycle(images)` of a fake RP2040."""
    on_core = OnCore(chip, entries.machine_code(PACKAGE, MODULES).words, (0, 1, 2, 3, 5, 4), packed=True)
    return lambda images: on_core(*images[:6])


@cache
def _words_of(name):
    return entries.function_code(PACKAGE, MODULES, entries.PARTS[name], name)


def put_in(chip):
    """Give the chip's board the read and write that its machine code holds, as functions of their own."""
    for name, number in (("read", 1), ("write", 2)):
        on_core = OnCore(chip, _words_of(name), (number, 4))
        setattr(chip.board, name, lambda array, on_core=on_core: on_core(array, chip.board.work))
