"""What each suck-back measures: the compliance and backlash of the syringe that is fitted (control/learn.py)."""

import pytest
from sit_firmware import codes, image, interval
from sit_sim.campaign import Bench
from sit_sim.campaign.runs import give
from sit_sim.plant import nominal_unit, spread_unit

PER_MPA_Q14 = 16 * 16384 / 1e6
STOPPER_NL_PER_MPA = 3007
AREA_MM2 = 17.34


def device(unit, seed=1):
    """A purged device on the factory calibration."""
    made = Bench(unit, seed)
    made.purge()
    return made


def shots(made, volume_nl, n, first_site=0):
    """n shots at 1700 um: (shot, bounds of its interval, whether they are narrow enough for DONE)."""
    given = []
    for site in range(first_site, first_site + n):
        made.plant.set("site", site)
        shot = give(made, 1700, volume_nl)
        state, params = [int(v) for v in made.state], [int(v) for v in made.params]
        low, high = interval.tissue(codes.RECORD_DONE, shot.steps, state, params)
        given.append((shot, low, high, interval.narrow(low, high, volume_nl)))
    return given


def learned(made):
    """(compliance of barrel and tube in uL/100 kPa, backlash in um, measures) that the device goes by."""
    soft = int(made.state[image.ST_SOFT_Q14]) / PER_MPA_Q14 - STOPPER_NL_PER_MPA
    return soft / 10000, int(made.state[image.ST_SLACK_NL]) / AREA_MM2, int(made.state[image.ST_SOFT_N])


@pytest.mark.parametrize("seed", [1, 7, 12, 18, 28])
def test_compliance_and_backlash_are_learned(seed):
    """Metering: on a drawn unit some shots tell compliance within 0.04 uL/100 kPa and backlash within 1 um."""
    unit = spread_unit(seed)
    made = device(unit)
    shots(made, 2000, 5)
    compliance, backlash, n = learned(made)
    assert n == 5
    assert compliance == pytest.approx(unit.compliance_m3_per_pa * 1e14, abs=0.04)
    assert backlash == pytest.approx(unit.backlash_m * 1e6, abs=1.0)


@pytest.mark.parametrize("volume_nl", [1000, 2000, 5000])
def test_small_doses_are_vouched_for_on_the_factory_calibration(volume_nl):
    """Invariant 4: on units at the edges of the tolerances the truth lies in each interval, and few are too wide."""
    done = 0
    seeds = (1, 2, 7, 8, 11, 56, 106, 2045, 2056)
    for seed in seeds:
        for shot, low, high, narrow in shots(device(spread_unit(seed), seed), volume_nl, 4):
            if shot.result == codes.RESULT_DONE:
                assert low <= shot.true_tissue_nl <= high, (
                    f"unit {seed}: {shot.true_tissue_nl:.0f} not in {low}..{high}"
                )
                done += narrow
    assert done >= 0.9 * 4 * len(seeds)


@pytest.mark.parametrize("ul_per_100kpa", [0.75, 1.0, 2.0])
def test_a_compliance_that_no_such_syringe_has_is_not_taken(ul_per_100kpa):
    """Invariant 4: a bubble in the line is more than the type's tolerance; nothing is learned, and none is DONE."""
    made = device(nominal_unit().replace(compliance_m3_per_pa=ul_per_100kpa * 1e-14))
    given = shots(made, 2000, 3)
    assert learned(made)[2] == 0
    assert not any(narrow and shot.result == codes.RESULT_DONE for shot, _, _, narrow in given)


def test_a_purge_forgets():
    """Metering: a purge follows every change of needle or syringe; what was learned of the old one doesn't count."""
    made = device(spread_unit(1))
    shots(made, 2000, 2)
    assert learned(made)[2] == 2
    made.purge(400)
    compliance, _, n = learned(made)
    assert n == 0 and compliance == pytest.approx(0.4, abs=0.01)


@pytest.mark.parametrize("kpa", [12, 16, 25])
def test_soft_tissue_gets_no_more_than_asked(kpa):
    """Metering: a push goes by the pressure that this tissue has held, so one that holds little isn't overfilled."""
    made = device(nominal_unit().replace(back_pressure_pa=kpa * 1e3, back_pressure_sd_pa=0.0))
    for shot, *_ in shots(made, 1000, 3):
        assert shot.result == codes.RESULT_DONE
        assert shot.true_tissue_nl == pytest.approx(1000, abs=50)


def test_what_was_never_measured_is_less_certain():
    """Invariant 4: as long as no suck-back has measured it, the type's tolerance in compliance widens the interval."""
    made = device(nominal_unit())
    shots(made, 5000, 1)
    state, params = [int(v) for v in made.state], [int(v) for v in made.params]
    low, high = interval.tissue(codes.RECORD_DONE, 900, state, params)
    state[image.ST_SOFT_N] = 0
    least, most = interval.tissue(codes.RECORD_DONE, 900, state, params)
    tolerance_nl = 2000 * state[image.ST_PRESS_OUT_PA] / 1e6
    assert least <= low - tolerance_nl and most >= high + tolerance_nl
