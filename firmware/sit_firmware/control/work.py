"""Motions beside the shot: purge, zero, self-test. Tick domain, each control step. No skin is near in any of them."""

from sit_firmware import codes, image
from sit_firmware.control.meter import balance, quiet
from sit_firmware.control.needle import drive
from sit_firmware.control.plunger import run
from sit_firmware.control.shot import retract, suck

_FAR_STEPS = 10000  # a purge is asked for in pieces of at most this, to keep the numbers small


def _home(state, inputs, outputs, params):
    """Lets go and ends the request once the needle is home; suck-back doesn't belong to this motion."""
    state[image.ST_SUCK] = 2
    state[image.ST_PHASE] = codes.PHASE_RETRACT
    state[image.ST_PHASE_TICK] = inputs[image.IN_TICK]
    retract(state, inputs, outputs, params)


def purge(state, inputs, outputs, params):
    """Pushes ST_ARG_STEPS with the needle parked, waits until nothing drips, takes the rest of the pressure off."""
    balance(state, inputs, outputs, params)
    if state[image.ST_STOP]:
        state[image.ST_END_RESULT] = codes.RESULT_PARTIAL
        state[image.ST_END_CAUSE] = codes.CAUSE_STOP
        state[image.ST_PL_SPEED_Q8] = 0
        _home(state, inputs, outputs, params)
        return
    if state[image.ST_SUCK]:
        suck(state, inputs, outputs, params)
        if state[image.ST_SUCK] == 2:
            _home(state, inputs, outputs, params)
        return
    left = state[image.ST_ARG_STEPS] - state[image.ST_STEPS]
    if left > _FAR_STEPS:
        left = _FAR_STEPS
    state[image.ST_PL_GO_NL] = (left * params[image.P_STEP_NL_Q10]) >> 10
    run(state, inputs, outputs, params)
    quiet(state, inputs, outputs, params)
    if left > 1:
        state[image.ST_QUIET_N] = 0
        state[image.ST_PHASE_TICK] = inputs[image.IN_TICK]
    waited = (inputs[image.IN_TICK] - state[image.ST_PHASE_TICK]) & 0x3FFFFFFF
    if state[image.ST_QUIET_N] >= 2 or waited >= state[image.ST_ARG_DWELL_TICKS] + params[image.P_RETRACT_TICKS]:
        state[image.ST_SUCK] = 1


def zero(state, inputs, outputs, params):
    """Advances slowly until the tip breaks the light gate; ST_GATE_UM holds the encoder count there."""
    if state[image.ST_STOP]:
        state[image.ST_END_RESULT] = codes.RESULT_ABORTED
        state[image.ST_END_CAUSE] = codes.CAUSE_STOP
        _home(state, inputs, outputs, params)
    elif inputs[image.IN_GATE]:
        state[image.ST_GATE_UM] = inputs[image.IN_ENC_UM]
        _home(state, inputs, outputs, params)
    elif inputs[image.IN_ENC_UM] >= params[image.P_ZERO_END_UM] - params[image.P_SETTLE_UM]:
        state[image.ST_END_RESULT] = codes.RESULT_ABORTED
        state[image.ST_END_CAUSE] = codes.CAUSE_NO_GATE
        _home(state, inputs, outputs, params)
    else:
        drive(state, inputs, outputs, params)


def test(state, inputs, outputs, params):
    """One motion of the self-test: image.TEST_* in ST_ARG_STEPS; the measure is left in ST_TEST_VALUE."""
    motion = state[image.ST_ARG_STEPS]
    if state[image.ST_STOP]:
        state[image.ST_END_CAUSE] = codes.CAUSE_STOP
        _failed(state, inputs, outputs, params)
    elif motion == image.TEST_CUTOFFS:
        _cutoffs(state, inputs, outputs, params)
    elif motion == image.TEST_SPRING:
        _spring(state, inputs, outputs, params)
    elif motion == image.TEST_DEADMAN:
        _deadman(state, inputs, outputs, params)
    elif motion == image.TEST_SENSORS:
        _sensors(state, inputs, outputs, params)
    else:
        state[image.ST_END_CAUSE] = codes.CAUSE_NOT_READY
        _failed(state, inputs, outputs, params)


def _failed(state, inputs, outputs, params):
    """Ends a test that didn't pass; ST_END_CAUSE says why."""
    state[image.ST_NO_TOKEN] = 0
    state[image.ST_END_RESULT] = codes.RESULT_ABORTED
    _home(state, inputs, outputs, params)


