"""Plunger force and in-line pressure vouch for each other: a sensor that lies in a shot changes no dose unseen."""

import pytest
from controlkit import FAULTS, Guarded, bench, shot_in
from sit_firmware import codes, image, interval

PRESS_PA = 60_000
ASKED_NL = 1000


@pytest.fixture(scope="module")
def device():
    return shot_in(codes.PHASE_DISPENSE, ticks=4)


@pytest.fixture
def dispensing(device):
    return Guarded(device)


def only(guarded, **values):
    """Parameters that leave one check alone to be looked at; the guard's sum of the block begins anew."""
    guarded.set_param(**values)
    guarded.state[image.ST_G_SUM], guarded.state[image.ST_G_SUM_I] = 0, 1


@pytest.fixture
def still(device):
    """The guard in a shot at a stated pressure, the plunger at rest; `grip` is force beyond what the pressure makes."""
    guarded = Guarded(device)
    guarded.state[image.ST_G_OWED] = guarded.state[image.ST_G_CHUNK] = guarded.state[image.ST_G_GRIP_N] = 0
    guarded.state[image.ST_G_PUSH_STEPS] = 0
    only(guarded, P_G_SLIP_MN=1 << 20)
    fluid_mn = (PRESS_PA >> 4) * guarded.params[image.P_BORE_Q14] >> 14

    def tick(n, grip, press_pa=PRESS_PA):
        steps = guarded.inputs[image.IN_STEPS]
        guarded.tick(n, OUT_STEPS=0, IN_STEPS=steps, IN_PRESS_PA=press_pa, IN_LOAD_MN=fluid_mn + grip)
        return guarded.fault

    guarded.at = tick
    return guarded


@pytest.mark.parametrize("sign", [1, -1])
def test_more_than_friction(still, sign):
    """Invariant 4: force and pressure that differ by more than any friction latch SENSOR after P_G_GRIP_N ticks."""
    most, ticks = still.params[image.P_G_GRIP_MOST_MN], still.params[image.P_G_GRIP_N]
    assert still.at(100, sign * most) is None
    assert still.at(ticks - 1, sign * (most + 1)) is None
    assert still.at(1, sign * most) is None, "one sample within the band begins the count anew"
    assert still.at(ticks - 1, sign * (most + 1)) is None
    assert still.at(1, sign * (most + 1)) == "SENSOR"
    assert still.safe()


def test_less_than_friction_while_it_slides(still):
    """Invariant 4: a stopper that has slid forward holds all its friction; a pressure that reads too much shows."""
    least, ticks = still.params[image.P_G_GRIP_LEAST_MN], still.params[image.P_G_GRIP_N]
    assert still.at(100, least - 1) is None, "before it slides anything between the two frictions is right"
    still.state[image.ST_G_PUSH_STEPS] = still.params[image.P_G_SLIDE_STEPS] + 1
    assert still.at(100, least) is None
    assert still.at(ticks - 1, least - 1) is None
    assert still.at(1, least - 1) == "SENSOR"


def test_no_push_at_all_is_lost_steps(still):
    """Invariant 4: a rod that doesn't push after its way forward has lost its steps."""
    still.state[image.ST_G_PUSH_STEPS] = still.params[image.P_G_SLIDE_STEPS] + 1
    fluid_mn = (PRESS_PA >> 4) * still.params[image.P_BORE_Q14] >> 14
    assert still.at(still.params[image.P_G_GRIP_N], -fluid_mn) == "STEPS_LOST"


HELD_MN = 1200
# forward or in a turn, and how force and pressure jump when the motor falls back: the stopper stands, or gives way
SLIPS = {
    "forward": (1, HELD_MN, PRESS_PA, -1, 0),
    "forward, the rod still pulls": (1, -HELD_MN, 0, 0, -16),
    "in a turn": (-1, -HELD_MN, PRESS_PA, 1, 0),
    "in a turn, the stopper gives way": (-1, HELD_MN, PRESS_PA, 0, 16),
}


