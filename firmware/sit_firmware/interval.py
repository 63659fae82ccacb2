"""What the tissue has had, as an interval: the three volumes of a shot and how far each can be trusted.

    plunger  steps * step volume                               what the plunger pushed
    needle   plunger - what stopper, backlash and pressure hide  what passed the tip
    tissue   the needle volume while the opening was in tissue; lost = needle - tissue

A bound is never guessed: where nothing proves that the tip was in tissue the lower one is 0; where the metering was
broken off the interval holds all that was stored besides. The terms and their sources stand in docs/ledger.md; the
tolerances are those of hardware/reference.toml (tests/unit/test_interval_bounds.py holds them against it).
Integers in nl, step, mN and Pa, rounded outwards; nothing is changed. Background only.
"""

from sit_firmware import codes, image

VOLUME_PERMILLE = 14  # of the volume: a bore tolerance of 0.5 % acts twice, and what a calibration leaves over
SCREW_NM = 3000  # nm: once-per-turn error of the screw between any two places, twice its amplitude
LEAD_UM = 1000  # um: travel of a turn
STEPS_PER_LEAD = 3200
REST_NL = 16  # nl: noise of force and pressure, what a calibrated compliance leaves over, what suck-back takes
COMPLIANCE_PERMILLE = 300  # of what is stored: spread of barrel and tube in the total, uncalibrated
FRICTION_PERMILLE = 1200  # of the nominal: highest friction of a stopper
AGREE_NL = 60  # nl: the meter's values before and after suck-back differ by no more on a calibrated device
GRIP_MN = 150  # mN: what noise makes of the stopper's friction between the least and the most seen of it
HOLDS_PA = 100000  # Pa: no tissue holds more against the tip: a line that stands above that is blocked
CREEPS_PA = 12000  # Pa: what its pressure may fall, unseen, by flow while it is sucked back: 600 Pa in 2 ms, for 40 ms
MENISCUS_PA = 3500  # Pa: what the thinnest needle's meniscus holds in air
NOISE_PA = 1200  # Pa: what noise makes of the fall between two filtered pressures, 5 standard deviations
TISSUE_PA = 5000  # Pa: with no flow, tissue holds more than this against the tip and air holds less
WIDTH_PERMILLE = 50  # of the dose: the widest interval of a DONE record, and
WIDTH_NL = 50  # nl: this much on top

_LYING = (codes.FAULT_SENSOR, codes.FAULT_STEPS_LOST)  # what the meter has counted with can't be trusted
_METERED = (codes.CAUSE_NONE, codes.CAUSE_CAP, codes.CAUSE_TIME)  # causes after which the metering ran to its end


def pushed_nl(steps, params):
    """Plunger volume of `steps`, 0 for none or less."""
    return steps * params[image.P_STEP_NL_Q10] >> 10 if steps > 0 else 0


def error_nl(volume_nl, params):
    """How far a plunger volume may be off: bore, screw, one step, and a rest."""
    step_q10 = params[image.P_STEP_NL_Q10]
    steps = volume_nl * 1024 // step_q10 + 1
    screw_nm = 22 * SCREW_NM * steps // (7 * STEPS_PER_LEAD) + 1  # 2 a sin(pi d / lead), from above
    if screw_nm > SCREW_NM:
        screw_nm = SCREW_NM
    screw_nl = screw_nm * STEPS_PER_LEAD * step_q10 // (LEAD_UM * 1024000) + 1
    return volume_nl * VOLUME_PERMILLE // 1000 + screw_nl + (step_q10 >> 10) + REST_NL + 2


def hidden_nl(params):
    """The most that turning round can hide or free: the stopper's friction both ways and the backlash."""
    friction_mn = 2 * params[image.P_FRICTION_MN] * FRICTION_PERMILLE // 1000
    return (friction_mn * params[image.P_STOPPER_Q10] >> 10) + 2 * params[image.P_BACKLASH_NL] + 1


