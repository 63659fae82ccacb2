"""The process image: four preallocated array('i'), the only door between logic and world.

    board.read(inputs) -> control.step(..) -> guard.check(..) -> board.write(outputs)

Every slot is named once here, as NAME = number, then a comment `unit: meaning`. The generator reads
these lines for the host's plots and for the chip form; the order is free, each number is used once.
Positions are in um, positive into the skin. `enc` counts from park, `depth` from the nose-piece plane
(depth = enc - zero). Volumes in nl, time in ticks (tick_us in params), forces in mN, pressure in Pa.
Nothing here allocates; `new()` is called once at boot.
"""

from array import array

# --- inputs: filled by board.read(), raw, once a tick --------------------------------------------
IN_TICK = 0  # tick: number of this tick, wraps at 2^30
IN_PERIOD_US = 1  # us: time since the tick before, as the board's clock saw it
IN_ENC_UM = 2  # um: needle encoder, 0 at park
IN_COMB_N = 3  # count: comb edges seen since park, either direction
IN_COMB_ENC_UM = 4  # um: encoder count captured in hardware at the last comb edge
IN_FLAG = 5  # 0/1: optical flag set; it also opens both cut-offs in hardware
IN_GATE = 6  # 0/1: light gate at the nose-piece plane is broken by the tip (zero tool fitted)
IN_TRIGGER = 7  # 0/1: trigger or pedal pressed
IN_ESTOP = 8  # 0/1: e-stop pressed; it also opens both cut-offs in hardware
IN_CONTACT = 9  # 0/1: contact switch of the nose-piece
IN_CONTACT_MN = 10  # mN: contact force
IN_LOAD_MN = 11  # mN: plunger load cell, pushing positive
IN_PRESS_PA = 12  # Pa: in-line pressure above ambient
IN_SUPPLY_MV = 13  # mV: supply
IN_DRIVER_FAULT = 14  # 0/1: bridge or stepper driver reports a fault
IN_CARTRIDGE = 15  # 0/1: syringe present
IN_JUMPER = 16  # 0/1: service jumper
IN_PAIR = 17  # 0/1: pairing button
IN_STEPS = 18  # step: plunger microsteps the hardware has emitted, forward positive
IN_BRIDGE_ON = 19  # 0/1: read-back, bridge enable after all hardware gates
IN_SWITCH_ON = 20  # 0/1: read-back, high-side switch after all hardware gates
N_INPUTS = 24

# --- outputs: written by control, cut by guard, applied by board.write() ------------------------
OUT_DUTY = 0  # 1/4096 of supply: coil voltage, positive extends
OUT_BRIDGE = 1  # 0/1: bridge enable request
OUT_SWITCH = 2  # 0/1: high-side switch request
OUT_TOKEN = 3  # 0/1: dead-man token for this tick
OUT_STEPS = 4  # step: plunger chunk for this tick, signed
OUT_LIGHT = 5  # code: codes.LIGHT_*
OUT_TONE = 6  # code: codes.TONE_*
N_OUTPUTS = 8

