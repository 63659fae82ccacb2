"""The guard's checks of the needle: envelope, speed, flag, comb, motion, spring. Every tick, raw encoder.

A finding goes to ST_G_FOUND and ST_G_VALUE; the first one stands. Speeds in um per tick; Q8 is 1/256.
"""

from sit_firmware import codes, image


def needle(state, inputs, outputs, params):
    """Looks at the encoder's change since the tick before, then at everything that should agree with it."""
    enc = inputs[image.IN_ENC_UM]
    dx = enc - state[image.ST_G_ENC_UM]
    state[image.ST_G_VALUE] = dx
    if inputs[image.IN_FLAG]:
        state[image.ST_G_FOUND] = codes.FAULT_FLAG
        state[image.ST_G_VALUE] = enc
    elif dx > params[image.P_G_JUMP_UM] or dx < -params[image.P_G_JUMP_UM]:
        state[image.ST_G_FOUND] = codes.FAULT_ENCODER_JUMP
    elif dx > params[image.P_G_SPEED_UM]:
        state[image.ST_G_FOUND] = codes.FAULT_OVERSPEED
    else:
        away = params[image.P_G_AWAY_UM]
        change = dx - state[image.ST_G_DX_UM]
        # a tick longer than the one before shows more of the same speed
        longer = inputs[image.IN_PERIOD_US] - state[image.ST_G_PERIOD_US]
        if longer < 512 and longer > -512:
            change -= (dx * longer * params[image.P_G_PER_US_Q16] + 32768) >> 16
        jerk = params[image.P_G_JERK_UM]
        if state[image.ST_G_BRIDGE] and outputs[image.OUT_BRIDGE]:
            jerk = params[image.P_G_JOLT_UM]
        if enc > away and state[image.ST_G_ENC_UM] > away and (change > jerk or change < -jerk):
            state[image.ST_G_FOUND] = codes.FAULT_ENCODER_JUMP
            state[image.ST_G_VALUE] = change
        else:
            _envelope(state, inputs, outputs, params)
    if inputs[image.IN_COMB_N] != state[image.ST_G_COMB_N]:
        _edge(state, inputs, outputs, params)
    if outputs[image.OUT_BRIDGE] and outputs[image.OUT_SWITCH]:
        _motion(state, inputs, outputs, params)
    else:
        state[image.ST_G_STILL_Q8] = 0
        state[image.ST_G_OFF_N] = 0
    # the strip has an edge every pitch: farther from the last one than that, and the encoder counts too much
    gone = enc - state[image.ST_G_COMB_UM]
    limit = params[image.P_G_COMB_UM] + params[image.P_G_COMB_TOL_UM] + params[image.P_G_COMB_TOL_UM]
    if gone > limit or gone < -limit:
        if state[image.ST_G_FOUND] == 0:
            state[image.ST_G_FOUND] = codes.FAULT_COMB
            state[image.ST_G_VALUE] = gone
    # let go and out: the spring must bring it home in time
    if state[image.ST_G_BRIDGE] == 0 and enc > params[image.P_HOME_UM]:
        state[image.ST_G_HOME_N] += 1
        if state[image.ST_G_HOME_N] > params[image.P_G_HOME_N] and state[image.ST_G_FOUND] == 0:
            state[image.ST_G_FOUND] = codes.FAULT_SPRING
            state[image.ST_G_VALUE] = enc
    else:
        state[image.ST_G_HOME_N] = 0
    state[image.ST_G_ENC_UM] = enc
    state[image.ST_G_DX_UM] = dx
    state[image.ST_G_PERIOD_US] = inputs[image.IN_PERIOD_US]


def _envelope(state, inputs, outputs, params):
    """Could the needle still be stopped within the limit if the drive went to full force now and the next tick cut it?

    w      greatest speed now: the change of a whole tick, one count more, half a tick of the greatest acceleration
    drift  way until the drive is off, t ticks from now: w t + af t^2 / 2
    then the spring stops it from w + af t within (w + af t)^2 / (2 as)
    af is the greatest outward acceleration, as the least inward one, both at this place, worst unit.
    """
    enc = inputs[image.IN_ENC_UM]
    zero = params[image.P_G_ZERO_MIN_UM]
    if state[image.ST_ZEROED]:
        zero = state[image.ST_ZERO_UM]
    dx = enc - state[image.ST_G_ENC_UM]
    af = params[image.P_G_AF_Q8] - ((enc * params[image.P_G_AF_SLOPE_Q16]) >> 16)
    w = (dx << 8) + 256 + (af >> 1)
    # a tick shorter than it should be shows less of the speed; 33/32 is more than 256 / tick_us and what squares add
    early = params[image.P_TICK_US] - inputs[image.IN_PERIOD_US]
    if early > 0 and dx > 0:
        w += (dx * early * 33) >> 5
    room = (params[image.P_G_LIMIT_UM] + zero - enc) << 8
    room -= (w * params[image.P_G_T_Q8] + af * params[image.P_G_T2_Q8]) >> 8
    if room <= 0:
        state[image.ST_G_FOUND] = codes.FAULT_ENVELOPE
        state[image.ST_G_VALUE] = enc - zero
        return
    end = w + ((af * params[image.P_G_T_Q8]) >> 8)
    if end > 0:
        brake = params[image.P_G_AS_Q8] + ((enc * params[image.P_G_AS_SLOPE_Q16]) >> 16)
        if (end * end) >> 3 > brake * (room >> 2):
            state[image.ST_G_FOUND] = codes.FAULT_ENVELOPE
            state[image.ST_G_VALUE] = enc - zero


