"""The plant's needle axis against closed forms: invariants about the true tip are only as good as these."""

import math

import pytest
from plant_rig import SUB_S, TICK_S, Bench, quiet_unit
from sit_sim.plant import layout

FREE = {"coulomb_n": 0.0, "viscous_n_s_per_m": 0.0}


def test_spring_alone_follows_the_cosine():
    """Physics: a mass let go on a spring moves as x0 cos(w t) about its rest, within the step's error."""
    unit = quiet_unit(spring_park_n=-1.0, force_n_per_a=1e-9, **FREE)  # a spring that is at rest 2 mm from park
    bench = Bench(unit)
    omega = math.sqrt(unit.spring_n_per_m / unit.mass_kg)
    for tick in range(1, 120):
        bench.rest()
        expected_um = 2000.0 * (1.0 - math.cos(omega * tick * TICK_S))
        assert bench.truth("carriage_um") == pytest.approx(expected_um, abs=8.0), tick


def test_coil_current_rises_with_l_over_r():
    """Physics: with the carriage held, i(t) = U/R (1 - exp(-t R/L)), within the implicit step's error."""
    unit = quiet_unit(spring_park_n=100.0, current_limit_a=10.0)
    bench = Bench(unit)
    bench.run(1, duty=1024)
    for tick in range(1, 8):
        elapsed = tick * TICK_S - 3 * SUB_S
        expected = 3.0 / unit.resistance_ohm * (1 - math.exp(-elapsed * unit.resistance_ohm / unit.inductance_h))
        assert bench.truth("coil_a") == pytest.approx(expected, rel=0.05)
        bench.run(1, duty=1024)


def test_force_is_limited_in_hardware():
    """Invariant 1: full duty at any supply gives no more force than the hardware limit."""
    unit = quiet_unit(spring_park_n=100.0)
    bench = Bench(unit)
    bench.plant.set("supply_mv", 24000)
    bench.run(100, duty=4096)
    assert bench.truth("coil_a") == unit.current_limit_a


def test_current_decays_fast_when_the_bridge_opens():
    """Invariant 6: drive off means no force within the decay time, from full current."""
    bench = Bench(quiet_unit(spring_park_n=100.0))
    bench.run(100, duty=4096)
    assert bench.truth("coil_a") > 0.7
    bench.rest()
    assert bench.truth("coil_a") == 0.0 and bench.truth("energised") == 0


def test_outputs_act_after_three_tenths_of_the_tick():
    """DESIGN: the old outputs act for the first 0.3 tick, the new ones for the rest."""
    unit = quiet_unit(spring_park_n=100.0, current_limit_a=10.0)
    bench = Bench(unit)
    bench.run(1, duty=4096)
    winding = SUB_S / unit.inductance_h
    current = 0.0
    for _ in range(7):
        current = (current + winding * 12.0) / (1 + winding * unit.resistance_ohm)
    assert bench.truth("coil_a") == pytest.approx(current, rel=1e-12)


def test_back_emf_sets_the_speed():
    """Physics: with no spring and no friction the carriage runs at U / kf."""
    unit = quiet_unit(spring_park_n=0.0, spring_n_per_m=0.0, travel_end_m=1.0, force_n_per_a=20.0, **FREE)
    bench = Bench(unit)
    bench.plant.fault("flag_stuck_off")
    bench.run(4000, duty=1024)
    assert bench.truth("speed_mm_per_s") == pytest.approx(3.0 / 20.0 * 1e3, rel=1e-3)


def test_friction_holds_and_only_ever_brakes():
    """Physics: Coulomb friction holds the carriage exactly still while the net force is below it."""
    unit = quiet_unit(spring_n_per_m=0.0, spring_park_n=0.0, coulomb_n=0.5)
    bench = Bench(unit)
    bench.run(200, duty=round(0.45 / unit.force_n_per_a * unit.resistance_ohm / 12 * 4096))
    assert bench.truth("carriage_um") == 0.0
    bench.run(40, duty=round(0.6 / unit.force_n_per_a * unit.resistance_ohm / 12 * 4096))
    moving = bench.truth("carriage_um")
    assert moving > 0
    bench.rest(400)
    stopped = bench.truth("carriage_um")
    bench.rest(400)
    assert bench.truth("carriage_um") == stopped and bench.truth("speed_mm_per_s") == 0.0


