"""The plant's plunger and fluid against closed forms: the truth that delivered volumes are judged by."""

import math

import pytest
from plant_rig import TICK_S, Bench, quiet_unit
from sit_sim.plant import nominal_unit, perturbed
from sit_sim.plant.constants import entrance_factor, line_volume, tube_resistance

STEP_NL = math.pi / 4 * 4.699**2 * 0.3125  # one microstep of the 1 mL syringe


def purged(unit=None):
    """A bench with no air in the line."""
    bench = Bench(unit)
    bench.plant.set("purged", 1)
    return bench


def in_tissue(unit=None, depth_um=1500):
    """A purged bench with the needle in the skin at depth."""
    bench = purged(unit)
    bench.plant.set("press_n", 2.0)
    bench.go(depth_um)
    assert bench.truth("punctured") == 1
    return bench


def test_flow_resistance_is_poiseuilles():
    """Source: Hagen-Poiseuille; 10 uL in 0.1 s through 30G x 4 mm at 1 mPa.s takes about 26 kPa."""
    pressure = tube_resistance(1e-3, 4e-3, 0.159e-3) * 10e-9 / 0.1
    assert pressure == pytest.approx(25.5e3, rel=0.01)


@pytest.mark.parametrize("viscosity", [1e-3, 10e-3])
def test_steady_flow_needs_poiseuille_plus_entrance_loss(viscosity):
    """Physics: pushing steadily, P = R q + K rho v^2 / 2 + meniscus, and the flow is the plunger's."""
    unit = quiet_unit(viscosity_pa_s=viscosity)
    bench = purged(unit)
    bench.run(800, steps=4)
    rate = 4 * STEP_NL * 1e-12 / TICK_S
    line = tube_resistance(viscosity, unit.tube_m, unit.tube_bore_m)
    needle = tube_resistance(viscosity, unit.needle_m, unit.needle_bore_m)
    meniscus = 4 * unit.surface_tension_n_per_m / unit.needle_bore_m
    mean_pa = mean_flow = 0.0
    for _ in range(100):
        bench.run(1, steps=4)
        mean_pa += bench.truth("pressure_pa") / 100
        mean_flow += bench.truth("flow_nl_per_ms") * 1e-9 / 100
    assert mean_flow == pytest.approx(rate, rel=0.01)
    expected = (line + needle) * rate + entrance_factor(unit) * rate * rate + meniscus
    assert mean_pa == pytest.approx(expected, rel=0.01)


def test_pressure_decays_with_resistance_times_compliance():
    """Physics: after the push the stored volume leaves with the time constant R C (thick fluid: no entrance loss)."""
    unit = quiet_unit(viscosity_pa_s=50e-3, entrance_loss=0.0, stopper_n_per_m=1e9, surface_tension_n_per_m=0.0)
    bench = purged(unit)
    bench.run(200, steps=4)
    bench.run(10)
    start = bench.truth("pressure_pa")
    tau = unit.compliance_m3_per_pa * (
        tube_resistance(50e-3, unit.tube_m, unit.tube_bore_m)
        + tube_resistance(50e-3, unit.needle_m, unit.needle_bore_m)
    )
    ticks = round(tau / TICK_S)
    for part in (1, 2, 3):
        bench.run(ticks)
        assert bench.truth("pressure_pa") == pytest.approx(start * math.exp(-part * ticks * TICK_S / tau), rel=0.02)


def test_volume_balance_holds_at_every_tick():
    """Invariant 4: plunger = needle + air + stored in compliance and stopper, each counted apart, to 1e-9."""
    bench = Bench()
    bench.plant.set("press_n", 2.0)
    bench.go(1500)
    unit = bench.plant.unit
    area_mm2 = math.pi / 4 * (unit.bore_m * 1e3) ** 2
    air_before = bench.truth("air_nl")
    for tick in range(3000):
        bench.hold(1500, steps=6 if tick < 2000 else -1 if tick < 2400 else 0)
        t = bench.plant.truth()
        near = 1e-9 * max(1.0, t["plunger_nl"])
        in_stopper = t["load_n"] / unit.stopper_n_per_m * area_mm2 * 1e6
        in_fluid = t["pressure_pa"] * unit.compliance_m3_per_pa * 1e12
        if t["load_n"] > 0:
            assert t["plunger_nl"] == pytest.approx(t["passed_nl"] + in_fluid + in_stopper, abs=near)
            assert t["stored_nl"] == pytest.approx(in_fluid + in_stopper, abs=near)
        assert t["passed_nl"] == pytest.approx(t["needle_nl"] + air_before - t["air_nl"], abs=near)
        assert t["needle_nl"] == pytest.approx(t["tissue_nl"] + t["lost_nl"], abs=near)
    assert bench.truth("tissue_nl") > 10_000