@pytest.fixture
def moved(still, device):
    """As `still`, the plunger gone `forward` by some steps or turned round; force and pressure as read."""

    def tick(n, forward, load, press_pa):
        still.state[image.ST_G_PUSH_STEPS] = forward
        still.state[image.ST_G_CHUNK] = forward
        steps = still.inputs[image.IN_STEPS]
        still.tick(n, OUT_STEPS=0, IN_STEPS=steps, IN_PRESS_PA=press_pa, IN_LOAD_MN=load)
        return still.fault

    still.moved = tick
    still.state[image.ST_G_HOLD_MN] = -(1 << 20)
    only(still, P_G_GRIP_N=10_000, P_G_SLIP_MN=int(device.params[image.P_G_SLIP_MN]))
    return still


@pytest.mark.parametrize("ticks", [1, 6])
@pytest.mark.parametrize("what", SLIPS)
def test_a_slip(moved, what, ticks):
    """Invariant 4: what the motor holds falls by more than P_G_SLIP_MN in one tick or in some: STEPS_LOST."""
    forward, load, press_pa, by_mn, by_pa = SLIPS[what]
    limit = moved.params[image.P_G_SLIP_MN]
    assert moved.moved(50, forward, load, press_pa) is None
    assert moved.moved(1, forward, load + by_mn * limit, press_pa + by_pa * limit) is None
    assert moved.moved(200, forward, load, press_pa) is None
    whole = limit + limit // 4
    for n in range(1, ticks + 1):
        part = whole * n // ticks
        moved.moved(1, forward, load + by_mn * part, press_pa + by_pa * part)
    assert moved.fault == "STEPS_LOST" and moved.safe()


def test_what_is_no_slip(moved):
    """Invariant 4: a line that frees itself, a friction that changes slowly, a suck-back: none is lost steps."""
    area = moved.params[image.P_BORE_Q14]
    for press_pa in (320_000, 160_000, 48_000, 0):
        assert moved.moved(2, 1, HELD_MN + ((press_pa >> 4) * area >> 14), press_pa) is None
    for n in range(400):
        assert moved.moved(1, 1, HELD_MN - 2 * n, 0) is None
    moved.moved(400, 1, HELD_MN, 0)
    assert moved.moved(3, 1, HELD_MN, 60_000) is None, "the force hasn't fallen: that is the pressure sensor"
    moved.state[image.ST_G_HOLD_MN] = -(1 << 20)
    for n in range(60):
        assert moved.moved(1, -1, HELD_MN - 40 * n, max(0, PRESS_PA - 2000 * n)) is None
    moved.tick(3, IN_PRESS_PA=8000)
    assert moved.fault is None, "after the last step a line under vacuum may fill again"


def test_a_turn_begins_anew(dispensing):
    """Invariant 4: force and pressure are compared since the plunger last turned, and since a request began."""
    steps = dispensing.inputs[image.IN_STEPS]
    for chunk, load in ((2, 1500), (-2, 1500), (-2, 1400), (2, -1000)):
        dispensing.state[image.ST_G_OWED] = dispensing.state[image.ST_G_LOAD_MN] = 0
        dispensing.tick(1, OUT_STEPS=chunk, IN_STEPS=steps, IN_LOAD_MN=load, IN_PRESS_PA=0)
        assert dispensing.fault is None


def strike(fault, **arguments):
    """A 1 uL shot in which a fault comes while the dose is pushed: (true nl, interval, DONE, fault)."""
    device = bench()
    before = device.plant.truth()["tissue_nl"]
    shot_in(codes.PHASE_DISPENSE, volume_nl=ASKED_NL, device=device, ticks=40)
    device.plant.fault(fault, **arguments)
    device.run(6000, until_idle=True)
    state = device.state
    steps = state[image.ST_STEPS] if state[image.ST_FAULT] else state[image.ST_PL_CMD]
    done = state[image.ST_RESULT] == codes.RESULT_DONE and not state[image.ST_FAULT]
    bounds = interval.tissue(codes.RECORD_DONE if done else codes.RECORD_PARTIAL, steps, state, device.params)
    given_nl = device.plant.truth()["tissue_nl"] - before
    return given_nl, bounds, done and interval.narrow(*bounds, ASKED_NL), FAULTS.get(state[image.ST_FAULT])


