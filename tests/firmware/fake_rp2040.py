"""The RP2040's registers as the board uses them: an address space of words with what hangs on them."""

from array import array

SIO, TIMER, ADC, SPI1, PIO1 = 0xD0000000, 0x40054000, 0x4004C000, 0x40040000, 0x50300000
COIL_COMPARE = 0x40050000 + 6 * 0x14 + 0x0C  # slice 6
RAM = 0x20000000
RING_AT = 0x50000084  # write address of DMA channel 2
PROGRAM_START = 13


class Window:
    """viper's ptr32 on an address."""

    def __init__(self, registers, base):
        self.registers, self.base = registers, base

    def __getitem__(self, index):
        return self.registers[self.base + 4 * index]

    def __setitem__(self, index, value):
        self.registers[self.base + 4 * index] = value


class Machine:
    """rp2.StateMachine."""

    def __init__(self, number, program, **how):
        pass

    def exec(self, word):
        assert isinstance(word, int)

    def active(self, on):
        pass


class Registers:
    """mem32, ptr32, addressof and rp2 of one chip."""

    def __init__(self, chip):
        self.chip = chip
        self.words = {RING_AT: 0}
        self.memory = []
        self.result = 0
        self.received = None
        self.channels = 0

    # --- memory ------------------------------------------------------------------------------------

    def addressof(self, words):
        """An address for an array; the same array keeps it."""
        for address, known in self.memory:
            if known is words:
                return address
        address = RAM + 0x1000 * (len(self.memory) + 1) + 4  # not aligned, as the heap's
        self.memory.append((address, words))
        return address

    def ptr32(self, what):
        return what if isinstance(what, array) else Window(self, what & 0xFFFFFFFF)

    def capture(self, counts):
        """A comb edge: the DMA stores the needle's count and moves on in its ring."""
        at = self.words[RING_AT] or counts.ring
        self[at] = counts.needle[0]
        self.words[RING_AT] = counts.ring + (at - counts.ring + 4) % 64

    def __getitem__(self, address):
        for base, words in self.memory:
            if base <= address < base + 4 * len(words):
                return words[(address - base) // 4]
        return {
            SIO + 0x04: self._levels,
            TIMER + 0x28: lambda: self.chip.us & 0xFFFFFFFF,
            ADC: lambda: 0x100,
            ADC + 4: lambda: self.result,
            SPI1 + 0x08: lambda: self.received,
            SPI1 + 0x0C: lambda: 4,
            PIO1 + 0x0C: lambda: int(self.chip.steps_busy),
            PIO1 + 0xD4: lambda: PROGRAM_START,
        }.get(address, lambda: self.words.get(address, 0))()

    def __setitem__(self, address, value):
        for base, words in self.memory:
            if base <= address < base + 4 * len(words):
                words[(address - base) // 4] = value
                return
        self.words[address] = value
        action = {
            SIO + 0x14: lambda: self._drive(value, 1),
            SIO + 0x18: lambda: self._drive(value, 0),
            ADC: lambda: self._convert(value),
            SPI1 + 0x08: lambda: self._frame(value),
            COIL_COMPARE: lambda: self.chip.events.append(("duty", value)),
            PIO1 + 0x10: lambda: self._chunk(value),
            PIO1 + 0x3000: lambda: self.chip.events.append(("step generator", 0)),
        }.get(address)
        if action:
            action()

    # --- what hangs on them ------------------------------------------------------------------------

    def _levels(self):
        return sum(level << pin for pin, level in self.chip.levels.items())

    def _drive(self, mask, level):
        for pin in sorted(p for p in self.chip.names if mask >> p & 1):  # one write is one moment
            self.chip.drive(pin, level)

    def _convert(self, value):
        channel = value >> 12 & 7
        pin = {int(n): p for p, n in self.chip.map.chip["analog"].items()}[channel]
        self.result = self.chip.convert(int(pin))

    def _frame(self, word):
        self.received = self.chip.exchange(word)

    def _chunk(self, word):
        steps = (word >> 1 & 0x7F) + 1
        assert 7 + steps * ((word >> 8) + 7) <= 250, "a chunk must end within its tick"
        self.chip.step(steps if word & 1 else -steps)

    def rp2(self):
        """The names of the module rp2."""
        registers = self

        class Dma:
            def __init__(self):
                self.channel = registers.channels
                registers.channels += 1

            def pack_ctrl(self, **how):
                return 0

            def config(self, *, read, write, count, ctrl, trigger):
                if self.channel == 2:
                    registers.words[RING_AT] = write

            def active(self, on):
                pass

        class Pio:
            SHIFT_LEFT, SHIFT_RIGHT, OUT_LOW = 0, 1, 0

        return {"asm_pio": lambda **_: lambda f: f, "PIO": Pio, "StateMachine": Machine, "DMA": Dma}
