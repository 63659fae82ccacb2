"""Columns of what `inject.py` leaves: a result row for each injection, a trace row for each tick, a person's skin."""

R_NUMBER = 0
R_DEPTH_UM = 1  # um: asked for, from where the device takes the plane
R_VOLUME_NL = 2  # nl: asked for
R_FAULT = 3  # index into cases.FAULTS, -1 none
R_FAULT_TICK = 4  # tick after the request, -1 none
R_TIP_UM = 5  # um: deepest true tip, from the true plane
R_FIRST_UM = 6  # um: true tip at the first plunger step, the end of the insertion; 0 when there was none
R_BURIED_UM = 7  # um: deepest buried
R_NEEDLE_NL = 8  # nl: true, past the tip
R_TISSUE_NL = 9  # nl: true, into tissue
R_DRIP_NL = 10  # nl: true, lost since the needle was let go
R_RESULT = 11  # codes.RESULT_*
R_CAUSE = 12  # codes.CAUSE_* or FAULT_*
R_LATCHED = 13  # codes.FAULT_*, 0 none
R_TICKS = 14
R_VOLUME_OFF_NL = 15  # nl: plunger volume that needle, air and what is held don't account for
R_ENERGY_OFF_J = 16  # J: work of the coil that losses and stored energy don't account for
R_WORK_J = 17  # J: work of the coil
R_PROVED = 18  # 0/1: the device would vouch for the tissue (interval.in_tissue), without which nothing is told as DONE
N_R = 19

T_TIP_UM = 0  # true tip
T_ENCODER_UM = 1  # tip as the device sees it
T_BURIED_UM = 2
T_CURRENT_A = 3
T_PRESS_PA = 4
T_TISSUE_NL = 5
T_PHASE = 6
T_LATCHED = 7
N_T = 8

# a person's own skin, which the sites vary
OWN_SURFACE_M = 0
OWN_SURFACE_SD_M = 1
OWN_SKIN_K = 2
OWN_PUNCTURE_N = 3
OWN_FRACTION_SD = 4
N_OWN = 5
