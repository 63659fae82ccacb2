"""The guard's checks beside the needle: plunger, pressure, inputs that stop everything, tick, background, parameters.

Every tick, raw inputs. A finding goes to ST_G_FOUND and ST_G_VALUE unless one stands already.
"""

from sit_firmware import codes, image
from sit_firmware.guard_force import force, force_begins

_SUM_MASK = (1 << 24) - 1
_SUM_PER_TICK = 4
_ANEW_MN = -(1 << 20)  # less than anything holds: the next tick begins anew


def rest(state, inputs, outputs, params):
    """Runs the checks that hold always, then those that matter only while something is under way."""
    found = 0
    value = 0
    if inputs[image.IN_ESTOP]:
        found = codes.FAULT_ESTOP
    elif inputs[image.IN_DRIVER_FAULT]:
        found = codes.FAULT_DRIVER
    elif state[image.ST_REPORT]:  # the background has found one
        found = state[image.ST_REPORT]
    if found and state[image.ST_G_FOUND] == 0:
        state[image.ST_G_FOUND] = found
        state[image.ST_G_VALUE] = value
    _cutoffs(state, inputs, outputs, params)
    _steps(state, inputs, outputs, params)
    if state[image.ST_PHASE] == codes.PHASE_IDLE or state[image.ST_PHASE] == codes.PHASE_FAULT:
        _rest_memory(state, inputs, outputs, params)
    else:
        _health(state, inputs, outputs, params)
        force(state, inputs, outputs, params)
        _sums(state, inputs, outputs, params)
    state[image.ST_G_TICK] = inputs[image.IN_TICK]


def _cutoffs(state, inputs, outputs, params):
    """Each cut-off must read back what it was given, but while flag, e-stop or the dead-man's own test open it."""
    bridge = inputs[image.IN_BRIDGE_ON] - state[image.ST_G_BRIDGE]
    switch = inputs[image.IN_SWITCH_ON] - state[image.ST_G_SWITCH]
    held = inputs[image.IN_FLAG] | inputs[image.IN_ESTOP] | state[image.ST_NO_TOKEN]
    if (bridge or switch) and not held:
        state[image.ST_G_CUT_N] += 1
        if state[image.ST_G_CUT_N] >= params[image.P_G_CUT_N] and state[image.ST_G_FOUND] == 0:
            state[image.ST_G_FOUND] = codes.FAULT_CUTOFF
            state[image.ST_G_VALUE] = bridge * 2 + switch
    else:
        state[image.ST_G_CUT_N] = 0


def _steps(state, inputs, outputs, params):
    """The plunger moves only when it may, only as far as it was told, never beyond the cap of its request."""
    steps = inputs[image.IN_STEPS]
    chunk = outputs[image.OUT_STEPS]
    phase = state[image.ST_PHASE]
    owed = state[image.ST_G_OWED] - steps + state[image.ST_G_STEPS]
    state[image.ST_G_OWED] = owed
    state[image.ST_G_STEPS] = steps
    if state[image.ST_G_PHASE] == codes.PHASE_IDLE:
        # a request begins here: its base and its cap are copied, later changes of the arguments change nothing
        state[image.ST_G_BASE_STEPS] = steps
        state[image.ST_G_CAP] = state[image.ST_ARG_MAX_STEPS]
        state[image.ST_G_PUSH_STEPS] = 0
        state[image.ST_G_HOLD_MN] = _ANEW_MN
        if phase != codes.PHASE_IDLE:
            force_begins(state, inputs, outputs, params)
    found = 0
    value = owed
    most = params[image.P_G_CHUNK]
    if owed > most + most or owed < -most - most:
        found = codes.FAULT_PLUNGER_MOVED
    elif chunk == 0 and state[image.ST_G_CHUNK] == 0 and owed != 0:
        found = codes.FAULT_PLUNGER_MOVED
    elif chunk:
        if chunk > most or chunk < -most:
            found = codes.FAULT_VOLUME
            value = chunk
        elif phase == codes.PHASE_DISPENSE or phase == codes.PHASE_DWELL or phase == codes.PHASE_PURGE:
            value = steps + owed + chunk - state[image.ST_G_BASE_STEPS]
            if value > state[image.ST_G_CAP]:
                found = codes.FAULT_VOLUME
        elif phase != codes.PHASE_RETRACT or chunk > 0:
            found = codes.FAULT_PLUNGER_MOVED
            value = chunk
        if found == 0:
            _lost(state, inputs, outputs, params)
    if found and state[image.ST_G_FOUND] == 0:
        state[image.ST_G_FOUND] = found
        state[image.ST_G_VALUE] = value


