"""Requests from the mailbox: taken only at rest, checked here once more, answered at once when they can't be met.

Tick domain. Every condition of a shot that the tick can see is checked by the tick itself: the background has checked
the same and more, but a shot must not hang on one of the two.
"""

from sit_firmware import codes, image
from sit_firmware.control.learn import recall
from sit_firmware.control.meter import hidden
from sit_firmware.control.needle import start


def take(state, inputs, outputs, params):
    """Takes a new request, if there is one; ends a CLEAR that the guard has answered."""
    if state[image.ST_PHASE] == codes.PHASE_FAULT and state[image.ST_RESULT] == codes.RESULT_NONE:
        _cleared(state, inputs, outputs, params)
        return
    if state[image.ST_REQ_SEQ] == state[image.ST_ACK_SEQ]:
        return
    request = state[image.ST_REQ]
    state[image.ST_RESULT] = codes.RESULT_NONE
    state[image.ST_CAUSE] = codes.CAUSE_NONE
    state[image.ST_ACK_SEQ] = state[image.ST_REQ_SEQ]
    if request == codes.REQ_CLEAR:
        if state[image.ST_PHASE] == codes.PHASE_FAULT:
            state[image.ST_CLEAR] = 1  # the guard answers in this same tick; read in the next step
        else:
            state[image.ST_RESULT] = codes.RESULT_DONE
        return
    _begin(state, inputs, outputs, params)
    cause = codes.CAUSE_NONE
    if state[image.ST_FAULT] or state[image.ST_STOP] or inputs[image.IN_ENC_UM] > params[image.P_HOME_UM]:
        cause = codes.CAUSE_NOT_READY
    elif request == codes.REQ_SHOT:
        _shot_refusal(state, inputs, outputs, params)
        cause = state[image.ST_END_CAUSE]
        state[image.ST_TARGET_UM] = state[image.ST_ZERO_UM] + state[image.ST_ARG_DEPTH_UM]
        state[image.ST_VCAP_Q8] = params[image.P_VCAP_Q8]
        state[image.ST_PHASE] = codes.PHASE_APPROACH
    elif request == codes.REQ_ZERO:
        if inputs[image.IN_GATE]:  # broken with the needle parked: no zero can be found
            cause = codes.CAUSE_NO_GATE
        state[image.ST_TARGET_UM] = params[image.P_ZERO_END_UM]
        state[image.ST_VCAP_Q8] = params[image.P_ZERO_V_Q8]
        state[image.ST_PHASE] = codes.PHASE_ZERO
    elif request == codes.REQ_PURGE:
        if state[image.ST_ARG_STEPS] <= 0 or state[image.ST_ARG_STEPS] > state[image.ST_ARG_MAX_STEPS]:
            cause = codes.CAUSE_NOT_READY
        state[image.ST_PHASE] = codes.PHASE_PURGE
    elif request == codes.REQ_TEST:
        state[image.ST_TARGET_UM] = params[image.P_TEST_UM]
        state[image.ST_VCAP_Q8] = params[image.P_VCAP_Q8]
        state[image.ST_PHASE] = codes.PHASE_TEST
    else:
        cause = codes.CAUSE_NOT_READY
    if cause:
        if state[image.ST_FAULT]:
            state[image.ST_PHASE] = codes.PHASE_FAULT
        else:
            state[image.ST_PHASE] = codes.PHASE_IDLE
        state[image.ST_RESULT] = codes.RESULT_REFUSED
        state[image.ST_CAUSE] = cause