def _edge(state, inputs, outputs, params):
    """A comb edge came: the count captured with it must lie at an edge, a pitch or the comb's hysteresis from the last.

    A frozen encoder captures the last count again, which is neither.
    """
    at = inputs[image.IN_COMB_ENC_UM]
    pitch = params[image.P_G_COMB_UM]
    tol = params[image.P_G_COMB_TOL_UM]
    away = (at + (pitch >> 1)) % pitch - (pitch >> 1)
    way = at - state[image.ST_G_COMB_UM]
    if way < 0:
        way = -way
    # the spring brings the needle home over more than a pitch in a tick
    step = pitch * ((inputs[image.IN_COMB_N] - state[image.ST_G_COMB_N]) & 15)
    slack = tol + tol
    if way < tol + tol:  # the same edge going back
        step = params[image.P_G_COMB_HYST_UM]
        slack = 1
    if away > tol or away < -tol or way > step + slack or way < step - slack:
        if state[image.ST_G_FOUND] == 0:
            state[image.ST_G_FOUND] = codes.FAULT_COMB
            state[image.ST_G_VALUE] = away
    state[image.ST_G_COMB_N] = inputs[image.IN_COMB_N]
    state[image.ST_G_COMB_UM] = at


def _motion(state, inputs, outputs, params):
    """Driven: the encoder must follow the profile, move when it should, rest where it should.

    The profile's way since the encoder last changed is what it should have counted: beyond a limit it is frozen. Let go
    by the skin ahead of the profile a needle may stand until that has come up: the loop brakes it. Near park the needle
    waits until the force has built up, so there only the distance from the profile counts.
    """
    enc = inputs[image.IN_ENC_UM]
    speed = state[image.ST_R_V_Q8]
    found = 0
    behind = (state[image.ST_R_X_Q8] >> 8) - enc
    value = behind
    away = enc > params[image.P_G_AWAY_UM]
    most = params[image.P_G_LAG_UM]
    if speed < params[image.P_G_SLOW_Q8]:  # the loop would push a needle whose encoder lags
        most = params[image.P_G_NEAR_UM]
    if not away:
        most = params[image.P_G_FOLLOW_UM]
    if behind > most or behind < -params[image.P_G_FOLLOW_UM]:
        found = codes.FAULT_FOLLOWING
    if enc != state[image.ST_G_ENC_UM] or not away:
        state[image.ST_G_STILL_Q8] = 0
    elif behind >= 0:
        # a control step is two ticks
        state[image.ST_G_STILL_Q8] += speed >> 1
        if state[image.ST_G_STILL_Q8] > params[image.P_G_STILL_Q8]:
            found = codes.FAULT_FROZEN
            value = state[image.ST_G_STILL_Q8] >> 8
    # at rest ticks ahead of the place are counted up, ticks short of it down
    off = state[image.ST_G_OFF_N]
    if speed < 256 and behind < -params[image.P_G_REST_UM]:
        if off < 0:
            off = 0
        off += 1
    elif speed < 256 and behind > params[image.P_G_SHORT_UM] and away:
        if off > 0:
            off = 0
        off -= 1
    else:
        off = 0
    state[image.ST_G_OFF_N] = off
    if off >= params[image.P_G_REST_N] or off <= -params[image.P_G_SHORT_N]:
        found = codes.FAULT_FOLLOWING
        value = behind
    push = state[image.ST_N_D_Q8] + params[image.P_PARK_ACC_Q8] + ((enc * params[image.P_SLOPE_Q16]) >> 8)
    if push > params[image.P_G_DIST_Q8] or push < -params[image.P_G_DIST_Q8]:
        found = codes.FAULT_FOLLOWING
        value = push
    if found and state[image.ST_G_FOUND] == 0:
        state[image.ST_G_FOUND] = found
        state[image.ST_G_VALUE] = value
