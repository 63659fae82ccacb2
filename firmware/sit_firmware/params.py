"""The parameter block: defaults of the reference design, then the device's settings, calibration, syringe and needle.

Background only, and only while the phase is IDLE: the guard sums the block while anything moves and latches
FAULT_PARAMS when a slot changed. `seal` ends every change. Numbers come from params_gen.py; nothing is typed here.
"""

from sit_firmware import image, params_gen

_SUM_MASK = (1 << 24) - 1
_AREA_Q20 = 823550  # pi/4 in 1/2^20


def defaults(params, board=""):
    """Fills the block with the reference design, its first syringe and its first needle, and seals it.

    A board whose ticks can be late is known by its name: a wider guard band and a lower highest depth come with it.
    """
    for slot in range(image.N_PARAMS):
        params[slot] = 0
    for slot, value in params_gen.DEFAULTS:
        params[slot] = value
    for slot, value in params_gen.BOARDS.get(board, ()):
        params[slot] = value
    use_syringe(params, 1)


def use_syringe(params, syringe_id):
    """Lays a syringe type over the block and seals it; KeyError for a type that isn't known."""
    for slot, value in params_gen.SYRINGES[syringe_id]:
        params[slot] = value
    seal(params)


def use_needle(params, needle_id, viscosity_upas):
    """Lays a needle type and the fluid over the block and seals it; KeyError for a type that isn't known.

    A thick fluid in a thin needle lets pressure fall slowly, in air as at the end of a dose, as if it stood. So a look
    at a leak takes half of the line's time constant, softest syringe of the type (4.5 kPa above the meniscus fall by
    1.7), and one at the flow a quarter.
    """
    bevel, slowest = params_gen.NEEDLES[needle_id]
    look = params_gen.LEAK_TICKS * viscosity_upas * int(params[image.P_SOFT_HIGH_Q14]) // (2 * slowest)
    look = min(look, params_gen.PROBE_MOST_TICKS)
    params[image.P_BEVEL_UM] = bevel
    params[image.P_PROBE_TICKS] = max(look, params_gen.PROBE_TICKS)
    params[image.P_QUIET_TICKS] = max(look // 2, params_gen.QUIET_TICKS)
    seal(params)


def apply(params, settings, calibration, board=""):
    """Lays settings (max_depth_um) and calibration (syringe_id, bore_um, offset_nl, compliance_nl_per_mpa) over it.

    A setting can lower the highest depth, never raise it. The stopper's share of the compliance belongs to the type;
    what the calibration found beyond it is barrel and tube.
    """
    defaults(params, board)
    if settings.max_depth_um < params[image.P_MAX_DEPTH_UM]:
        params[image.P_MAX_DEPTH_UM] = settings.max_depth_um
    for slot, value in params_gen.SYRINGES[calibration.syringe_id]:
        params[slot] = value
    stopper_q14 = params[image.P_STORED_Q14] - params[image.P_BUBBLE_Q14]
    params[image.P_STEP_NL_Q10] = step_nl_q10(calibration.bore_um)
    params[image.P_OFFSET_NL] = calibration.offset_nl
    params[image.P_COMPL_NL_PER_MPA] = calibration.compliance_nl_per_mpa
    stored_q14 = (calibration.compliance_nl_per_mpa * params_gen.PER_MPA_Q34) >> 20
    params[image.P_STORED_Q14] = stored_q14
    params[image.P_BUBBLE_Q14] = stored_q14 - stopper_q14 if stored_q14 > stopper_q14 else 0
    seal(params)


def step_nl_q10(bore_um):
    """nl/1024 of one microstep in a bore: pi/4 bore^2 times the travel of a microstep."""
    # um^2 * pm = 1e-24 m^3 = 1e-12 nl
    return (bore_um * bore_um * params_gen.STEP_PM * _AREA_Q20 // 1024 + 500000000000) // 1000000000000


def capacity_steps(syringe_id):
    """Microsteps from full to empty for a syringe type at its nominal bore; 0 for one that isn't known."""
    if syringe_id not in params_gen.BORES:
        return 0
    bore_um, capacity_nl = params_gen.BORES[syringe_id]
    return capacity_nl * 1024 // step_nl_q10(bore_um)


def bevel_um(needle_id):
    """The bevel of a needle type in um; 0 for one that isn't known."""
    return params_gen.NEEDLES.get(needle_id, (0, 0))[0]


def use_look(params, needle_id, viscosity_upas):
    """Sets how long a run looks for a leak, and seals; False when no look tells one from tissue.

    A thicker fluid in a thinner needle shows a leak later: the look grows with the line's time constant, with the
    softest syringe of the type (tests/unit/test_control_rapid.py scans it).
    """
    slow = viscosity_upas * params[image.P_SOFT_HIGH_Q14]
    slowest = params_gen.NEEDLES[needle_id][1]
    if slow > slowest:
        return False
    least = params_gen.PROBE_TICKS
    params[image.P_LOOK_TICKS] = least + (params_gen.LOOK_TICKS - least) * slow // slowest
    seal(params)
    return True


def checksum(params):
    """The sum the guard compares while it runs: every slot but P_SUM, order included."""
    total = 0
    for slot in range(1, image.N_PARAMS):
        total = (total * 31 + params[slot]) & _SUM_MASK
    return total


def seal(params):
    """Sets P_SUM; the last step of every change."""
    params[image.P_SUM] = checksum(params)


def sum_ok(params):
    """True when the block is as it was sealed."""
    return params[image.P_SUM] == checksum(params)
