"""A run: shots that follow each other while the trigger is held, each begun by the background's own conditions."""

import itertools
import struct

import pytest
from appkit import Device
from sit_firmware import codes, image, wire

ROWS = tuple((number, 1, 1, 1200, 10000) for number in range(1, 13))
PERIOD_MS = 111
MOST_NL = 60_000


def loaded(run=codes.RUN_GLIDE, rows=ROWS, place_nl=MOST_NL, period_ms=PERIOD_MS, measured=True):
    """A device armed for the rows of a run, and whose syringe a careful shot has measured."""
    dev = Device()
    dev.prepare()
    assert dev.load(rows, run=(run, period_ms, 90, place_nl, 120_000, 4000)) == 0
    dev.app.state[image.ST_SOFT_N] = 1 if measured else 0
    assert dev.arm(count=len(rows)) == 0
    dev.run(4)
    return dev


def pull(dev, on=True):
    dev.pins[image.IN_TRIGGER] = 1 if on else 0
    dev.run(4)


def hop(dev, times):
    """Lift, press, wait."""
    for _ in range(times):
        dev.touch(False)
        dev.run_ms(10)
        dev.touch(True)
        dev.run_ms(PERIOD_MS)


def ends(dev):
    return len(dev.records(codes.RECORD_DONE, codes.RECORD_PARTIAL, codes.RECORD_ABORTED))


def test_a_held_trigger_gives_one_point_after_the_other():
    """Invariant 2: in a glide shots follow each other at the rate, each with its own INTENT, within 5 % of the rate."""
    dev = loaded()
    dev.touch(True)
    pull(dev)
    dev.run_ms(4 * PERIOD_MS)
    starts = [event[1] for event in _starts(dev)]
    assert len(starts) == 5
    gaps = [(b - a) / 4 for a, b in itertools.pairwise(starts)]
    assert all(abs(gap - PERIOD_MS) < 0.05 * PERIOD_MS for gap in gaps)
    assert len(dev.records(codes.RECORD_INTENT)) == 5
    assert dev.app.state[image.ST_LIGHT] == codes.LIGHT_GLIDE


def _starts(dev):
    """(kind, tick) of each entry of INJECTING."""
    ring, found, buf = dev.app.events, [], bytearray(wire.EVENT_LEN)
    for seq in range(ring.tail, ring.head):
        assert ring.read(seq, buf)
        _, tick, kind, a, _, _ = struct.unpack(wire.FMT_EVENT, buf)
        if kind == codes.EVENT_STATE and a == codes.STATE_INJECTING:
            found.append((kind, tick))
    return found


@pytest.mark.parametrize("run", [codes.RUN_HOP, codes.RUN_GLIDE])
def test_a_released_trigger_ends_the_run(run):
    """Invariant 3: a released trigger finishes the shot under way and starts none, however long contact stays."""
    dev = loaded(run)
    dev.touch(True)
    pull(dev)
    assert len(dev.shots()) == 1
    pull(dev, False)
    hop(dev, 1) if run == codes.RUN_HOP else dev.run_ms(500)
    assert len(dev.shots()) == 1 and ends(dev) == 1


def test_a_hop_asks_for_contact_released():
    """Invariant 2: with contact kept a hop gives no second shot; each new contact gives one."""
    dev = loaded(codes.RUN_HOP)
    dev.touch(True)
    pull(dev)
    dev.run_ms(500)
    assert len(dev.shots()) == 1
    assert dev.app.state[image.ST_LIGHT] == codes.LIGHT_HOP
    hop(dev, 3)
    assert len(dev.shots()) == 4


def test_a_glide_ends_when_contact_is_lost():
    """Invariant 2: contact lost ends a glide; contact and the held trigger alone begin no other."""
    dev = loaded()
    dev.touch(True)
    pull(dev)
    dev.run_ms(PERIOD_MS)
    dev.touch(False)
    dev.touch(True)
    before = len(dev.shots())
    dev.run_ms(500)
    assert len(dev.shots()) == before
    assert dev.app.state[image.ST_LIGHT] != codes.LIGHT_GLIDE


def test_one_place_gets_no_more_than_declared():
    """Invariant 2: without contact released a glide gives what one place may get, counted by the most it can be."""
    dev = loaded(place_nl=45_000)
    dev.touch(True)
    pull(dev)
    dev.run_ms(12 * PERIOD_MS)
    given = dev.records(codes.RECORD_DONE)
    assert len(given) == 4
    assert sum(record["tissue_max_nl"] for record in given) <= 45_000
    assert dev.app.state[image.ST_LIGHT] == codes.LIGHT_LIFT
    pull(dev, False)
    dev.trigger()
    assert dev.events(codes.EVENT_TRIGGER)[-1][0] == codes.REFUSED_STILL_CONTACT
    dev.touch(False)
    dev.touch(True)
    pull(dev)
    dev.run_ms(2 * PERIOD_MS)
    assert len(dev.shots()) == 7


