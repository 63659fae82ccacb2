"""Which polls of the background are withheld: a function of seed and tick, so that skipping ticks doesn't move it.

A stall stands for what keeps a real background from running each tick: garbage collection, USB, the store.
"""

from __future__ import annotations

from dataclasses import dataclass

WINDOW_TICKS = 512
_MASK = (1 << 64) - 1


def mix(seed: int, number: int) -> int:
    """64 well-mixed bits of two integers (splitmix64)."""
    z = (seed * 0x9E3779B97F4A7C15 + number * 0xD1B54A32D192ED03 + 0x2545F4914F6CDD1D) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)


@dataclass
class Stall:
    """In each window of WINDOW_TICKS at most one stall begins."""

    seed: int
    percent: int = 25
    """Windows in a hundred that hold a stall; 0 for none."""
    longest_ticks: int = 12
    """A stall lasts 1 to this many ticks."""
    _from: int = 0
    _to: int = 0
    _window_end: int = 0

    def set(self, percent: int, longest_ticks: int) -> None:
        """Change how often and how long, from the next tick on."""
        self.percent, self.longest_ticks = percent, longest_ticks
        self._window_end = 0

    def withholds(self, tick: int) -> bool:
        """True when the poll of `tick` is withheld. Ticks are asked for in rising order."""
        if tick >= self._window_end:
            self._draw(tick // WINDOW_TICKS)
        return self._from <= tick < self._to

    def _draw(self, window: int) -> None:
        bits = mix(self.seed, window)
        begin = window * WINDOW_TICKS
        self._window_end = begin + WINDOW_TICKS
        self._from = self._to = begin
        if bits % 100 < self.percent:
            length = 1 + (bits >> 8) % self.longest_ticks
            self._from = begin + (bits >> 32) % (WINDOW_TICKS - length)
            self._to = self._from + length
