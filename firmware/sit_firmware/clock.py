"""Time: tick numbers that wrap at 2^30, timers on them, and the calendar clock a host sets.

Called from the background only. A tick number is 0..TICK_MASK; two of them are compared by `since`, never by `<`.
Allocates nothing but the integers above 2^30 that a calendar needs on a 32-bit chip.
"""

TICK_MASK = (1 << 30) - 1  # tick: the last number before the wrap
_HALF = 1 << 29
LONGEST_TICKS = _HALF - 1  # tick: the longest time a timer can hold


def after(tick, ticks):
    """The tick number `ticks` (0..LONGEST_TICKS) after `tick`."""
    return (tick + ticks) & TICK_MASK


def since(now, then):
    """Ticks from `then` to `now`, negative when `then` lies ahead; right within half the wrap."""
    return ((now - then + _HALF) & TICK_MASK) - _HALF


def ticks_of_ms(ms, tick_us):
    """Ticks in `ms`, rounded up, so that a wait is never shorter than asked."""
    return (ms * 1000 + tick_us - 1) // tick_us


class Timer:
    """One alarm clock: off, or due at a tick. The owner polls it far more often than the wrap comes round."""

    def __init__(self):
        self.on = False
        self.at = 0

    def start(self, now, ticks):
        """Due `ticks` from now; longer than LONGEST_TICKS is cut to that."""
        self.at = after(now, ticks if ticks < LONGEST_TICKS else LONGEST_TICKS)
        self.on = True

    def stop(self):
        """Never due."""
        self.on = False

    def due(self, now):
        """True from the tick set on, until stopped or started again."""
        return self.on and since(now, self.at) >= 0

    def left(self, now):
        """Ticks until due; 0 when due or off."""
        ticks = since(self.at, now)
        return ticks if self.on and ticks > 0 else 0


class WallClock:
    """Seconds since 1970 from ticks, once a host has set it. `unix_s` is 0 while unknown."""

    def __init__(self, tick_us):
        self.unix_s = 0
        self._tick_us = tick_us
        self._tick = 0
        self._rest_us = 0

    def set(self, unix_s, now):
        """Takes `unix_s` as the time at tick `now`."""
        self.unix_s = unix_s
        self._tick = now
        self._rest_us = 0

    def advance(self, now):
        """Follows the ticks; to be called at least once per wrap."""
        if not self.unix_s:
            return
        self._rest_us += ((now - self._tick) & TICK_MASK) * self._tick_us
        self._tick = now
        if self._rest_us >= 1000000:
            self.unix_s += self._rest_us // 1000000
            self._rest_us %= 1000000
