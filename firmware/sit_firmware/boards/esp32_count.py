"""Counts on the ESP32's pulse counters, which hold 16 bits: carried on to whole numbers.

A unit goes back to 0 when it reaches +-RANGE. `value` adds what has changed since it was last asked, so it must be
asked before half a range goes by: 16000 counts, and a tick sees at most a few hundred. Only the tick asks.
"""

from esp32 import PCNT
from machine import Pin

RANGE = 32000


class Count:
    """A pulse counter unit as a whole number, 0 when made. `unit` is started here."""

    def __init__(self, unit):
        self._unit = unit
        self._last = 0
        self._total = 0
        unit.start()

    def value(self):
        """Counts since the start, signed."""
        now = self._unit.value()
        change = now - self._last
        if change > RANGE // 2:
            change -= RANGE
        elif change < -RANGE // 2:
            change += RANGE
        self._last = now
        self._total += change
        return self._total


def quadrature(unit, a, b):
    """Four counts a period; A leads B into the skin, positive."""
    counter = PCNT(unit, min=-RANGE, max=RANGE)
    counter.init(channel=0, pin=a, rising=PCNT.INCREMENT, falling=PCNT.DECREMENT, mode_pin=b, mode_high=PCNT.REVERSE)
    counter.init(channel=1, pin=b, rising=PCNT.DECREMENT, falling=PCNT.INCREMENT, mode_pin=a, mode_high=PCNT.REVERSE)
    return Count(counter)


def edges(unit, pin):
    """Every edge, either way, counted up."""
    counter = PCNT(unit, min=-RANGE, max=RANGE)
    counter.init(channel=0, pin=pin, rising=PCNT.INCREMENT, falling=PCNT.INCREMENT)
    return Count(counter)


def pulses(unit, pin, way):
    """Rising edges on an output pin, up while the pin `way` is high, down while it is low. Both stay outputs."""
    counter = PCNT(unit, min=-RANGE, max=RANGE)
    counter.init(channel=0, pin=Pin(pin), rising=PCNT.INCREMENT, mode_pin=Pin(way), mode_low=PCNT.REVERSE)
    return Count(counter)
