"""Calibration: the fit finds bore and offset, states its uncertainty, and refuses what no syringe can have."""

import random

import pytest
from sit_host.calibrate.balance import Balance, ul_per_mg, water_mg_per_ul
from sit_host.calibrate.fit import Weighing, fit
from sit_host.calibrate.weighings import shots_for
from sit_host.errors import WorkFailed
from sit_sim.balance import EVAPORATION_MG_PER_S, MG_PER_UL, reading_mg

NOMINAL_UM = 4699.0
READING_U_NL = 10.0


def weighings(bore_share, constant_nl, seed=1, scatter_nl=READING_U_NL, believed_nl=0):
    """Three weighings of each of three volumes on a device whose bore and constant are off."""
    rng = random.Random(seed)
    found = []
    for volume_nl in (2000, 10_000, 40_000):
        for _ in range(3):
            shots = shots_for(volume_nl)
            each = bore_share**2 * (volume_nl + believed_nl) + constant_nl
            found.append(Weighing(volume_nl, shots, shots * each + rng.gauss(0, scatter_nl * 2**0.5)))
    return found


@pytest.mark.parametrize(("bore_share", "constant_nl"), [(1.0, 0), (1.01, 40), (0.99, -60), (1.02, 0)])
def test_bore_and_offset_come_out_within_their_uncertainty(bore_share, constant_nl):
    """Calibration: what is found lies within the stated uncertainty (k = 2, one um and one nl of rounding)."""
    found = fit(weighings(bore_share, constant_nl), 4699, 0, READING_U_NL, NOMINAL_UM)
    assert abs(found.bore_um - bore_share * 4699) <= found.bore_u_um + 0.5
    assert abs(found.offset_nl + constant_nl) <= found.offset_u_nl + 0.5
    assert found.volume_u_percent(10_000) < 0.3


def test_a_calibration_in_force_is_taken_into_account():
    """Calibration: with an offset in force the device pushes more; the fit finds the same constant all the same."""
    found = fit(weighings(1.01, -50, believed_nl=30), 4699, 30, READING_U_NL, NOMINAL_UM)
    assert found.offset_nl == pytest.approx(50, abs=found.offset_u_nl + 0.5)


def test_uncertainty_grows_with_the_scatter():
    """Calibration: readings that scatter more than the balance explains widen the stated uncertainty."""
    calm = fit(weighings(1.0, 0), 4699, 0, READING_U_NL, NOMINAL_UM)
    wild = fit(weighings(1.0, 0, scatter_nl=1500), 4699, 0, READING_U_NL, NOMINAL_UM)
    assert wild.scatter > 1 > calm.scatter
    assert wild.bore_u_um > 2 * calm.bore_u_um


@pytest.mark.parametrize(
    ("bore_share", "constant_nl", "words"), [(1.04, 0, "bore"), (0.9, 0, "bore"), (1.0, 600, "each shot")]
)
def test_an_impossible_result_is_refused(bore_share, constant_nl, words):
    """Calibration: a bore or offset that no syringe of the type has is never written."""
    with pytest.raises(WorkFailed, match=f"(?i){words}"):
        fit(weighings(bore_share, constant_nl), 4699, 0, READING_U_NL, NOMINAL_UM)


def test_too_few_weighings_are_refused():
    """Calibration: one volume can't tell bore from offset."""
    with pytest.raises(WorkFailed, match="two volumes"):
        fit([Weighing(2000, 30, 60_000.0)] * 5, 4699, 0, READING_U_NL, NOMINAL_UM)


def test_mass_becomes_volume_as_the_standard_has_it():
    """Calibration: Z of ISO 8655-6 at 1013 hPa: 1.0020, 1.0029, 1.0040 ul/mg at 15, 20, 25 degrees."""
    assert [round(ul_per_mg(celsius), 4) for celsius in (15, 20, 25)] == [1.002, 1.0029, 1.004]
    assert pytest.approx(1 / ul_per_mg(20), abs=2e-6) == MG_PER_UL
    with pytest.raises(ValueError, match="15 to 30"):
        water_mg_per_ul(40)


def test_evaporation_is_measured_and_taken_off():
    """Calibration: over ten minutes without a shot the corrected reading stands still, the display sinks by 0.3 mg."""
    clock = [0.0]

    def sleep(seconds):
        clock[0] += seconds

    balance = Balance("virtual", lambda: reading_mg(0.0, round(clock[0] * 4000)), lambda: clock[0])
    balance.watch_evaporation(sleep)
    assert balance.evaporation_mg_per_s == pytest.approx(EVAPORATION_MG_PER_S, rel=0.4)
    before = balance.total_nl()
    sleep(600)
    assert balance.total_nl() == pytest.approx(before, abs=150)
    assert reading_mg(0.0, 2_400_000) == pytest.approx(reading_mg(0.0, 0) - 0.3, abs=0.06)
