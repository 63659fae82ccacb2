"""The panel chain by software, for a board whose tick isn't register code: one frame out and in, lights and tones.

Tick context of the ESP32; allocates nothing after it is made. `rp2_tick.py` does the same on registers.
"""

from sit_firmware import image
from sit_firmware.boards import signals

_BAD_FRAMES = 3  # in a row: a driver fault


class Chain:
    """The chain on a machine.SPI with its latch pin. `pins` is the board's pin module."""

    def __init__(self, spi, latch, pins):
        self._spi = spi
        self._latch = latch
        self._pins = pins
        self._out = bytearray(2)
        self._in = bytearray(2)
        self._lights = signals.light_table()
        self._tones = signals.tone_table()
        self._echo = 0
        self._panel = 0
        self._frame = 0
        self._bad = 0
        self._tone = 0
        self._tone_tick = 0
        self.select = 0  # what the shared channel is switched to: 0 contact force, 1 supply

    def exchange(self, tick, inputs):
        """One frame; fills the chain's inputs, and DRIVER_FAULT when the chain is dead. After the tick's conversion."""
        pins = self._pins
        alive = (1 << pins.CHAIN_HIGH) | (self._echo << pins.CHAIN_ECHO)
        echo = 1 - self._echo
        self._echo = echo
        if tick & 1:
            self.select = 1 - self.select
        word = self._panel | (self.select << pins.PANEL_ADC_SELECT) | (echo << pins.PANEL_ECHO)
        self._out[0] = word >> 8
        self._out[1] = word & 0xFF
        self._latch(0)
        self._spi.write_readinto(self._out, self._in)
        self._latch(1)
        frame = ((self._in[0] << 8) | self._in[1]) ^ pins.CHAIN_INVERT
        if frame & ((1 << pins.CHAIN_HIGH) | (1 << pins.CHAIN_LOW) | (1 << pins.CHAIN_ECHO)) == alive:
            self._frame = frame
            self._bad = 0
        else:
            self._bad += 1
            frame = self._frame
        inputs[image.IN_CONTACT] = (frame >> pins.CHAIN_CONTACT) & 1
        inputs[image.IN_GATE] = (frame >> pins.CHAIN_GATE) & 1
        inputs[image.IN_CARTRIDGE] = (frame >> pins.CHAIN_CARTRIDGE) & 1
        inputs[image.IN_JUMPER] = (frame >> pins.CHAIN_JUMPER) & 1
        inputs[image.IN_BRIDGE_ON] = (frame >> pins.CHAIN_BRIDGE_ON) & 1
        inputs[image.IN_SWITCH_ON] = (frame >> pins.CHAIN_SWITCH_ON) & 1
        fault = ((frame >> pins.CHAIN_BRIDGE_FAULT) | (frame >> pins.CHAIN_STEPPER_FAULT)) & 1
        inputs[image.IN_DRIVER_FAULT] = 1 if self._bad >= _BAD_FRAMES else fault

    def show(self, tick, outputs):
        """Lights and buzzer of the next frame."""
        code = (outputs[image.OUT_LIGHT] & (signals.LIGHT_CODES - 1)) * 2
        slot = (tick >> signals.LIGHT_SLOT_BITS) & (signals.SLOTS - 1)
        panel = self._lights[code] if (self._lights[code + 1] >> slot) & 1 else 0
        tone = outputs[image.OUT_TONE] & (signals.TONE_CODES - 1)
        if tone != self._tone:
            self._tone = tone
            self._tone_tick = 0
        slot = self._tone_tick // signals.TONE_SLOT_TICKS
        if slot < signals.SLOTS:
            if (self._tones[tone] >> slot) & 1:
                panel |= 1 << self._pins.PANEL_BUZZER
            self._tone_tick += 1
        self._panel = panel
