"""The control law's one entry: senses, then what the phase asks for. Tick domain, every second tick.

The outputs start safe in each step and a phase switches on what it needs, so a phase that forgets something stays safe.
"""

from sit_firmware import codes, image
from sit_firmware.control.requests import take
from sit_firmware.control.senses import sense
from sit_firmware.control.shot import shot
from sit_firmware.control.work import purge, test, zero


def step(state, inputs, outputs, params):
    """One control step."""
    outputs[image.OUT_DUTY] = 0
    outputs[image.OUT_BRIDGE] = 0
    outputs[image.OUT_SWITCH] = 0
    outputs[image.OUT_STEPS] = 0
    outputs[image.OUT_LIGHT] = state[image.ST_LIGHT]
    outputs[image.OUT_TONE] = state[image.ST_TONE]
    sense(state, inputs, outputs, params)
    phase = state[image.ST_PHASE]
    if state[image.ST_FAULT] and phase != codes.PHASE_FAULT:
        # the guard has cut everything: what was under way ends here
        if state[image.ST_RESULT] == codes.RESULT_NONE:
            state[image.ST_RESULT] = codes.RESULT_ABORTED
            state[image.ST_CAUSE] = state[image.ST_FAULT]
        state[image.ST_STEPS] = inputs[image.IN_STEPS] - state[image.ST_STEPS0]
        state[image.ST_NO_TOKEN] = 0
        state[image.ST_PHASE] = codes.PHASE_FAULT
        state[image.ST_PHASE_TICK] = inputs[image.IN_TICK]
    elif phase == codes.PHASE_IDLE or phase == codes.PHASE_FAULT:
        take(state, inputs, outputs, params)
    elif phase == codes.PHASE_PURGE:
        purge(state, inputs, outputs, params)
    elif phase == codes.PHASE_ZERO:
        zero(state, inputs, outputs, params)
    elif phase == codes.PHASE_TEST:
        test(state, inputs, outputs, params)
    else:
        shot(state, inputs, outputs, params)
