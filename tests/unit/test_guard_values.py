"""What the guard tells of a fault, which of two it tells, and that its counters forget what has passed."""

import pytest
from controlkit import Guarded, kept
from sit_firmware import codes, image


@pytest.fixture
def dispensing():
    """The plunger stands and owes nothing."""
    guarded = Guarded(kept(codes.PHASE_DISPENSE, 160))
    guarded.state[image.ST_G_OWED] = guarded.state[image.ST_G_CHUNK] = guarded.outputs[image.OUT_STEPS] = 0
    guarded.state[image.ST_G_STEPS] = guarded.inputs[image.IN_STEPS]
    return guarded


# what is seen, for how many ticks, the fault and the value that goes with it
TOLD = {
    "pressure sensor": ({"IN_PRESS_PA": 1_000_001}, 1, "SENSOR", 1_000_001),
    "pressure sensor below": ({"IN_PRESS_PA": -1_000_001}, 1, "SENSOR", -1_000_001),
    "occlusion": ({"IN_PRESS_PA": 451_000, "IN_LOAD_MN": 9000}, 20, "OCCLUSION", 451_000),
    "supply": ({"IN_SUPPLY_MV": 8900}, 20, "SUPPLY", 8900),
    "late tick": ({"IN_PERIOD_US": 276}, 1, "TICK_LATE", 276),
    "bridge open": ({"IN_BRIDGE_ON": 0}, 3, "CUTOFF", -2),
    "switch open": ({"IN_SWITCH_ON": 0}, 3, "CUTOFF", -1),
    "both open": ({"IN_BRIDGE_ON": 0, "IN_SWITCH_ON": 0}, 3, "CUTOFF", -3),
    "contact": ({"IN_CONTACT_MN": 7}, 2000, "CONTACT_SENSOR", 7),
    "chunk": ({"OUT_STEPS": 12}, 1, "VOLUME", 12),
    "chunk back": ({"OUT_STEPS": -12}, 1, "VOLUME", -12),
    "step by itself": ({"IN_STEPS": 1 << 20}, 1, "PLUNGER_MOVED", None),
}


@pytest.mark.parametrize("what", TOLD)
def test_value_goes_with_the_fault(dispensing, what):
    """Invariant 6: the value latched with a fault is the one that tripped it, at the tick it did."""
    changes, ticks, fault, value = TOLD[what]
    dispensing.tick(ticks, **changes)
    assert dispensing.fault == fault
    assert dispensing.state[image.ST_FAULT_TICK] == dispensing.inputs[image.IN_TICK]
    if value is not None:
        assert dispensing.state[image.ST_FAULT_VALUE] == value


@pytest.mark.parametrize("off", [1, -1])
def test_steps_beyond_what_was_asked(dispensing, off):
    """Invariant 4: a plunger that is more than two chunks off what it was told is a fault, either way, also midway."""
    most = 2 * dispensing.params[image.P_G_CHUNK]
    steps = dispensing.inputs[image.IN_STEPS]
    dispensing.tick(1, OUT_STEPS=1, IN_STEPS=steps + off * most)
    assert dispensing.fault is None
    dispensing.state[image.ST_G_OWED] = 0
    dispensing.tick(1, OUT_STEPS=1, IN_STEPS=steps + off * most + off * (most + 1))
    assert dispensing.fault == "PLUNGER_MOVED"
    assert dispensing.state[image.ST_FAULT_VALUE] == -off * (most + 1)


def test_of_two_at_once_the_first_in_order_is_told(dispensing):
    """Invariant 6: what stops everything is told, whatever else the same tick shows."""
    more = {"OUT_STEPS": 12, "IN_BRIDGE_ON": 0, "IN_PRESS_PA": 1_000_001, "IN_SUPPLY_MV": 0, "IN_PERIOD_US": 300}
    dispensing.tick(1, IN_ESTOP=1, **more)
    assert (dispensing.fault, dispensing.state[image.ST_FAULT_VALUE]) == ("ESTOP", 0)


def test_flag_is_told_before_the_e_stop(dispensing):
    """Invariant 6: the flag's own value is the place of the needle."""
    dispensing.tick(1, IN_ESTOP=1, IN_FLAG=1)
    assert dispensing.fault == "FLAG"
    assert dispensing.state[image.ST_FAULT_VALUE] == dispensing.inputs[image.IN_ENC_UM]


