"""The map of the lead screw: what a purge shows of it, what it does to a dose, when there is none."""

import copy
import math

import pytest
from appkit import armed_device
from sit_firmware import codes, image, interval, params_gen
from sit_firmware.screw import LOOK_TICKS, MAP_STEPS, Screw
from sit_host.plan_limits import reference_equipment
from sit_host.plan_syringes import Setup, first_prime_nl
from sit_sim.campaign.bench import Bench
from sit_sim.campaign.metering import Setup as Line
from sit_sim.campaign.metering import device, unit_error
from sit_sim.campaign.pumps import Pump
from sit_sim.plant import nominal_unit, reference
from sit_sim.plant.fluid import screw as nut_m
from sit_sim.plant.layout import K_MOTOR, X_NUT_REF

TURN_STEPS = 3200
USUAL_NL = 26
ROWS = ((1, 1, 1, 1200, 10000), (2, 1, 1, 1200, 10000))
ENDS = (codes.RECORD_DONE, codes.RECORD_PARTIAL, codes.RECORD_ABORTED)


def bench_of(phase_steps=0, seed=1, look_ticks=LOOK_TICKS, **changes):
    """A nominal device purged with a map, the screw `phase_steps` beyond the place that it is counted from."""
    bench = Bench(nominal_unit().replace(**changes), seed)
    x, k, p, _ = bench.plant.arrays
    k[K_MOTOR] = phase_steps
    x[X_NUT_REF] = nut_m(phase_steps, p)
    bench.purge_with_map(look_ticks)
    return bench


def more_nl(bench, begin, end):
    """What the plant's screw truly pushes between two counts beyond its steps, nl."""
    _, k, p, _ = bench.plant.arrays
    unit, off = bench.plant.unit, int(k[K_MOTOR]) - int(bench.inputs[image.IN_STEPS])
    way_m = nut_m(end + off, p) - nut_m(begin + off, p) - (end - begin) * unit.lead_m / unit.steps_per_turn
    return way_m * math.pi / 4 * unit.bore_m**2 * 1e12


def worst(bench):
    """The largest error of the map between any two of 16 places, of the screw's own largest."""
    pairs = [(a, b) for a in range(0, TURN_STEPS, 200) for b in range(0, TURN_STEPS, 200)]
    true = [more_nl(bench, a, b) for a, b in pairs]
    return max(abs(bench.screw.between_nl(*pair) - nl) for pair, nl in zip(pairs, true, strict=True)) / max(true)


@pytest.mark.parametrize("phase_steps", [0, 700, 1900, 2600])
def test_a_purge_shows_the_screw_wherever_it_stands(phase_steps, figure):
    """Metering: after one turn into air the map is right to a quarter, whatever the place that counting began at."""
    bench = bench_of(phase_steps)
    assert bench.screw.known
    figure(f"screw at {phase_steps}: map off by {worst(bench):.2f} of the screw's error at most")
    assert worst(bench) <= 0.25


@pytest.mark.parametrize(
    "line",
    [
        Line("32G", 2),
        Line("34G", 3),
        Line("34G 3 mPa s", 3, 3.0),
        Line("30G 10 mPa s", 1, 10.0),
        Line("3 mL", 1, 1.0, 2),
    ],
)
def test_other_lines_show_it_too(line):
    """Metering: thin needles, thick fluids and the large syringe: the line's own lag is taken out of the map."""
    for seed in (1, 4):
        bench = device(line, seed, calibrated=False)
        assert bench.screw.known and worst(bench) <= 0.45


@pytest.mark.parametrize(
    "changes",
    [{"bubble_m3": 3e-9}, {"pressure_noise_pa": 900.0}, {"pressure_noise_pa": 1800.0}, {"cyclic_m": 0.0}],
    ids=["bubble", "noise", "more noise", "no error"],
)
def test_a_bad_purge_gives_no_map_or_a_harmless_one(changes):
    """Invariant 4: with air in the syringe, a noisy sensor or a screw without error no two places are further off than
    without a map, by more than a sixth of the usual screw's largest error."""
    for seed in (1, 2, 3, 4):
        bench = bench_of(seed=seed, **changes)
        places = range(0, TURN_STEPS, 200)
        without = max(abs(more_nl(bench, a, b)) for a in places for b in places)
        left = max(abs(more_nl(bench, a, b) - bench.screw.between_nl(a, b)) for a in places for b in places)
        assert left <= without + USUAL_NL / 3


def test_a_slow_background_makes_a_good_map_or_none(figure):
    """Metering: with a look each 4 ms the map is right to two fifths; from 10 ms on there is none."""
    for look_ticks in (16, 40, 160):
        benches = [bench_of(seed=seed, look_ticks=look_ticks) for seed in (1, 2, 3, 4, 5, 6)]
        off = [worst(bench) for bench in benches if bench.screw.known]
        figure(f"a look each {look_ticks / 4:g} ms: {len(off)} of 6 maps, off by {max(off, default=0):.2f} at most")
        assert max(off, default=0) <= 0.4
        assert len(off) == (6 if look_ticks == 16 else 0)


def test_too_noisy_a_purge_gives_no_map():
    """Invariant 4: a map whose own harmonics show that it isn't sure isn't taken; with more noise the guard stops."""
    assert not any(bench_of(seed=seed, pressure_noise_pa=1800.0).screw.known for seed in (1, 2, 3, 4))


