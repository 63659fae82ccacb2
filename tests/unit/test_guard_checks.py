"""Each check of the guard by hand: what trips it, what it cuts, that the first cause stays until it is gone."""

import pytest
from controlkit import Guarded, kept
from sit_firmware import codes, image


@pytest.fixture
def resting():
    return Guarded(kept())


@pytest.fixture
def dispensing():
    return Guarded(kept(codes.PHASE_DISPENSE, 160))


@pytest.fixture
def inserting():
    return Guarded(kept(codes.PHASE_INSERT, 30))


# what is seen, for how many ticks, and the fault it must latch; while a dose is given
DISPENSING = {
    "flag": ({"IN_FLAG": 1}, 1, "FLAG"),
    "e-stop": ({"IN_ESTOP": 1}, 1, "ESTOP"),
    "driver": ({"IN_DRIVER_FAULT": 1}, 1, "DRIVER"),
    "supply low": ({"IN_SUPPLY_MV": 8900}, 20, "SUPPLY"),
    "supply high": ({"IN_SUPPLY_MV": 12700}, 20, "SUPPLY"),
    "occlusion": ({"IN_PRESS_PA": 451_000, "IN_LOAD_MN": 9000}, 20, "OCCLUSION"),
    "plunger force without pressure": ({"IN_LOAD_MN": 9000}, 8, "SENSOR"),
    "pressure sensor": ({"IN_PRESS_PA": 1_000_001}, 1, "SENSOR"),
    "pressure sensor below": ({"IN_PRESS_PA": -1_000_001}, 1, "SENSOR"),
    "late tick": ({"IN_PERIOD_US": 276}, 1, "TICK_LATE"),
    "contact switch without force": ({"IN_CONTACT_MN": 0}, 2000, "CONTACT_SENSOR"),
    "contact force without switch": ({"IN_CONTACT": 0, "IN_CONTACT_MN": 1500}, 2000, "CONTACT_SENSOR"),
    "bridge read-back off": ({"IN_BRIDGE_ON": 0}, 3, "CUTOFF"),
    "switch read-back off": ({"IN_SWITCH_ON": 0}, 3, "CUTOFF"),
    "chunk too large": ({"OUT_STEPS": 12}, 1, "VOLUME"),
    "background's report": ({"ST_REPORT": codes.FAULT_STORE}, 1, "STORE"),
}


@pytest.mark.parametrize("what", DISPENSING)
def test_seen_while_dispensing(dispensing, what):
    """Invariant 6: each of these cuts everything in its time and is latched; one tick earlier nothing is."""
    changes, ticks, fault = DISPENSING[what]
    changes = {"OUT_STEPS": 0, "IN_STEPS": dispensing.inputs[image.IN_STEPS], **changes}
    dispensing.state[image.ST_G_OWED] = dispensing.state[image.ST_G_CHUNK] = 0
    if ticks > 1:
        dispensing.tick(ticks - 1, **changes)
        assert dispensing.fault is None
        assert dispensing.outputs[image.OUT_TOKEN] == 1
    dispensing.tick(1, **changes)
    assert dispensing.fault == fault
    assert dispensing.safe()


def test_background_that_hangs(dispensing):
    """Invariant 6: without a heartbeat for P_G_BEAT_N ticks a shot ends."""
    beat = dispensing.state[image.ST_BEAT]
    for name in ("OUT_STEPS",):
        dispensing.outputs[getattr(image, name)] = 0
    dispensing.state[image.ST_G_OWED] = dispensing.state[image.ST_G_CHUNK] = 0
    wait = dispensing.params[image.P_G_BEAT_N]
    dispensing.tick(1, ST_BEAT=beat)
    dispensing.tick(wait - 1, ST_BEAT=beat)
    assert dispensing.fault is None
    dispensing.tick(1, ST_BEAT=beat)
    assert dispensing.fault == "BACKGROUND"


