"""What holds before anything else runs: outputs at their safe level, and the button that keeps the firmware away.

Called by boot.py and main.py on every start. Knows no board driver, so that a broken one can't take this away.
"""

import sys

from machine import Pin

# sys.platform -> pin module
_PINS = {
    "rp2": "sit_firmware.boards.pins_rpi_pico",
    "esp32": "sit_firmware.boards.pins_esp32",
}


def _pins():
    name = _PINS.get(sys.platform)
    return __import__(name, None, None, ("SAFE",)) if name else None


def hold():
    """Drives each output to the level that a resistor held until now: cut-offs open, no token, no step, FRAM deaf."""
    pins = _pins()
    if pins is None:
        return
    for pin, level in pins.SAFE:
        Pin(pin, Pin.OUT, value=level)


def escape():
    """True while the pairing button is held: the board stays at the REPL with everything off."""
    pins = _pins()
    return pins is not None and not Pin(pins.PAIR, Pin.IN, Pin.PULL_UP).value()
