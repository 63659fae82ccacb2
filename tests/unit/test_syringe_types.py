"""Steps against force for each syringe type: nothing trips in normal shots, lost steps do, by the type's figures."""

import math
from types import SimpleNamespace

import pytest
from controlkit import FAULTS
from sit_firmware import codes, image, interval, params
from sit_sim.campaign import Bench
from sit_sim.campaign.runs import give
from sit_sim.plant import spread_unit

TYPES = {1: "stiff 1 mL", 2: "3 mL", 3: "plastic 1 mL"}
UNITS = range(1, 25)
SHOTS = 5


def device(seed, syringe_id, calibrated=True):
    """A drawn unit with a syringe of this type, zeroed and purged; its compliance measured unless not `calibrated`."""
    unit = spread_unit(seed, syringe_id)
    bench = Bench(unit, seed)
    params.use_syringe(bench.params, syringe_id)
    area_m2 = math.pi / 4 * unit.bore_m**2
    own = round((unit.compliance_m3_per_pa + area_m2**2 / unit.stopper_n_per_m) * 1e18)
    record = SimpleNamespace(
        syringe_id=syringe_id,
        bore_um=params.params_gen.BORES[syringe_id][0],
        offset_nl=0,
        compliance_nl_per_mpa=own if calibrated else int(bench.params[image.P_COMPL_NL_PER_MPA]),
    )
    params.apply(bench.params, SimpleNamespace(max_depth_um=1900), record)
    bench.purge(3000)
    return bench


def latched(bench):
    return FAULTS.get(int(bench.state[image.ST_FAULT]))


@pytest.mark.parametrize("syringe_id", TYPES, ids=TYPES.get)
def test_no_normal_shot_trips(syringe_id):
    """Invariant 4: no unit of any type is stopped for lost steps or a lying sensor that it hasn't, shot after shot."""
    for seed in UNITS:
        bench = device(seed, syringe_id, calibrated=seed % 2 == 0)
        for site in range(SHOTS):
            bench.plant.set("site", site)
            give(bench, 1700, 5000)
            assert latched(bench) is None, f"unit {seed}, shot {site + 1}: {latched(bench)}"


@pytest.mark.parametrize("syringe_id", TYPES, ids=TYPES.get)
@pytest.mark.parametrize("lost", [0.5, 1.0])
def test_lost_steps_are_seen_with_each_type(syringe_id, lost):
    """Invariant 4: a motor that loses half of its steps, or all, is never told as a dose that was given."""
    for seed in UNITS:
        bench = device(seed, syringe_id)
        give(bench, 1700, 5000)
        bench.plant.fault("steps_lost", lost_fraction=lost)
        bench.plant.set("site", 1)
        shot = give(bench, 1700, 5000)
        assert shot.fault or shot.result != codes.RESULT_DONE, f"unit {seed}: {shot}"


@pytest.mark.parametrize("lost", [0.5, 1.0])
def test_lost_steps_leave_the_truth_in_the_interval(lost):
    """Invariant 4: whenever in a shot the motor begins to lose steps, the record holds what was truly given."""
    for seed in range(1, 61):
        bench = device(seed, 1)
        before = bench.plant.truth()
        bench.post_shot(1700, 1000 + 300 * seed)
        bench.run(20 + seed * 37 % 1200)
        bench.plant.fault("steps_lost", lost_fraction=lost)
        bench.run(16_000, until_idle=True)
        bench.run(800)
        truth, state = bench.plant.truth(), [int(v) for v in bench.state]
        done = state[image.ST_RESULT] == codes.RESULT_DONE and not state[image.ST_FAULT]
        kind = codes.RECORD_DONE if done else codes.RECORD_PARTIAL
        steps = truth["plunger_steps"] - before["plunger_steps"]
        low_nl, high_nl = interval.tissue(kind, steps, state, [int(v) for v in bench.params])
        true_nl = truth["tissue_nl"] - before["tissue_nl"]
        assert low_nl - 1 <= true_nl <= high_nl + 1, f"unit {seed}: {true_nl:.0f} not in {low_nl}..{high_nl}"
