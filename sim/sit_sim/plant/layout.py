"""The plant's memory: four flat arrays and the name of each slot.

`x` floats: state; `k` integers: state; `p` floats: constants of unit, syringe, needle, fluid and site; `w` floats:
what the world and the faults do. SI units. Compiled loops (sit_sim.campaign) own such arrays themselves.
"""

from __future__ import annotations

import os

TICK_S = 250e-6
SUBSTEPS = int(os.environ.get("SIT_SUBSTEPS", "10"))  # others only to show what the step leaves (tools/plant_steps.py)
DT_S = TICK_S / SUBSTEPS
AROUND_PA = 101_325.0  # pressure of the air around; all others count from it
FAR_M = 1.0  # a place that the needle never reaches

# --- x: continuous state --------------------------------------------------------------------------
X_S = 0  # m: carriage from park
X_V = 1  # m/s
X_I = 2  # A: coil current
X_EDGE_LOW = 3  # m: comb edge behind the carriage
X_EDGE_HIGH = 4  # m: comb edge ahead of it
X_CREEP = 6  # 1: how far the puncture threshold has sunk, 0..1
X_ELASTIC = 7  # N: force of the skin against the needle
X_DROP = 8  # N/s: slope of X_SURPLUS after the puncture
X_SURPLUS = 9  # N: what is left of the force that broke the skin
X_BURIED = 10  # m: tip below the skin's surface as it is drawn now; 0 when not in the skin
X_S_MAX = 11  # m: deepest carriage ever
X_NUT = 12  # m: lead-screw nut since the syringe was fitted
X_NUT_REF = 13  # m: nut when the syringe was fitted
X_Z = 14  # m: stopper since the syringe was fitted
X_ROD = 15  # N: force of the rod on the stopper, pushing positive
X_P = 16  # Pa: syringe
X_Q = 17  # m^3/s: flow past the tip
X_V_OUT = 18  # m^3: volume past the tip, air or fluid, since the syringe was fitted
X_BACK = 19  # Pa: back-pressure of this puncture
X_AIR = 20  # m^3: air still in tube and needle
X_NEEDLE = 21  # m^3: fluid past the tip, for ever
X_TISSUE = 22  # m^3: the part of it given into tissue
X_STEP_FRACTION = 23  # step: fraction owed by the fault that adds steps
# this shot: from the tip's passing the plane until it passes it again
X_SHOT_S_MAX = 24  # m: deepest carriage
X_SHOT_S_START = 25  # m: carriage at the first plunger step
X_SHOT_BURIED_START = 26  # m: buried at the first plunger step
X_SHOT_S_END = 27  # m: carriage at the last plunger step forward
X_SHOT_NEEDLE = 28  # m^3: X_NEEDLE when the shot began
X_SHOT_TISSUE = 29  # m^3: X_TISSUE when the shot began
X_SHOT_BURIED_MAX = 30  # m: deepest buried
X_WORK_COIL = 31  # J: work of the coil on the carriage, for the energy balance
X_LOSS = 32  # J: lost to friction and in the stops
X_WARMED = 33  # m^3: what the fluid has grown by since the syringe was fitted
X_LAG = 34  # step: what a motor that loses steps lags behind its field; at a whole cycle it slips
N_X = 40

# --- k: discrete state ----------------------------------------------------------------------------
K_TICK = 0  # tick: number of this tick
K_SEED = 1
K_DUTY = 2  # outputs in force
K_BRIDGE = 3
K_SWITCH = 4
K_TOKEN = 5
K_CHUNK = 6  # step: chunk in force
K_DEADMAN = 7  # substep: until the drive enable drops
K_BRIDGE_ON = 8  # 0/1: bridge after all gates
K_SWITCH_ON = 9  # 0/1: switch after all gates
K_COMB_N = 10  # count: comb edges since power-up, either direction
K_STEPS = 11  # step: emitted by the hardware
K_MOTOR = 12  # step: what the motor made of them
K_PUNCTURED = 13  # 0/1
K_PUNCTURES = 14  # count
K_SHOTS = 15  # count: times the tip passed the plane
K_SHOT_STEPS = 16  # step: K_STEPS when the shot began
K_SHOT_STARTED = 17  # 0/1: the shot's first plunger step has come
K_TISSUE_BITS = 18  # bits: substeps of this tick with the opening buried
K_QUIET = 19  # 0/1: fluid and plunger are at their fixed point with bits K_QUIET_BITS
K_QUIET_BITS = 20
K_AT_REST = 21  # 0/1: another tick like the last changes nothing but the tick number
K_COMB_ENC = 22  # count: encoder captured at the last comb edge
K_PARKED = 23  # 0/1: the same for the needle axis alone
K_SLIP = 24  # step: what a slipping motor has yet to go, against its field
N_K = 25

