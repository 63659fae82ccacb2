"""The plunger: a volume still to go becomes step chunks with limited speed and acceleration. Tick domain.

The law runs every second tick and the board emits OUT_STEPS in each tick, so a chunk counts twice: steps come in pairs.
"""

from sit_firmware import image


def run(state, inputs, outputs, params):
    """Moves towards ST_PL_GO_NL, signed; the commanded steps never pass ST_ARG_MAX_STEPS."""
    cmd = state[image.ST_PL_CMD]
    # what is on its way counts as gone
    on_way = cmd - (inputs[image.IN_STEPS] - state[image.ST_STEPS0])
    go = state[image.ST_PL_GO_NL] - ((on_way * params[image.P_STEP_NL_Q10]) >> 10)
    speed = state[image.ST_PL_SPEED_Q8]
    back = 0
    if go < 0:
        back = 1
        go = -go
        speed = -speed
    acc = params[image.P_PL_ACC_Q8]
    top = state[image.ST_ARG_FLOW_SPT]
    if back and state[image.ST_ARG_SKIN_TICKS] == 0:
        top = params[image.P_PL_BACK_Q8]
    elif back or top > params[image.P_PL_VMAX_Q8]:
        top = params[image.P_PL_VMAX_Q8]
    # volume that is given if this step goes on at `speed`, or faster, and the next ones slow down
    step_q10 = params[image.P_STEP_NL_Q10]
    stop_q16 = params[image.P_PL_STOP_Q16]
    faster = speed + acc
    if faster > top:
        faster = top
    need = ((((speed * speed) >> 8) * stop_q16) >> 16) + ((speed * step_q10) >> 17)
    need_faster = ((((faster * faster) >> 8) * stop_q16) >> 16) + ((faster * step_q10) >> 17)
    if speed < 0:
        speed += acc
        if speed > 0:
            speed = 0
    elif go <= step_q10 >> 10:  # half a pair or less
        speed = 0
        state[image.ST_PL_REST_Q8] = 0
    elif need > go or (not back and state[image.ST_PRESS_PA] > params[image.P_PRESS_SOFT_PA]):
        # never below the speed that gives a pair in this step: the last of it must be given too
        speed -= acc
        if speed < 256:
            speed = 256
    elif need_faster <= go:
        speed = faster
    elif speed < 256:
        speed = 256
    if back:
        speed = -speed
    give = state[image.ST_PL_REST_Q8] + speed
    chunk = give >> 8
    if chunk * 2 + cmd > state[image.ST_ARG_MAX_STEPS]:
        chunk = (state[image.ST_ARG_MAX_STEPS] - cmd) >> 1
        speed = 0
        give = chunk << 8
    state[image.ST_PL_SPEED_Q8] = speed
    state[image.ST_PL_REST_Q8] = give - (chunk << 8)
    state[image.ST_PL_CMD] = cmd + chunk * 2
    outputs[image.OUT_STEPS] = chunk
