"""What the syringe fitted really gives way: compliance and backlash, measured in each suck-back. Tick domain.

Tissue only holds back, so while the pressure is taken off nothing passes the tip; unless the device is lifted
meanwhile: what is stored runs out then, and nothing is measured. Once the stopper slides back with
the rod pulling (no backlash left, friction the same all along) all that the plunger travels is taken from compliance:

    compliance = plunger volume / fall of the pressure

With that the shot's own volume is corrected, and the next shots begin with it. Then what the meter's value after the
suck-back is short of the one before it is the screw's backlash. A measure outside what the type's tolerances allow
is not taken: the two values go on differing, and the background sees it (interval.py). docs/metering.md.
"""

from sit_firmware import codes, image

_STILL = 1  # stages, in ST_LEARN: the stopper hasn't slid yet
_SLIDES = 2
_LARGE_Q10 = 1 << 22  # nl / 1024: no syringe holds so much at these pressures; keeps the products small


def recall(state, inputs, outputs, params):
    """Compliance and backlash of a request: those learned, or the block's after a purge and for another syringe."""
    purge = state[image.ST_REQ] == codes.REQ_PURGE
    if purge or state[image.ST_SOFT_OF_Q14] != params[image.P_STORED_Q14]:
        state[image.ST_SOFT_N] = 0
    if state[image.ST_SOFT_N] == 0:
        state[image.ST_SOFT_OF_Q14] = params[image.P_STORED_Q14]
        state[image.ST_SOFT_Q14] = params[image.P_STORED_Q14]
        state[image.ST_SLACK_NL] = params[image.P_BACKLASH_NL]
    state[image.ST_LEARN] = 0


def begin(state, inputs, outputs, params):
    """The suck-back begins: worth a measure only when the pressure stood and the opening is still in tissue."""
    state[image.ST_LEARN] = 0
    state[image.ST_BEFORE_PA] = state[image.ST_PRESS_PA]
    if state[image.ST_PHASE] == codes.PHASE_DWELL and state[image.ST_QUIET_N] >= 2:
        state[image.ST_LEARN] = _STILL


def watch(state, inputs, outputs, params):
    """Waits until the stopper slides and the rod pulls; from there on it is measured."""
    press = inputs[image.IN_PRESS_PA]
    if state[image.ST_LEARN] != _STILL or press > state[image.ST_BEFORE_PA] - params[image.P_LEARN_PA]:
        return
    if inputs[image.IN_LOAD_MN] <= -params[image.P_PULL_MN]:
        state[image.ST_LEARN] = _SLIDES
        state[image.ST_LEARN_STEPS] = inputs[image.IN_STEPS]
        state[image.ST_LEARN_PA] = press


def end(state, inputs, outputs, params):
    """The pressure is off: takes the measure, corrects the shot's volume."""
    if state[image.ST_LEARN] != _SLIDES or not inputs[image.IN_CONTACT]:
        return
    state[image.ST_LEARN] = 0
    fall = state[image.ST_LEARN_PA] - inputs[image.IN_PRESS_PA]
    back_q10 = (state[image.ST_LEARN_STEPS] - inputs[image.IN_STEPS]) * params[image.P_STEP_NL_Q10]
    if fall < params[image.P_LEARN_PA] or back_q10 <= 0 or back_q10 >= _LARGE_Q10:
        return
    soft = (back_q10 << 8) // fall
    if soft < params[image.P_SOFT_LOW_Q14] or soft > params[image.P_SOFT_HIGH_Q14]:
        return
    change = soft - state[image.ST_SOFT_Q14]
    # noise is averaged; a change that can't be noise (a first measure, a bubble) is taken whole
    if state[image.ST_SOFT_N] and change < soft >> 4 and change > -(soft >> 4):
        change = change >> 2
    state[image.ST_SOFT_Q14] += change
    # since the probe, where the meter was set right
    held = (state[image.ST_BEFORE_PA] - state[image.ST_PROBE_REF_PA]) >> 4
    state[image.ST_TISSUE_NL] -= (held * change) >> 14
    _slack(state, inputs, outputs, params)
    state[image.ST_SOFT_N] += 1


def still(state, inputs, outputs, params):
    """Sets ST_STILL_NL: the needle volume less the backlash, with no pressure left. From the raw sensors: no lag."""
    bubble = state[image.ST_SOFT_Q14] - params[image.P_STORED_Q14] + params[image.P_BUBBLE_Q14]
    held = (inputs[image.IN_LOAD_MN] * params[image.P_STOPPER_Q10]) >> 10
    held += ((inputs[image.IN_PRESS_PA] >> 4) * bubble) >> 14
    steps = inputs[image.IN_STEPS] - state[image.ST_STEPS0]
    needle = (steps * params[image.P_STEP_NL_Q10]) >> 10
    state[image.ST_STILL_NL] = needle - held + state[image.ST_HIDDEN0_NL]


def _slack(state, inputs, outputs, params):
    """The backlash by which the meter's value now is the one before the suck-back."""
    still(state, inputs, outputs, params)
    slack = state[image.ST_TISSUE_NL] + state[image.ST_LOST_NL] - state[image.ST_STILL_NL]
    if slack < params[image.P_SLACK_LOW_NL] or slack > params[image.P_SLACK_HIGH_NL]:
        return
    change = slack - state[image.ST_SLACK_NL]
    if state[image.ST_SOFT_N]:
        change = change >> 2
    state[image.ST_SLACK_NL] += change
