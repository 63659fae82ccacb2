"""Suck-back and a pressure sensor whose zero is off: little is drawn in, the record says what is true."""

import pytest
from controlkit import FAULTS, bench, shot_in
from sit_firmware import codes, image, interval
from sit_sim.plant import nominal_unit

ASKED_NL = 2000
LINE_NL_PER_KPA = 9.6  # the softest stiff 1 mL set, stopper included, 10 % on top


def bounds(device, steps0):
    """The interval that the record of the shot just ended holds, after net steps from `steps0`."""
    state, params = list(map(int, device.state)), list(map(int, device.params))
    steps = int(device.inputs[image.IN_STEPS]) - steps0
    done = state[image.ST_RESULT] == codes.RESULT_DONE and not state[image.ST_FAULT]
    kind = codes.RECORD_DONE if done else codes.RECORD_PARTIAL
    return interval.tissue(kind, steps, state, params), done


@pytest.mark.parametrize("offset_kpa", [12, 15, 20])
def test_it_draws_in_no_more_than_the_line_can_have_held(offset_kpa):
    """Invariant 4: a sensor that jumps up in the dwell never shows an end; suck-back ends by its cap, and tells."""
    device = bench()
    before, steps0 = device.plant.truth(), int(device.inputs[image.IN_STEPS])
    shot_in(
        codes.PHASE_DWELL, volume_nl=ASKED_NL, device=device, ticks=60
    )  # a force that still falls besides is a slip's
    device.plant.fault("pressure_offset", offset_pa=1000 * offset_kpa)
    ticks = device.run(8000, until_idle=True)
    truth = device.plant.truth()
    assert ticks < 2500, "the needle isn't held in the skin"
    given_nl = truth["tissue_nl"] - before["tissue_nl"]
    held_kpa = device.plant.unit.back_pressure_pa / 1000 + offset_kpa
    assert given_nl > ASKED_NL - LINE_NL_PER_KPA * held_kpa
    (low_nl, high_nl), done = bounds(device, steps0)
    assert low_nl <= given_nl <= high_nl
    assert not (done and interval.narrow(low_nl, high_nl, ASKED_NL))


@pytest.mark.parametrize("offset_pa", [5000, 6000])
def test_a_sensor_that_reads_too_much_proves_no_tissue(offset_pa):
    """Invariant 4: what the sensor shows with the line at rest doesn't count: unbroken skin is still found out.

    With 6 kPa too much the probe would press with 2 to 3, which the needle's meniscus holds: that would stand.
    """
    device = bench(nominal_unit().replace(puncture_n=5.0))
    device.plant.fault("pressure_offset", offset_pa=offset_pa)
    device.post_shot(1200, ASKED_NL)
    device.run(8000, until_idle=True)
    assert device.state[image.ST_CAUSE] == codes.CAUSE_NO_PUNCTURE
    assert device.plant.truth()["shot"]["tissue_nl"] == 0


@pytest.mark.parametrize("offset_kpa", [-5, 3, 5])
def test_a_small_offset_of_the_sensor_costs_little(offset_kpa):
    """Invariant 4: a zero that is off by less than a fault leaves the truth in the interval, shot after shot."""
    device = bench()
    device.plant.fault("pressure_offset", offset_pa=1000 * offset_kpa)
    for site in range(4):
        before, steps0 = device.plant.truth()["tissue_nl"], int(device.inputs[image.IN_STEPS])
        device.plant.set("site", site)
        device.post_shot(1500, ASKED_NL)
        device.run(8000, until_idle=True)
        (low_nl, high_nl), done = bounds(device, steps0)
        assert done
        assert low_nl <= device.plant.truth()["tissue_nl"] - before <= high_nl
        device.hold(False)


@pytest.mark.parametrize("offset_kpa", [-12, 10])
def test_no_shot_begins_with_a_pressure_that_cannot_be(offset_kpa):
    """Invariant 6: the line holds nothing at the start of a shot: more than 8 kPa is SENSOR, and nothing moves."""
    device = bench()
    device.plant.fault("pressure_offset", offset_pa=1000 * offset_kpa)
    steps = device.plant.truth()["plunger_steps"]
    device.post_shot(1500, ASKED_NL)
    device.run(400)
    assert FAULTS[int(device.state[image.ST_FAULT])] == "SENSOR"
    assert device.plant.truth()["plunger_steps"] == steps
    assert device.plant.truth()["tip_max_um"] < -700


@pytest.mark.parametrize("skin_ms", [0, 100])
def test_a_device_lifted_in_the_suck_back_leaves_the_truth_in_the_interval(skin_ms):
    """Invariant 4: what runs out then is no measure of the syringe, and what a run tells is no longer DONE."""
    device = bench(nominal_unit().replace(back_pressure_pa=86e3), plain=False)
    told = set()
    for site, after in enumerate(range(-4, 56, 4)):  # a suck-back takes some 50 ticks
        device.plant.set("site", site)
        before, steps0 = device.plant.truth()["tissue_nl"], int(device.inputs[image.IN_STEPS])
        device.post_shot(1700, ASKED_NL)
        device.state[image.ST_ARG_SKIN_TICKS] = 4 * skin_ms if site else 0  # the first one measures the syringe
        while device.state[image.ST_SUCK] != 3:
            device.run(1)
        if after >= 0:
            device.run(after)
            lifted = device.state[image.ST_SUCK] == 3
            device.plant.set("press_n", 0.0)
        device.run(8000, until_idle=True)
        (low_nl, high_nl), done = bounds(device, steps0)
        assert low_nl <= device.plant.truth()["tissue_nl"] - before <= high_nl, after
        if after >= 0 and lifted:
            told.add(done)
        device.hold(False)
    assert told == {not skin_ms}
