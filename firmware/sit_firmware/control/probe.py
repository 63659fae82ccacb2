"""Is the opening in tissue? A small pressure tells, before any dose is pushed. Tick domain, in DISPENSE.

Tissue holds fluid back up to some tens of kPa, air and the unbroken surface of the skin hold almost none. So a pressure
below any tissue's is put on the line and looked at: if it stands, the opening is buried; if it falls, the skin hasn't
given way yet. Then the skin gets time to creep and the look is repeated, a few times, before the shot is given up.
What was spilled meanwhile doesn't count as given. With a pressure that stands nothing has flowed, so what the meter
shows then is its error of this shot (backlash, friction), which is taken out of the goal.
"""

from sit_firmware import image
from sit_firmware.control.plunger import run


def probe(state, inputs, outputs, params):
    """One control step of it: ST_PROBE ends as PROBE_IN_TISSUE or PROBE_GIVEN_UP."""
    stage = state[image.ST_PROBE]
    tick = inputs[image.IN_TICK]
    waited = (tick - state[image.ST_PROBE_TICK]) & 0x3FFFFFFF
    press = state[image.ST_PRESS_PA]
    real = press - state[image.ST_ZERO_PA]
    look = params[image.P_PROBE_TICKS]
    drop = params[image.P_PROBE_DROP_PA]
    if state[image.ST_ARG_SKIN_TICKS]:
        look = params[image.P_LOOK_TICKS]
        drop = params[image.P_LOOK_DROP_PA]
    if stage == image.PROBE_PRESS:
        if real >= params[image.P_PROBE_PA]:
            state[image.ST_PL_SPEED_Q8] = 0
            state[image.ST_PROBE] = image.PROBE_LOOK
            state[image.ST_PROBE_TICK] = tick
            state[image.ST_PROBE_REF_PA] = 0
        elif state[image.ST_NEEDLE_NL] - state[image.ST_LOST_NL] > params[image.P_PROBE_NL]:
            _leaks(state, inputs, outputs, params)
        else:
            _press(state, inputs, outputs, params)
    elif stage == image.PROBE_LOOK:
        if state[image.ST_PROBE_REF_PA] == 0:
            if waited >= params[image.P_PROBE_SETTLE]:
                state[image.ST_PROBE_REF_PA] = press
        elif state[image.ST_PROBE_REF_PA] - press > drop:
            _leaks(state, inputs, outputs, params)
        elif waited >= look:
            state[image.ST_PROBE] = image.PROBE_IN_TISSUE
            state[image.ST_GOAL_NL] += state[image.ST_NEEDLE_NL]
            state[image.ST_LOST_NL] = state[image.ST_NEEDLE_NL]
            state[image.ST_PROBE_REF_PA] = press
            state[image.ST_PRESS_OUT_PA] = press  # the least that this tissue holds
    elif waited >= params[image.P_PROBE_WAIT]:
        state[image.ST_PROBE] = image.PROBE_PRESS
        state[image.ST_LOST_NL] = state[image.ST_NEEDLE_NL]


def _press(state, inputs, outputs, params):
    """Pushes towards the probe's pressure: through the stopper's friction first, then what compliance takes."""
    press = state[image.ST_PRESS_PA]
    short = params[image.P_PROBE_PA] + params[image.P_PROBE_DROP_PA] + state[image.ST_ZERO_PA] - press
    go = ((short >> 4) * state[image.ST_SOFT_Q14]) >> 14
    grip = params[image.P_FRICTION_MN] - state[image.ST_LOAD_MN] + (((press >> 4) * params[image.P_BORE_Q14]) >> 14)
    if grip > 0:
        go += (grip * params[image.P_STOPPER_Q10]) >> 10
    if state[image.ST_LOAD_MN] < 0:
        go += state[image.ST_SLACK_NL]
    state[image.ST_PL_GO_NL] = go
    run(state, inputs, outputs, params)


def _leaks(state, inputs, outputs, params):
    """The pressure doesn't stand: wait and try again, or give up."""
    state[image.ST_PL_SPEED_Q8] = 0
    state[image.ST_PROBE_TICK] = inputs[image.IN_TICK]
    state[image.ST_TRIES] += 1
    if state[image.ST_TRIES] >= params[image.P_PROBE_TRIES]:
        state[image.ST_PROBE] = image.PROBE_GIVEN_UP
    else:
        state[image.ST_PROBE] = image.PROBE_WAIT