def test_what_no_screw_does_is_no_map():
    """Invariant 4: an amplitude far over the reference design's isn't the screw's: no map."""
    assert bench_of(cyclic_m=1.7e-6).screw.known
    assert not bench_of(cyclic_m=3e-6).screw.known


def test_a_correction_is_capped():
    """Invariant 4: whatever the map says, no dose is changed by more than a sound screw can be off."""
    screw = bench_of(cyclic_m=1.8e-6).screw
    widest = max(screw.between_nl(a, a + TURN_STEPS // 2) for a in range(0, TURN_STEPS, 50))
    most_nl = interval.SCREW_NM * 1e-9 * math.pi / 4 * nominal_unit().bore_m ** 2 * 1e12
    assert screw.known and widest == pytest.approx(most_nl, abs=1)


def test_less_than_a_turn_keeps_the_map_and_makes_none():
    """Metering: a needle's short prime neither makes a map nor takes one away."""
    bench = bench_of()
    before = bench.screw.between_nl(0, 800)
    for screw in (bench.screw, Screw()):
        known = screw.known
        screw.begin(0, MAP_STEPS - 1)
        screw.learn(bench.params.tolist())
        assert screw.known == known
    assert bench.screw.between_nl(0, 800) == before != 0


def test_a_map_makes_the_dose_better_and_five_times_better_than_a_pump(figure):
    """Metering: 5 and 10 uL at 30G: the scatter is a fifth of a constant rate's, on the same unit and purge."""
    line = Line("30G saline")
    for volume_nl in (5000, 10_000):
        for seed in (1, 12):
            ours = unit_error(line, seed, volume_nl, 6)
            pump = unit_error(line, seed, volume_nl, 6, Pump("rate"))
            figure(f"{volume_nl} nl, unit {seed}: a pump scatters {pump.random_nl / ours.random_nl:.1f} times as much")
            assert pump.random_nl >= 5 * ours.random_nl


@pytest.mark.parametrize("volume_nl", [2000, 5000, 10_000])
def test_an_interval_holds_with_a_map_that_is_wrong_altogether(volume_nl):
    """Invariant 4: with a map that says the opposite of the truth each DONE shot's interval still holds the truth."""
    bench = bench_of()
    bench.screw._sin_nl *= -1
    bench.screw._cos_nl *= -1
    block, done = bench.params.tolist(), 0
    for site in range(6):
        bench.plant.set("site", site)
        before = bench.plant.truth()
        _, screw_nl = bench.give(1700, volume_nl, 50_000, 1000, 60_000)
        truth, state = bench.plant.truth(), bench.state.tolist()
        if state[image.ST_RESULT] != codes.RESULT_DONE:
            continue
        steps = truth["plunger_steps"] - before["plunger_steps"]
        low_nl, high_nl = interval.tissue(codes.RECORD_DONE, steps, state, block, screw_nl)
        assert low_nl <= truth["tissue_nl"] - before["tissue_nl"] <= high_nl
        done += interval.narrow(low_nl, high_nl, volume_nl)
    assert done >= 4


# --- in the firmware ------------------------------------------------------------------------------------


def mapped_device():
    """An armed device with the map of a purged bench."""
    dev = armed_device(ROWS, 2)
    dev.app.screw = copy.deepcopy(bench_of().screw)
    return dev


def test_a_shot_asks_for_what_the_screw_leaves():
    """Metering: the tick is asked for the dose less the screw's part, under the cap of the dose."""
    plain, mapped = armed_device(ROWS, 2), mapped_device()
    asked = []
    for dev in (plain, mapped):
        dev.shoot()
        arguments = [given for request, given in dev.player.taken if request == codes.REQ_SHOT][-1]
        asked.append({"volume_nl": arguments[2], "max_steps": arguments[5]})
    assert asked[0]["volume_nl"] == 10_000 != asked[1]["volume_nl"]
    assert abs(asked[1]["volume_nl"] - 10_000) <= 2 * USUAL_NL + 1
    assert asked[0]["max_steps"] == asked[1]["max_steps"]
    assert all(end["asked_nl"] == 10_000 for dev in (plain, mapped) for end in dev.records(*ENDS))


@pytest.mark.parametrize("fault", [codes.FAULT_STEPS_LOST, codes.FAULT_PLUNGER_MOVED, codes.FAULT_SENSOR])
def test_a_fault_forgets_the_map(fault):
    """Invariant 4: after a fault counter and screw may have parted: today's map is none."""
    dev = mapped_device()
    dev.app.faults.report(fault)
    dev.run(8)
    assert not dev.app.screw.known and dev.app.screw.between_nl(0, 800) == 0


def test_another_syringe_forgets_the_map():
    """Invariant 4: the pusher is set back by hand with another syringe, so the map goes with the one before."""
    dev = mapped_device()
    dev.board.pins_in[image.IN_CARTRIDGE] = 0
    dev.run(4)
    assert not dev.app.screw.known


@pytest.mark.parametrize("key", reference()["syringe"])
def test_a_planned_prime_makes_a_map(key):
    """Plans: a syringe's first prime holds the line's air and what a map needs, also at a bore 2 % wider than usual."""
    equipment = reference_equipment()
    syringe = equipment.syringes[key]
    setup = Setup(equipment.needles["30G4"], syringe, equipment.line, 1.0)
    step_nl = syringe.area_mm2 * 1.02**2 * 1000 / TURN_STEPS
    air_nl = 1.05 * (params_gen.TUBE_NL + params_gen.NEEDLE_NL)
    assert first_prime_nl(setup) >= air_nl + (MAP_STEPS + 2) * step_nl
