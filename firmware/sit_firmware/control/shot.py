"""The phases of a shot: APPROACH, INSERT, SETTLE, DISPENSE, DWELL, RETRACT. Tick domain, each control step.

    APPROACH   the tip is behind the nose-piece plane
    INSERT     from the plane to the depth; given up after P_INSERT_TICKS
    SETTLE     at the depth until the skin has given way
    DISPENSE   the plunger works until the needle volume reaches the dose
    DWELL      what is stored flows out; a rest is pushed after; then the pressure is sucked back
    RETRACT    drive off, the spring brings the needle home; then the result is told

STOP and lost contact go straight to RETRACT; a released trigger changes nothing.
"""

from sit_firmware import codes, image
from sit_firmware.control.learn import begin, end, watch
from sit_firmware.control.meter import balance, quiet
from sit_firmware.control.needle import drive
from sit_firmware.control.plunger import run
from sit_firmware.control.probe import probe
from sit_firmware.control.rapid import give, given, lands, turn


def shot(state, inputs, outputs, params):
    """One control step of a shot."""
    balance(state, inputs, outputs, params)
    phase = state[image.ST_PHASE]
    if phase == codes.PHASE_RETRACT:
        retract(state, inputs, outputs, params)
        return
    if state[image.ST_STOP]:
        _break_off(state, inputs, outputs, params)
        state[image.ST_END_CAUSE] = codes.CAUSE_STOP
        return
    if not state[image.ST_CONTACT_OK]:
        _break_off(state, inputs, outputs, params)
        state[image.ST_END_CAUSE] = codes.CAUSE_CONTACT
        return
    if state[image.ST_ARG_SKIN_TICKS] and phase != codes.PHASE_APPROACH and state[image.ST_SUCK] == 0:
        if (inputs[image.IN_TICK] - state[image.ST_SKIN_TICK]) & 0x3FFFFFFF >= state[image.ST_ARG_SKIN_TICKS]:
            _too_long(state, inputs, outputs, params)
    if state[image.ST_PHASE] == codes.PHASE_RETRACT:
        return
    drive(state, inputs, outputs, params)
    off = inputs[image.IN_ENC_UM] - state[image.ST_TARGET_UM]
    window = params[image.P_SETTLE_UM]
    if off <= window and off >= -window:
        state[image.ST_SETTLE_N] += 1
    else:
        state[image.ST_SETTLE_N] = 0
    if state[image.ST_PHASE] == codes.PHASE_DISPENSE:
        _dispense(state, inputs, outputs, params)
    elif state[image.ST_PHASE] == codes.PHASE_DWELL:
        _dwell(state, inputs, outputs, params)
    else:
        _insert(state, inputs, outputs, params)


def _too_long(state, inputs, outputs, params):
    """A shot of a run has been in the skin for its time: what is given is given, the pressure still comes off."""
    if state[image.ST_PROBE] == image.PROBE_IN_TISSUE and state[image.ST_PHASE] == codes.PHASE_DISPENSE:
        turn(state, inputs, outputs, params)
        state[image.ST_END_CAUSE] = codes.CAUSE_TIME
        return
    _break_off(state, inputs, outputs, params)
    state[image.ST_END_CAUSE] = codes.CAUSE_NO_PUNCTURE


def _insert(state, inputs, outputs, params):
    """APPROACH, INSERT and SETTLE: waits for the plane, for the depth, for the skin."""
    tick = inputs[image.IN_TICK]
    phase = state[image.ST_PHASE]
    if phase == codes.PHASE_APPROACH and state[image.ST_DEPTH_UM] >= 0:
        state[image.ST_PHASE] = codes.PHASE_INSERT
        state[image.ST_PHASE_TICK] = tick
        state[image.ST_SKIN_TICK] = tick
    elif phase == codes.PHASE_INSERT and state[image.ST_ARG_SKIN_TICKS]:
        lands(state, inputs, outputs, params)
    elif phase == codes.PHASE_INSERT and state[image.ST_SETTLE_N] >= params[image.P_SETTLE_N]:
        state[image.ST_PHASE] = codes.PHASE_SETTLE
        state[image.ST_PHASE_TICK] = tick
    elif phase == codes.PHASE_SETTLE and state[image.ST_SETTLE_N] >= params[image.P_SETTLE_N]:
        if (tick - state[image.ST_PHASE_TICK]) & 0x3FFFFFFF >= params[image.P_SETTLE_TICKS]:
            state[image.ST_END_UM] = state[image.ST_DEPTH_UM]
            state[image.ST_SETTLED_TICK] = tick
            state[image.ST_PHASE] = codes.PHASE_DISPENSE
            state[image.ST_PHASE_TICK] = tick
    elif (tick - state[image.ST_SETTLED_TICK]) & 0x3FFFFFFF >= params[image.P_INSERT_TICKS]:
        _break_off(state, inputs, outputs, params)
        state[image.ST_END_CAUSE] = codes.CAUSE_NO_PUNCTURE


