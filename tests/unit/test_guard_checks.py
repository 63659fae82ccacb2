"""Each check of the guard by hand: what trips it, what it cuts, that the first cause stays until it is gone."""

import pytest
from controlkit import Guarded, bench, shot_in
from sit_firmware import codes, image

PITCH = 100


@pytest.fixture(scope="module")
def devices():
    """One device at rest, one that dispenses, one that drives in, made once and copied."""
    return {
        "rest": bench(),
        "dispense": shot_in(codes.PHASE_DISPENSE, ticks=160),
        "insert": shot_in(codes.PHASE_INSERT, ticks=30),
    }


@pytest.fixture
def resting(devices):
    return Guarded(devices["rest"])


@pytest.fixture
def dispensing(devices):
    return Guarded(devices["dispense"])


@pytest.fixture
def inserting(devices):
    return Guarded(devices["insert"])


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
    follow(inserting, inserting.state[image.ST_G_DX_UM], OUT_STEPS=1)
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
    follow(inserting, dx, OUT_TOKEN=0)
    assert inserting.outputs[image.OUT_TOKEN] == 1
    follow(inserting, dx, OUT_BRIDGE=0, OUT_SWITCH=0, OUT_TOKEN=1)
    assert inserting.outputs[image.OUT_TOKEN] == 0
    follow(inserting, dx, OUT_BRIDGE=1, OUT_SWITCH=1, ST_NO_TOKEN=1)
    assert inserting.outputs[image.OUT_TOKEN] == 0 and inserting.fault is None
    follow(inserting, dx, OUT_BRIDGE=1, OUT_SWITCH=1, ST_NO_TOKEN=0, IN_ESTOP=1)
    assert inserting.outputs[image.OUT_TOKEN] == 0


# --- the needle: the encoder goes on from where it was, at the speed it had -----------------------


def follow(guarded, dx, ticks=1, **changes):
    """Move the encoder by dx a tick."""
    for _ in range(ticks):
        guarded.tick(1, IN_ENC_UM=guarded.inputs[image.IN_ENC_UM] + dx, **changes)


@pytest.mark.parametrize(("dx", "fault"), [(51, "OVERSPEED"), (221, "ENCODER_JUMP"), (-221, "ENCODER_JUMP")])
def test_speed_no_needle_has(inserting, dx, fault):
    """Invariant 1: faster outward than any profile, or faster than the needle can be, is a fault at once."""
    follow(inserting, dx)
    assert inserting.fault == fault


def test_jolt(inserting):
    """Invariant 1: an encoder that stops or turns between two ticks lies."""
    dx = inserting.state[image.ST_G_DX_UM]
    assert dx > 10
    follow(inserting, dx - 6)
    assert inserting.fault is None
    follow(inserting, dx - 6 + 7)
    assert inserting.fault == "ENCODER_JUMP"


def envelope_trips(guarded, depth_um, dx):
    """Whether the guard trips for a needle at this depth with this change of the last tick."""
    state = guarded.state
    enc = state[image.ST_ZERO_UM] + depth_um
    state[image.ST_G_ENC_UM], state[image.ST_G_DX_UM] = enc - dx, dx
    state[image.ST_G_COMB_UM] = enc
    state[image.ST_FAULT] = 0
    guarded.tick(1, IN_ENC_UM=enc, OUT_BRIDGE=0, OUT_SWITCH=0, OUT_STEPS=0)
    return guarded.fault == "ENVELOPE"


def test_envelope_is_the_stated_formula(inserting):
    """Invariant 1: the integer envelope trips where the formula in real numbers does, within 2 um, never later."""
    p = inserting.params
    for dx in range(-20, 46, 3):
        first = next(d for d in range(0, 2100) if envelope_trips(inserting, d, dx))
        enc = inserting.state[image.ST_ZERO_UM] + first
        af = (p[image.P_G_AF_Q8] - enc * p[image.P_G_AF_SLOPE_Q16] / 65536) / 256
        brake = (p[image.P_G_AS_Q8] + enc * p[image.P_G_AS_SLOPE_Q16] / 65536) / 256
        t, w = p[image.P_G_T_Q8] / 256, dx + 1 + af / 2
        end = max(0.0, w + af * t)
        reach = first + w * t + af * t * t / 2 + end * end / (2 * brake)
        assert abs(reach - p[image.P_G_LIMIT_UM]) <= 2.5, (dx, first, reach)


