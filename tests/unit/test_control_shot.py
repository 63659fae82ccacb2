"""A shot in its phases: how each way of ending it ends."""

from itertools import pairwise

import pytest
from controlkit import bench, shot_in
from sit_firmware import codes, image, params
from sit_firmware.control import needle
from sit_sim.plant import nominal_unit

PHASES = (codes.PHASE_APPROACH, codes.PHASE_INSERT, codes.PHASE_SETTLE, codes.PHASE_DISPENSE, codes.PHASE_DWELL)


def finish(device):
    """Let the shot end; (result, cause)."""
    device.run(8000, until_idle=True)
    assert device.state[image.ST_FAULT] == 0
    assert device.plant.truth()["carriage_um"] == 0
    return int(device.state[image.ST_RESULT]), int(device.state[image.ST_CAUSE])


def test_phases_come_in_order():
    """The phases of a shot come one after the other, each once."""
    device = bench()
    device.post_shot(1500, 5000)
    seen = []
    for _ in range(2000):
        device.run(1)
        phase = int(device.state[image.ST_PHASE])
        if not seen or seen[-1] != phase:
            seen.append(phase)
    assert seen == [codes.PHASE_IDLE, *PHASES, codes.PHASE_RETRACT, codes.PHASE_IDLE] or seen == [
        *PHASES,
        codes.PHASE_RETRACT,
        codes.PHASE_IDLE,
    ]


def test_the_profile_lands_without_speeding_up():
    """Depth: where its landing takes over from its deceleration the profile, whatever the depth, doesn't speed up."""
    state, inputs, outputs, block = image.new()
    params.defaults(block)
    for target_um in range(41, 2701, 7):
        state[image.ST_R_X_Q8] = state[image.ST_R_V_Q8] = 0
        state[image.ST_TARGET_UM], state[image.ST_VCAP_Q8] = target_um, block[image.P_VCAP_Q8]
        speeds = []
        while target_um * 256 - state[image.ST_R_X_Q8] > 64:
            needle.profile(state, inputs, outputs, block)
            speeds.append(state[image.ST_R_V_Q8])
            assert len(speeds) < 200
        for before, after in pairwise(speeds):
            fastest = min(before + block[image.P_A1_Q8], block[image.P_VCAP_Q8])
            assert after <= before or after == fastest, target_um


@pytest.mark.parametrize("phase", PHASES)
def test_stop_ends_it_at_once(phase):
    """Invariant 3: STOP in any phase: drive off and plunger still within two ticks, needle home, PARTIAL or ABORTED."""
    device = shot_in(phase, ticks=20 if phase != codes.PHASE_DISPENSE else 160)
    device.state[image.ST_STOP] = 1
    device.run(3)
    truth = device.plant.truth()
    assert device.outputs[image.OUT_BRIDGE] == 0 and device.outputs[image.OUT_STEPS] == 0
    device.run(40)
    assert device.plant.truth()["plunger_steps"] == truth["plunger_steps"] or truth["plunger_steps"] > 0
    device.run(60)
    result, cause = finish(device)
    moved = device.state[image.ST_PL_CMD] > 0
    assert (result, cause) == (codes.RESULT_PARTIAL if moved else codes.RESULT_ABORTED, codes.CAUSE_STOP)


@pytest.mark.parametrize("phase", PHASES)
def test_lost_contact_ends_it(phase):
    """Invariant 3: contact lost for the debounce time ends the shot; a shorter loss doesn't."""
    device = shot_in(phase, ticks=4)
    device.plant.set("press_n", 0.3)
    device.run(30)
    device.plant.set("press_n", 2.0)
    device.run(4)
    assert device.state[image.ST_PHASE] not in (codes.PHASE_RETRACT, codes.PHASE_IDLE)
    device = shot_in(phase, ticks=4)
    device.plant.set("press_n", 0.3)
    device.run(44)
    assert device.state[image.ST_PHASE] == codes.PHASE_RETRACT
    result, cause = finish(device)
    assert result in (codes.RESULT_PARTIAL, codes.RESULT_ABORTED) and cause == codes.CAUSE_CONTACT


