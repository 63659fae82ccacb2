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
IN_GATE = 6  # 0/1: light gate at the nose-piece plane is dark: broken by the tip, or no zero tool fitted
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
ST_TEST_VALUE = 40  # unit of the test: what the last TEST motion measured, see TEST_* below
# the control law's own memory
ST_N_X_Q8 = 41  # um / 256: needle position, estimated (encoder coordinates)
ST_N_V_Q8 = 42  # um per control step / 256: needle speed, estimated
ST_N_D_Q8 = 43  # um per control step^2 / 256: disturbance, estimated (spring, weight, skin)
ST_N_U_Q8 = 44  # um per control step^2 / 256: acceleration the drive was asked for in the step before
ST_R_X_Q8 = 45  # um / 256: position the profile asks for
ST_R_V_Q8 = 46  # um per control step / 256: speed the profile asks for
ST_TARGET_UM = 47  # um: encoder count the profile ends at
ST_VCAP_Q8 = 48  # um per control step / 256: speed cap of the profile
ST_SETTLE_N = 49  # step: control steps in a row within the settling window
ST_TRIGGER_RUN = 50  # tick: how long the raw trigger has differed from the debounced one
ST_CONTACT_RUN = 51  # tick: how long the raw contact has differed from the debounced one
ST_PL_SPEED_Q8 = 52  # step per tick / 256: plunger speed, signed
ST_PL_REST_Q8 = 53  # step per tick / 256: fraction of a step not yet given
ST_PL_CMD = 54  # step: steps commanded since the request began
ST_PL_GO_NL = 55  # nl: plunger volume still to go, signed, as asked this step
ST_LOAD_MN = 56  # mN: filtered plunger force
ST_HIDDEN_NL = 57  # nl: volume hidden in stopper, backlash and compliance now
ST_HIDDEN0_NL = 58  # nl: the same when the request began
ST_PRESS_OUT_PA = 59  # Pa: pressure at the tip: in line with no flow
ST_GOAL_NL = 60  # nl: needle volume at which dispensing ends
ST_FLOW_PA = 61  # Pa: filtered pressure at the last look at the flow
ST_FLOW_TICK = 62  # tick: when that look was
ST_QUIET_N = 63  # count: looks in a row without flow
ST_END_RESULT = 64  # code: codes.RESULT_* to report once the needle is home
ST_END_CAUSE = 65  # code: codes.CAUSE_* to report once the needle is home
ST_SUCK = 66  # code: suck-back: 0 not begun, 1 asked for, 2 done, 3 under way
ST_TEST_STEP = 67  # count: stage of the TEST motion
ST_CLEAR = 68  # 0/1: control passes a CLEAR request on; the guard takes it back to 0
ST_NO_TOKEN = 69  # 0/1: the dead-man test asks the guard to withhold its token
ST_PROBE = 70  # code: stage of the probe for tissue, see control/probe.py
ST_PROBE_TICK = 71  # tick: when the stage began
ST_PROBE_REF_PA = 72  # Pa: pressure the look began with, 0 not yet
ST_LOST_NL = 73  # nl: what the meter showed when the opening was found in tissue
ST_N_SLOW_Q8 = 75  # um per control step^2 / 256: disturbance, filtered over some steps
ST_SOFT_Q14 = 76  # nl per 16 Pa / 16384: compliance in force, all of it
ST_SLACK_NL = 77  # nl: backlash in force
ST_SOFT_OF_Q14 = 78  # nl per 16 Pa / 16384: P_STORED_Q14 that learning began with
ST_SOFT_N = 79  # count: shots since the last purge that measured both
ST_TRIES = 74  # count: looks that found no tissue
# the guard's own memory
ST_G_LIVE = 80  # 0/1: the memory below holds the tick before
ST_G_ENC_UM = 81  # um: encoder in the tick before
ST_G_DX_UM = 82  # um: encoder change in the tick before
ST_G_TICK = 83  # tick: number of the tick before
ST_G_STEPS = 84  # step: IN_STEPS in the tick before
ST_G_OWED = 85  # step: steps let through and not yet counted by the hardware
ST_G_BASE_STEPS = 86  # step: IN_STEPS when the plunger motion began
ST_G_CAP = 87  # step: cap of the plunger motion, copied when it began
ST_G_STILL_Q8 = 88  # um / 256: way of the profile since the encoder last changed
ST_G_OFF_N = 89  # tick: ticks in a row at rest off the target
ST_G_COMB_N = 90  # count: comb edges in the tick before
ST_G_COMB_UM = 91  # um: encoder count at the last comb edge that agreed
ST_G_BEAT = 92  # count: last heartbeat seen
ST_G_BEAT_N = 93  # tick: ticks since it changed
ST_G_SUM_I = 94  # slot: next parameter to sum
ST_G_SUM = 95  # sum: rolling checksum so far
ST_G_SUPPLY_N = 96  # tick: ticks in a row out of the supply range
ST_G_PRESS_N = 97  # tick: ticks in a row above the occlusion pressure
ST_G_CONTACT_N = 98  # tick: ticks in a row in which switch and force disagree
ST_G_CUT_N = 99  # tick: ticks in a row in which a cut-off's read-back differs from its command
ST_G_HOME_N = 100  # tick: ticks since the drive was let go with the needle out
ST_G_BRIDGE = 101  # 0/1: bridge enable given in the tick before
ST_G_SWITCH = 102  # 0/1: switch enable given in the tick before
ST_G_PUSH_STEPS = 103  # step: forward steps since the plunger last turned, -1 turned back, 0 not moved yet
ST_G_LOAD_MN = 104  # mN: plunger force when it last turned backward
ST_G_TURN = 109  # step: IN_STEPS when it last turned backward
ST_G_PHASE = 105  # code: phase in the tick before
ST_G_CHUNK = 106  # step: chunk let through in the tick before
ST_G_FOUND = 107  # code: fault found in this tick, 0 none
ST_G_VALUE = 108  # unit of the fault: what was seen
ST_G_GRIP_N = 110  # tick: ticks in a row in which plunger force and pressure disagree
ST_G_GRIP_LOW_MN = 111  # mN: least force beyond the pressure's while the stopper slid forward
ST_G_GRIP_HIGH_MN = 112  # mN: most of it; both begin at the middle of those of the request before
ST_G_GRIP_SET = 113  # 0/1: the two hold something of this syringe
ST_LEARN = 114  # code: stage of the measure, see control/learn.py
ST_LEARN_STEPS = 115  # step: IN_STEPS when the stopper slid back
ST_LEARN_PA = 116  # Pa: pressure then
ST_BEFORE_PA = 117  # Pa: pressure before the suck-back
ST_ZERO_PA = 118  # Pa: what the pressure sensor shows too much, at least: found at rest when the request began
ST_BACK_FROM = 119  # step: IN_STEPS when the suck-back began
ST_BACK_STEPS = 120  # step: most that it may take
ST_BACK_END = 128  # 0/1: it took that, and pressure was left
ST_STILL_PA = 129  # Pa: filtered pressure at the look before the first of those without flow
ST_PUSH_SUM = 130  # Pa control steps / 256: pressure in line, summed over dispensing and dwell
# a shot of a run, see control/rapid.py
ST_ARG_SKIN_TICKS = 121  # tick: longest time in the skin of a shot of a run; 0 a single shot
ST_SKIN_TICK = 122  # tick: when the tip passed the plane
ST_RATE_Q4 = 123  # nl per control step / 16: flow past the tip, filtered
ST_WAS_NL = 124  # nl: ST_NEEDLE_NL in the step before
ST_FLIGHT_Q4 = 125  # control step / 16: volume that still passes once the plunger turns, as time of that flow
ST_AT_NL = 126  # nl: ST_NEEDLE_NL when it turned
ST_STILL_NL = 127  # nl: ST_NEEDLE_NL at no pressure, from the raw sensors and without the backlash
ST_G_PERIOD_US = 131  # us: IN_PERIOD_US in the tick before
ST_G_HOLD_MN = 132  # mN: most that the motor has lately held against, see guard_force.force
ST_G_PUSHED_MN = 133  # mN: highest plunger force lately, forward; falls as slowly
N_STATE = 134

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
# control: the needle. A control step is two ticks; accelerations are per control step squared
P_OBS_X_Q8 = 16  # 1/256: observer gain, position
P_OBS_V_Q8 = 17  # 1/256: observer gain, speed
P_OBS_D_Q8 = 18  # 1/256: observer gain, disturbance
P_KP_Q10 = 19  # 1/1024 per step^2: position gain
P_KD_Q10 = 20  # 1/1024 per step: speed gain
P_MV_PER_ACC = 21  # mV per um/step^2: voltage that gives an acceleration, R m / k
P_ACC_PER_MV_Q10 = 22  # um/step^2 per mV / 1024 * 256: its inverse, in Q8 accelerations
P_EMF_MV = 23  # mV per um/step: back-EMF
P_DRIVE_MV = 24  # mV: voltage beyond the back-EMF that reaches the current limit, warmest coil
P_PARK_ACC_Q8 = 25  # um/step^2 / 256: acceleration of the spring at park
P_SLOPE_Q16 = 26  # 1/65536 per step^2: change of the spring's acceleration with position
P_FRESH_Q4 = 27  # 1/16: share of a new voltage that acts in its own control step
P_A1_Q8 = 28  # um/step^2 / 256: profile, acceleration
P_AD_Q8 = 29  # um/step^2 / 256: profile, deceleration
P_VCAP_Q8 = 30  # um/step / 256: profile, speed cap
P_TAU_Q10 = 31  # 1/1024 per step: profile, landing rate
P_EASY_V_Q8 = 62  # um/step / 256: profile, speed below which the force may grow only slowly
P_EASY_ACC_Q8 = 63  # um/step^2 / 256: acceleration beyond the filtered disturbance that is then allowed
P_FIRM_ACC_Q8 = 105  # um/step^2 / 256: the same while the profile slows down from higher speeds
P_ZERO_V_Q8 = 32  # um/step / 256: speed while zeroing
P_ZERO_END_UM = 33  # um: encoder count at which zeroing gives up
P_SETTLE_UM = 34  # um: settling window, half-width
P_SETTLE_N = 35  # step: control steps within the window that count as settled
P_SETTLE_TICKS = 36  # tick: shortest time at depth before fluid flows (the skin gives way late)
P_INSERT_TICKS = 37  # tick: longest time from start to settled
P_HOME_UM = 38  # um: encoder count that counts as home
# control: the plunger
P_PL_ACC_Q8 = 40  # step per tick / 256: change of speed in a control step
P_PL_STOP_Q16 = 41  # nl per (step/tick)^2 / 65536 * 256: volume of the ramp down
P_PL_VMAX_Q8 = 42  # step per tick / 256: highest speed
P_PL_BACK_Q8 = 61  # step per tick / 256: highest speed of suck-back
P_BUBBLE_Q14 = 43  # nl per 16 Pa / 16384: compliance of barrel and tube alone
P_STOPPER_Q10 = 44  # nl per mN / 1024: volume hidden in the stopper by plunger force
P_BACKLASH_NL = 45  # nl: volume of the screw's backlash
P_STORED_Q14 = 46  # nl per 16 Pa / 16384: all compliance, stopper included
P_FRICTION_MN = 47  # mN: the stopper's friction
P_BACK_MIN_PA = 48  # Pa: tissue back-pressure, least
P_CREEP_NL = 49  # nl: least distance asked for while sucking back
P_BEVEL_UM = 50  # um: the needle's opening; shallower than that fluid leaks out
P_DOSE_TOL_NL = 51  # nl: a dose this close is given
P_QUIET_PA = 52  # Pa: change of pressure between two looks below which nothing flows
P_QUIET_TICKS = 53  # tick: time between two looks at the flow
P_PRESS_SOFT_PA = 54  # Pa: pressure above which the plunger slows down
P_REST_PA = 55  # Pa: pressure that counts as none
P_RETRACT_TICKS = 60  # tick: longest time for suck-back after the needle is home
P_BORE_Q14 = 56  # mN per 16 Pa / 16384: plunger force of a pressure
P_TEST_UM = 57  # um: stroke of the test in air
P_TEST_PA = 58  # Pa: pressure at rest that self-test and the start of a shot allow, either way
P_PROBE_PA = 106  # Pa: pressure of the probe, below any tissue's
P_PROBE_NL = 107  # nl: needle volume that shows a leak while it is put on
P_PROBE_SETTLE = 108  # tick: until the pressure of the look counts
P_PROBE_TICKS = 109  # tick: length of the look
P_PROBE_DROP_PA = 110  # Pa: a fall that shows a leak
P_PROBE_WAIT = 111  # tick: until the next look
P_PROBE_TRIES = 112  # count: looks before the shot is given up
P_SOFT_LOW_Q14 = 114  # nl per 16 Pa / 16384: least compliance of the type, stopper included
P_SOFT_HIGH_Q14 = 115  # nl per 16 Pa / 16384: most of it
P_SLACK_LOW_NL = 116  # nl: least backlash of the screw
P_SLACK_HIGH_NL = 117  # nl: most of it
P_PULL_MN = 118  # mN: plunger force below this negative is a pull for certain
P_LEARN_PA = 119  # Pa: fall of the pressure that is enough to measure compliance by
P_EARLY_UM = 120  # um: before the depth, where the probe of a shot of a run begins
P_LOOK_TICKS = 121  # tick: length of its look: longer, for it is the only one
P_LOOK_DROP_PA = 122  # Pa: a fall that shows a leak there
# guard: the needle. Per tick and tick^2; slopes are over the encoder count
P_G_LIMIT_UM = 64  # um: depth the estimate must stay within: 2000 less zero and encoder uncertainty
P_G_ZERO_MIN_UM = 65  # um: encoder count of the plane assumed while the device isn't zeroed
P_G_AF_Q8 = 66  # um/tick^2 / 256: greatest outward acceleration at park, drive stuck at full force
P_G_AF_SLOPE_Q16 = 67  # um/tick^2 per um / 65536 * 256: its fall with position
P_G_AS_Q8 = 68  # um/tick^2 / 256: least inward acceleration at park, drive off
P_G_AS_SLOPE_Q16 = 69  # um/tick^2 per um / 65536 * 256: its rise with position
P_G_T_Q8 = 70  # tick / 256: from this sample to the drive off, if the next tick trips
P_G_T2_Q8 = 71  # tick^2 / 256: half its square
P_G_SPEED_UM = 72  # um/tick: faster outward is overspeed
P_G_JUMP_UM = 73  # um/tick: faster either way is a lying encoder
P_G_JERK_UM = 74  # um/tick^2: a greater change of speed while away from the park stop is a lying encoder
P_G_JOLT_UM = 85  # um/tick^2: the same while the drive follows its profile
P_G_FOLLOW_UM = 75  # um: greatest distance from the profile, leaving park or ahead of it
P_G_LAG_UM = 76  # um: greatest distance behind the profile elsewhere
P_G_NEAR_UM = 125  # um: the same once the profile is slow
P_G_SLOW_Q8 = 124  # um/step / 256: which is below this speed
P_G_STILL_Q8 = 77  # um / 256: way of the profile in which the encoder must have changed
P_G_DIST_Q8 = 78  # um/step^2 / 256: greatest disturbance beside the spring
P_G_REST_UM = 79  # um: greatest distance ahead of the profile at rest
P_G_REST_N = 80  # tick: for this long
P_G_SHORT_UM = 13  # um: greatest distance behind it
P_G_SHORT_N = 14  # tick: for this long
P_G_COMB_UM = 81  # um: comb pitch
P_G_COMB_TOL_UM = 82  # um: tolerance of a comb edge against the encoder
P_G_COMB_HYST_UM = 86  # um: way between an edge and the same edge going back
P_G_HOME_N = 83  # tick: longest time for the spring to bring the needle home
P_G_AWAY_UM = 84  # um: encoder count beyond which the needle is out
# guard: the rest
P_G_PRESS_PA = 88  # Pa: occlusion
P_G_PRESS_N = 89  # tick: for this long
P_G_LOAD_MN = 90  # mN: plunger force that is too much
P_G_SUPPLY_N = 91  # tick: supply out of range for this long
P_G_BEAT_N = 92  # tick: background silent for this long, needle in or shot under way
P_G_LATE_US = 93  # us: longest time between two ticks
P_G_CONTACT_N = 94  # tick: switch and force disagree for this long
P_G_CUT_N = 95  # tick: a cut-off's read-back differs for this long
P_G_PUSH_STEPS = 96  # step: forward steps after which the plunger force must have risen
P_G_PUSH_MN = 97  # mN: by this much
P_G_CHUNK = 98  # step: largest chunk of a tick
P_G_SENSOR_PA = 99  # Pa: a pressure beyond this, either way, is a broken sensor
P_G_TURN_STEPS = 100  # step: reverse steps over which the plunger force must fall
P_G_TURN_MN = 101  # mN: fall that the stopper's stiffness makes of them
P_G_GRIP_MOST_MN = 102  # mN: plunger force beyond the pressure's, either way, that no stopper's friction makes
P_G_GRIP_LEAST_MN = 103  # mN: less than this while it slides forward, no stopper of this type makes
P_G_GRIP_N = 104  # tick: for this long
P_G_SLIDE_STEPS = 113  # step: forward steps after which the stopper slides, wherever it stood
P_G_SLIP_MN = 59  # mN: fall of what the motor holds against that only a slip makes
P_G_PER_US_Q16 = 126  # tick/us / 65536: one over the length of a tick
N_PARAMS = 128

# stages of the probe for tissue, in ST_PROBE
PROBE_PRESS = 0
PROBE_LOOK = 1
PROBE_WAIT = 2
PROBE_IN_TISSUE = 3
PROBE_GIVEN_UP = 4


# --- motions of the self-test: ST_ARG_STEPS of REQ_TEST ------------------------------------------
# RESULT_DONE = passed. Otherwise the guard has latched what is wrong, or ST_CAUSE holds its fault number.
# What was measured is left in ST_TEST_VALUE.
TEST_CUTOFFS = 1  # each cut-off closes and opens alone, as its read-back says; measure: the stage that failed
TEST_SPRING = 2  # a small stroke behind the nose-piece plane, then let go; measure: ticks until home
TEST_DEADMAN = 3  # without tokens the dead-man lets go in its time; measure: ticks until the bridge is off
TEST_SENSORS = (
    4  # load cell within the stopper's friction of zero, pressure within its tolerance; measure: pressure in Pa
)


def new():
    """Return (state, inputs, outputs, params), all zero."""
    return (
        array("i", [0] * N_STATE),
        array("i", [0] * N_INPUTS),
        array("i", [0] * N_OUTPUTS),
        array("i", [0] * N_PARAMS),
    )