# what is wrong, what is right again, and for how many ticks it may be wrong
FORGOTTEN = {
    "pressure": ({"IN_PRESS_PA": 451_000, "IN_LOAD_MN": 9000}, "P_G_PRESS_N"),
    "supply": ({"IN_SUPPLY_MV": 8900}, "P_G_SUPPLY_N"),
    "cut-off": ({"IN_BRIDGE_ON": 0}, "P_G_CUT_N"),
    "contact": ({"IN_CONTACT_MN": 0}, "P_G_CONTACT_N"),
}


@pytest.mark.parametrize("what", FORGOTTEN)
def test_counters_forget(dispensing, what):
    """Invariant 6: what was wrong for a tick too few, then right, isn't counted on."""
    wrong, most = FORGOTTEN[what]
    right = {name: dispensing.inputs[getattr(image, name)] for name in wrong}
    for _ in range(2):
        dispensing.tick(dispensing.params[getattr(image, most)] - 1, **wrong)
        assert dispensing.fault is None
        dispensing.tick(1, **right)
    assert dispensing.fault is None


def test_heartbeats_far_apart(dispensing):
    """Invariant 6: a background that beats in time is alive, however often it is late by nearly as much as it may."""
    wait, beat = dispensing.params[image.P_G_BEAT_N], dispensing.state[image.ST_BEAT]
    for _ in range(3):
        beat += 1
        dispensing.tick(wait, ST_BEAT=beat)
        assert dispensing.fault is None
    dispensing.tick(1, ST_BEAT=beat)
    assert (dispensing.fault, dispensing.state[image.ST_FAULT_VALUE]) == ("BACKGROUND", wait)


@pytest.mark.parametrize("what", ["pressure", "supply", "contact"])
def test_rest_forgets(dispensing, what):
    """Invariant 6: counters start anew with each request, so that a run whose idle time was skipped is the same."""
    wrong, most = FORGOTTEN[what]
    phase = dispensing.state[image.ST_PHASE]
    still = {"OUT_BRIDGE": 0, "OUT_SWITCH": 0, "IN_BRIDGE_ON": 0, "IN_SWITCH_ON": 0}
    dispensing.tick(dispensing.params[getattr(image, most)] - 1, **wrong)
    dispensing.tick(3, ST_PHASE=codes.PHASE_IDLE, **still, **wrong)
    assert dispensing.fault is None
    on = {"OUT_BRIDGE": 1, "OUT_SWITCH": 1}
    dispensing.tick(1, ST_PHASE=phase, **on, **wrong)
    dispensing.tick(1, **on, IN_BRIDGE_ON=1, IN_SWITCH_ON=1, **wrong)
    assert dispensing.fault is None


@pytest.mark.parametrize("sign", [1, -1])
def test_push_beside_the_spring(dispensing, sign):
    """Invariant 1: a disturbance that no skin makes is a fault, whichever way it pushes."""
    state, params = dispensing.state, dispensing.params
    enc = dispensing.inputs[image.IN_ENC_UM]
    spring = params[image.P_PARK_ACC_Q8] + ((enc * params[image.P_SLOPE_Q16]) >> 8)
    most = params[image.P_G_DIST_Q8]
    dispensing.tick(1, ST_N_D_Q8=sign * most - spring)
    assert dispensing.fault is None
    dispensing.tick(1, ST_N_D_Q8=sign * (most + 1) - spring)
    assert (dispensing.fault, state[image.ST_FAULT_VALUE]) == ("FOLLOWING", sign * (most + 1))


def test_the_way_without_an_edge_is_told(dispensing):
    """Invariant 6: with COMB goes how far the needle is from the last edge."""
    dispensing.state[image.ST_G_COMB_UM] = dispensing.inputs[image.IN_ENC_UM] - 1000
    dispensing.tick()
    assert (dispensing.fault, dispensing.state[image.ST_FAULT_VALUE]) == ("COMB", 1000)


def test_the_place_of_a_needle_that_stays_out_is_told(dispensing):
    """Invariant 6: with SPRING goes where the needle is."""
    off = {"OUT_DUTY": 0, "OUT_BRIDGE": 0, "OUT_SWITCH": 0, "IN_BRIDGE_ON": 0, "IN_SWITCH_ON": 0}
    dispensing.tick(dispensing.params[image.P_G_HOME_N] + 2, **off)
    place_um = dispensing.inputs[image.IN_ENC_UM]
    assert (dispensing.fault, dispensing.state[image.ST_FAULT_VALUE]) == ("SPRING", place_um)
