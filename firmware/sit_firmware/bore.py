"""The bore as plunger force and pressure show it: the second channel of the dose. Background only, allocates little.

    plunger force = pressure x area + friction of the stopper

While the stopper slides forward its friction is the same all along, so over a shot the slope of force against pressure
is the area, whatever needle, fluid and tissue. The other channel, steps x calibrated bore, hangs on the same area: a
host compares them over many shots (docs/metering.md). Looks in kPa / 2 and 8 mN: no sum of a shot passes 2^30.
"""

from sit_firmware import codes, image

LOOK_TICKS = 8
MOST_LOOKS = 1000  # 2 s of pushing
_PRESS_SHIFT = 9  # Pa to 512 Pa
_LOAD_SHIFT = 3  # mN to 8 mN
_LEAST_VARIANCE = 64  # (512 Pa)^2: with less change of the pressure, 4 kPa, no slope is told


class Bore:
    """The looks of one shot."""

    def __init__(self):
        self.begin(0)

    def begin(self, now):
        """A shot begins."""
        self._last = now
        self._n = self._p = self._f = self._pp = self._pf = 0

    def look(self, now, state, inputs, params):
        """Takes force and pressure when it is time for it and the stopper slides forward."""
        if (now - self._last) & 0x3FFFFFFF < LOOK_TICKS or self._n >= MOST_LOOKS:
            return
        tick = inputs[image.IN_TICK]
        phase = state[image.ST_PHASE]
        if phase != codes.PHASE_DISPENSE and phase != codes.PHASE_DWELL:
            return
        if state[image.ST_G_PUSH_STEPS] <= params[image.P_G_SLIDE_STEPS]:
            return
        press = inputs[image.IN_PRESS_PA] >> _PRESS_SHIFT
        load = inputs[image.IN_LOAD_MN] >> _LOAD_SHIFT
        if inputs[image.IN_TICK] != tick:
            return  # a tick came between the two
        self._last = now
        self._n += 1
        self._p += press
        self._f += load
        self._pp += press * press
        self._pf += press * load

    def area(self):
        """The area in 0.001 mm2 (mN/MPa), 0 when the pressure changed too little to tell."""
        n = self._n
        spread = n * self._pp - self._p * self._p
        if n < 8 or spread < _LEAST_VARIANCE * n * n:
            return 0
        slope = (n * self._pf - self._p * self._f) * 15625 // spread  # 8 mN per 512 Pa
        return slope if slope > 0 else 0
