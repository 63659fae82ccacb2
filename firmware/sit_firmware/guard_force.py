"""The guard's cross-check of plunger force and in-line pressure, so that neither sensor can change a dose unseen.

    plunger force = pressure * bore area + friction of the stopper        |friction| <= its highest

While the stopper slides forward the friction is all there and points back; it stays so until the plunger turns, because
without steps the pressure only falls. So a fall of it within milliseconds is a motor that slips. docs/control.md states
what offset is seen; interval.py adds what a smaller one may cost.
"""

from sit_firmware import codes, image


def force_begins(state, inputs, outputs, params):
    """A request begins: a purge looks at the stopper anew, any other starts from what was seen before.

    Suck-back and air have left no pressure: what the sensor shows beyond P_TEST_PA at the start of a shot is a lie.
    """
    if state[image.ST_PHASE] == codes.PHASE_PURGE:
        state[image.ST_G_GRIP_SET] = 0
        state[image.ST_G_GRIP_LOW_MN] = 0
        state[image.ST_G_GRIP_HIGH_MN] = 0
    elif state[image.ST_PHASE] == codes.PHASE_APPROACH and state[image.ST_G_FOUND] == 0:
        press = inputs[image.IN_PRESS_PA]
        if press > params[image.P_TEST_PA] or press < -params[image.P_TEST_PA]:
            state[image.ST_G_FOUND] = codes.FAULT_SENSOR
            state[image.ST_G_VALUE] = press
    middle = (state[image.ST_G_GRIP_LOW_MN] + state[image.ST_G_GRIP_HIGH_MN]) >> 1
    state[image.ST_G_GRIP_LOW_MN] = middle
    state[image.ST_G_GRIP_HIGH_MN] = middle


def force(state, inputs, outputs, params):
    """Plunger force and pressure vouch for each other: what they differ by is the stopper's friction.

    It can't be more than the friction, and once the stopper slides forward it is all of it, until the plunger turns.
    Nor does it fall at once meanwhile, unless the motor slips.
    """
    press = inputs[image.IN_PRESS_PA]
    load = inputs[image.IN_LOAD_MN]
    if press > params[image.P_G_SENSOR_PA] or press < -params[image.P_G_SENSOR_PA]:
        return  # guard_rest has found that
    grip = load - (((press >> 4) * params[image.P_BORE_Q14]) >> 14)
    # What the motor holds against never falls in a sound shot, till the plunger turns: forward the force beyond the
    # pressure's, backward force and pressure. Where the stopper gives way to a slip, it is the pressure that jumps:
    # below none forward, up in a turn; 16 Pa count as 1 mN. A fall is forgotten in some 8 ms: friction may change.
    push = state[image.ST_G_PUSH_STEPS]
    off = state[image.ST_G_PUSHED_MN] - load
    state[image.ST_G_PUSHED_MN] = load
    if off > 0:
        state[image.ST_G_PUSHED_MN] = load + off - (off >> 5)
    hold = grip
    if push < 0:
        hold = -load - (press >> 4)
    elif press < 0:
        hold = load + (press >> 4)
    fall = state[image.ST_G_HOLD_MN] - hold
    if fall > 0:
        hold += fall - (fall >> 5)
    state[image.ST_G_HOLD_MN] = hold
    if fall > params[image.P_G_SLIP_MN] and push and state[image.ST_G_FOUND] == 0:
        lost = 0
        if push < 0:
            lost = state[image.ST_G_CHUNK]  # after the last step a line under vacuum may fill again
        elif press < 0 or off > fall - (params[image.P_G_SLIP_MN] >> 2):
            lost = 1  # else the force hasn't fallen as far, so that the pressure rose: its sensor lies
        if lost:
            state[image.ST_G_FOUND] = codes.FAULT_STEPS_LOST
            state[image.ST_G_VALUE] = load
    most = params[image.P_G_GRIP_MOST_MN]
    found = 0
    if grip > most or grip < -most:
        found = codes.FAULT_SENSOR
    if state[image.ST_G_PUSH_STEPS] > params[image.P_G_SLIDE_STEPS]:
        if grip < params[image.P_G_GRIP_LEAST_MN]:
            found = codes.FAULT_SENSOR
        if state[image.ST_G_GRIP_SET] == 0:
            state[image.ST_G_GRIP_SET] = 1
            state[image.ST_G_GRIP_LOW_MN] = grip
            state[image.ST_G_GRIP_HIGH_MN] = grip
        if grip < state[image.ST_G_GRIP_LOW_MN]:
            state[image.ST_G_GRIP_LOW_MN] = grip
        if grip > state[image.ST_G_GRIP_HIGH_MN]:
            state[image.ST_G_GRIP_HIGH_MN] = grip
        # a rod that doesn't push: its steps are more likely lost than a sensor wrong
        if found and load < params[image.P_G_PUSH_MN]:
            found = codes.FAULT_STEPS_LOST
    if found == 0:
        state[image.ST_G_GRIP_N] = 0
        return
    state[image.ST_G_GRIP_N] += 1
    if state[image.ST_G_GRIP_N] >= params[image.P_G_GRIP_N] and state[image.ST_G_FOUND] == 0:
        state[image.ST_G_FOUND] = found
        state[image.ST_G_VALUE] = grip