# --- p: constants ---------------------------------------------------------------------------------
P_DT_PER_M = 0  # s/kg
P_VISCOUS = 1  # 1: 1 / (1 + dt b / m)
P_SPRING_N = 2
P_SPRING_K = 3
P_WEIGHT = 4  # N: along the axis, into the skin
P_COULOMB = 5
P_KF = 6
P_COIL_A = 7  # 1: 1 / (1 + dt R / L)
P_COIL_B = 8  # s/H: dt / L
P_I_MAX = 9
P_I_DECAY = 10  # A: lost in a substep with the bridge open
P_FLAG = 11
P_END = 12  # m: the stop that is there
P_COMB_PITCH = 13
P_COMB_ERROR = 14
P_COMB_SEED = 15
P_HOLD = 16  # substep: dead-man
P_PER_COUNT = 17  # 1/m: encoder
P_MASS = 18
P_STEP = 19  # m: microstep
P_TURN = 20  # step: a turn of the screw
P_CYCLIC = 21
P_BACKLASH = 22
P_STALL = 23
P_MAX_CHUNK = 24
P_AREA = 25
P_Z_END = 26  # m: stopper at the end of the barrel
P_STOPPER_K = 27
P_STOPPER_F = 28
P_COMPLIANCE = 29
P_R_FLOW = 30  # Pa s/m^3: tube and needle
P_K_FLOW = 31  # Pa s^2/m^6: entrance and exit
P_MENISCUS = 32  # Pa
P_BACK = 33
P_BACK_SD = 34
P_SURFACE = 35  # m: skin surface from the plane
P_SKIN_K = 36
P_PUNCTURE = 37
P_CREEP = 38
P_CREEP_STEP = 39  # 1: dt / creep time
P_DROP_S = 40
P_CUTTING = 41
P_SKIN_F = 42
P_BEVEL = 43
P_PLANE = 44  # m: carriage with the tip in the nose-piece plane
P_GATE = 45  # m: error of the light gate as it is fitted
P_LOAD_SD = 46
P_PRESS_SD = 47
P_CONTACT_SD = 48
P_SUPPLY_SD = 49
P_CONTACT_ON = 50
P_VISCOUS_B = 51  # N s/m
P_COMB_HYSTERESIS = 52  # m
P_DELAY = 53  # substep: from a tick to its outputs at the pins
P_PER_C = 54  # Pa/m^3: 1 / compliance
P_AREA_PER_C = 55  # Pa/m: stopper's area / compliance
P_PER_STIFF = 56  # m/N: of stopper and compliance in parallel
P_BUBBLE = 57  # m^3: air in the syringe, at the pressure around it
P_R_THIN = 58  # Pa s/m^3: the part of P_R_FLOW that a fast flow loses
P_Q_HALF = 59  # m^3/s: half of it is lost here
P_ENC_CYCLIC = 60  # m: interpolation error of the encoder, amplitude
P_PER_ENC_PITCH = 61  # 1/m
P_LOAD_DRIFT = 62  # N a tick
P_PRESS_DRIFT = 63  # Pa a tick
P_CYCLE = 64  # step: an electrical cycle of the motor
P_SLIP = 65  # step: most that a slipping motor goes in a substep
N_P = 66

# --- w: the world and the faults ------------------------------------------------------------------
W_PRESS_N = 0
W_TRIGGER = 1
W_ESTOP = 2
W_CARTRIDGE = 3
W_JUMPER = 4
W_PAIR = 5
W_ZERO_TOOL = 6
W_SUPPLY_V = 7
# faults: 0 none
F_ENC_ON = 10  # 0/1: encoder lies
F_ENC_AT = 11  # m: from here on
F_ENC_GAIN = 12  # 1: it counts this much of the motion
F_ENC_JUMP = 13  # m
F_FLAG = 14  # 1 stuck off, 2 stuck on
F_COMB_DEAD = 15
F_GATE = 16  # 1 stuck off, 2 stuck on
F_GATE_SHIFT = 17  # m: the gate's error, in place of its own
F_CONTACT = 18  # 1 stuck off, 2 stuck on
F_CONTACT_N = 19  # N: offset
F_LOAD_N = 20
F_PRESS_PA = 21
F_DRIVE_FULL = 22
F_BRIDGE = 23
F_SWITCH = 24
F_DEADMAN = 25
F_COIL_GAIN = 26  # 1: share of the force lost
F_DRIVER = 27
F_STEPS_LOST = 28  # 1: share
F_STEPS_EXTRA = 29  # step/tick
F_FLOW = 30  # 1: factor of the flow resistance, less one
F_SPRING = 31  # 1: share of the spring lost
F_HUNG = 32
F_TRIGGER = 33
F_SUPPLY_V = 34  # V: supply while the fault lasts, 0 none
F_ESTOP = 35
N_W = 40
