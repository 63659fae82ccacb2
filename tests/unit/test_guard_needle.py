"""The guard's checks of the needle by hand: speed, envelope, comb, profile, rest, spring."""

import pytest
from controlkit import Guarded, kept
from sit_firmware import codes, image

PITCH = 100


@pytest.fixture
def dispensing():
    return Guarded(kept(codes.PHASE_DISPENSE, 160))


@pytest.fixture
def inserting():
    return Guarded(kept(codes.PHASE_INSERT, 30))


@pytest.mark.parametrize(("dx", "fault"), [(51, "OVERSPEED"), (221, "ENCODER_JUMP"), (-221, "ENCODER_JUMP")])
def test_speed_no_needle_has(inserting, dx, fault):
    """Invariant 1: faster outward than any profile, or faster than the needle can be, is a fault at once."""
    inserting.follow(dx)
    assert inserting.fault == fault


def test_jolt(inserting):
    """Invariant 1: an encoder that stops or turns between two ticks lies."""
    dx = inserting.state[image.ST_G_DX_UM]
    assert dx > 10
    inserting.follow(dx - 6)
    assert inserting.fault is None
    inserting.follow(dx - 6 + 7)
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
    inserting.follow(inserting.state[image.ST_G_DX_UM], IN_COMB_N=inserting.inputs[image.IN_COMB_N] + 1)
    assert inserting.fault != "COMB"
    inserting.state[image.ST_FAULT] = 0
    inserting.follow(
        inserting.state[image.ST_G_DX_UM],
        IN_COMB_N=inserting.inputs[image.IN_COMB_N] + 1,
        IN_COMB_ENC_UM=6 * PITCH + 17,
    )
    assert inserting.fault == "COMB"


def test_comb_edge_of_a_frozen_encoder(inserting):
    """Invariant 1: an edge that captures the last count once more comes from an encoder that stands still."""
    inserting.state[image.ST_G_COMB_UM] = inserting.inputs[image.IN_COMB_ENC_UM] = 5 * PITCH + 3
    inserting.inputs[image.IN_ENC_UM] = inserting.state[image.ST_G_ENC_UM] = 5 * PITCH + 10
    inserting.follow(inserting.state[image.ST_G_DX_UM], IN_COMB_N=inserting.inputs[image.IN_COMB_N] + 1)
    assert inserting.fault == "COMB"


def test_comb_without_edges(inserting):
    """Invariant 1: farther from the last edge than a pitch and its tolerances, one of the two lies."""
    inserting.state[image.ST_G_COMB_UM] = inserting.inputs[image.IN_ENC_UM] - PITCH - 33
    inserting.follow(inserting.state[image.ST_G_DX_UM])
    assert inserting.fault == "COMB"


def test_encoder_that_stands_while_the_profile_moves(inserting):
    """Invariant 1: the profile's way without a count ends the motion after P_G_STILL_Q8."""
    inserting.state[image.ST_G_DX_UM] = 0
    inserting.set_param(P_G_LAG_UM=10_000)
    speed = inserting.state[image.ST_R_V_Q8]
    assert speed > 0
    ticks = inserting.params[image.P_G_STILL_Q8] // (speed >> 1)
    inserting.follow(0, ticks)
    assert inserting.fault is None
    inserting.follow(0)
    assert inserting.fault == "FROZEN"


def test_needle_that_stands_ahead_of_its_profile(inserting):
    """No needless latch: let go by the skin ahead of its profile it may stand, but only until that has come up."""
    inserting.state[image.ST_G_DX_UM] = 0
    inserting.set_param(P_G_LAG_UM=10_000)
    enc = inserting.inputs[image.IN_ENC_UM]
    inserting.state[image.ST_R_X_Q8] = (enc << 8) - 1
    ticks = inserting.params[image.P_G_STILL_Q8] // (inserting.state[image.ST_R_V_Q8] >> 1)
    inserting.follow(0, 3 * ticks)
    assert inserting.fault is None
    inserting.state[image.ST_R_X_Q8] = enc << 8
    inserting.follow(0, ticks)
    assert inserting.fault is None
    inserting.follow(0)
    assert inserting.fault == "FROZEN"


def test_needle_behind_its_profile(inserting):
    """Invariant 1: too far behind the profile is a fault."""
    inserting.state[image.ST_R_X_Q8] = (inserting.inputs[image.IN_ENC_UM] + 80) << 8
    inserting.follow(inserting.state[image.ST_G_DX_UM])
    assert inserting.fault == "FOLLOWING"


@pytest.mark.parametrize(("speed_off", "behind_um", "found"), [(-1, 12, None), (-1, 13, "FOLLOWING"), (0, 13, None)])
def test_needle_behind_a_slow_profile(inserting, speed_off, behind_um, found):
    """Invariant 1: while the profile is slow the needle is close behind it, or the encoder counts too little."""
    inserting.state[image.ST_R_V_Q8] = inserting.params[image.P_G_SLOW_Q8] + speed_off
    dx = inserting.state[image.ST_G_DX_UM]
    inserting.state[image.ST_R_X_Q8] = (inserting.inputs[image.IN_ENC_UM] + dx + behind_um) << 8
    inserting.follow(dx)
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
    inserting.follow(inserting.state[image.ST_G_DX_UM], IN_COMB_N=inserting.inputs[image.IN_COMB_N] + edges)
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