def test_a_glide_stays_on_its_site():
    """Invariant 2: what one contact gives is booked for one site; the next site needs a new contact."""
    rows = tuple((number, 1, 1 + number // 3, 1200, 10000) for number in range(1, 7))
    dev = loaded(rows=rows)
    dev.touch(True)
    pull(dev)
    dev.run_ms(6 * PERIOD_MS)
    assert [record["point"] for record in dev.records(codes.RECORD_DONE)] == [1, 2]


def test_without_a_measured_syringe_a_press_gives_one_careful_shot():
    """Metering: until a careful shot has measured the syringe the run's law isn't used, and nothing follows."""
    dev = loaded(measured=False)
    dev.app.state[image.ST_SOFT_N] = 0
    dev.touch(True)
    pull(dev)
    assert dev.app.state[image.ST_ARG_SKIN_TICKS] == 0
    dev.run_ms(500)
    assert len(dev.shots()) == 1
    pull(dev, False)
    dev.touch(False)
    dev.run_ms(200)
    dev.touch(True)
    pull(dev)
    assert dev.app.state[image.ST_ARG_SKIN_TICKS] == 360
    dev.run_ms(3 * PERIOD_MS)
    assert len(dev.shots()) > 3


def test_a_run_that_waits_too_long_is_over():
    """F1 trigger stuck: a hop that finds no next place for 1.5 s needs a fresh press."""
    dev = loaded(codes.RUN_HOP)
    dev.touch(True)
    pull(dev)
    dev.run_ms(PERIOD_MS)
    dev.touch(False)
    dev.run_ms(1600)
    dev.renew()
    dev.touch(True)
    dev.run_ms(PERIOD_MS)
    assert len(dev.shots()) == 1


@pytest.mark.parametrize("what", ["disarm", "stop", "lease", "partial", "estop", "store", "limit"])
def test_whatever_ends_the_arming_ends_the_run(what):
    """Invariants 2 and 3: each of these starts no further shot of a run."""
    dev = loaded()
    if what == "partial":
        dev.player.results = [(codes.RESULT_DONE, 0), (codes.RESULT_PARTIAL, codes.CAUSE_TIME)]
    dev.touch(True)
    pull(dev)
    dev.run_ms(PERIOD_MS // 2)
    if what == "disarm":
        dev.ask(codes.MSG_DISARM)
    elif what == "stop":
        dev.ask(codes.MSG_STOP)
    elif what == "lease":
        dev.run_ms(2000)
        dev.pins[image.IN_TRIGGER] = 1
    elif what == "estop":
        dev.pins[image.IN_ESTOP] = 1
        dev.run(4)
        dev.pins[image.IN_ESTOP] = 0
    elif what == "store":
        dev.store.fail = ("write",)
    elif what == "limit":
        dev.app.settings.max_session_nl = 15_000
    dev.run_ms(3 * PERIOD_MS)
    before = len(dev.shots())
    dev.run_ms(1000)
    assert len(dev.shots()) == before <= 12
    assert not dev.app.session.run.on


@pytest.mark.parametrize(
    ("fields", "refusal"),
    [
        ((codes.RUN_GLIDE, 90, 90, MOST_NL, 120_000, 4000), codes.REFUSED_BAD_VALUE),  # under min_gap_ms
        ((codes.RUN_GLIDE, 111, 90, 100_000, 120_000, 4000), 0),
        ((codes.RUN_GLIDE, 111, 90, 9_999, 120_000, 4000), codes.REFUSED_TOO_MUCH),  # less than one point
        ((codes.RUN_NONE, 111, 90, MOST_NL, 120_000, 4000), codes.REFUSED_BAD_VALUE),
    ],
)
def test_what_a_run_may_declare(fields, refusal):
    """Invariant 2: rate and the most of one place are held against the device's own limits."""
    dev = Device()
    dev.prepare()
    assert dev.load(ROWS, run=fields) == refusal


def test_a_place_gets_no_more_than_a_shot_may():
    """Invariant 2: what may be given without contact released is never over the limit of a shot."""
    dev = Device()
    dev.prepare()
    dev.app.settings.max_shot_nl = 50_000
    assert dev.load(ROWS, run=(codes.RUN_GLIDE, 111, 90, 50_001, 120_000, 4000)) == codes.REFUSED_BAD_VALUE


def test_a_board_of_single_shots_refuses_a_run():
    """Boards: one that offers single shots only refuses the declaration."""
    dev = Device()
    dev.prepare()
    dev.board.repetitive = 0
    assert dev.load(ROWS, run=(codes.RUN_GLIDE, 111, 90, MOST_NL, 120_000, 4000)) == codes.REFUSED_HARDWARE


def test_the_declaration_is_part_of_the_seal():
    """Invariant 9: a table whose run was declared otherwise than the host meant can't be sealed."""
    dev = Device()
    dev.prepare()
    fields = (codes.RUN_GLIDE, 111, 90, MOST_NL, 120_000, 4000)
    assert dev.load(ROWS, run=fields, sealed_run=None) == codes.REFUSED_BAD_SEAL


def test_a_line_that_hides_leaks_is_refused():
    """No dose onto the skin: where the short look can't tell a leak from tissue a run isn't taken."""
    dev = Device()
    dev.prepare()
    fields = (codes.RUN_GLIDE, 111, 90, MOST_NL, 120_000, 4000)
    for needle, viscosity_upas, refusal in ((3, 1000, 0), (3, 1100, codes.REFUSED_BAD_VALUE), (1, 10_000, 0)):
        assert dev.load(ROWS, run=fields, needle=needle, viscosity_upas=viscosity_upas) == refusal
    assert dev.load(ROWS, run=fields, viscosity_upas=11_000) == codes.REFUSED_BAD_VALUE
