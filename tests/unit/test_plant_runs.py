"""The plant's runs: the same however they are run, skipped, split or compiled."""

import hashlib
import math
import os
import subprocess
import sys
from array import array
from itertools import pairwise
from pathlib import Path

import pytest
from plant_rig import Bench, quiet_unit
from sit_firmware import image
from sit_sim.plant import Plant, jit, layout, nominal_unit, perturbed, spread_unit
from sit_sim.plant.noise import draw, normal

STORY_TICKS = 700


def story(ticks=STORY_TICKS):
    """Digest of every input and truth of a run through skin, fluid, faults and changes, with odd outputs."""
    plant = Plant(spread_unit(7), 11)
    inputs = array("i", [0] * image.N_INPUTS)
    outputs = array("i", [0] * image.N_OUTPUTS)
    digest = hashlib.sha256()
    plant.set("press_n", 1.7)
    plant.set("purged", 1)
    for tick in range(ticks):
        plant.sample(inputs)
        digest.update(inputs.tobytes())
        odd = draw(3, tick // 5, 99)
        outputs[image.OUT_DUTY] = 900 + odd % 1100
        outputs[image.OUT_BRIDGE] = outputs[image.OUT_SWITCH] = 1 if odd % 11 else 0
        outputs[image.OUT_TOKEN] = 1 if odd % 13 else 0
        outputs[image.OUT_STEPS] = (odd >> 8) % 12 - 3
        if tick == 300:
            plant.fault("encoder_scaled", factor=0.8)
            plant.fault("steps_lost")
        if tick == 400:
            plant.set("site", 4)
            plant.set("syringe", 3)
        if tick == 500:
            plant.fault("steps_extra")
            plant.skip(20)
        plant.advance(outputs)
    for value in plant._x:
        digest.update(float(value).hex().encode())
    return digest.hexdigest()


def test_compiled_and_interpreted_give_the_same_bits():
    """DESIGN: the plant's results don't depend on how it runs."""
    here = Path(__file__).resolve().parent
    other = "python" if jit.COMPILED else "compiled"
    code = "import sys; sys.path.insert(0, sys.argv[1]); import test_plant_runs as t; print(t.story())"
    done = subprocess.run(
        [sys.executable, "-c", code, str(here)],
        env={**os.environ, "SIT_PLANT": other},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == story()


def test_same_seed_same_run_other_seed_another():
    """DESIGN: own seeded generator."""
    assert story(200) == story(200)
    inputs = [array("i", [0] * image.N_INPUTS) for _ in range(2)]
    for seed, values in enumerate(inputs):
        Plant(nominal_unit(), seed).sample(values)
    assert inputs[0] != inputs[1]


def test_skipped_and_advanced_end_in_the_same_state():
    """Lockstep: skip(n) is n ticks advanced under the same outputs, at rest or not; the noise after it is the same."""
    for ticks in (1, 7, 400, 5000):
        benches = [Bench(nominal_unit()), Bench(nominal_unit())]
        for bench in benches:
            bench.plant.set("purged", 1)
            bench.run(30, duty=1500, steps=5)
            bench.rest()
        benches[0].rest(ticks)
        benches[1].plant.skip(ticks)
        assert benches[0].plant.truth() == benches[1].plant.truth()
        assert list(benches[0].plant._x) == list(benches[1].plant._x)
        assert list(benches[0].plant._k) == list(benches[1].plant._k)
        for bench in benches:
            bench.plant.sample(bench.inputs)
        assert benches[0].inputs == benches[1].inputs


def test_at_rest_means_that_nothing_changes():
    """Lockstep: whenever the plant says at rest, another tick changes nothing but the tick number."""
    bench = Bench(nominal_unit())
    bench.plant.set("purged", 1)
    bench.run(30, duty=1500, steps=5)
    rested = 0
    for _ in range(1500):
        bench.rest()
        if bench.plant.at_rest:
            rested += 1
            before = list(bench.plant._x), list(bench.plant._k)[1:]
            bench.rest()
            assert (list(bench.plant._x), list(bench.plant._k)[1:]) == before
    assert rested > 200
    bench.plant.set("trigger", 1)
    assert not bench.plant.at_rest


def test_at_rest_with_tokens_and_still_drive():
    """Lockstep: an idle firmware that keeps its token going doesn't keep the plant awake; driving does."""
    bench = Bench()
    bench.run(5)
    assert bench.plant.at_rest
    bench.run(1, duty=600)
    assert not bench.plant.at_rest


def test_skip_goes_forward_only():
    """Bad input: one sentence."""
    with pytest.raises(ValueError, match="forward"):
        Bench().plant.skip(-1)


def test_noise_depends_on_the_tick_and_not_on_the_way_there():
    """DESIGN: noise is a function of the tick number."""
    values = [normal(5, tick, 2) for tick in range(4000)]
    assert abs(sum(values) / 4000) < 0.06
    assert 0.95 < (sum(v * v for v in values) / 4000) ** 0.5 < 1.05
    assert max(abs(v) for v in values) <= 3.46
    other = [normal(5, tick, 3) for tick in range(4000)]
    assert abs(sum(a * b for a, b in zip(values, other, strict=True)) / 4000) < 0.06
    shifted = sum(a * b for a, b in pairwise(values)) / 4000
    assert abs(shifted) < 0.06


def test_sensor_noise_has_the_stated_size():
    """Reference: load, pressure, contact and supply read with the noise of [sensor]."""
    bench = Bench(nominal_unit())
    bench.plant.set("press_n", 2.0)
    slots = {"IN_LOAD_MN": 20, "IN_PRESS_PA": 300, "IN_CONTACT_MN": 10, "IN_SUPPLY_MV": 20}
    seen = {name: [] for name in slots}
    for _ in range(2000):
        bench.plant.sample(bench.inputs)
        for name, values in seen.items():
            values.append(bench.inputs[getattr(image, name)])
        bench.plant.skip(1)
    for name, sd in slots.items():
        mean = sum(seen[name]) / 2000
        assert (sum((v - mean) ** 2 for v in seen[name]) / 2000) ** 0.5 == pytest.approx(sd, rel=0.07)


def test_snapshot_goes_back():
    """Repro: from a snapshot the same run follows, draws of changes included."""
    bench = Bench(nominal_unit())
    bench.run(20, duty=1500, steps=3)
    kept = bench.plant.snapshot()
    ends = []
    for _ in range(2):
        bench.plant.restore(kept)
        bench.plant.set("needle", 2)
        bench.plant.set("press_n", 1.0)
        bench.run(50, duty=1800, steps=2)
        ends.append(bench.plant.truth())
    assert ends[0] == ends[1]


def test_spread_units_stay_within_the_reference():
    """Reference: seeded spread within the tolerances; the hardware's force limit within its own, whatever the coil."""
    base = nominal_unit()
    force = []
    for seed in range(200):
        unit = spread_unit(seed)
        assert unit == spread_unit(seed)
        assert abs(unit.mass_kg / base.mass_kg - 1) <= 0.03
        assert abs(unit.spring_park_n / base.spring_park_n - 1) <= 0.07
        assert unit.spring_n_per_m / unit.spring_park_n == pytest.approx(500 / 1.2)
        assert abs(unit.flag_m - base.flag_m) <= 15e-6
        force.append(unit.current_limit_a * unit.force_n_per_a / 3.8 - 1)
    assert max(force) <= 0.1 and min(force) >= -0.1 and max(force) - min(force) > 0.15


def test_unknown_names_are_refused_in_a_sentence():
    """Bad input: what is wrong and what to use instead."""
    plant = Bench(quiet_unit()).plant
    for call, part in (
        (lambda: plant.set("presss_n", 1), "no input 'presss_n'"),
        (lambda: plant.set("needle", 77), "no needle 77"),
        (lambda: plant.set("syringe", {"id": 9}), "no syringe 9"),
        (lambda: plant.set("syringe", {"id": 1, "full": 3}), "no 'full'"),
        (lambda: plant.set("syringe", {"id": 1, "full_ul": 3000}), "holds 0 to 1000"),
        (lambda: plant.set("skin", {"colour": 1}), "no 'colour'"),
        (lambda: perturbed(nominal_unit(), {"boer": 1.02}), "no quantity 'boer'"),
        (lambda: perturbed(nominal_unit(), {"bore": 0}), "above 0"),
    ):
        with pytest.raises(ValueError, match=part):
            call()


def test_any_outputs_leave_a_sound_state():
    """Bad input: whatever is written, the carriage stays between its stops, nothing is lost count of, all is finite."""
    for seed in range(6):
        bench = Bench(spread_unit(seed), seed)
        bench.plant.set("press_n", 2.0)
        for tick in range(400):
            odd = draw(seed, tick, 77)
            bench.run(
                1,
                duty=(odd % 3 - 1) * (1 << 30) if odd % 7 == 0 else odd % 8192 - 4096,
                bridge=odd >> 3 & 1,
                switch=odd >> 4 & 1,
                token=odd >> 5 & 1,
                steps=(odd >> 6) % 2001 - 1000 if odd % 5 == 0 else (odd >> 6) % 19 - 9,
            )
            t = bench.plant.truth()
            assert 0.0 <= t["carriage_um"] <= 12000.0
            assert abs(t["coil_a"]) <= bench.plant.unit.current_limit_a
            near = 1e-9 * max(1.0, abs(t["plunger_nl"]))
            unit, x = bench.plant.unit, bench.plant._x
            area_m2 = math.pi / 4 * unit.bore_m**2
            held_m3 = unit.compliance_m3_per_pa * x[layout.X_P] + area_m2 * (x[layout.X_NUT] - x[layout.X_Z])
            assert abs(t["plunger_nl"] - t["passed_nl"] - held_m3 * 1e12) <= near
            assert abs(t["needle_nl"] - t["tissue_nl"] - t["lost_nl"]) <= near
        assert all(math.isfinite(value) for value in bench.plant._x)
