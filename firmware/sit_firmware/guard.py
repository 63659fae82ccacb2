"""The guard: the last word on the outputs, from raw inputs, in every tick.

`check` finds what is wrong, latches the first cause (ST_FAULT, its tick and the value seen) and makes the outputs safe
while a fault is latched. It only ever takes away: the one thing it gives is the dead-man's token. It shares no estimate
with the control law; it reads the profile only to know what motion to expect.

Tick domain: integers, no allocation. docs/guard-band.md derives the envelope; docs/control.md lists every check.
"""

from sit_firmware import image
from sit_firmware.guard_needle import needle
from sit_firmware.guard_rest import rest


def check(state, inputs, outputs, params):
    """Runs all checks, latches the first fault, cuts the outputs while one is latched, gives the token when none is."""
    state[image.ST_G_FOUND] = 0
    if state[image.ST_G_LIVE] == 0:
        _begin(state, inputs, outputs, params)
    needle(state, inputs, outputs, params)
    rest(state, inputs, outputs, params)
    found = state[image.ST_G_FOUND]
    if state[image.ST_CLEAR]:
        state[image.ST_CLEAR] = 0
        state[image.ST_FAULT] = 0
    if found and state[image.ST_FAULT] == 0:
        state[image.ST_FAULT] = found
        state[image.ST_FAULT_TICK] = inputs[image.IN_TICK]
        state[image.ST_FAULT_VALUE] = state[image.ST_G_VALUE]
    if state[image.ST_FAULT]:
        outputs[image.OUT_DUTY] = 0
        outputs[image.OUT_BRIDGE] = 0
        outputs[image.OUT_SWITCH] = 0
        outputs[image.OUT_STEPS] = 0
        outputs[image.OUT_TOKEN] = 0
    elif state[image.ST_NO_TOKEN]:
        outputs[image.OUT_TOKEN] = 0
    else:
        outputs[image.OUT_TOKEN] = outputs[image.OUT_BRIDGE] | outputs[image.OUT_SWITCH]
    state[image.ST_G_OWED] += outputs[image.OUT_STEPS]
    state[image.ST_G_BRIDGE] = outputs[image.OUT_BRIDGE] & outputs[image.OUT_TOKEN]
    state[image.ST_G_SWITCH] = outputs[image.OUT_SWITCH] & outputs[image.OUT_TOKEN]
    state[image.ST_G_CHUNK] = outputs[image.OUT_STEPS]
    state[image.ST_G_PHASE] = state[image.ST_PHASE]


def _begin(state, inputs, outputs, params):
    """The first tick: there is no tick before to compare with."""
    state[image.ST_G_LIVE] = 1
    state[image.ST_G_ENC_UM] = inputs[image.IN_ENC_UM]
    state[image.ST_G_DX_UM] = 0
    state[image.ST_G_PERIOD_US] = inputs[image.IN_PERIOD_US]
    state[image.ST_G_TICK] = (inputs[image.IN_TICK] - 1) & 0x3FFFFFFF
    state[image.ST_G_STEPS] = inputs[image.IN_STEPS]
    state[image.ST_G_OWED] = 0
    state[image.ST_G_COMB_N] = inputs[image.IN_COMB_N]
    state[image.ST_G_COMB_UM] = inputs[image.IN_COMB_ENC_UM]
