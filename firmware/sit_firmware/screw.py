"""The lead screw's once-per-turn error: learned from a purge into air, taken out of the doses. Background only.

A purge pushes steadily, so what the screw does too much or too little in a part of its turn shows in the line's
pressure. What happens between two looks is gathered by the screw's place, over whole turns:

    volume by the steps + error of the screw = flow past the tip + change of what the line stores

The flow follows from the pressure; on the mean it is what was pushed. The error's first harmonic is the map, the second
and third show how far it can be trusted. A place is a count of IN_STEPS, so a map holds as long as counter and motor go
together. Derivation and figures: docs/metering.md. A look allocates little.
"""

import math
from array import array

from sit_firmware import codes, image
from sit_firmware.interval import LEAD_UM, SCREW_NM, STEPS_PER_LEAD

LOOK_TICKS = 4
STEADY_STEPS = 320  # pushed before the first look: the stopper slides
MAP_STEPS = STEADY_STEPS + STEPS_PER_LEAD + 80  # pushed into air that make a map; 80: slow looks, the way to rest
_PARTS = 64
_FLOW_GAIN = 0.89  # change of the flow with the pressure, of flow / pressure: entrance loss and meniscus
_MOST = 1.3  # of the usual amplitude: a map beyond it isn't one of this screw
_NOISE = 0.2  # of the usual amplitude: a map less sure than that isn't taken
_TISSUE_PA = 45000  # Pa: what tissue usually holds


class Screw:
    """The map of the screw, or none (`known` False: every place counts as right)."""

    def __init__(self):
        self._steps, self._ticks, self._press, self._rise = [array("i", [0] * _PARTS) for _ in range(4)]
        self._turns = 0
        self._probe_at = None  # count at which the meter of the shot under way was set
        self.forget()

    def forget(self):
        """Counter and screw may have parted, or another syringe is fitted: no map."""
        self.known = False
        self._sin_nl = self._cos_nl = 0.0
        self._most_nl = 0.0

    # --- learning ----------------------------------------------------------------------------------

    def begin(self, full_at, end_at):
        """A purge begins that ends at the count `end_at`; from `full_at` on no air is in the line."""
        for sums in (self._steps, self._ticks, self._press, self._rise):
            for i in range(_PARTS):
                sums[i] = 0
        self._from = full_at + STEADY_STEPS
        self._turns = max(0, (end_at - full_at) // MAP_STEPS)
        self._last = None

    def look(self, state, inputs):
        """Takes steps, time and pressure since the last look, over whole turns of steady pushing."""
        tick = inputs[image.IN_TICK]
        steps = inputs[image.IN_STEPS]
        press = state[image.ST_PRESS_PA] - state[image.ST_ZERO_PA]
        if tick != inputs[image.IN_TICK] or state[image.ST_PHASE] != codes.PHASE_PURGE or steps < self._from:
            return
        if self._last is None:
            self._from = steps
        else:
            was, at, before = self._last
            ticks = (tick - was) & 0x3FFFFFFF
            if ticks < LOOK_TICKS or at - self._from >= self._turns * STEPS_PER_LEAD:
                return
            i = (steps + at) // 2 % STEPS_PER_LEAD * _PARTS // STEPS_PER_LEAD
            self._steps[i] += steps - at
            self._ticks[i] += ticks
            self._press[i] += (press + before) // 2 * ticks
            self._rise[i] += press - before
        self._last = (tick, steps, press)

    def learn(self, params):
        """The purge has ended: a new map, none when what was seen can't be one, the old one after less than a turn."""
        pushed = sum(self._steps)
        if not self._turns or pushed < self._turns * STEPS_PER_LEAD:
            return
        step_nl = params[image.P_STEP_NL_Q10] / 1024
        flow_nl = pushed * step_nl / sum(self._ticks)
        mean_pa = max(1, sum(self._press) / sum(self._ticks))
        gain = _FLOW_GAIN * flow_nl / mean_pa
        soft = params[image.P_STORED_Q14] / 262144  # nl/Pa
        found = [0.0] * 6
        for i in range(_PARTS):
            error_nl = flow_nl * self._ticks[i] + gain * (self._press[i] - mean_pa * self._ticks[i])
            error_nl += soft * self._rise[i] - step_nl * self._steps[i]
            for k in range(3):
                angle = (i + 0.5) * 2 * math.pi / _PARTS * (k + 1)
                found[2 * k] += error_nl * math.cos(angle)
                found[2 * k + 1] -= error_nl * math.sin(angle)
        found = [one / (math.pi * self._turns) for one in found]
        noise_nl = math.sqrt(sum([one * one for one in found[2:]])) / 2
        usual_nl = SCREW_NM * STEPS_PER_LEAD * step_nl / (2000 * LEAD_UM)
        self.forget()
        plausible = math.sqrt(found[0] ** 2 + found[1] ** 2) <= _MOST * usual_nl
        if plausible and noise_nl <= _NOISE * usual_nl:
            self.known = True
            self._sin_nl, self._cos_nl = found[:2]
            self._most_nl = 2 * usual_nl

    # --- using -------------------------------------------------------------------------------------

    def between_nl(self, begin, end):
        """What the plunger pushes from one count to another beyond its steps, nl; never more than a sound screw may."""
        nl = self._nl(end) - self._nl(begin)
        return round(max(-self._most_nl, min(self._most_nl, nl)))

    def asked_nl(self, volume_nl, state, inputs, params, in_run=False):
        """What to ask of the tick for a shot that begins now, so that steps and screw together push `volume_nl`."""
        if not self.known:
            return volume_nl
        step_nl = params[image.P_STEP_NL_Q10] / 1024
        soft = state[image.ST_SOFT_Q14] / 262144
        load_mn = state[image.ST_LOAD_MN]
        # the way to the probe: the stopper's friction turned round, the backlash where the rod pulls, the pressure
        way_nl = (params[image.P_FRICTION_MN] - load_mn) * params[image.P_STOPPER_Q10] / 1024
        way_nl += soft * params[image.P_PROBE_PA] + (state[image.ST_SLACK_NL] if load_mn < 0 else 0)
        begin = inputs[image.IN_STEPS] + round(way_nl / step_nl)
        # a shot of a run is metered after the suck-back, which gives back what the way to the probe took
        more_nl = -way_nl if in_run else soft * (_TISSUE_PA - params[image.P_PROBE_PA])
        end = begin + round((volume_nl + more_nl) / step_nl)
        return max(1, volume_nl - self.between_nl(begin, end))

    def watch(self, state, inputs):
        """Each poll of a shot: notes the place at which the meter is set."""
        if state[image.ST_PROBE] == image.PROBE_LOOK:
            self._probe_at = inputs[image.IN_STEPS]

    def given_nl(self, state, inputs):
        """The shot has ended: what it pushed from the probe on beyond its steps, nl."""
        end = inputs[image.IN_STEPS] if state[image.ST_ARG_SKIN_TICKS] else state[image.ST_BACK_FROM]
        begin, self._probe_at = self._probe_at, None
        return 0 if begin is None else self.between_nl(begin, end)

    def _nl(self, steps):
        angle = steps % STEPS_PER_LEAD * 2 * math.pi / STEPS_PER_LEAD
        return self._sin_nl * math.sin(angle) + self._cos_nl * math.cos(angle)
