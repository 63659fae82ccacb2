"""Requests at the mailbox: what the tick itself refuses, and how each one ends."""

import pytest
from controlkit import FAULTS, bench
from sit_firmware import codes, image
from sit_sim.campaign.bench import Refused

HOME_UM = 40


@pytest.fixture
def device():
    return bench()


def outcome(device):
    return int(device.state[image.ST_RESULT]), int(device.state[image.ST_CAUSE])


REFUSED = (codes.RESULT_REFUSED, codes.CAUSE_NOT_READY)

# what is changed before the request is posted: a state slot, an input of the plant or an argument
NOT_READY = {
    "not armed": {"ST_ARMED": 0},
    "not zeroed": {"ST_ZEROED": 0},
    "zero out of its window": {"ST_ZERO_UM": 816},
    "zero out of its window, below": {"ST_ZERO_UM": 784},
    "stop is posted": {"ST_STOP": 1},
    "trigger released": {"trigger": 0},
    "no contact": {"press_n": 0.0},
    "no syringe": {"cartridge": 0},
    "one um too deep": {"depth_um": 1901},
    "shallower than the bevel": {"depth_um": 439},
    "no volume": {"volume_nl": 0},
    "no cap": {"ST_ARG_MAX_STEPS": 0},
}


@pytest.mark.parametrize("what", NOT_READY)
def test_shot_is_refused_by_the_tick_itself(device, what):
    """Invariants 1, 2: with one condition missing the tick starts nothing, whatever the background believes."""
    changes = dict(NOT_READY[what])
    device.post_shot(changes.pop("depth_um", 1200), changes.pop("volume_nl", 5000))
    for name, value in changes.items():
        if name.startswith("ST_"):
            device.state[getattr(image, name)] = value
        else:
            # taken back before the tick has seen the request: let it be debounced first
            seq = device.state[image.ST_REQ_SEQ]
            device.state[image.ST_REQ_SEQ] = device.state[image.ST_ACK_SEQ]
            device.plant.set(name, value)
            device.run(60)
            device.state[image.ST_REQ_SEQ] = seq
    device.run(4000)
    assert outcome(device) == REFUSED
    truth = device.plant.truth()
    assert truth["carriage_um"] == 0 and truth["shot"]["number"] == 0


def test_shot_is_given_when_all_holds(device):
    """The same request with nothing missing is a shot: the refusals above are not refusals of everything."""
    device.post_shot(1200, 5000)
    device.run(4000, until_idle=True)
    device.expect_done()
    assert abs(device.plant.truth()["shot"]["depth_um"] - 1200) < 20


def test_each_request_is_taken_once(device):
    """Invariant 5: a request number is answered once; nothing moves again without a new one."""
    device.post_shot(1200, 5000)
    device.run(4000, until_idle=True)
    steps = device.plant.truth()["plunger_steps"]
    device.run(4000)
    assert device.plant.truth()["plunger_steps"] == steps
    assert device.plant.truth()["shot"]["number"] == 1


@pytest.mark.parametrize(("fault", "press_n"), [("contact_stuck_on", 0.0), ("contact_stuck_off", 2.0)])
def test_contact_needs_switch_and_force(device, fault, press_n):
    """Invariant 2: a stuck switch alone, or a force alone, is no contact."""
    device.plant.fault(fault)
    device.plant.set("press_n", press_n)
    device.run(400)
    assert device.state[image.ST_CONTACT_OK] == 0


def test_bouncing_trigger_is_no_press(device):
    """Invariant 2: presses shorter than the debounce time count nothing, a longer one counts once."""
    for on in (1, 0) * 6:
        device.plant.set("trigger", on)
        device.run(30)
    assert device.state[image.ST_TRIGGER_N] == 0
    device.plant.set("trigger", 1)
    device.run(400)
    assert device.state[image.ST_TRIGGER_N] == 1


def test_unknown_request_is_refused(device):
    """A number that means nothing starts nothing."""
    device.post(99)
    device.run(4)
    assert outcome(device) == REFUSED


def test_zero_finds_the_plane(device):
    """ZERO: the count at which the gate breaks is the plane's within 3 um, and the needle goes home."""
    device.plant.set("zero_tool", True)
    device.post(codes.REQ_ZERO)
    device.run(4000, until_idle=True)
    device.expect_done()
    truth = device.plant.truth()
    assert abs(device.state[image.ST_GATE_UM] - truth["zero_um"]) <= 12
    assert truth["tip_max_um"] < 20 and truth["carriage_um"] == 0


@pytest.mark.parametrize(("fault", "result"), [("gate_stuck_off", codes.RESULT_ABORTED), ("gate_stuck_on", 4)])
def test_zero_without_a_gate(device, fault, result):
    """ZERO: a gate that never breaks, or is broken at park, ends with NO_GATE and the needle home."""
    device.plant.set("zero_tool", True)
    device.plant.fault(fault)
    device.post(codes.REQ_ZERO)
    device.run(8000, until_idle=True)
    assert outcome(device) == (result, codes.CAUSE_NO_GATE)
    assert device.plant.truth()["carriage_um"] == 0