@pytest.mark.parametrize("phase", PHASES)
def test_released_trigger_lets_it_finish(phase):
    """Invariant 3: a released trigger finishes the shot under way."""
    device = shot_in(phase)
    device.plant.set("trigger", 0)
    assert finish(device) == (codes.RESULT_DONE, codes.CAUSE_NONE)
    assert abs(device.plant.truth()["shot"]["tissue_nl"] - 5000) < 150


def test_skin_that_does_not_give_way():
    """No dose into the air: a skin that isn't pierced ends with NO_PUNCTURE and next to nothing spilled."""
    device = bench(nominal_unit().replace(puncture_n=5.0))
    device.post_shot(1200, 10_000)
    assert finish(device) == (codes.RESULT_PARTIAL, codes.CAUSE_NO_PUNCTURE)
    shot = device.plant.truth()["shot"]
    assert shot["tissue_nl"] == 0 and shot["needle_nl"] < 1500


def test_no_skin_at_all():
    """F1 NO_SKIN: the contact is pressed by something else; the probe finds no tissue and the dose isn't given."""
    device = bench(nominal_unit().replace(surface_m=5e-3))
    device.post_shot(1200, 10_000)
    assert finish(device) == (codes.RESULT_PARTIAL, codes.CAUSE_NO_PUNCTURE)
    assert device.plant.truth()["shot"]["needle_nl"] < 1500


def test_late_puncture_is_waited_for():
    """A skin that gives way only by creep gets its whole dose after that."""
    device = bench(nominal_unit().replace(puncture_n=0.509))
    device.post_shot(1200, 5000)
    assert finish(device) == (codes.RESULT_DONE, codes.CAUSE_NONE)
    assert device.state[image.ST_TRIES] > 0
    assert abs(device.plant.truth()["shot"]["tissue_nl"] - 5000) < 150


@pytest.mark.parametrize("cap", [20, 201, 900])
def test_cap_is_never_passed(cap):
    """Invariant 4: the steps of a shot never pass MAX_STEPS, not even on the way; the shot ends as PARTIAL."""
    device = bench()
    before = device.plant.truth()["plunger_steps"]
    device.post_shot(1500, 20_000, dwell_ms=50)
    device.state[image.ST_ARG_MAX_STEPS] = cap
    most = 0
    for _ in range(3000):
        device.run(1)
        most = max(most, device.plant.truth()["plunger_steps"] - before)
    result, cause = finish(device)
    assert result == codes.RESULT_PARTIAL
    assert cause in (codes.CAUSE_CAP, codes.CAUSE_TIME, codes.CAUSE_NO_PUNCTURE)
    assert cap - 2 <= most <= cap


def test_drip_after_leaving_is_small():
    """Metering: the stored pressure is sucked back before the needle leaves, so that next to nothing drips."""
    device = bench()
    for number, volume_nl in enumerate((5000, 10_000, 50_000)):
        device.plant.set("site", number)
        device.post_shot(1500, volume_nl)
        assert finish(device)[0] == codes.RESULT_DONE
        assert abs(device.plant.truth()["shot"]["lost_nl"]) < 20
        device.hold(False)


def test_pressure_that_never_falls_ends():
    """A lying pressure sensor can't hold the needle in the skin: suck-back is bounded, the shot ends as PARTIAL."""
    device = shot_in(codes.PHASE_DWELL, ticks=60)  # a force that still falls besides is a slip's
    device.plant.fault("pressure_offset", offset_pa=15_000)
    ticks = device.run(8000, until_idle=True)
    assert ticks < 2500
    assert device.state[image.ST_RESULT] == codes.RESULT_PARTIAL