def _lost(state, inputs, outputs, params):
    """Steps against force: the stopper pushes back after a way forward, and lets up by its stiffness after a turn."""
    chunk = outputs[image.OUT_STEPS]
    load = inputs[image.IN_LOAD_MN]
    steps = inputs[image.IN_STEPS]
    lost = 0
    if chunk > 0:
        if state[image.ST_G_PUSH_STEPS] < 0:
            state[image.ST_G_PUSH_STEPS] = 0
            state[image.ST_G_HOLD_MN] = _ANEW_MN
        state[image.ST_G_TURN] = steps
        state[image.ST_G_LOAD_MN] = load
        state[image.ST_G_PUSH_STEPS] += chunk
        if state[image.ST_G_PUSH_STEPS] > params[image.P_G_PUSH_STEPS] and load < params[image.P_G_PUSH_MN]:
            lost = 1
    else:
        if state[image.ST_G_PUSH_STEPS] >= 0:
            state[image.ST_G_HOLD_MN] = _ANEW_MN
        state[image.ST_G_PUSH_STEPS] = -1
        fall = state[image.ST_G_LOAD_MN] - load
        back = state[image.ST_G_TURN] - steps
        full = params[image.P_G_TURN_MN]
        # only when the rod still pushes at the end of it, so that backlash has no part in it
        if back >= params[image.P_G_TURN_STEPS] and state[image.ST_G_LOAD_MN] > full + (full >> 3):
            if fall < full - (full >> 2):
                lost = 1
            state[image.ST_G_LOAD_MN] = 0  # looked at once in each turn
    if lost and state[image.ST_G_FOUND] == 0:
        state[image.ST_G_FOUND] = codes.FAULT_STEPS_LOST
        state[image.ST_G_VALUE] = load


def _rest_memory(state, inputs, outputs, params):
    """Nothing is under way: the counters start anew, so that skipped idle time leaves no trace."""
    state[image.ST_G_SUPPLY_N] = 0
    state[image.ST_G_PRESS_N] = 0
    state[image.ST_G_CONTACT_N] = 0
    state[image.ST_G_GRIP_N] = 0
    state[image.ST_G_BEAT] = state[image.ST_BEAT]
    state[image.ST_G_BEAT_N] = 0
    state[image.ST_G_SUM_I] = 1
    state[image.ST_G_SUM] = 0


def _health(state, inputs, outputs, params):
    """Something is under way: pressure, force, supply, tick, background, contact."""
    found = 0
    value = 0
    press = inputs[image.IN_PRESS_PA]
    load = inputs[image.IN_LOAD_MN]
    supply = inputs[image.IN_SUPPLY_MV]
    broken = params[image.P_G_SENSOR_PA]
    if press > broken or press < -broken:
        found = codes.FAULT_SENSOR
        value = press
    elif press > params[image.P_G_PRESS_PA] or load > params[image.P_G_LOAD_MN]:
        state[image.ST_G_PRESS_N] += 1
        if state[image.ST_G_PRESS_N] >= params[image.P_G_PRESS_N]:
            found = codes.FAULT_OCCLUSION
            value = press
    else:
        state[image.ST_G_PRESS_N] = 0
    if supply < params[image.P_SUPPLY_MIN_MV] or supply > params[image.P_SUPPLY_MAX_MV]:
        state[image.ST_G_SUPPLY_N] += 1
        if state[image.ST_G_SUPPLY_N] >= params[image.P_G_SUPPLY_N]:
            found = codes.FAULT_SUPPLY
            value = supply
    else:
        state[image.ST_G_SUPPLY_N] = 0
    if inputs[image.IN_PERIOD_US] > params[image.P_G_LATE_US]:
        found = codes.FAULT_TICK_LATE
        value = inputs[image.IN_PERIOD_US]
    elif (inputs[image.IN_TICK] - state[image.ST_G_TICK]) & 0x3FFFFFFF != 1:
        found = codes.FAULT_TICK_LATE
        value = inputs[image.IN_TICK]
    if state[image.ST_BEAT] != state[image.ST_G_BEAT]:
        state[image.ST_G_BEAT] = state[image.ST_BEAT]
        state[image.ST_G_BEAT_N] = 0
    else:
        state[image.ST_G_BEAT_N] += 1
        if state[image.ST_G_BEAT_N] >= params[image.P_G_BEAT_N]:
            found = codes.FAULT_BACKGROUND
            value = state[image.ST_G_BEAT_N]
    # switch and force of the contact must agree: a press the switch doesn't see, or a switch without any force
    force = inputs[image.IN_CONTACT_MN]
    if inputs[image.IN_CONTACT]:
        force = params[image.P_CONTACT_OFF_MN] - force
    else:
        force -= params[image.P_CONTACT_ON_MN] + params[image.P_CONTACT_ON_MN]
    if force > 0:
        state[image.ST_G_CONTACT_N] += 1
        if state[image.ST_G_CONTACT_N] >= params[image.P_G_CONTACT_N]:
            found = codes.FAULT_CONTACT_SENSOR
            value = inputs[image.IN_CONTACT_MN]
    else:
        state[image.ST_G_CONTACT_N] = 0
    if found and state[image.ST_G_FOUND] == 0:
        state[image.ST_G_FOUND] = found
        state[image.ST_G_VALUE] = value


def _sums(state, inputs, outputs, params):
    """Sums a few slots of the parameter block in each tick and compares when it is through."""
    i = state[image.ST_G_SUM_I]
    total = state[image.ST_G_SUM]
    end = i + _SUM_PER_TICK
    while i < end and i < image.N_PARAMS:
        total = (total * 31 + params[i]) & _SUM_MASK
        i += 1
    if i >= image.N_PARAMS:
        if total != params[image.P_SUM] and state[image.ST_G_FOUND] == 0:
            state[image.ST_G_FOUND] = codes.FAULT_PARAMS
            state[image.ST_G_VALUE] = total
        i = 1
        total = 0
    state[image.ST_G_SUM_I] = i
    state[image.ST_G_SUM] = total
