"""What a worn or badly filled device adds to the plant, each against its closed form; what the plant's step leaves."""

import math
import sys
from pathlib import Path

import pytest
from plant_rig import TICK_S, Bench, quiet_unit
from sit_sim.plant import reference, spread_unit, worn_unit
from sit_sim.plant.constants import entrance_factor, line_volume, tube_resistance

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
import plant_steps

STEP_NL = math.pi / 4 * 4.699**2 * 0.3125
AROUND_PA = 101_325.0


def purged(unit):
    bench = Bench(unit)
    bench.plant.set("purged", 1)
    return bench


@pytest.mark.parametrize("thinning", [0.3, 0.6])
def test_a_thinning_fluid_flows_with_the_resistance_of_its_shear(thinning):
    """Physics: P = (R_tube + R_needle (1 - t q / (q + q_half))) q + K q^2 + meniscus, pushing steadily."""
    unit = quiet_unit(viscosity_pa_s=10e-3, thinning=thinning, thinning_half_per_s=20e3)
    bench = purged(unit)
    bench.run(1600, steps=4)
    rate = 4 * STEP_NL * 1e-12 / TICK_S
    pressure = sum(bench.run(1, steps=4).truth("pressure_pa") for _ in range(100)) / 100
    half = 20e3 * math.pi / 4 * (unit.needle_bore_m / 2) ** 3  # wall shear rate is 4 q / (pi r^3)
    line = tube_resistance(10e-3, unit.tube_m, unit.tube_bore_m)
    line += tube_resistance(10e-3, unit.needle_m, unit.needle_bore_m) * (1 - thinning * rate / (rate + half))
    meniscus = 4 * unit.surface_tension_n_per_m / unit.needle_bore_m
    assert pressure == pytest.approx(line * rate + entrance_factor(unit) * rate**2 + meniscus, rel=0.01)


def test_a_bubble_is_pressed_together_by_boyles_law():
    """Physics: in a closed line what was pushed is C P + V P / (p0 + P): soft at low pressure, stiff at high."""
    unit = quiet_unit(bubble_m3=1e-9, stopper_friction_n=0.0, stopper_n_per_m=1e9)
    bench = purged(unit)
    bench.plant.fault("occlusion", factor=1e12)
    for steps in (100, 300, 600):
        while bench.truth("plunger_steps") < steps:
            bench.run(1, steps=2)
        bench.run(60)
        pressure = bench.truth("pressure_pa")
        held_nl = (unit.compliance_m3_per_pa * pressure + 1e-9 * pressure / (AROUND_PA + pressure)) * 1e12
        assert held_nl == pytest.approx(bench.truth("stored_nl"), rel=2e-3)
        assert bench.truth("stored_nl") == pytest.approx(bench.truth("plunger_nl"), rel=1e-3)


def test_an_encoder_between_its_lines_is_off_by_a_wave():
    """Physics: interpolation error of the stated amplitude, once in each pitch, none at the lines."""
    bench = Bench(quiet_unit(encoder_cyclic_m=3e-6, encoder_pitch_m=20e-6, **{"travel_end_m": 0.003}))
    errors = {}
    for _ in range(400):
        bench.run(1, duty=1500)
        place = bench.truth("carriage_um")
        errors[place % 20] = bench.read("IN_ENC_UM") + 0.5 - place
    assert max(errors.values()) == pytest.approx(3.0, abs=0.8) and min(errors.values()) == pytest.approx(-3.0, abs=0.8)
    for part, error in errors.items():
        assert error == pytest.approx(3 * math.sin(2 * math.pi * part / 20), abs=0.6)


def test_sensors_drift_with_time():
    """Physics: plunger force and pressure read so much more after a minute, and the plant is none the worse."""
    bench = Bench(quiet_unit(load_drift_n_per_s=0.001, pressure_drift_pa_per_s=-10.0))
    bench.plant.skip(60 * 4000)
    assert bench.read("IN_LOAD_MN") == 60 and bench.read("IN_PRESS_PA") == -600
    assert bench.truth("load_n") == bench.truth("pressure_pa") == 0


def test_warmth_moves_the_tip_and_presses_the_fluid_out():
    """Physics: tip = growth x kelvin deeper; the fluid's growth is in the pressure, then out at the tip, none lost."""
    unit = quiet_unit(growth_m_per_k=0.5e-6, expansion_per_k=2.1e-4)
    bench = purged(unit)
    tip = bench.truth("tip_um")
    bench.plant.set("warmth_k", 4)
    assert bench.truth("tip_um") - tip == pytest.approx(2.0, abs=1e-9)
    grown_nl = (1000e-9 + line_volume(unit)) * 2.1e-4 * 4 * 1e12
    assert bench.truth("warmed_nl") == pytest.approx(grown_nl, rel=1e-9)
    bench.run(4000, duty=0)
    now = bench.plant.truth()
    assert now["passed_nl"] == pytest.approx(now["needle_nl"], rel=1e-9)
    assert now["needle_nl"] == pytest.approx(grown_nl - now["stored_nl"], rel=1e-9)
    assert 0 < now["stored_nl"] < 0.3 * grown_nl  # what the stopper's friction holds
    bench.plant.set("warmth_k", 0)
    assert bench.truth("tip_um") == pytest.approx(tip, abs=1e-9) and bench.truth("warmed_nl") == pytest.approx(0, abs=2)


def test_a_worn_unit_is_the_drawn_one_and_more():
    """Spread: worn units keep the reference's ranges, each its own, and the drawn unit's other figures."""
    worn = reference()["worn"]
    seen = [worn_unit(seed) for seed in range(100)]
    for seed, unit in enumerate(seen):
        assert unit.mass_kg == spread_unit(seed).mass_kg
        assert 0 <= unit.bubble_m3 * 1e12 <= worn["bubble_range_nl"][1]
        assert abs(unit.load_drift_n_per_s) * 60e3 <= worn["load_drift_range_mn_per_min"][1] * (1 + 1e-9)
    assert len({unit.thinning for unit in seen}) == 100


def test_the_step_is_fine_enough(figure):
    """Plant: with 10, 20 and 40 steps a tick the results come together as a first-order method's, and 10 is near."""
    runs = [plant_steps.measured(steps) for steps in plant_steps.STEPS]
    worst = 0.0
    for name in runs[0]:
        values = [run[name] for run in runs]
        off = abs(plant_steps.left(*values) / values[-1])
        worst = max(worst, off)
        assert off < 0.004, name
    carriage = [run["carriage after 10 ms in air, um"] for run in runs]
    assert (carriage[0] - carriage[1]) / (carriage[1] - carriage[2]) == pytest.approx(2.0, abs=0.1)
    figure(f"plant's step: at most {worst * 100:.2f} % off the limit of small steps")
