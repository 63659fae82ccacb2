"""The RP2040 board: a Raspberry Pi Pico wired as docs/wiring.md says.

    board = make_board()
    board.run(App(board))

The tick is a hard timer's interrupt (MicroPython 1.26 or newer); it runs rp2_tick.read and rp2_tick.write. What counts
and captures is hardware (rp2_capture.py, rp2_pio.py). This file sets the chip up, and everything that isn't a tick.
"""

import machine
import micropython
from machine import ADC, PWM, SPI, WDT, Pin, Timer, mem32
from micropython import const
from uctypes import addressof

from sit_firmware.boards import pins_rpi_pico as pins
from sit_firmware.boards import rp2_tick as tick
from sit_firmware.boards import safe
from sit_firmware.boards.filestore import FileStore
from sit_firmware.boards.fram import Fram
from sit_firmware.boards.rp2_capture import Capture
from sit_firmware.boards.usb_link import UsbLink

TICK_US = 250
_DOG_MS = 1000
_FRAM_HZ = 20000000
_COIL_HZ = 30518  # 125 MHz / 4096
_HOME_UM = 150  # a needle within this is at home: as far as the spring's stop may shift

# registers that `off` writes from any context: whole numbers, since adding up one above 2^30 would allocate
_SIO_CLR = const(0xD0000018)
_PIO1_DISABLE = const(0x50303000)  # CTRL, clear alias
_PIO1_ENABLE = const(0x50302000)  # CTRL, set alias
_PIO1_SHIFT_FLIP = const(0x503010D0)  # SHIFTCTRL of state machine 0, flip alias
_PIO1_ADDR = const(0x503000D4)
_PIO1_INSTR = const(0x503000D8)
_PIO1_LEVEL = const(0x5030000C)
_JOIN_RX = const(0x80000000)  # flipping it twice empties both FIFOs
_SET_PINS_0 = const(0xE000)
_RESTART = const(0x11)
_HALF_PERIOD = const(2048)
_HELD = (1 << pins.BRIDGE) | (1 << pins.SWITCH) | (1 << pins.TOKEN)
_COIL = 0x40050000 + 20 * ((pins.COIL >> 1) & 7)  # the slice's registers
_COIL_COMPARE = _COIL + 0x0C
_ADC = 0x4004C000
_SIO = 0xD0000000
_SPI1 = 0x40040000
_TIMER = 0x40054000
_PIO1 = 0x50300000