def stored_nl(press_pa, params):
    """The most that compliance can hold at a pressure."""
    if press_pa <= 0:
        return 0
    return (press_pa // 1000 + 1) * params[image.P_COMPL_NL_PER_MPA] // 1000 * (1000 + COMPLIANCE_PERMILLE) // 1000 + 1


def tissue(kind, steps, state, params, screw_nl=0):
    """(lower, upper) bound in nl for an end record of `kind` after net `steps`; reads the tick's answers in `state`.

    `screw_nl`: what the screw has pushed beyond its steps, by its map. It moves the middle and narrows nothing.
    """
    if steps == 0 and state[image.ST_PL_CMD] == 0:
        return 0, 0
    before_back = state[image.ST_BACK_FROM] - state[image.ST_STEPS0]
    if state[image.ST_FAULT] in _LYING:
        # the steps of a suck-back may be lost as well
        return uncertain(before_back if state[image.ST_SUCK] > 1 else steps, params)
    if state[image.ST_BACK_END]:
        # steps and pressure don't belong together: steps were lost, a sensor lies, or there is a bubble
        return uncertain(before_back, params)
    estimate = state[image.ST_TISSUE_NL]
    if state[image.ST_FAULT] or state[image.ST_CAUSE] not in _METERED:
        return _broken_off(state, params)
    if estimate < 0:
        estimate = 0
    half = error_nl(estimate, params) + _disagreement_nl(estimate, state) + _drift_nl(state, params)
    half += _unmeasured_nl(state, params)
    half += _zero_nl(state)
    estimate += screw_nl
    low = estimate - half
    high = estimate + half + _flowing_nl(state, params)
    if _real_pa(state) < params[image.P_PROBE_PA] + params[image.P_PROBE_DROP_PA] + 2 * NOISE_PA:
        high += _spilled_nl(state, params)  # so soft that the looks before the last may have gone into it
    return (low if low > 0 and in_tissue(state, params) else 0), high


def _disagreement_nl(estimate_nl, state):
    """What the meter's two values differ beyond AGREE_NL: one hangs on compliance, one on backlash and friction.

    A device whose compliance is far from its calibration shows it here, with no more than its own sensors.
    """
    differ = state[image.ST_NEEDLE_NL] - state[image.ST_LOST_NL] - estimate_nl
    if differ < 0:
        differ = -differ
    return differ - AGREE_NL if differ > AGREE_NL else 0


def _flowing_nl(state, params):
    """What may still have flowed out while the pressure was sucked back, after the estimate was taken.

    All that was stored above the pressure at the tip, when the time or the cap ended the dwell; and what a blocked line
    lets through too slowly to be seen. A shot of a run counts after the suck-back, so that it has counted that.
    """
    if state[image.ST_ARG_SKIN_TICKS]:
        return 0
    above_pa = state[image.ST_BEFORE_PA] - state[image.ST_PRESS_OUT_PA]
    nl = (above_pa >> 4) * state[image.ST_SOFT_Q14] >> 14 if above_pa > 0 else 0
    return nl + stored_nl(CREEPS_PA, params) if _real_pa(state) > HOLDS_PA else nl


def _zero_nl(state):
    """What a zero of the pressure sensor that is off may leave in the line, or take out of it, with the suck-back."""
    return (state[image.ST_ZERO_PA] >> 4) * state[image.ST_SOFT_Q14] >> 14


def _unmeasured_nl(state, params):
    """What the type's tolerance in compliance makes, as long as no suck-back has measured it (control/learn.py)."""
    if state[image.ST_SOFT_N]:
        return 0
    stored = stored_nl(state[image.ST_PRESS_OUT_PA], params)
    return stored * COMPLIANCE_PERMILLE // (1000 + COMPLIANCE_PERMILLE) + 1


def _drift_nl(state, params):
    """What the meter may be off by when force and pressure drifted apart while the stopper slid (guard_force.force).

    Whichever of the two sensors it was, taken at the dearer price: the force's by the stopper, the pressure's by barrel
    and tube.
    """
    drift_mn = state[image.ST_G_GRIP_HIGH_MN] - state[image.ST_G_GRIP_LOW_MN] - GRIP_MN
    if drift_mn <= 0:
        return 0
    by_load = drift_mn * params[image.P_STOPPER_Q10] >> 10
    by_press = drift_mn * params[image.P_BUBBLE_Q14] // params[image.P_BORE_Q14]
    return (by_load if by_load > by_press else by_press) + 1


def _spilled_nl(state, params):
    """The most that the probe spilled in looks that found no tissue."""
    spilled_nl = state[image.ST_LOST_NL] if state[image.ST_TRIES] else 0
    return spilled_nl + error_nl(spilled_nl, params) if spilled_nl > 0 else 0


def _broken_off(state, params):
    """The plunger stopped with pressure on: what is stored may have gone into the tissue, or past it.

    So may what the probe spilled: tissue that holds less than the probe's pressure looks like none.
    """
    needle_nl = state[image.ST_NEEDLE_NL] - state[image.ST_LOST_NL]
    held = stored_nl(state[image.ST_PEAK_PA], params) + hidden_nl(params)
    # contact may have been lost for the time that debouncing takes
    late_steps = state[image.ST_ARG_FLOW_SPT] * params[image.P_DEBOUNCE_TICKS] >> 8
    error = error_nl(needle_nl if needle_nl > 0 else 0, params)
    low = needle_nl - held - pushed_nl(late_steps, params) - error
    high = needle_nl + held + error + _spilled_nl(state, params)
    return (low if low > 0 and in_tissue(state, params) else 0), (high if high > 0 else 0)


def stands(state, params):
    """True when the pressure at the end stands, and doesn't only fall too slowly for the looks without flow to see.

    Were the opening in air, the dose would have passed the line's resistance R against the meniscus alone, so that
    R = sum of (pressure x time) / volume. Then the pressure at the end would drive pressure / R through it, and fall by
    that over the compliance. Tissue is proved when it has fallen by less, whatever the needle and the fluid: a thin
    needle or a line that is half blocked only lets it fall more slowly.
    """
    drives_pa = _real_pa(state) - MENISCUS_PA
    fallen_pa = state[image.ST_STILL_PA] - state[image.ST_PRESS_OUT_PA]
    since_pa = state[image.ST_BEFORE_PA] - state[image.ST_PRESS_OUT_PA]
    if drives_pa <= 0 or since_pa > NOISE_PA or since_pa < -NOISE_PA:
        return False  # nothing, or it didn't stand when the dwell ended
    fallen_pa = NOISE_PA + (fallen_pa if fallen_pa > 0 else 0)
    steps = state[image.ST_QUIET_N] * params[image.P_QUIET_TICKS] // 2  # control steps without flow
    soft = state[image.ST_SOFT_Q14] if state[image.ST_SOFT_N] else params[image.P_SOFT_HIGH_Q14]
    return drives_pa * state[image.ST_TISSUE_NL] * steps * 1024 > fallen_pa * soft * state[image.ST_PUSH_SUM]


def _real_pa(state):
    """The pressure at the tip at the end of the dose, without what the sensor shows too much."""
    return state[image.ST_PRESS_OUT_PA] - state[image.ST_ZERO_PA]


def in_tissue(state, params):
    """True when the pressure proves that the opening was in tissue: it stood before the dose was pushed and after."""
    if state[image.ST_PROBE] != image.PROBE_IN_TISSUE or _real_pa(state) < TISSUE_PA:
        return False
    # a run has no dwell to look at, and is refused with a line that would hide a leak
    return state[image.ST_ARG_SKIN_TICKS] != 0 or stands(state, params)


def uncertain(cap_steps, params):
    """(lower, upper) bound in nl for a shot whose end nobody saw: nothing, or all that its cap allows."""
    nl = pushed_nl(cap_steps, params)
    return 0, nl + error_nl(nl, params) + hidden_nl(params)


def least_needle_nl(steps, press_pa, params):
    """The least that has passed the tip after `steps` at `press_pa` in line."""
    nl = pushed_nl(steps, params) - stored_nl(press_pa, params) - hidden_nl(params)
    nl -= error_nl(nl if nl > 0 else 0, params)
    return nl if nl > 0 else 0


def narrow(low_nl, high_nl, asked_nl):
    """True when an interval is as narrow as a DONE record's must be: 5 % of the dose + 50 nl."""
    return high_nl - low_nl <= asked_nl * WIDTH_PERMILLE // 1000 + WIDTH_NL