# --- state: mailbox (background writes the first block, tick answers in the second) --------------
# A request is posted by writing its arguments, then ST_REQ, then ST_REQ_SEQ last; the tick takes it
# when ST_REQ_SEQ differs from ST_ACK_SEQ. ST_STOP and ST_FINISH may be set at any time.
ST_REQ = 0  # code: codes.REQ_*
ST_REQ_SEQ = 1  # count: the request's number, changed last
ST_ARG_DEPTH_UM = 2  # um: depth of the shot
ST_ARG_STEPS = 3  # step: plunger steps of the shot at no stored pressure
ST_ARG_VOLUME_NL = 4  # nl: tissue volume of the shot
ST_ARG_FLOW_SPT = 5  # step per tick, Q8: plunger speed of the shot
ST_ARG_DWELL_TICKS = 6  # tick: longest wait for the pressure to fall
ST_ARG_MAX_STEPS = 7  # step: cap, never passed
ST_STOP = 8  # 0/1: stop at once and retract
ST_LIGHT = 9  # code: light the background wants
ST_TONE = 10  # code: tone the background wants
ST_ZERO_UM = 11  # um: encoder count at the nose-piece plane
ST_ZEROED = 12  # 0/1: ST_ZERO_UM holds a good zero
ST_BEAT = 13  # count: background heartbeat, changes each poll
ST_ARMED = 14  # 0/1: the background is armed; a shot request is refused when 0
ST_REPORT = 15  # code: fault the background has found, 0 none; the guard latches it, the background takes it back
# answers of the tick
ST_ACK_SEQ = 16  # count: last request taken
ST_PHASE = 17  # code: codes.PHASE_*
ST_RESULT = 18  # code: codes.RESULT_* of the last request
ST_CAUSE = 19  # code: fault or abort cause behind ST_RESULT
ST_FAULT = 20  # code: first fault, latched; 0 none
ST_FAULT_TICK = 21  # tick: when it latched
ST_FAULT_VALUE = 22  # unit of the fault's own measure: what was seen
ST_DEPTH_UM = 23  # um: tip depth estimate now
ST_PEAK_UM = 24  # um: deepest encoder depth since the request began
ST_END_UM = 25  # um: depth at the end of insertion
ST_STEPS0 = 26  # step: IN_STEPS when the request began
ST_STEPS = 27  # step: net plunger steps since the request began
ST_NEEDLE_NL = 28  # nl: estimate of what has passed the tip since the request began
ST_TISSUE_NL = 29  # nl: the part of it given while the bevel was buried
ST_STORED_NL = 30  # nl: volume stored in compliance now
ST_PRESS_PA = 31  # Pa: filtered pressure
ST_CONTACT_OK = 32  # 0/1: contact, debounced
ST_TRIGGER_OK = 33  # 0/1: trigger, debounced
ST_TRIGGER_N = 34  # count: trigger presses since boot, debounced
ST_PHASE_TICK = 35  # tick: when the phase began
ST_SETTLED_TICK = 36  # tick: when the needle settled at depth
ST_PEAK_LOAD_MN = 37  # mN: largest plunger force since the request began
ST_PEAK_PA = 38  # Pa: largest pressure since the request began
ST_GATE_UM = 39  # um: encoder count at which the gate broke, while zeroing
# 40-79: the control law's own memory, 80-111: the guard's own; named in the blocks below
N_STATE = 128

# --- params: written by the background only while the phase is IDLE -----------------------------
# The block is generated (params.py) from hardware/reference.toml, then the device's calibration and
# settings are laid over it. P_SUM is the checksum the guard verifies while running.
P_SUM = 0  # sum: checksum of the slots after it, kept by params.seal()
P_TICK_US = 1  # us: tick
P_MAX_DEPTH_UM = 2  # um: highest settable depth
P_ZERO_NOM_UM = 3  # um: nominal encoder count at the plane
P_ZERO_WINDOW_UM = 4  # um: half-width of the window the zero must fall in
P_STEP_NL_Q10 = 5  # nl / 1024: plunger volume of one microstep (calibrated bore)
P_COMPL_NL_PER_MPA = 6  # nl/MPa: compliance of syringe, stopper and tube (calibrated)
P_OFFSET_NL = 7  # nl: calibrated dose offset
P_CONTACT_ON_MN = 8  # mN: contact made
P_CONTACT_OFF_MN = 9  # mN: contact lost
P_DEBOUNCE_TICKS = 10  # tick: contact and trigger debounce
P_SUPPLY_MIN_MV = 11  # mV: lower supply limit
P_SUPPLY_MAX_MV = 12  # mV: upper supply limit
# 16-63: control, 64-111: guard; named in the blocks below
N_PARAMS = 128

# --- motions of the self-test: ST_ARG_STEPS of REQ_TEST ------------------------------------------
# RESULT_DONE = passed. Otherwise the guard has latched what is wrong, or ST_CAUSE holds its fault number.
TEST_CUTOFFS = 1  # each cut-off closes and opens alone, as its read-back says
TEST_STROKE = 2  # a small stroke behind the nose-piece plane; the spring brings the needle home in time
TEST_DEADMAN = 3  # without tokens the dead-man lets go in its time
TEST_SENSORS = 4  # load cell, pressure and contact force stand at zero within their tolerance


def new():
    """Return (state, inputs, outputs, params), all zero."""
    return (
        array("i", [0] * N_STATE),
        array("i", [0] * N_INPUTS),
        array("i", [0] * N_OUTPUTS),
        array("i", [0] * N_PARAMS),
    )