def _cutoffs(state, inputs, outputs, params):
    """Switch alone, bridge alone, at a voltage that would move the needle; four steps each, then both off."""
    stage = state[image.ST_TEST_STEP]
    state[image.ST_TEST_STEP] = stage + 1
    switch = 0
    bridge = 0
    if stage < 4:
        switch = 1
    elif stage < 8:
        bridge = 1
    want_switch = 0
    want_bridge = 0
    if stage > 1 and stage < 5:
        want_switch = 1
    elif stage > 5 and stage < 9:
        want_bridge = 1
    # the first step of each stage lets the read-back follow
    if stage != 1 and stage != 5 and stage != 0:
        if inputs[image.IN_SWITCH_ON] != want_switch or inputs[image.IN_BRIDGE_ON] != want_bridge:
            state[image.ST_TEST_VALUE] = stage
            state[image.ST_END_CAUSE] = codes.FAULT_CUTOFF
            _failed(state, inputs, outputs, params)
            return
    if inputs[image.IN_ENC_UM] > params[image.P_HOME_UM]:
        state[image.ST_TEST_VALUE] = stage
        state[image.ST_END_CAUSE] = codes.FAULT_CUTOFF
        _failed(state, inputs, outputs, params)
        return
    if stage >= 12:
        _home(state, inputs, outputs, params)
        return
    if switch or bridge:
        outputs[image.OUT_DUTY] = 2048
    outputs[image.OUT_SWITCH] = switch
    outputs[image.OUT_BRIDGE] = bridge


def _spring(state, inputs, outputs, params):
    """A small stroke in air, then drive off: the time until home is the measure."""
    tick = inputs[image.IN_TICK]
    if state[image.ST_TEST_STEP] == 0:
        drive(state, inputs, outputs, params)
        off = inputs[image.IN_ENC_UM] - state[image.ST_TARGET_UM]
        if off <= params[image.P_SETTLE_UM] and off >= -params[image.P_SETTLE_UM]:
            state[image.ST_TEST_STEP] = 1
            state[image.ST_PHASE_TICK] = tick
        elif (tick - state[image.ST_PHASE_TICK]) & 0x3FFFFFFF >= params[image.P_INSERT_TICKS]:
            state[image.ST_END_CAUSE] = codes.FAULT_FOLLOWING
            _failed(state, inputs, outputs, params)
    elif inputs[image.IN_ENC_UM] <= params[image.P_HOME_UM]:
        state[image.ST_TEST_VALUE] = (tick - state[image.ST_PHASE_TICK]) & 0x3FFFFFFF
        _home(state, inputs, outputs, params)


def _deadman(state, inputs, outputs, params):
    """Both cut-offs on without voltage, then the token is withheld: the time until the bridge is off is the measure."""
    tick = inputs[image.IN_TICK]
    stage = state[image.ST_TEST_STEP]
    outputs[image.OUT_BRIDGE] = 1
    outputs[image.OUT_SWITCH] = 1
    if stage < 4:
        state[image.ST_TEST_STEP] = stage + 1
        state[image.ST_PHASE_TICK] = tick
        if stage == 3 and not inputs[image.IN_BRIDGE_ON]:
            state[image.ST_END_CAUSE] = codes.FAULT_CUTOFF
            _failed(state, inputs, outputs, params)
        elif stage == 3:
            state[image.ST_NO_TOKEN] = 1
    elif not inputs[image.IN_BRIDGE_ON] and not inputs[image.IN_SWITCH_ON]:
        state[image.ST_TEST_VALUE] = (tick - state[image.ST_PHASE_TICK]) & 0x3FFFFFFF
        state[image.ST_NO_TOKEN] = 0
        _home(state, inputs, outputs, params)
    elif (tick - state[image.ST_PHASE_TICK]) & 0x3FFFFFFF > 8:
        state[image.ST_TEST_VALUE] = (tick - state[image.ST_PHASE_TICK]) & 0x3FFFFFFF
        state[image.ST_END_CAUSE] = codes.FAULT_DEADMAN
        _failed(state, inputs, outputs, params)


def _sensors(state, inputs, outputs, params):
    """At rest there is no pressure, and no more plunger force than the stopper's friction; the measure is Pa."""
    stage = state[image.ST_TEST_STEP]
    state[image.ST_TEST_STEP] = stage + 1
    if stage < 16:
        return
    press = state[image.ST_PRESS_PA]
    grip = state[image.ST_LOAD_MN] - (((press >> 4) * params[image.P_BORE_Q14]) >> 14)
    state[image.ST_TEST_VALUE] = press
    limit = params[image.P_TEST_PA]
    most = params[image.P_G_GRIP_MOST_MN]
    if press > limit or press < -limit or grip > most or grip < -most:
        state[image.ST_END_CAUSE] = codes.FAULT_SENSOR
        _failed(state, inputs, outputs, params)
    else:
        _home(state, inputs, outputs, params)
