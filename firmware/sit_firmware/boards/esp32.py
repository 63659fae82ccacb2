"""The ESP32 board: an ESP32-DevKitC wired as docs/wiring.md says. Single shots only, and less deep.

    board = make_board()
    board.run(App(board))

MicroPython has no hard timer here: a tick waits until the interpreter is between two instructions. What bounds it is
the dead-man in hardware, which opens both cut-offs when no token came for two ticks. From that time `latency_us` the
guard band takes its terms (tools/guard_band.py): the highest depth of this board lies below the RP2040's, and no
repetitive mode is offered. docs/boards.md lists what that costs.
"""

from time import ticks_diff, ticks_us

import machine
import micropython
from esp32 import RMT
from machine import ADC, PWM, SPI, WDT, Pin, Timer

from sit_firmware import image
from sit_firmware.boards import pins_esp32 as pins
from sit_firmware.boards import safe
from sit_firmware.boards.esp32_count import edges, pulses, quadrature
from sit_firmware.boards.filestore import FileStore
from sit_firmware.boards.fram import Fram
from sit_firmware.boards.panel_chain import Chain
from sit_firmware.boards.usb_link import UsbLink

TICK_US = 250
EARLY_US = 200  # a tick sooner than this after the one before is left out: a speed over less time would read too low
_DOG_MS = 1000
_FRAM_HZ = 20000000
_COIL_HZ = 30518
_HALF_DUTY = 32768
_HOME_UM = 150
_PITCH_UM = 100  # of the comb; tests compare it with hardware/reference.toml
_HYST_UM = 4  # an edge going back comes this much later; the same
_SLOT_UM = 11  # how far an edge may lie from its place, and a count; the same
_MOST_STEPS = 12
_CHUNK_US = 240
_HIGH_US = 3
_TICK_MASK = (1 << 30) - 1


def chunk_pulses(steps):
    """Durations for the RMT in us, high first: `steps` pulses (1 to 12) spread over a tick."""
    period = _CHUNK_US // steps
    return (_HIGH_US, period - _HIGH_US) * steps


