"""Invariant 1 in normal use, on the bare loop with the mechanical stop away: overshoot, nuisance, the highest depth."""

import sys
from pathlib import Path

import pytest
from sit_firmware import codes, image, params
from sit_sim.campaign import run_shots
from sit_sim.campaign.depths import deepest
from sit_sim.plant import nominal_unit, reference, spread_unit, worn_unit

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
import guard_band

REFERENCE = reference()
ZERO_UM = REFERENCE["zero"]["uncertainty_um"]


def highest_um():
    block = image.new()[3]
    params.defaults(block)
    return block[image.P_MAX_DEPTH_UM]


def test_normal_shots_keep_their_overshoot_and_trip_nothing(figure):
    """Invariant 1: over the spread of units, pop-through included, the overshoot that the guard band grants is kept,
    the margin to 2000 um holds with the zero's uncertainty, and the guard trips nothing."""
    depths = deepest(range(600))
    over = max(run.tip_um - run.depth_um for run in depths.runs)
    figure(
        f"normal shots: overshoot {over:.1f} um, margin {depths.margin_um(ZERO_UM):.1f} um", depths.margin_um(ZERO_UM)
    )
    assert over <= guard_band.OVERSHOOT_UM
    assert depths.margin_um(ZERO_UM) >= 0
    assert dict(depths.latched()) == {"none": 600}


@pytest.mark.parametrize("error_um", [-ZERO_UM, ZERO_UM])
def test_wrong_zero_within_its_uncertainty(error_um):
    """Invariant 1: a zero wrong by all of its stated uncertainty leaves the true tip within 2000 um."""
    for seed in range(20):
        for shot in run_shots(spread_unit(seed), seed, highest_um(), 3000, 2, zero_error_um=error_um // 2 * 2):
            assert shot.true_peak_um <= guard_band.LIMIT_UM
            assert shot.fault == 0 or shot.result != codes.RESULT_DONE


def test_worn_units_keep_it_too(figure):
    """Invariant 1: a bubble, a thinning fluid, an encoder off between its lines, drifting sensors: the depth holds and
    nothing trips."""
    shots = [shot for seed in range(40) for shot in run_shots(worn_unit(seed), seed, highest_um(), 3000, 2)]
    deepest_um = max(shot.true_peak_um for shot in shots)
    figure(f"worn units: margin {2000 - ZERO_UM - deepest_um:.1f} um", 2000 - ZERO_UM - deepest_um)
    assert deepest_um + ZERO_UM <= 2000
    assert {shot.fault for shot in shots} == {0}


def test_highest_depth_is_derived():
    """Invariant 1: the highest settable depth is the shorter chain of the shown terms, and at least 1900 um."""
    band = guard_band.derive(guard_band.reference())
    assert highest_um() == band.depth_um >= 1900
    assert guard_band.main(["--check"]) == 0


def test_terms_of_the_guard_band_add_up():
    """Invariant 1: each chain of the table is the sum of its terms."""
    total, chains = 0, []
    for name, value, _ in guard_band.derive(guard_band.reference()).terms[:-2]:
        number = int(value.replace("*", "").replace(" ", ""))
        if name.startswith("**"):
            assert number == total, name
            chains.append(number)
            total = number if "limit" in name else 0
        else:
            total += number
    assert len(chains) == 3


def test_worse_reference_gives_a_lower_depth():
    """The derivation follows the reference: a later output, a stronger coil or a nearer flag costs depth."""
    ref = guard_band.reference()
    best = guard_band.derive(ref).depth_um
    for table, name, value in (
        ("tick", "output_delay_us", 500),
        ("coil", "current_limit_a", 1.4),
        ("flag", "position_um", 1900),
        ("zero", "uncertainty_um", 60),
    ):
        worse = {**ref, table: {**ref[table], name: value}}
        assert guard_band.derive(worse).depth_um < best, name


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("depth_um", [1200, 1500, None])
@pytest.mark.parametrize("volume_nl", [5000, 10_000])
def test_figures_of_the_nominal_unit(depth_um, volume_nl, seed, figure):
    """Must show: n = 60, saline through 30G: depth within 50 um at every point, tissue volume within 3 %."""
    shots = run_shots(nominal_unit(), seed, depth_um or highest_um(), volume_nl, 60)
    assert [shot.result for shot in shots] == [codes.RESULT_DONE] * 60
    depth = max(abs(shot.true_depth_um - shot.depth_um) for shot in shots)
    volume = max(abs(shot.true_tissue_nl - volume_nl) for shot in shots) / volume_nl * 100
    figure(f"{shots[0].depth_um} um, {volume_nl} nl, seed {seed}: depth {depth:.1f} um, volume {volume:.2f} %")
    assert depth <= 50
    assert volume <= 3


@pytest.mark.parametrize("volume_nl", [20_000, 50_000])
def test_figures_of_larger_doses(volume_nl, figure):
    """Must show: the same up to 50 uL, as many shots as a syringe holds."""
    shots = run_shots(nominal_unit(), 1, 1500, volume_nl, 900_000 // volume_nl)
    assert [shot.result for shot in shots] == [codes.RESULT_DONE] * len(shots)
    volume = max(abs(shot.true_tissue_nl - volume_nl) for shot in shots) / volume_nl * 100
    figure(f"{volume_nl} nl: volume {volume:.2f} %")
    assert volume <= 3