class Rp2040Board:
    """The board contract on an RP2040. One at a time: the chip has one of everything."""

    name = "rp2040"
    tick_us = TICK_US
    updates = 1

    def __init__(self):
        safe.hold()
        self.uid = machine.unique_id()
        self._inputs()
        self._coil()
        self._panel()
        self._capture = Capture()
        self._memory()
        self._step_start = mem32[_PIO1_ADDR] & 31
        self._dog = None
        # plain functions: a bound method would cost each tick an object
        self.read = tick.read
        self.write = tick.write
        self.work = tick.WORK
        self.off()
        cs = Pin(pins.FRAM_CS, Pin.OUT, value=1)
        spi = SPI(0, baudrate=_FRAM_HZ, sck=Pin(pins.FRAM_SCK), mosi=Pin(pins.FRAM_MOSI), miso=Pin(pins.FRAM_MISO))
        fram = Fram(spi, cs)
        present = fram.present()
        self.store = fram if present else FileStore("/store", self.at_rest)
        self.repetitive = 1 if present else 0
        self.link = UsbLink()

    # --- any context -------------------------------------------------------------------------------

    def off(self):
        """Drive off first, then no voltage, then the chunk under way ends; allocates nothing."""
        mem32[_SIO_CLR] = _HELD
        mem32[_COIL_COMPARE] = _HALF_PERIOD
        mem32[_PIO1_DISABLE] = 1
        mem32[_PIO1_SHIFT_FLIP] = _JOIN_RX
        mem32[_PIO1_SHIFT_FLIP] = _JOIN_RX
        mem32[_PIO1_INSTR] = _SET_PINS_0
        mem32[_PIO1_INSTR] = self._step_start
        mem32[_PIO1_ENABLE] = _RESTART

    # --- background --------------------------------------------------------------------------------

    def feed(self):
        """Feed the watchdog, which runs from `run` on."""
        if self._dog is not None:
            self._dog.feed()

    def at_rest(self):
        """Nothing is driven, no step is due or under way, the needle is home: flash may be written."""
        return (
            not tick.WORK[tick.W_DRIVEN]
            and not mem32[_PIO1_LEVEL] & 15
            and mem32[_PIO1_ADDR] & 31 == self._step_start
            and -_HOME_UM < self._capture.needle[0] < _HOME_UM
        )

    def run(self, app):
        """Tick by the hard timer and poll for ever. However it ends, everything is off and Ctrl-C works again."""
        micropython.kbd_intr(-1)
        self._dog = WDT(timeout=_DOG_MS)
        timer = Timer(-1, freq=1000000 // TICK_US, mode=Timer.PERIODIC, callback=app.tick, hard=True)
        try:
            while True:
                app.poll()
        finally:
            timer.deinit()
            self.off()
            micropython.kbd_intr(3)

    # --- setting up --------------------------------------------------------------------------------

    def _inputs(self):
        for pin in (pins.FLAG, pins.TRIGGER, pins.ESTOP, pins.PAIR):
            Pin(pin, Pin.IN, Pin.PULL_UP)
        for pin in (pins.LOAD, pins.PRESSURE, pins.SHARED):
            ADC(Pin(pin))

    def _coil(self):
        """12 bits of resolution: the period is set here, since PWM() chooses one by frequency alone."""
        PWM(Pin(pins.COIL), freq=_COIL_HZ, duty_u16=32768)
        mem32[_COIL + 4] = 16  # divider 1
        mem32[_COIL + 16] = 4095  # period
        mem32[_COIL_COMPARE] = _HALF_PERIOD

    def _panel(self):
        """Frames of 16 bits; the block drives the latch itself, once around each frame."""
        SPI(
            1,
            baudrate=pins.CHAIN_HZ,
            sck=Pin(pins.PANEL_SCK),
            mosi=Pin(pins.PANEL_MOSI),
            miso=Pin(pins.PANEL_MISO, Pin.IN, Pin.PULL_DOWN),
        )
        mem32[_SPI1] = mem32[_SPI1] | 15  # 16 bits
        Pin(pins.PANEL_LATCH, Pin.ALT, alt=Pin.ALT_SPI)

    def _memory(self):
        work = tick.WORK
        for slot in range(len(work)):
            work[slot] = 0
        capture = self._capture
        for slot, address in (
            (tick.W_ADC, _ADC),
            (tick.W_SIO, _SIO),
            (tick.W_SPI, _SPI1),
            (tick.W_CLOCK, _TIMER + 0x28),
            (tick.W_COIL, _COIL_COMPARE),
            (tick.W_PIO, _PIO1),
            (tick.W_NEEDLE, addressof(capture.needle)),
            (tick.W_STEPS, addressof(capture.steps)),
            (tick.W_RING, capture.ring),
            (tick.W_RING_AT, capture.ring_at),
            (tick.W_LIGHTS, addressof(tick.LIGHTS)),
            (tick.W_TONES, addressof(tick.TONES)),
            (tick.W_WAITS, addressof(tick.WAITS)),
        ):
            work[slot] = address - (1 << 32) if address >> 31 else address
        work[tick.W_LAST_US] = mem32[_TIMER + 0x28] & 0x3FFFFFFF
        work[tick.W_RING_INDEX] = (mem32[capture.ring_at] - capture.ring) >> 2


def make_board():
    """The board of this chip, everything off."""
    return Rp2040Board()