@pytest.mark.parametrize(
    ("fault", "arguments"),
    [
        ("load_offset", {"offset_mn": 5000}),
        ("load_offset", {"offset_mn": -5000}),
        ("pressure_offset", {"offset_pa": 100_000}),
        ("pressure_offset", {"offset_pa": -100_000}),
    ],
)
def test_a_sensor_that_lies_in_a_shot(fault, arguments):
    """Invariant 4: an offset that comes while the dose is pushed ends the shot before a tenth of a dose too much."""
    given_nl, (low_nl, high_nl), done, latched = strike(fault, **arguments)
    assert latched in ("SENSOR", "STEPS_LOST") and not done
    assert given_nl <= ASKED_NL * 1.1
    assert low_nl <= given_nl <= high_nl


def test_a_small_offset_is_within_the_interval():
    """Invariant 4: an offset too small to be a fault leaves the true dose within its interval, DONE or not."""
    given_nl, (low_nl, high_nl), _, latched = strike("load_offset", offset_mn=300)
    assert latched is None
    assert low_nl <= given_nl <= high_nl


@pytest.mark.parametrize("fault", [codes.FAULT_SENSOR, codes.FAULT_STEPS_LOST])
def test_a_lying_sensor_leaves_the_plunger_alone_to_count(device, fault):
    """Invariant 4: after such a fault the interval holds all that the plunger pushed, whatever the meter says."""
    state = list(device.state)
    state[image.ST_PL_CMD], state[image.ST_FAULT], state[image.ST_NEEDLE_NL] = 400, fault, -2000
    low_nl, high_nl = interval.tissue(codes.RECORD_PARTIAL, 400, state, device.params)
    assert low_nl == 0 and high_nl >= interval.pushed_nl(400, device.params)


@pytest.mark.parametrize("suck", [2, 3])
def test_lost_steps_of_a_suck_back_count_for_nothing(device, suck):
    """Invariant 4: a motor that slips in the suck-back hasn't taken back what it counted."""
    state = list(device.state)
    state[image.ST_PL_CMD], state[image.ST_FAULT], state[image.ST_SUCK] = 400, codes.FAULT_STEPS_LOST, suck
    state[image.ST_BACK_FROM] = state[image.ST_STEPS0] + 3000
    high_nl = interval.tissue(codes.RECORD_PARTIAL, 400, state, device.params)[1]
    assert high_nl == interval.uncertain(3000, device.params)[1]


def test_drift_widens_the_interval(device):
    """Invariant 4: what force and pressure drifted apart while the stopper slid is added, at the dearer price."""
    state, block = list(device.state), device.params
    state[image.ST_PL_CMD], state[image.ST_CAUSE], state[image.ST_TISSUE_NL] = 200, codes.CAUSE_NONE, ASKED_NL
    state[image.ST_NEEDLE_NL], state[image.ST_LOST_NL] = ASKED_NL, 0
    state[image.ST_G_GRIP_LOW_MN], state[image.ST_G_GRIP_HIGH_MN] = 1100, 1100 + interval.GRIP_MN
    quiet = interval.tissue(codes.RECORD_DONE, 200, state, block)[1]
    state[image.ST_G_GRIP_HIGH_MN] += 500
    drifted = interval.tissue(codes.RECORD_DONE, 200, state, block)[1]
    assert drifted - quiet >= 500 * block[image.P_STOPPER_Q10] >> 10


def test_a_purge_looks_at_the_stopper_anew():
    """Invariant 4: friction seen before counts in the next shot, so an offset that comes between two shots shows."""
    device = bench()
    assert device.state[image.ST_G_GRIP_SET]
    seen = device.state[image.ST_G_GRIP_LOW_MN] + device.state[image.ST_G_GRIP_HIGH_MN] >> 1
    device.plant.fault("load_offset", offset_mn=250)
    shot_in(codes.PHASE_DWELL, volume_nl=ASKED_NL, device=device)
    assert device.state[image.ST_G_GRIP_LOW_MN] <= seen < device.state[image.ST_G_GRIP_HIGH_MN] - 200
