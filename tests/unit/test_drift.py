"""Drift since the calibration by the second dose channel: what warns, what mustn't, and what can't be judged."""

from types import SimpleNamespace

import pytest
from sit_firmware import codes, image
from sit_firmware.bore import LOOK_TICKS, MOST_LOOKS, Bore
from sit_host._gen.enums import Record as Kind
from sit_host.drift import area_mm2_e3, judge, reference_e4
from sit_sim.campaign.bore import shown_areas
from sit_sim.campaign.metering import Setup
from sit_sim.plant import spread_unit

CALIBRATED = SimpleNamespace(syringe_id=1, bore_um=4699, area_e4=10_000)


def ends(areas, kind=Kind.DONE):
    return [SimpleNamespace(kind=kind, cap_steps=round(area)) for area in areas]


@pytest.fixture(scope="module")
def units():
    """Areas shown, and the bore of the syringe that was calibrated: another one of the type, for each of 100 units."""
    found = []
    for seed in range(1, 101):
        shown, _ = shown_areas(Setup("30G saline"), seed, 2000, 6)
        found.append((shown, round(spread_unit(seed + 100_000).bore_m * 1e6)))
    return found


def warned(units, bore_drift):
    found = 0
    for shown, bore_um in units:
        settings = SimpleNamespace(syringe_id=1, bore_um=bore_um, area_e4=10_000)
        found += judge(ends(area * (1 + bore_drift) ** 2 for area in shown), settings).drifted
    return found


def test_sound_units_are_not_warned(units):
    """Drift: over the spread, each calibrated with another syringe of its type, not one of 100 units is warned."""
    assert sum(len(shown) >= 5 for shown, _ in units) >= 95
    assert warned(units, 0.0) == 0


def test_a_drifted_bore_is_warned(units):
    """Drift: a bore 5 % wider than the calibrated one is warned by nearly every unit, as the bound says it must."""
    assert warned(units, 0.05) >= 95


def test_the_bound_is_the_sum_of_its_terms():
    """Drift: 2 % by two syringes, 1 % sensors, 1.5 % model, and three times what the mean scatters by."""
    area = area_mm2_e3(4699)
    found = judge(ends([area] * 36), CALIBRATED)
    assert (found.percent, found.bound_percent) == (0.0, pytest.approx(4.5 + 3 * 1.2 / 6, abs=0.01))
    soft = judge(ends([area] * 36), SimpleNamespace(syringe_id=3, bore_um=4699, area_e4=10_000))
    assert soft.bound_percent == pytest.approx(6.5 + 3 * 1.2 / 6, abs=0.01)


def test_too_few_shots_or_no_reference_is_no_verdict():
    """Drift: without five shots that could tell, or a reference of the calibration, nothing is said."""
    area = area_mm2_e3(4699)
    assert judge(ends([area * 1.5] * 4), CALIBRATED).percent is None
    assert judge(ends([0] * 20), CALIBRATED).percent is None
    assert judge(ends([area * 1.5] * 20, Kind.UNCERTAIN), CALIBRATED).percent is None
    unmeasured = SimpleNamespace(syringe_id=1, bore_um=4699, area_e4=0)
    found = judge(ends([area * 1.5] * 20), unmeasured)
    assert not found.drifted and "can't be judged" in found.sentence
    assert reference_e4(ends([area * 1.01] * 12), 4699) == pytest.approx(10_100, abs=2)
    assert reference_e4(ends([area] * 4), 4699) == 0


def looked(pressures, area=17342, friction=1200, slides=True):
    """A Bore that has looked at these pressures in Pa."""
    state, inputs, _, params = image.new()
    state[image.ST_PHASE] = codes.PHASE_DISPENSE
    params[image.P_G_SLIDE_STEPS] = 160
    state[image.ST_G_PUSH_STEPS] = 161 if slides else 160
    bore = Bore()
    bore.begin(0)
    for n, press in enumerate(pressures, 1):
        inputs[image.IN_PRESS_PA] = press
        inputs[image.IN_LOAD_MN] = friction + press * area // 1_000_000
        bore.look(n * LOOK_TICKS, state, inputs, params)
    return bore


def test_the_slope_is_the_area():
    """Drift: force against pressure gives the area whatever the friction; a steady pressure or a still stopper none."""
    ramp = range(10_000, 90_000, 1_000)
    for friction in (1000, 1400):
        assert looked(ramp, friction=friction).area() == pytest.approx(17342, rel=0.01)
    assert looked([45_000] * 80).area() == 0
    assert looked(ramp, slides=False).area() == 0
    assert looked(ramp, area=-17342, friction=3000).area() == 0


def test_the_sums_of_a_shot_stay_small():
    """Invariant 8: at the highest pressure and force a sensor gives, no sum of a shot passes 2^30."""
    bore = looked([349_000] * (MOST_LOOKS + 50), area=30_000)
    assert 0 < bore._n <= MOST_LOOKS
    assert max(bore._pp, bore._pf) < 1 << 30
