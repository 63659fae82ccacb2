"""The counts that hardware keeps on the RP2040: needle encoder, comb edges, steps. Set up once; the tick reads memory.

    RX FIFO of the needle decoder -> RAM: the count, always the last one
    RX FIFO of the comb reader    -> nowhere; each word then starts a channel that copies the count into a ring
    RX FIFO of the step counter   -> RAM: the steps that left the chip

From a comb edge to its count in the ring: 2 cycles of the comb reader, then two transfers on an idle bus, under 0.5 us;
the count it takes is at most one round of the decoder old. At 0.6 m/s that is 1 um. docs/boards.md has the figures.
"""

# the stubs lack DMA.channel
# mypy: disable-error-code="attr-defined"

from array import array

from machine import Pin
from rp2 import DMA, StateMachine
from uctypes import addressof

from sit_firmware.boards import pins_rpi_pico as pins
from sit_firmware.boards import rp2_pio

RING = 16  # captures kept, a power of two
_RING_BITS = 6  # log2 of the ring's bytes
_RX_FIFO = 0x20  # of a PIO block: RXF0, 4 bytes a state machine
_DREQ_RX = 4  # of block 0: state machine 0; 8 further for block 1
_PIO0 = 0x50200000
_PIO1 = 0x50300000
_DMA = 0x50000000
_FOREVER = 0xFFFFFFFF
# instructions given to a state machine before it starts, as words: RP2040 datasheet, 3.4
_JMP = 0x0000
_IN_PINS_2 = 0x4002
_MOV_ISR_NULL = 0xA0C3
_MOV_OSR_ISR = 0xA0E6
_SET_Y_0 = 0xE040


class Capture:
    """Decoder, comb reader, step generator and step counter with their DMA channels, running.

    needle, steps: array('i') of one count each, 0 at start. ring: address of RING counts, aligned to its size.
    ring_at: address of the register that holds where the next capture goes. step_start: address of the step program.
    """

    def __init__(self):
        self.needle = array("i", [0])
        self.steps = array("i", [0])
        self._word = array("i", [0])
        self._memory = array("i", [0] * (2 * RING))
        self.ring = (addressof(self._memory) + 4 * RING - 1) & ~(4 * RING - 1)
        self._machines = []
        self._channels = [DMA() for _ in range(4)]
        self._needle()
        self._comb()
        self._steps()

    def _needle(self):
        a, _ = Pin(pins.ENC_A, Pin.IN, Pin.PULL_UP), Pin(pins.ENC_B, Pin.IN, Pin.PULL_UP)
        machine = StateMachine(0, rp2_pio.needle, freq=rp2_pio.NEEDLE_HZ, in_base=a)
        for word in (_SET_Y_0, _MOV_ISR_NULL, _IN_PINS_2, _MOV_OSR_ISR, _JMP + rp2_pio.ROUND):
            machine.exec(word)
        self._endless(self._channels[0], _PIO0 + _RX_FIFO, self.needle, _DREQ_RX)
        self._machines.append(machine)
        machine.active(1)

    def _comb(self):
        comb = Pin(pins.COMB, Pin.IN, Pin.PULL_UP)
        machine = StateMachine(1, rp2_pio.needle, freq=rp2_pio.NEEDLE_HZ, in_base=comb)
        drain, copy = self._channels[1], self._channels[2]
        once = {"inc_read": False, "inc_write": False, "irq_quiet": True}
        drain_ctrl = drain.pack_ctrl(treq_sel=_DREQ_RX + 1, chain_to=copy.channel, **once)
        drain.config(read=_PIO0 + _RX_FIFO + 4, write=self._word, count=1, ctrl=drain_ctrl, trigger=False)
        once["inc_write"] = True
        copy_ctrl = copy.pack_ctrl(ring_sel=True, ring_size=_RING_BITS, chain_to=drain.channel, **once)
        copy.config(read=self.needle, write=self.ring, count=1, ctrl=copy_ctrl, trigger=False)
        self.ring_at = _DMA + copy.channel * 0x40 + 4
        drain.active(1)
        self._machines.append(machine)
        machine.exec(_JMP + (rp2_pio.COMB_HIGH if comb.value() else rp2_pio.COMB_LOW))
        machine.active(1)

    def _steps(self):
        step, way = Pin(pins.STEP, Pin.IN), Pin(pins.DIR, Pin.IN)
        counter = StateMachine(5, rp2_pio.counted, freq=rp2_pio.STEP_HZ, in_base=step, jmp_pin=way)
        counter.exec(_SET_Y_0)
        self._endless(self._channels[3], _PIO1 + _RX_FIFO + 4, self.steps, _DREQ_RX + 9)
        maker = StateMachine(4, rp2_pio.steps, freq=rp2_pio.STEP_HZ, set_base=step, out_base=way)
        self._machines += [counter, maker]
        counter.active(1)
        maker.active(1)

    def _endless(self, channel, fifo, word, request):
        """Copies each word that comes to the same place, 2^32 of them."""
        ctrl = channel.pack_ctrl(treq_sel=request, inc_read=False, inc_write=False, irq_quiet=True)
        channel.config(read=fifo, write=word, count=_FOREVER, ctrl=ctrl, trigger=True)