def test_purge_pushes_its_steps_and_leaves_no_pressure(device):
    """PURGE: the steps asked for, forward, and no stored pressure worth a drip at the end."""
    before = device.plant.truth()["plunger_steps"]
    device.purge(1500)
    truth = device.plant.truth()
    assert 1490 <= truth["plunger_steps"] - before <= 1500
    assert truth["pressure_pa"] < 3500


def test_purge_never_passes_its_cap(device):
    """Invariant 4: MAX_STEPS bounds a purge too; more steps than the cap are refused."""
    device.post(codes.REQ_PURGE, steps=200, max_steps=100, flow_spt=700)
    device.run(4000, until_idle=True)
    assert outcome(device) == REFUSED


def test_stop_ends_a_purge(device):
    """Invariant 3: STOP ends what moves at once."""
    device.post(codes.REQ_PURGE, steps=20000, max_steps=20000, flow_spt=700, dwell_ticks=4000)
    device.run(400)
    before = device.plant.truth()["plunger_steps"]
    device.state[image.ST_STOP] = 1
    device.run(10)
    assert 0 <= device.plant.truth()["plunger_steps"] - before <= 12
    device.run(400, until_idle=True)
    assert outcome(device) == (codes.RESULT_PARTIAL, codes.CAUSE_STOP)


@pytest.mark.parametrize("motion", [image.TEST_CUTOFFS, image.TEST_SPRING, image.TEST_DEADMAN, image.TEST_SENSORS])
def test_self_test_of_a_sound_device(device, motion):
    """Each motion of the self-test passes on a sound device, behind the plane, without a fault."""
    device.post(codes.REQ_TEST, steps=motion)
    device.run(4000, until_idle=True)
    device.expect_done()
    assert device.plant.truth()["tip_max_um"] < -300


# motion, plant fault, what the background is told: a cause or a latched fault
BROKEN = [
    (image.TEST_CUTOFFS, "switch_stuck_on", "CUTOFF"),
    (image.TEST_CUTOFFS, "bridge_stuck_on", "CUTOFF"),
    (image.TEST_DEADMAN, "deadman_stuck_on", "DEADMAN"),
    (image.TEST_SPRING, "spring_broken", "SPRING"),
    (image.TEST_SPRING, "encoder_frozen", "FOLLOWING"),
    (image.TEST_SPRING, "comb_dead", "COMB"),
    (image.TEST_SENSORS, "pressure_offset", "SENSOR"),
    (image.TEST_SENSORS, "load_offset", "SENSOR"),
]


@pytest.mark.parametrize(("motion", "fault", "told"), BROKEN)
def test_self_test_of_a_broken_device(device, motion, fault, told):
    """List F2 and latent faults: what a shot can't see in time, the self-test sees before the session."""
    if fault == "spring_broken":
        device.plant.fault(fault, lost_fraction=0.8)
        device.plant.set("tilt_g", 1.0)
    else:
        device.plant.fault(fault)
    device.post(codes.REQ_TEST, steps=motion)
    device.run(8000)
    latched = FAULTS.get(int(device.state[image.ST_FAULT]))
    cause = FAULTS.get(int(device.state[image.ST_CAUSE]))
    assert int(device.state[image.ST_RESULT]) != codes.RESULT_DONE or latched
    assert told in (latched, cause)


def test_clear_unlatches_when_the_cause_is_gone(device):
    """Invariant 6: CLEAR is refused with the fault while its cause stays, then brings the device back to IDLE."""
    device.plant.set("estop", 1)
    device.run(10)
    assert device.state[image.ST_PHASE] == codes.PHASE_FAULT
    device.post(codes.REQ_CLEAR)
    device.run(10)
    assert outcome(device) == (codes.RESULT_REFUSED, codes.FAULT_ESTOP)
    device.plant.set("estop", 0)
    device.run(10)
    assert device.state[image.ST_FAULT] == codes.FAULT_ESTOP
    device.post(codes.REQ_CLEAR)
    device.run(10)
    device.expect_done()
    assert device.state[image.ST_PHASE] == codes.PHASE_IDLE


def test_nothing_starts_under_a_fault(device):
    """Invariant 6: with a fault latched every request but CLEAR is refused."""
    device.plant.set("estop", 1)
    device.run(10)
    device.plant.set("estop", 0)
    for request in (codes.REQ_SHOT, codes.REQ_ZERO, codes.REQ_PURGE, codes.REQ_TEST):
        device.post(request, steps=1, max_steps=10)
        device.run(40)
        assert outcome(device) == REFUSED
    with pytest.raises(Refused, match="fault 44"):
        device.expect_done()