def test_weight_acts_along_the_axis():
    """Physics: tilting by +-1 g shifts the force balance by the weight."""
    unit = quiet_unit(spring_park_n=0.5, spring_n_per_m=0.0, coulomb_n=0.0)
    down, up = Bench(unit.replace(tilt_g=1.0)), Bench(unit.replace(tilt_g=-1.0))
    weight_n = unit.mass_kg * 9.80665
    for bench, sign in ((down, -1), (up, 1)):
        force = 0.5 + sign * weight_n
        volts = force / unit.force_n_per_a * unit.resistance_ohm
        bench.run(400, duty=round((volts - 0.05) / 12 * 4096))
        assert bench.truth("carriage_um") == 0.0
        bench.run(400, duty=round((volts + 0.05) / 12 * 4096))
        assert bench.truth("carriage_um") > 0.0


def test_energy_of_the_coil_is_accounted_for():
    """Physics: work of the coil = kinetic + spring energy + friction's and the stops' loss."""
    bench = Bench()
    unit, x = bench.plant.unit, bench.plant._x
    worst = 0.0
    for tick in range(400):
        bench.run(1, duty=1500 if tick % 100 < 50 else 300)
        s, v = x[layout.X_S], x[layout.X_V]
        held = 0.5 * unit.mass_kg * v * v + s * (unit.spring_park_n + 0.5 * unit.spring_n_per_m * s)
        worst = max(worst, abs(x[layout.X_WORK_COIL] - held - x[layout.X_LOSS]))
    assert x[layout.X_LOSS] > 0
    assert worst < 0.02 * x[layout.X_WORK_COIL]


def test_stops_hold_the_carriage():
    """Invariant 1, F2: the 2.0 mm stop holds when it is fitted; without it the tip runs to the end of travel."""
    for fitted, end_um in ((True, 2000.0), (False, 11200.0)):
        bench = Bench(quiet_unit(spring_n_per_m=100.0), stop_fitted=fitted)
        bench.plant.fault("both_cutoffs")
        bench.rest(2000)
        assert bench.truth("tip_um") == pytest.approx(end_um, abs=1e-6)


def test_encoder_counts_whole_micrometres_down():
    """Quantisation: the count is the floor of the place, zero at park."""
    bench = Bench()
    assert bench.read("IN_ENC_UM") == 0
    for _ in range(60):
        bench.run(1, duty=1500)
        assert bench.read("IN_ENC_UM") == math.floor(bench.truth("carriage_um") + 1e-9)
    assert bench.read("IN_ENC_UM") > 400


def test_comb_counts_both_ways_and_captures_the_count():
    """Invariant 1: each edge adds one, forward and (4 um later) back, and holds the encoder's count of that moment."""
    bench = Bench(quiet_unit(comb_error_m=10e-6, comb_seed=5))
    seen = []
    before = 0
    for tick in range(400):
        bench.run(1, duty=1400 if tick < 90 else 0)
        count = bench.read("IN_COMB_N")
        assert count in (before, before + 1)
        if count > before:
            seen.append(bench.read("IN_COMB_ENC_UM"))
        before = count
    forward = seen[: len(seen) // 2]
    assert len(forward) >= 5 and seen == forward + [at_um - 4 for at_um in reversed(forward)]
    for number, at_um in enumerate(forward, 1):
        assert abs(at_um - 100 * number) <= 11
    assert any(at_um != 100 * number for number, at_um in enumerate(forward, 1))


def test_tip_is_measured_from_the_plane_and_the_gate_breaks_there():
    """Tip zero: the gate breaks as the true tip passes the plane; with no tool it is dark, which reads broken."""
    bench = Bench(quiet_unit(gate_sd_m=0.0))
    assert bench.read("IN_GATE") == 1
    bench.rest(200)
    bench.plant.set("zero_tool", 1)
    for _ in range(400):
        bench.hold(100, speed_mm_s=4.0)
        assert bench.read("IN_GATE") == int(bench.truth("tip_um") >= 0.0)
    assert bench.read("IN_GATE") == 1


def test_a_new_needle_sits_anywhere_and_the_jig_brings_it_back():
    """Flag finding: seating moves the tip by tenths of a millimetre, the jig leaves micrometres."""
    bench = Bench(quiet_unit(adjusted_sd_m=4e-6))
    seated, adjusted = [], []
    for _ in range(200):
        bench.plant.set("needle", 1)
        seated.append(bench.truth("zero_um") - 800)
        bench.plant.set("jig", 1)
        adjusted.append(bench.truth("zero_um") - 800)
    assert 120 < math.sqrt(sum(v * v for v in seated) / 200) < 180
    assert 3 < math.sqrt(sum(v * v for v in adjusted) / 200) < 5
    bench.plant.set("adjust_um", 7)
    assert bench.truth("zero_um") - 800 == pytest.approx(adjusted[-1] + 7)