def test_plunger_volume_is_steps_times_the_true_bore():
    """Invariant 4: the plunger's true volume follows the steps and the true bore, not the nominal one."""
    for factor in (1.0, 1.02):
        bench = purged(perturbed(quiet_unit(), {"bore": factor}))
        bench.run(100, steps=4).run(1)
        assert bench.truth("plunger_steps") == 400
        assert bench.truth("plunger_nl") == pytest.approx(400 * STEP_NL * factor**2, rel=1e-9)


def test_a_chunk_is_emitted_evenly_and_whole():
    """DESIGN: a chunk is at most a tick long: 0.7 of it in its own tick, the rest in the next, then nothing."""
    bench = purged()
    bench.run(1, steps=10)
    assert bench.read("IN_STEPS") == 7
    bench.run(1, steps=-10)
    assert bench.read("IN_STEPS") == 3
    bench.run(1)
    assert bench.read("IN_STEPS") == 0
    bench.run(50)
    assert bench.read("IN_STEPS") == 0


def test_backlash_hides_a_reversal():
    """Physics: turned back with no load, the nut leaves the rod and moves nothing until the backlash is through."""
    unit = quiet_unit(backlash_m=5e-6, stopper_friction_n=0.0, surface_tension_n_per_m=1.0)
    bench = purged(unit)
    bench.run(16, steps=-1).run(1)  # 16 of 0.3125 um are just the backlash
    assert bench.truth("pressure_pa") == pytest.approx(0, abs=1e-6)
    bench.run(4, steps=-1).run(1)
    area = math.pi / 4 * unit.bore_m**2
    stored_m3_per_pa = unit.compliance_m3_per_pa + area * area / unit.stopper_n_per_m
    assert bench.truth("pressure_pa") == pytest.approx(-4 * STEP_NL * 1e-12 / stored_m3_per_pa, rel=1e-6)


def test_stopper_sticks_until_the_force_passes_its_friction():
    """Physics: the stopper stays until rod force - area x pressure passes the friction; the load cell sees it."""
    unit = quiet_unit()
    bench = purged(unit)
    moved_at = None
    for _ in range(200):
        bench.run(1, steps=1)
        if bench.truth("pressure_pa") > 0 and moved_at is None:
            moved_at = bench.truth("load_n")
    stiffness_step_n = unit.stopper_n_per_m * 0.3125e-6
    assert moved_at == pytest.approx(unit.stopper_friction_n, abs=2 * stiffness_step_n)


def test_screw_error_comes_round_once_a_turn():
    """Physics: the once-per-turn error has its amplitude and is gone after a whole turn."""
    unit = nominal_unit()
    bench = purged(unit)
    errors = []
    for _ in range(800):
        bench.run(1, steps=4)
        t = bench.plant.truth()
        errors.append(t["plunger_nl"] - t["plunger_moved_steps"] * STEP_NL)
    area_mm2 = math.pi / 4 * 4.699**2
    assert max(errors) == pytest.approx(1.5 * area_mm2, rel=0.01)
    assert min(errors) == pytest.approx(-1.5 * area_mm2, rel=0.01)
    assert errors[-1] == pytest.approx(errors[0] - 3 * (errors[1] - errors[0]) / 4, abs=0.1)


def test_motor_stalls_at_its_force_and_when_too_fast():
    """Physics: above the stall force, or faster than it pulls, the motor doesn't follow the steps emitted."""
    bench = purged()
    bench.plant.fault("occlusion", factor=1e9)
    bench.run(2000, steps=6)
    assert bench.truth("load_n") == pytest.approx(60.0, abs=0.5)
    assert bench.truth("plunger_moved_steps") < bench.truth("plunger_steps")
    bench = purged()
    bench.run(10, steps=12).run(1)
    assert bench.truth("plunger_steps") == 120 and bench.truth("plunger_moved_steps") == 0


def test_syringe_runs_empty():
    """Physics: at the end of the barrel no more comes out, the force rises to the stall."""
    bench = purged()
    bench.plant.set("syringe", {"id": 1, "full_ul": 5})
    bench.plant.set("purged", 1)
    bench.run(600, steps=4)
    assert bench.truth("needle_nl") == pytest.approx(5000, rel=0.01)
    assert bench.truth("load_n") > 30