def test_missed_tick(dispensing):
    """Invariant 6: a tick number that isn't the next one is a missed tick."""
    dispensing.inputs[image.IN_TICK] += 1
    dispensing.tick(1)
    assert dispensing.fault == "TICK_LATE"


@pytest.mark.parametrize("slot", ["P_G_LIMIT_UM", "P_STEP_NL_Q10", "P_MAX_DEPTH_UM", "P_G_SENSOR_PA", "P_PROBE_TRIES"])
def test_damaged_parameter_block(dispensing, slot):
    """Invariant 6: one changed bit of any parameter ends a shot within 64 ticks."""
    dispensing.params[getattr(image, slot)] ^= 1
    dispensing.state[image.ST_G_OWED] = dispensing.state[image.ST_G_CHUNK] = 0
    dispensing.tick(64, OUT_STEPS=0)
    assert dispensing.fault == "PARAMS"


def test_every_parameter_is_summed(dispensing):
    """Invariant 6: no slot of the block is left out of the sum the guard compares."""
    dispensing.state[image.ST_G_OWED] = dispensing.state[image.ST_G_CHUNK] = 0
    for slot in range(1, image.N_PARAMS):
        other = Guarded.__new__(Guarded)
        other.state, other.inputs, other.outputs, other.params = (
            type(a)("i", a) for a in (dispensing.state, dispensing.inputs, dispensing.outputs, dispensing.params)
        )
        other.params[slot] ^= 1 << 20
        other.tick(66, OUT_STEPS=0)
        assert other.fault is not None, slot


def test_stuck_cutoff_is_seen_at_rest(resting):
    """Invariant 6: a cut-off that reads back closed without a command is a fault even when nothing is under way."""
    resting.tick(2, IN_SWITCH_ON=1)
    assert resting.fault is None
    resting.tick(1, IN_SWITCH_ON=1)
    assert resting.fault == "CUTOFF"


def test_plunger_that_moves_by_itself(resting):
    """Invariant 6: a single step that nobody asked for is a fault."""
    resting.tick(1, IN_STEPS=resting.inputs[image.IN_STEPS] + 1)
    assert resting.fault == "PLUNGER_MOVED"


def test_chunk_outside_a_dose(inserting):
    """Invariant 2: no step is let through before the needle is at its depth."""
    inserting.follow(inserting.state[image.ST_G_DX_UM], OUT_STEPS=1)
    assert inserting.fault == "PLUNGER_MOVED"
    assert inserting.safe()


def test_cap_is_copied_when_the_request_begins(dispensing):
    """Invariant 5: the cap that INTENT was written for holds; raising the argument later changes nothing."""
    state, inputs = dispensing.state, dispensing.inputs
    assert state[image.ST_G_CAP] == state[image.ST_ARG_MAX_STEPS] > 0
    state[image.ST_ARG_MAX_STEPS] += 5000
    given = inputs[image.IN_STEPS] - state[image.ST_G_BASE_STEPS]
    state[image.ST_G_BASE_STEPS] -= state[image.ST_G_CAP] - given - 2
    state[image.ST_G_OWED] = state[image.ST_G_CHUNK] = 0
    dispensing.tick(1, OUT_STEPS=2)
    assert dispensing.fault is None
    dispensing.tick(1, OUT_STEPS=2, IN_STEPS=inputs[image.IN_STEPS] + 2)
    assert dispensing.fault == "VOLUME"


def test_plunger_force_too_much(dispensing):
    """Invariant 6: a plunger force beyond its limit is an occlusion, were the stopper's friction what it may."""
    dispensing.set_param(P_G_GRIP_MOST_MN=100_000)
    still = {"OUT_STEPS": 0, "IN_STEPS": dispensing.inputs[image.IN_STEPS], "IN_LOAD_MN": 50_100}
    dispensing.state[image.ST_G_OWED] = dispensing.state[image.ST_G_CHUNK] = 0
    dispensing.tick(19, **still)
    assert dispensing.fault is None
    dispensing.tick(1, **still)
    assert dispensing.fault == "OCCLUSION"