def _left(state, inputs, outputs, params):
    """Sets ST_PL_GO_NL: the dose less what has passed and less what is stored above the pressure at the tip.

    The pressure is summed up besides: what drove the dose out (interval.py).
    """
    state[image.ST_PUSH_SUM] += (state[image.ST_PRESS_PA] - state[image.ST_ZERO_PA]) >> 8
    above = state[image.ST_PRESS_PA] - state[image.ST_PRESS_OUT_PA]
    stored = ((above >> 4) * state[image.ST_SOFT_Q14]) >> 14
    if stored < 0:
        stored = 0
    left = state[image.ST_GOAL_NL] - state[image.ST_NEEDLE_NL] - stored
    if left < 0:  # too much can't be taken back
        left = 0
    state[image.ST_PL_GO_NL] = left


def _dispense(state, inputs, outputs, params):
    """Finds out that the opening is in tissue, then pushes until nothing is left to push or the cap is reached."""
    if state[image.ST_ARG_SKIN_TICKS]:
        give(state, inputs, outputs, params)
    elif state[image.ST_PROBE] != image.PROBE_IN_TISSUE:
        probe(state, inputs, outputs, params)
    else:
        _push(state, inputs, outputs, params)
    if state[image.ST_PROBE] == image.PROBE_GIVEN_UP:
        _break_off(state, inputs, outputs, params)
        state[image.ST_END_CAUSE] = codes.CAUSE_NO_PUNCTURE


def _push(state, inputs, outputs, params):
    """Pushes until nothing is left to push."""
    _left(state, inputs, outputs, params)
    run(state, inputs, outputs, params)
    if state[image.ST_PL_SPEED_Q8] == 0:
        state[image.ST_PHASE] = codes.PHASE_DWELL
        state[image.ST_PHASE_TICK] = inputs[image.IN_TICK]
        state[image.ST_QUIET_N] = 0


def _dwell(state, inputs, outputs, params):
    """Waits until the flow has died down, pushes what is missing meanwhile, then sucks back and lets go."""
    if state[image.ST_SUCK]:
        suck(state, inputs, outputs, params)
        if state[image.ST_SUCK] == 2:
            if state[image.ST_ARG_SKIN_TICKS]:
                given(state, inputs, outputs, params)
            _finish(state, inputs, outputs, params)
        return
    _left(state, inputs, outputs, params)
    if state[image.ST_PL_GO_NL] <= params[image.P_STEP_NL_Q10] >> 9:
        state[image.ST_PL_GO_NL] = 0  # less than a pair of steps: noise would add one pair after the other
    run(state, inputs, outputs, params)
    quiet(state, inputs, outputs, params)
    if state[image.ST_QUIET_N] >= 2 and state[image.ST_PL_SPEED_Q8] == 0:
        # nothing flows and nothing is pushed: the pressure in line is the pressure at the tip
        state[image.ST_PRESS_OUT_PA] = state[image.ST_PRESS_PA]
        if state[image.ST_PL_CMD] + 2 > state[image.ST_ARG_MAX_STEPS]:
            state[image.ST_END_CAUSE] = codes.CAUSE_CAP
            state[image.ST_SUCK] = 1
        elif state[image.ST_GOAL_NL] - state[image.ST_NEEDLE_NL] <= params[image.P_DOSE_TOL_NL]:
            state[image.ST_SUCK] = 1
    if (inputs[image.IN_TICK] - state[image.ST_PHASE_TICK]) & 0x3FFFFFFF >= state[image.ST_ARG_DWELL_TICKS]:
        state[image.ST_END_CAUSE] = codes.CAUSE_TIME
        state[image.ST_SUCK] = 1


def suck(state, inputs, outputs, params):
    """Takes the stored pressure off by reverse steps; ST_SUCK is 2 when none is left, or at the cap."""
    if state[image.ST_SUCK] == 1:
        state[image.ST_SUCK] = 3
        _back_most(state, inputs, outputs, params)
        begin(state, inputs, outputs, params)
    watch(state, inputs, outputs, params)
    # the raw one: it falls by some kPa in a step, a filter would be late
    press = inputs[image.IN_PRESS_PA] - state[image.ST_ZERO_PA]
    if press <= params[image.P_REST_PA]:
        state[image.ST_PL_SPEED_Q8] = 0
        state[image.ST_PL_GO_NL] = 0
        state[image.ST_SUCK] = 2
        end(state, inputs, outputs, params)
        return
    if state[image.ST_BACK_FROM] - inputs[image.IN_STEPS] >= state[image.ST_BACK_STEPS]:
        # it doesn't fall as it must: a blocked line, a bubble or a lying sensor
        state[image.ST_PL_SPEED_Q8] = 0
        state[image.ST_SUCK] = 2
        state[image.ST_BACK_END] = 1
        if state[image.ST_END_RESULT] == codes.RESULT_DONE:
            state[image.ST_END_RESULT] = codes.RESULT_PARTIAL
            state[image.ST_END_CAUSE] = codes.CAUSE_TIME
        return
    # the stored volume lies behind the stopper's friction, which must be turned round first
    go = ((press >> 4) * state[image.ST_SOFT_Q14]) >> 14
    grip = inputs[image.IN_LOAD_MN] + params[image.P_FRICTION_MN] - (((press >> 4) * params[image.P_BORE_Q14]) >> 14)
    if grip > 0:
        go += (grip * params[image.P_STOPPER_Q10]) >> 10
    if go < params[image.P_CREEP_NL]:
        go = params[image.P_CREEP_NL]
    state[image.ST_PL_GO_NL] = -go
    run(state, inputs, outputs, params)