class Esp32Board:
    """The board contract on an ESP32."""

    name = "esp32"
    tick_us = TICK_US
    latency_us = 625  # from a sample to the drive off, at worst: two ticks of the dead-man, output and decay
    repetitive = 0
    updates = 1
    work = None

    def __init__(self):
        safe.hold()
        self.uid = (machine.unique_id() + b"\0\0")[:8]
        self._bridge = Pin(pins.BRIDGE, Pin.OUT, value=0)
        self._switch = Pin(pins.SWITCH, Pin.OUT, value=0)
        self._token = Pin(pins.TOKEN, Pin.OUT, value=0)
        self._way = Pin(pins.DIR, Pin.OUT, value=0)
        self._coil = PWM(Pin(pins.COIL), freq=_COIL_HZ, duty_u16=_HALF_DUTY)
        self._rmt = RMT(0, pin=Pin(pins.STEP), clock_div=80, idle_level=False)  # 1 us
        self._pulses = (None,) + tuple([chunk_pulses(n) for n in range(1, _MOST_STEPS + 1)])
        self._flag = Pin(pins.FLAG, Pin.IN, Pin.PULL_UP)
        self._trigger = Pin(pins.TRIGGER, Pin.IN, Pin.PULL_UP)
        self._estop = Pin(pins.ESTOP, Pin.IN, Pin.PULL_UP)
        self._pair = Pin(pins.PAIR, Pin.IN, Pin.PULL_UP)
        self._needle = quadrature(0, Pin(pins.ENC_A, Pin.IN), Pin(pins.ENC_B, Pin.IN))
        self._comb = edges(1, Pin(pins.COMB, Pin.IN, Pin.PULL_UP))
        self._steps = pulses(2, pins.STEP, pins.DIR)
        self._analog = [ADC(Pin(pin), atten=ADC.ATTN_11DB) for pin in (pins.LOAD, pins.PRESSURE, pins.SHARED)]
        # the chain has a bus of its own: a tick may come in the middle of a store's transfer
        chain = SPI(
            1,
            baudrate=pins.CHAIN_HZ,
            sck=Pin(pins.PANEL_SCK),
            mosi=Pin(pins.PANEL_MOSI),
            miso=Pin(pins.PANEL_MISO),
        )
        self._panel = Chain(chain, Pin(pins.PANEL_LATCH, Pin.OUT, value=1), pins)
        self._tick = 0
        self._last_us = ticks_us()
        self._enc_um = 0
        self._outward = True  # which way the last comb edge was passed
        self._driven = 0
        self._dog = None
        store = SPI(2, baudrate=_FRAM_HZ, sck=Pin(pins.FRAM_SCK), mosi=Pin(pins.FRAM_MOSI), miso=Pin(pins.FRAM_MISO))
        fram = Fram(store, Pin(pins.FRAM_CS, Pin.OUT, value=1))
        self.store = fram if fram.present() else FileStore("/store", self.at_rest)
        self.link = UsbLink()

    # --- tick --------------------------------------------------------------------------------------

    def read(self, inputs):
        """Fill the input image: one analog conversion a tick, in turns, since one takes about 50 us."""
        now = ticks_us()
        self._token(0)
        tick = (self._tick + 1) & _TICK_MASK
        self._tick = tick
        inputs[image.IN_TICK] = tick
        inputs[image.IN_PERIOD_US] = ticks_diff(now, self._last_us)
        self._last_us = now
        enc = self._needle.value()
        self._enc_um = enc
        self._edges(inputs, enc)
        inputs[image.IN_ENC_UM] = enc
        inputs[image.IN_STEPS] = self._steps.value()
        inputs[image.IN_FLAG] = self._flag()
        inputs[image.IN_TRIGGER] = 1 - self._trigger()
        inputs[image.IN_ESTOP] = self._estop()
        inputs[image.IN_PAIR] = 1 - self._pair()
        turn = tick & 3
        if turn == 0:
            inputs[image.IN_PRESS_PA] = _scaled(
                self._analog[1], pins.PRESSURE_ZERO, pins.PRESSURE_SPAN_16TH, pins.PRESSURE_BROKEN
            )
        elif turn == 2:
            inputs[image.IN_LOAD_MN] = _scaled(self._analog[0], pins.LOAD_ZERO, pins.LOAD_SPAN_16TH, pins.LOAD_BROKEN)
        elif self._panel.select:
            inputs[image.IN_SUPPLY_MV] = _scaled(
                self._analog[2], pins.SUPPLY_ZERO, pins.SUPPLY_SPAN_16TH, pins.SUPPLY_BROKEN
            )
        else:
            inputs[image.IN_CONTACT_MN] = _scaled(
                self._analog[2], pins.CONTACT_ZERO, pins.CONTACT_SPAN_16TH, pins.CONTACT_BROKEN
            )
        self._panel.exchange(tick, inputs)

    def _edges(self, inputs, enc):
        """No hardware keeps the count of a comb edge here: it is placed where it should lie, within this tick's travel.

        Which edge it is follows from the one before, the edges counted since and the way the needle goes. Where it
        can't have lain the nearer end of the travel tells the guard so. The same edge going back comes its hysteresis
        later than where it was placed, which may have been wrong by what a slot may be off: so much more is allowed.
        """
        passed = self._comb.value() - inputs[image.IN_COMB_N]
        if passed == 0:
            return
        inputs[image.IN_COMB_N] += passed
        at = inputs[image.IN_COMB_ENC_UM]
        low = inputs[image.IN_ENC_UM]
        high = enc
        outward = high >= low
        later = 0
        if not outward:
            low, high = high, low
            later = _HYST_UM
        turned = outward != self._outward
        if turned and passed == 1:
            at += _HYST_UM if outward else -_HYST_UM
            low -= _SLOT_UM
            high += _SLOT_UM
        else:
            slots = passed - turned
            at = ((at + _PITCH_UM // 2) // _PITCH_UM + (slots if outward else -slots)) * _PITCH_UM - later
        self._outward = outward
        inputs[image.IN_COMB_ENC_UM] = low if at < low else high if at > high else at

    def write(self, outputs):
        """Apply the output image: what is let go first, then the coil's voltage, then what is held."""
        bridge = outputs[image.OUT_BRIDGE]
        switch = outputs[image.OUT_SWITCH]
        if not bridge:
            self._bridge(0)
        if not switch:
            self._switch(0)
        duty = outputs[image.OUT_DUTY] if bridge else 0
        if duty > 4095:
            duty = 4095
        elif duty < -4096:
            duty = -4096
        self._coil.duty_u16(_HALF_DUTY + duty * 8)
        if switch:
            self._switch(1)
        if bridge:
            self._bridge(1)
        if outputs[image.OUT_TOKEN]:
            self._token(1)
        chunk = outputs[image.OUT_STEPS]
        self._driven = 1 if bridge or switch or chunk else 0
        if chunk:
            self._way(1 if chunk > 0 else 0)
            if chunk < 0:
                chunk = -chunk
            # never a second chunk behind one that runs, never more than fits a tick: the guard sees what is owed
            if chunk <= _MOST_STEPS and self._rmt.wait_done(timeout=0):
                self._rmt.write_pulses(self._pulses[chunk], 1)
        self._panel.show(self._tick, outputs)

    def off(self):
        """Drive off first, then no voltage; a chunk under way ends within its tick, and none follows."""
        self._bridge(0)
        self._switch(0)
        self._token(0)
        self._coil.duty_u16(_HALF_DUTY)

    # --- background --------------------------------------------------------------------------------

    def feed(self):
        """Feed the watchdog, which runs from `run` on."""
        if self._dog is not None:
            self._dog.feed()

    def at_rest(self):
        """Nothing is driven, no step is due or under way, the needle is home: flash may be written."""
        return not self._driven and self._rmt.wait_done(timeout=0) and -_HOME_UM < self._enc_um < _HOME_UM

    def run(self, app):
        """Tick as often as the timer gets through and poll for ever. However it ends, everything is off."""

        def beat(_):
            if ticks_diff(ticks_us(), self._last_us) >= EARLY_US:
                app.tick()

        micropython.kbd_intr(-1)
        self._dog = WDT(timeout=_DOG_MS)
        timer = Timer(0, freq=1000000 // TICK_US, mode=Timer.PERIODIC, callback=beat)
        try:
            while True:
                app.poll()
        finally:
            timer.deinit()
            self.off()
            micropython.kbd_intr(3)


def _scaled(adc, zero, span_16th, broken):
    """One conversion in its unit; `broken` when the wire is."""
    raw = adc.read_u16() >> 4
    if raw < pins.RAIL_LOW or raw > pins.RAIL_HIGH:
        return broken
    return zero + ((raw * span_16th) >> 8)


def make_board():
    """The board of this chip, everything off."""
    return Esp32Board()
