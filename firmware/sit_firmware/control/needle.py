"""The needle's position loop: profile, observer, voltage. Tick domain, each control step while the drive is on.

Encoder coordinates (um from park). One control step is the unit of time: speeds in um per step, accelerations in um
per step^2, all in 1/256. The observer estimates position, speed and one disturbance (spring, weight, friction, skin)
and is corrected by each encoder count; the loop cancels the disturbance and follows the profile. docs/control.md.
"""

from sit_firmware import image

_HALF = 128  # the encoder rounds down: half a count is the best guess
_MISS_Q8 = 200 << 8  # a larger miss of the observer is cut off: a lying encoder is the guard's business
_FAR_Q8 = 400 << 8
_ACC_Q8 = 255 << 8
_LEAST_MV = 6000  # the supply is never taken as lower: no division by a broken sensor
_FULL_DUTY = 4096


def start(state, inputs, outputs, params):
    """Sets profile and observer to where the needle is, at rest; the spring's push is the first disturbance."""
    enc = inputs[image.IN_ENC_UM]
    state[image.ST_N_X_Q8] = (enc << 8) + _HALF
    state[image.ST_N_V_Q8] = 0
    state[image.ST_N_D_Q8] = -params[image.P_PARK_ACC_Q8] - ((enc * params[image.P_SLOPE_Q16]) >> 8)
    state[image.ST_N_U_Q8] = 0
    state[image.ST_N_SLOW_Q8] = state[image.ST_N_D_Q8]
    state[image.ST_R_X_Q8] = enc << 8
    state[image.ST_R_V_Q8] = 0


def profile(state, inputs, outputs, params):
    """Moves ST_R_* one step towards ST_TARGET_UM: v = min(v + a1, cap, sqrt(2 ad d), d / tau)."""
    rx = state[image.ST_R_X_Q8]
    rv = state[image.ST_R_V_Q8]
    left = (state[image.ST_TARGET_UM] << 8) - rx
    v = rv + params[image.P_A1_Q8]
    if v > state[image.ST_VCAP_Q8]:
        v = state[image.ST_VCAP_Q8]
    landing = (left * params[image.P_TAU_Q10]) >> 10
    if v > landing:
        v = landing
        if v > rv and rv > 0:  # slowed down by ad until here: it doesn't speed up for the landing
            v = rv
    # beyond sqrt(2 ad d): slow down by ad instead, which keeps to that curve without a root
    if v * v > left * (params[image.P_AD_Q8] << 1):
        v = rv - params[image.P_AD_Q8]
    if v < 0:
        v = 0
    state[image.ST_R_V_Q8] = v
    state[image.ST_R_X_Q8] = rx + ((rv + v) >> 1)


def drive(state, inputs, outputs, params):
    """One step of the loop: sets OUT_DUTY, OUT_BRIDGE and OUT_SWITCH."""
    enc = inputs[image.IN_ENC_UM]
    x = state[image.ST_N_X_Q8]
    v = state[image.ST_N_V_Q8]
    d = state[image.ST_N_D_Q8]
    miss = (enc << 8) + _HALF - x
    if miss > _MISS_Q8:
        miss = _MISS_Q8
    elif miss < -_MISS_Q8:
        miss = -_MISS_Q8
    x += (miss * params[image.P_OBS_X_Q8]) >> 8
    v += (miss * params[image.P_OBS_V_Q8]) >> 8
    d += (miss * params[image.P_OBS_D_Q8]) >> 8

    before = state[image.ST_R_V_Q8]
    profile(state, inputs, outputs, params)
    rv = state[image.ST_R_V_Q8]
    off = state[image.ST_R_X_Q8] - x
    if off > _FAR_Q8:
        off = _FAR_Q8
    elif off < -_FAR_Q8:
        off = -_FAR_Q8
    u = rv - before + ((off * params[image.P_KP_Q10]) >> 10) + (((rv - v) * params[image.P_KD_Q10]) >> 10) - d
    slow = state[image.ST_N_SLOW_Q8]
    slow += (d - slow) >> 3
    state[image.ST_N_SLOW_Q8] = slow
    # once the profile slows down the force may grow only slowly: were the encoder to stop counting, the loop would push
    most = _ACC_Q8
    if rv < params[image.P_EASY_V_Q8]:
        most = params[image.P_EASY_ACC_Q8] - slow
    elif rv < before:
        most = params[image.P_FIRM_ACC_Q8] - slow
    if u > most:
        u = most
    elif u < -_ACC_Q8:
        u = -_ACC_Q8

    # voltage: what the force needs through the coil's resistance, within the hardware's limit, plus the back-EMF
    mv = (u * params[image.P_MV_PER_ACC]) >> 8
    if mv > params[image.P_DRIVE_MV]:
        mv = params[image.P_DRIVE_MV]
        u = (mv * params[image.P_ACC_PER_MV_Q10]) >> 10
    elif mv < -params[image.P_DRIVE_MV]:
        mv = -params[image.P_DRIVE_MV]
        u = (mv * params[image.P_ACC_PER_MV_Q10]) >> 10
    supply = inputs[image.IN_SUPPLY_MV]
    if supply < _LEAST_MV:
        supply = _LEAST_MV
    mv += (v * params[image.P_EMF_MV]) >> 8
    duty = (mv << 12) // supply
    if duty > _FULL_DUTY:
        duty = _FULL_DUTY
    elif duty < -_FULL_DUTY:
        duty = -_FULL_DUTY
    outputs[image.OUT_DUTY] = duty
    outputs[image.OUT_BRIDGE] = 1
    outputs[image.OUT_SWITCH] = 1

    # predict the next step: the coil's lag lets only a share of the new force act within its own step
    fresh = params[image.P_FRESH_Q4]
    acc = ((u * fresh + state[image.ST_N_U_Q8] * (16 - fresh)) >> 4) + d
    x += v + (acc >> 1)
    v += acc
    if enc < 2 and v < 0:  # the park stop holds it
        v = 0
        x = (enc << 8) + _HALF
    state[image.ST_N_X_Q8] = x
    state[image.ST_N_V_Q8] = v
    state[image.ST_N_D_Q8] = d - ((v * params[image.P_SLOPE_Q16]) >> 16)
    state[image.ST_N_U_Q8] = u