def test_steps_that_move_no_force(dispensing):
    """Invariant 4: steps far enough forward without plunger force are lost steps, with no look at the pressure."""
    dispensing.set_param(P_G_GRIP_N=10_000, P_G_SLIP_MN=1 << 20)
    dispensing.state[image.ST_G_OWED] = 0
    steps = dispensing.inputs[image.IN_STEPS]
    for n in range(70):
        dispensing.tick(1, OUT_STEPS=3, IN_STEPS=steps + 3 * n, IN_LOAD_MN=100)
        if dispensing.fault:
            break
    assert dispensing.fault == "STEPS_LOST"


def test_turn_that_takes_no_force_off(dispensing):
    """Invariant 4: after a turn the stopper lets up by its stiffness; half the fall means lost steps."""
    state = dispensing.state
    dispensing.set_param(P_G_SLIP_MN=1 << 20)
    state[image.ST_G_SUM], state[image.ST_G_SUM_I] = 0, 1
    state[image.ST_G_OWED] = 0
    steps, full = dispensing.inputs[image.IN_STEPS], dispensing.params[image.P_G_TURN_MN]
    for part, fault in ((100, None), (50, "STEPS_LOST")):
        state[image.ST_FAULT] = state[image.ST_G_OWED] = 0
        state[image.ST_G_STEPS] = steps
        dispensing.tick(1, OUT_STEPS=2, IN_STEPS=steps, IN_LOAD_MN=2000)
        state[image.ST_G_OWED] = 0
        for n in range(26):
            fall = full * 2 * n * part // (dispensing.params[image.P_G_TURN_STEPS] * 100)
            dispensing.tick(1, OUT_STEPS=-2, IN_STEPS=steps - 2 * n, IN_LOAD_MN=2000 - fall)
        assert dispensing.fault == fault


def test_first_cause_stays(dispensing):
    """Invariant 6: the first cause is kept, with its tick and value, whatever comes after."""
    dispensing.tick(1, IN_ESTOP=1)
    first = list(dispensing.state[image.ST_FAULT : image.ST_FAULT_VALUE + 1])
    dispensing.tick(5, IN_FLAG=1, IN_DRIVER_FAULT=1, OUT_BRIDGE=1, OUT_SWITCH=1, OUT_DUTY=1000, OUT_STEPS=3)
    assert list(dispensing.state[image.ST_FAULT : image.ST_FAULT_VALUE + 1]) == first
    assert dispensing.fault == "ESTOP"
    assert dispensing.safe()


def test_clear_only_when_the_cause_is_gone(resting):
    """Invariant 6: CLEAR unlatches a fault whose cause is gone and no other."""
    resting.tick(1, IN_ESTOP=1)
    resting.tick(1, ST_CLEAR=1)
    assert resting.fault == "ESTOP" and resting.state[image.ST_CLEAR] == 0
    resting.tick(3, IN_ESTOP=0)
    assert resting.fault == "ESTOP"
    resting.tick(1, ST_CLEAR=1)
    assert resting.fault is None


def test_token_only_when_all_is_well(inserting):
    """Invariant 6: the dead-man's token comes from the guard alone: none at rest, none under a fault."""
    dx = inserting.state[image.ST_G_DX_UM]
    inserting.follow(dx, OUT_TOKEN=0)
    assert inserting.outputs[image.OUT_TOKEN] == 1
    inserting.follow(dx, OUT_BRIDGE=0, OUT_SWITCH=0, OUT_TOKEN=1)
    assert inserting.outputs[image.OUT_TOKEN] == 0
    inserting.follow(dx, OUT_BRIDGE=1, OUT_SWITCH=1, ST_NO_TOKEN=1)
    assert inserting.outputs[image.OUT_TOKEN] == 0 and inserting.fault is None
    inserting.follow(dx, OUT_BRIDGE=1, OUT_SWITCH=1, ST_NO_TOKEN=0, IN_ESTOP=1)
    assert inserting.outputs[image.OUT_TOKEN] == 0