def _back_most(state, inputs, outputs, params):
    """Sets the most that a suck-back may take: what the softest syringe of the type holds, its stopper turned round.

    Beyond that it would draw in what is outside the tip: a pressure that doesn't fall isn't one.
    """
    soft = params[image.P_SOFT_HIGH_Q14]
    if state[image.ST_SOFT_Q14] > soft:
        soft = state[image.ST_SOFT_Q14]
    most = (((state[image.ST_PRESS_PA] - state[image.ST_ZERO_PA]) >> 4) * soft) >> 14
    turn_mn = state[image.ST_LOAD_MN] + params[image.P_G_GRIP_MOST_MN]
    most += ((turn_mn * params[image.P_STOPPER_Q10]) >> 10) + params[image.P_SLACK_HIGH_NL] + params[image.P_CREEP_NL]
    if most < 0:
        most = 0
    state[image.ST_BACK_FROM] = inputs[image.IN_STEPS]
    state[image.ST_BACK_STEPS] = (most << 10) // params[image.P_STEP_NL_Q10]


def _finish(state, inputs, outputs, params):
    """The dose is given or as near as it gets: to RETRACT with the result that the volume says."""
    goal = state[image.ST_GOAL_NL]
    short = goal - state[image.ST_LOST_NL] - state[image.ST_TISSUE_NL]
    if short > (goal >> 4) + params[image.P_DOSE_TOL_NL]:
        state[image.ST_END_RESULT] = codes.RESULT_PARTIAL
    elif state[image.ST_END_RESULT] == codes.RESULT_DONE:
        state[image.ST_END_CAUSE] = codes.CAUSE_NONE
    state[image.ST_PHASE] = codes.PHASE_RETRACT
    state[image.ST_PHASE_TICK] = inputs[image.IN_TICK]


def _break_off(state, inputs, outputs, params):
    """Ends the shot now: drive and plunger off, PARTIAL if the plunger has moved."""
    outputs[image.OUT_DUTY] = 0
    outputs[image.OUT_BRIDGE] = 0
    outputs[image.OUT_SWITCH] = 0
    outputs[image.OUT_STEPS] = 0
    state[image.ST_PL_SPEED_Q8] = 0
    state[image.ST_PL_REST_Q8] = 0
    if state[image.ST_PL_CMD] > 0:
        state[image.ST_END_RESULT] = codes.RESULT_PARTIAL
    else:
        state[image.ST_END_RESULT] = codes.RESULT_ABORTED
    state[image.ST_SUCK] = 0
    state[image.ST_PHASE] = codes.PHASE_RETRACT
    state[image.ST_PHASE_TICK] = inputs[image.IN_TICK]


def retract(state, inputs, outputs, params):
    """The spring brings the needle home; what pressure is left is sucked back then; the result is told last."""
    if inputs[image.IN_ENC_UM] > params[image.P_HOME_UM]:
        return
    waited = (inputs[image.IN_TICK] - state[image.ST_PHASE_TICK]) & 0x3FFFFFFF
    if state[image.ST_SUCK] != 2 and waited < params[image.P_RETRACT_TICKS] and not state[image.ST_STOP]:
        if state[image.ST_SUCK] == 0:
            state[image.ST_SUCK] = 1
        suck(state, inputs, outputs, params)
        return
    # the last chunk must have been emitted and counted before the result is told
    if state[image.ST_PL_CMD] != inputs[image.IN_STEPS] - state[image.ST_STEPS0]:
        if waited < params[image.P_RETRACT_TICKS]:
            return
    state[image.ST_RESULT] = state[image.ST_END_RESULT]
    state[image.ST_CAUSE] = state[image.ST_END_CAUSE]
    state[image.ST_PHASE] = codes.PHASE_IDLE
    state[image.ST_PHASE_TICK] = inputs[image.IN_TICK]