def test_envelope_reaches_farther_than_a_threshold(inserting):
    """Invariant 1: the faster the needle, the earlier it trips; at rest the highest depth leaves it alone."""
    first = [next(d for d in range(0, 2100) if envelope_trips(inserting, d, dx)) for dx in (0, 10, 20, 30, 40)]
    assert first == sorted(first, reverse=True) and first[0] - first[-1] > 200
    assert not envelope_trips(inserting, inserting.params[image.P_MAX_DEPTH_UM], 0)


def test_unzeroed_needle_is_held_shallower(inserting):
    """Invariant 1: without a zero the plane is assumed where it could be at worst."""
    zeroed = next(d for d in range(0, 2100) if envelope_trips(inserting, d, 0))
    inserting.state[image.ST_ZEROED] = 0
    assert next(d for d in range(0, 2100) if envelope_trips(inserting, d, 0)) < zeroed - 400


def test_comb_edge_away_from_its_place(inserting):
    """Invariant 1: the count captured at an edge must lie within the tolerance of a pitch."""
    inserting.state[image.ST_G_COMB_UM] = 4 * PITCH
    inserting.inputs[image.IN_COMB_ENC_UM] = 5 * PITCH + 16
    inserting.inputs[image.IN_ENC_UM] = inserting.state[image.ST_G_ENC_UM] = 5 * PITCH + 20
    follow(inserting, inserting.state[image.ST_G_DX_UM], IN_COMB_N=inserting.inputs[image.IN_COMB_N] + 1)
    assert inserting.fault != "COMB"
    inserting.state[image.ST_FAULT] = 0
    follow(
        inserting,
        inserting.state[image.ST_G_DX_UM],
        IN_COMB_N=inserting.inputs[image.IN_COMB_N] + 1,
        IN_COMB_ENC_UM=6 * PITCH + 17,
    )
    assert inserting.fault == "COMB"


def test_comb_edge_of_a_frozen_encoder(inserting):
    """Invariant 1: an edge that captures the last count once more comes from an encoder that stands still."""
    inserting.state[image.ST_G_COMB_UM] = inserting.inputs[image.IN_COMB_ENC_UM] = 5 * PITCH + 3
    inserting.inputs[image.IN_ENC_UM] = inserting.state[image.ST_G_ENC_UM] = 5 * PITCH + 10
    follow(inserting, inserting.state[image.ST_G_DX_UM], IN_COMB_N=inserting.inputs[image.IN_COMB_N] + 1)
    assert inserting.fault == "COMB"


def test_comb_without_edges(inserting):
    """Invariant 1: farther from the last edge than a pitch and its tolerances, one of the two lies."""
    inserting.state[image.ST_G_COMB_UM] = inserting.inputs[image.IN_ENC_UM] - PITCH - 33
    follow(inserting, inserting.state[image.ST_G_DX_UM])
    assert inserting.fault == "COMB"


def test_encoder_that_stands_while_the_profile_moves(inserting):
    """Invariant 1: the profile's way without a count ends the motion after P_G_STILL_Q8."""
    inserting.state[image.ST_G_DX_UM] = 0
    inserting.set_param(P_G_LAG_UM=10_000)
    speed = inserting.state[image.ST_R_V_Q8]
    assert speed > 0
    ticks = inserting.params[image.P_G_STILL_Q8] // (speed >> 1)
    follow(inserting, 0, ticks)
    assert inserting.fault is None
    follow(inserting, 0)
    assert inserting.fault == "FROZEN"


def test_needle_that_stands_ahead_of_its_profile(inserting):
    """No needless latch: let go by the skin ahead of its profile it may stand, but only until that has come up."""
    inserting.state[image.ST_G_DX_UM] = 0
    inserting.set_param(P_G_LAG_UM=10_000)
    enc = inserting.inputs[image.IN_ENC_UM]
    inserting.state[image.ST_R_X_Q8] = (enc << 8) - 1
    ticks = inserting.params[image.P_G_STILL_Q8] // (inserting.state[image.ST_R_V_Q8] >> 1)
    follow(inserting, 0, 3 * ticks)
    assert inserting.fault is None
    inserting.state[image.ST_R_X_Q8] = enc << 8
    follow(inserting, 0, ticks)
    assert inserting.fault is None
    follow(inserting, 0)
    assert inserting.fault == "FROZEN"