def _begin(state, inputs, outputs, params):
    """Clears what belongs to one request and takes the starting values."""
    tick = inputs[image.IN_TICK]
    state[image.ST_PHASE_TICK] = tick
    state[image.ST_SETTLED_TICK] = tick
    state[image.ST_FLOW_TICK] = tick
    state[image.ST_STEPS0] = inputs[image.IN_STEPS]
    state[image.ST_STEPS] = 0
    state[image.ST_NEEDLE_NL] = 0
    state[image.ST_TISSUE_NL] = 0
    state[image.ST_FLOW_PA] = state[image.ST_PRESS_PA]
    # the line holds no more than P_REST_PA now: what is shown beyond that is the sensor's
    state[image.ST_ZERO_PA] = 0
    if state[image.ST_PRESS_PA] > params[image.P_REST_PA]:
        state[image.ST_ZERO_PA] = state[image.ST_PRESS_PA] - params[image.P_REST_PA]
    state[image.ST_QUIET_N] = 0
    state[image.ST_END_UM] = 0
    state[image.ST_SETTLE_N] = 0
    state[image.ST_PEAK_UM] = state[image.ST_DEPTH_UM]
    state[image.ST_PEAK_LOAD_MN] = state[image.ST_LOAD_MN]
    state[image.ST_PEAK_PA] = state[image.ST_PRESS_PA]
    state[image.ST_PL_CMD] = 0
    state[image.ST_PL_GO_NL] = 0
    state[image.ST_PL_SPEED_Q8] = 0
    state[image.ST_PL_REST_Q8] = 0
    state[image.ST_PRESS_OUT_PA] = params[image.P_BACK_MIN_PA]
    state[image.ST_GOAL_NL] = state[image.ST_ARG_VOLUME_NL] + params[image.P_OFFSET_NL]
    state[image.ST_SUCK] = 0
    state[image.ST_BACK_END] = 0
    state[image.ST_PUSH_SUM] = 0
    state[image.ST_PROBE] = image.PROBE_PRESS
    state[image.ST_LOST_NL] = 0
    state[image.ST_TRIES] = 0
    state[image.ST_TEST_STEP] = 0
    state[image.ST_TEST_VALUE] = 0
    state[image.ST_NO_TOKEN] = 0
    state[image.ST_END_RESULT] = codes.RESULT_DONE
    state[image.ST_END_CAUSE] = codes.CAUSE_NONE
    recall(state, inputs, outputs, params)
    hidden(state, inputs, outputs, params)
    state[image.ST_HIDDEN0_NL] = state[image.ST_HIDDEN_NL]
    start(state, inputs, outputs, params)


def _shot_refusal(state, inputs, outputs, params):
    """Leaves CAUSE_NOT_READY in ST_END_CAUSE unless every condition of a shot holds."""
    depth = state[image.ST_ARG_DEPTH_UM]
    off = state[image.ST_ZERO_UM] - params[image.P_ZERO_NOM_UM]
    window = params[image.P_ZERO_WINDOW_UM]
    if not state[image.ST_ARMED] or not state[image.ST_ZEROED] or off > window or off < -window:
        state[image.ST_END_CAUSE] = codes.CAUSE_NOT_READY
    elif not state[image.ST_TRIGGER_OK] or not state[image.ST_CONTACT_OK] or not inputs[image.IN_CARTRIDGE]:
        state[image.ST_END_CAUSE] = codes.CAUSE_NOT_READY
    elif depth < params[image.P_BEVEL_UM] or depth > params[image.P_MAX_DEPTH_UM]:
        state[image.ST_END_CAUSE] = codes.CAUSE_NOT_READY
    elif state[image.ST_ARG_VOLUME_NL] <= 0 or state[image.ST_ARG_MAX_STEPS] <= 0:
        state[image.ST_END_CAUSE] = codes.CAUSE_NOT_READY


def _cleared(state, inputs, outputs, params):
    """Reads the guard's answer to a CLEAR."""
    if state[image.ST_FAULT]:
        state[image.ST_RESULT] = codes.RESULT_REFUSED
        state[image.ST_CAUSE] = state[image.ST_FAULT]
    else:
        state[image.ST_RESULT] = codes.RESULT_DONE
        state[image.ST_PHASE] = codes.PHASE_IDLE
        state[image.ST_PHASE_TICK] = inputs[image.IN_TICK]
