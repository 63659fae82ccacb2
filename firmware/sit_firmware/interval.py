"""What the tissue has had, as an interval: the three volumes of a shot and how far each can be trusted.

    plunger  steps * step volume                      what the plunger pushed
    needle   plunger - what compliance took up        what passed the tip
    tissue   the needle volume while the bevel was buried; lost = needle - tissue

Pure functions of integers in nl, step, Pa; every bound is rounded outwards. The terms and their sources are in
docs/ledger.md, the tolerances are those of hardware/reference.toml (tests/unit/test_interval_bounds.py holds them
against it). Background only.
"""

from sit_firmware import codes, image

BORE_PERMILLE = 10  # of the volume: bore_tol 0.5 % acts twice on the area
CYCLIC_NM = 3000  # nm: once-per-turn error of the screw, twice its amplitude
LEAD_NM = 1000000
STEP_NM = 312.5
COMPLIANCE_PERMILLE = 300  # of the total: spread of bubble and tube around the calibrated value
REST_NL = 12  # nl: noise of the pressure sensor, and what friction and backlash keep between two shots
WIDTH_PERMILLE = 50  # of the dose: the widest interval of a DONE record, and
WIDTH_NL = 50  # nl: this much on top
MAX_NL = 0xFFFFFFFF


def pushed_nl(steps, params):
    """Plunger volume of `steps` (0 or more), rounded down."""
    return steps * params[image.P_STEP_NL_Q10] >> 10


def most_nl(steps, params):
    """The most that `steps` can have pushed out of the syringe."""
    if steps <= 0:
        return 0
    nl = pushed_nl(steps, params)
    return nl + _plunger_error_nl(steps, params)


def _plunger_error_nl(steps, params):
    """Half-width of the plunger volume: bore, screw, one step."""
    nl = pushed_nl(steps, params)
    turn = steps * 5 // 16  # um travelled: 3.2 steps per um
    cyclic_nm = 3 * 3142 * turn // 1000 + 1  # 2 a sin(pi d / lead) <= 2 a pi d / lead, a = 1.5 um, lead 1000 um
    if cyclic_nm > CYCLIC_NM:
        cyclic_nm = CYCLIC_NM
    step_nl = (params[image.P_STEP_NL_Q10] >> 10) + 1
    return nl * BORE_PERMILLE // 1000 + 1 + cyclic_nm * 16 * step_nl // 5000 + step_nl


def _stored_nl(press_pa, params):
    """What compliance holds at a pressure, rounded up."""
    if press_pa <= 0:
        return 0
    return press_pa * params[image.P_COMPL_NL_PER_MPA] // 1000000 + 1


def tissue(kind, steps, state, params):
    """(lower, upper) bound in nl for an end record of `kind` after `steps`; reads the tick's answers in `state`.

    DONE: the tick's estimate and its tolerances. PARTIAL and ABORTED: the shot was cut short with pressure stored, so
    between what had certainly passed the tip and all that was pushed.
    """
    high = most_nl(steps, params)
    if kind == codes.RECORD_DONE:
        estimate = state[image.ST_TISSUE_NL]
        lost = state[image.ST_NEEDLE_NL] - estimate
        half = _plunger_error_nl(steps, params) + REST_NL + (lost if lost > 0 else 0)
        half += _stored_nl(state[image.ST_PRESS_PA], params) * COMPLIANCE_PERMILLE // 1000
        low = estimate - half
        top = estimate + half
        return (low if low > 0 else 0), top
    held = _stored_nl(state[image.ST_PEAK_PA], params)
    held += held * COMPLIANCE_PERMILLE // 1000
    return _least_nl(steps, held, params), high


def uncertain(cap_steps, known_steps, press_pa, params):
    """(lower, upper) bound in nl for a shot whose end nobody saw: at least `known_steps`, at most `cap_steps`."""
    held = _stored_nl(press_pa, params)
    held += held * COMPLIANCE_PERMILLE // 1000
    return _least_nl(known_steps, held, params), most_nl(cap_steps, params)


def _least_nl(steps, held_nl, params):
    """The least that has passed the tip when `steps` were made and at most `held_nl` is stored."""
    if steps <= 0:
        return 0
    low = pushed_nl(steps, params) - _plunger_error_nl(steps, params) - held_nl - REST_NL
    return low if low > 0 else 0


def narrow(low_nl, high_nl, asked_nl):
    """True when an interval is as narrow as a DONE record's must be: 5 % of the dose + 50 nl."""
    return high_nl - low_nl <= asked_nl * WIDTH_PERMILLE // 1000 + WIDTH_NL