def test_tissue_pushes_back_but_gives_nothing_back():
    """Physics: nothing enters the tissue below its back-pressure; C x P_tissue stays behind for ever."""
    bench = in_tissue(quiet_unit(stopper_friction_n=0.0))
    rest = bench.truth("pressure_pa")
    for _ in range(10):
        bench.hold(1500, steps=4)
    assert rest < 2000 and bench.truth("pressure_pa") < 45000 and bench.truth("tissue_nl") == 0
    for _ in range(30):
        bench.hold(1500, steps=4)
    for _ in range(200):
        bench.hold(1500)
    t = bench.plant.truth()
    assert t["pressure_pa"] == pytest.approx(45000, abs=25)
    assert 0 < t["tissue_nl"] < t["plunger_nl"] - 45000 * 4e-15 * 1e12
    assert t["tissue_nl"] == t["needle_nl"]


def test_drip_after_withdrawal_is_lost():
    """Invariant 4: what the stored pressure gives after the needle has left counts as lost, with the same shot."""
    bench = in_tissue()
    for _ in range(40):
        bench.hold(1500, steps=4)
    for _ in range(100):
        bench.hold(1500)
    before = bench.plant.truth()
    bench.rest(400)
    after = bench.plant.truth()
    assert after["punctured"] == 0 and after["tip_um"] < 0
    assert after["lost_nl"] > 150 and before["lost_nl"] == 0
    assert after["shot"]["lost_nl"] == pytest.approx(after["lost_nl"])
    assert after["shot"]["tissue_nl"] == pytest.approx(after["tissue_nl"])


def test_nothing_counts_as_tissue_before_the_bevel_is_buried():
    """Invariant 4: given on the skin, or with the opening half out, it is lost."""
    for depth_um, tissue in ((150, False), (1500, True)):
        bench = purged(quiet_unit(puncture_n=0.02, cutting_n=0.005))
        bench.plant.set("press_n", 2.0)
        bench.go(depth_um)
        assert bench.truth("punctured") == 1
        for _ in range(100):
            bench.hold(depth_um, steps=4)
        t = bench.plant.truth()
        assert t["needle_nl"] > 500
        assert (t["tissue_nl"] == t["needle_nl"]) if tissue else (t["tissue_nl"] == 0)


def test_air_leaves_before_fluid():
    """Purge: nothing counts as fluid until the line's air is out; suction in air takes air in again."""
    bench = Bench()
    line_nl = line_volume(bench.plant.unit) * 1e12
    assert bench.truth("air_nl") == pytest.approx(math.pi / 4 * (0.5**2 * 150 + 0.159**2 * 4) * 1e3, rel=1e-9)
    bench.run(1200, steps=4)
    assert bench.truth("needle_nl") == 0 and 0 < bench.truth("air_nl") < line_nl
    bench.run(400, steps=4).run(200)
    assert bench.truth("air_nl") == 0 and bench.truth("needle_nl") > 1000
    given = bench.truth("needle_nl")
    bench.run(300, steps=-4).run(200)
    assert bench.truth("air_nl") > 3000 and bench.truth("needle_nl") == given
    bench.plant.set("needle", 2)
    assert bench.truth("air_nl") > 3000


def test_a_new_syringe_starts_clean_and_keeps_the_units_own_factor():
    """Change: no pressure, no stored volume, the hardware's step count goes on; a bore 2 % off stays 2 % off."""
    bench = purged(perturbed(quiet_unit(), {"bore": 1.02}))
    bench.run(200, steps=4).run(1)
    bench.plant.set("syringe", 2)
    t = bench.plant.truth()
    assert (t["plunger_steps"], t["pressure_pa"], t["stored_nl"], t["plunger_nl"]) == (800, 0, 0, 0)
    assert bench.plant.unit.bore_m == pytest.approx(8.585e-3 * 1.02)
    assert bench.plant.unit.capacity_m3 == pytest.approx(3e-6)


def test_a_new_needle_keeps_the_units_own_factor():
    """Change: a bore 3 % off stays 3 % off with the next needle; resistance follows the new needle."""
    bench = purged(perturbed(quiet_unit(), {"needle_bore": 0.97}))
    bench.plant.set("needle", 2)
    assert bench.plant.unit.needle_bore_m == pytest.approx(0.108e-3 * 0.97)
    assert bench.plant.unit.bevel_m == pytest.approx(325e-6)