def test_needle_behind_its_profile(inserting):
    """Invariant 1: too far behind the profile is a fault."""
    inserting.state[image.ST_R_X_Q8] = (inserting.inputs[image.IN_ENC_UM] + 80) << 8
    follow(inserting, inserting.state[image.ST_G_DX_UM])
    assert inserting.fault == "FOLLOWING"


@pytest.mark.parametrize(("speed_off", "behind_um", "found"), [(-1, 12, None), (-1, 13, "FOLLOWING"), (0, 13, None)])
def test_needle_behind_a_slow_profile(inserting, speed_off, behind_um, found):
    """Invariant 1: while the profile is slow the needle is close behind it, or the encoder counts too little."""
    inserting.state[image.ST_R_V_Q8] = inserting.params[image.P_G_SLOW_Q8] + speed_off
    dx = inserting.state[image.ST_G_DX_UM]
    inserting.state[image.ST_R_X_Q8] = (inserting.inputs[image.IN_ENC_UM] + dx + behind_um) << 8
    follow(inserting, dx)
    assert inserting.fault == found


@pytest.mark.parametrize(("off_um", "ticks"), [(5, "REST_N"), (-4, "SHORT_N")])
def test_needle_that_rests_elsewhere(dispensing, off_um, ticks):
    """Invariant 1: at rest ahead of its target for P_G_REST_N ticks, or short of it for P_G_SHORT_N, is a fault."""
    dispensing.state[image.ST_G_OWED] = dispensing.state[image.ST_G_CHUNK] = 0
    off = dispensing.state[image.ST_TARGET_UM] + off_um
    dispensing.state[image.ST_G_ENC_UM] = off
    dispensing.tick(dispensing.params[getattr(image, f"P_G_{ticks}")] - 1, IN_ENC_UM=off, OUT_STEPS=0)
    assert dispensing.fault is None
    dispensing.tick(1)
    assert dispensing.fault == "FOLLOWING"


def test_needle_that_swings_about_its_target(dispensing):
    """Normal use: ticks ahead of the target and ticks short of it aren't added up."""
    dispensing.state[image.ST_G_OWED] = dispensing.state[image.ST_G_CHUNK] = 0
    target = dispensing.state[image.ST_TARGET_UM]
    for off_um, ticks in ((5, 30), (-4, 7), (5, 30), (-4, 7)):
        dispensing.state[image.ST_G_ENC_UM] = target + off_um
        dispensing.state[image.ST_G_DX_UM] = 0
        dispensing.tick(ticks, IN_ENC_UM=target + off_um, OUT_STEPS=0)
        assert dispensing.fault is None


@pytest.mark.parametrize(("edges", "way", "found"), [(1, 1, None), (2, 2, None), (3, 2, "COMB"), (1, 2, "COMB")])
def test_as_many_pitches_as_edges(inserting, edges, way, found):
    """Invariant 1: a fast needle passes several edges in a tick; it has then gone as many pitches."""
    inserting.state[image.ST_G_COMB_UM] = 4 * PITCH
    at = (4 + way) * PITCH
    inserting.inputs[image.IN_COMB_ENC_UM] = at
    inserting.inputs[image.IN_ENC_UM] = inserting.state[image.ST_G_ENC_UM] = at + 10
    follow(inserting, inserting.state[image.ST_G_DX_UM], IN_COMB_N=inserting.inputs[image.IN_COMB_N] + edges)
    assert (inserting.fault == "COMB") == (found == "COMB")


def test_spring_that_is_too_slow(dispensing):
    """Invariant 1: with the drive off the needle must be home within P_G_HOME_N ticks."""
    dispensing.state[image.ST_G_OWED] = dispensing.state[image.ST_G_CHUNK] = 0
    off = {"OUT_BRIDGE": 0, "OUT_SWITCH": 0, "OUT_DUTY": 0, "OUT_STEPS": 0, "IN_BRIDGE_ON": 0, "IN_SWITCH_ON": 0}
    dispensing.tick(2, **off)
    dispensing.tick(dispensing.params[image.P_G_HOME_N] - 1, **off)
    assert dispensing.fault is None
    dispensing.tick(1, **off)
    assert dispensing.fault == "SPRING"
