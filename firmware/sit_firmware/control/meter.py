"""Metering: what has left the needle, from steps, plunger force and pressure. Tick domain.

    needle volume = plunger volume - (hidden now - hidden at the start)
    hidden = stopper compressed by the plunger force + backlash while pulling + barrel and tube swollen by the pressure

Volumes in nl. Force and pressure are measured, so the stopper's friction needs no model: it shows in the force.
"""

from sit_firmware import image


def hidden(state, inputs, outputs, params):
    """Sets ST_HIDDEN_NL and ST_STORED_NL from the filtered force and pressure."""
    load = state[image.ST_LOAD_MN]
    press = state[image.ST_PRESS_PA] >> 4
    volume = (load * params[image.P_STOPPER_Q10]) >> 10
    if load < 0:
        volume -= state[image.ST_SLACK_NL]
    bubble = state[image.ST_SOFT_Q14] - params[image.P_STORED_Q14] + params[image.P_BUBBLE_Q14]
    state[image.ST_HIDDEN_NL] = volume + ((press * bubble) >> 14)
    state[image.ST_STORED_NL] = (press * state[image.ST_SOFT_Q14]) >> 14


def balance(state, inputs, outputs, params):
    """Sets ST_STEPS, ST_NEEDLE_NL and, while the opening is buried, ST_TISSUE_NL.

    Suck-back gives nothing and turns stopper and screw round, so the last value before it is the truer one.
    """
    hidden(state, inputs, outputs, params)
    steps = inputs[image.IN_STEPS] - state[image.ST_STEPS0]
    state[image.ST_STEPS] = steps
    needle = (steps * params[image.P_STEP_NL_Q10]) >> 10
    needle -= state[image.ST_HIDDEN_NL] - state[image.ST_HIDDEN0_NL]
    state[image.ST_NEEDLE_NL] = needle
    if state[image.ST_DEPTH_UM] >= params[image.P_BEVEL_UM] and state[image.ST_SUCK] == 0:
        state[image.ST_TISSUE_NL] = needle - state[image.ST_LOST_NL]


def quiet(state, inputs, outputs, params):
    """Looks at the pressure every P_QUIET_TICKS: without flow and steps it stands; ST_QUIET_N counts such looks.

    While the plunger moves a look begins anew: what is pushed and what flows out could make up for each other.
    """
    tick = inputs[image.IN_TICK]
    moves = state[image.ST_PL_SPEED_Q8]
    if moves or (tick - state[image.ST_FLOW_TICK]) & 0x3FFFFFFF >= params[image.P_QUIET_TICKS]:
        change = state[image.ST_PRESS_PA] - state[image.ST_FLOW_PA]
        limit = params[image.P_QUIET_PA]
        if moves == 0 and change < limit and change > -limit:
            if state[image.ST_QUIET_N] == 0:
                state[image.ST_STILL_PA] = state[image.ST_FLOW_PA]
            state[image.ST_QUIET_N] += 1
        else:
            state[image.ST_QUIET_N] = 0
        state[image.ST_FLOW_PA] = state[image.ST_PRESS_PA]
        state[image.ST_FLOW_TICK] = tick
