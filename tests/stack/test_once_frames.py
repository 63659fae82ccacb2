"""Frames that come twice, late, damaged or not at all: every point exactly once (invariant 5)."""

import pytest
from shotkit import Bench
from sit_firmware import codes
from sit_host._gen import enums, messages
from sit_host.outcome import Delivered, Unknown, expect

POINTS = [(n, 1500, 5000) for n in range(1, 4)]


def _each_once(bench):
    """Every point DONE once, in the ledger and in the plant, and nothing else was given."""
    assert [(end.point, end.kind) for end in bench.ends()] == [(n, enums.Record.DONE) for n, _, _ in POINTS]
    truth = bench.truth()
    assert len(truth["shots"]) == len(POINTS)
    assert sum(shot["shot"]["steps"] for shot in truth["shots"]) == sum(end.steps for end in bench.ends())
    bench.check_depth()


@pytest.mark.parametrize(
    "damage",
    [
        {"duplicate": 1.0},
        {"duplicate": 0.5, "delay_ms": 300, "reorder": True},
        {"drop": 0.25},
        {"corrupt": 0.2, "truncate": 0.1, "duplicate": 0.2},
    ],
    ids=["doubled", "late", "lost", "damaged"],
)
def test_a_treatment_over_a_bad_line(open_sim, damage):
    """Invariant 5: over a line that doubles, delays, drops or damages frames every point is given exactly once."""
    bench = Bench(open_sim())
    bench.prepare()
    expect(bench.load(POINTS))
    bench.target.control({"do": "link", "direction": "both", **damage})
    cursor = 0
    for _ in range(6):
        armed = bench.arm(cursor=cursor, count=len(POINTS) - cursor)
        if isinstance(armed, (Delivered, Unknown)):
            bench.follow()
        cursor = len(bench.ends())
        if cursor == len(POINTS):
            break
    bench.target.control({"do": "link"})
    _each_once(bench)


def test_every_frame_of_a_session_again(open_sim):
    """Invariant 5: all frames that a host sent to deliver a treatment, sent again, deliver nothing."""
    target = open_sim()
    sent = []
    send = target.send
    target.send = lambda data: sent.append(bytes(data)) or send(data)
    bench = Bench(target)
    bench.ready(POINTS)
    bench.follow()
    before = bench.truth()["plunger_steps"]
    records = len(bench.records())
    target.send = send
    for frame in list(sent):
        send(frame)
        bench.run_ms(2)
    bench.run_ms(5000)
    assert bench.truth()["plunger_steps"] == before
    bench.client.reconnect(5)
    assert len(bench.records()) == records
    _each_once(bench)


def test_a_lost_end_is_read_from_the_ledger(open_sim):
    """Invariant 5: when the cable is out while a point is given, the ledger tells; loading it again is refused."""
    bench = Bench(open_sim(hand="none"))
    bench.ready(POINTS[:1])
    bench.press_and_trigger()
    bench.run_to_phase(codes.PHASE_DISPENSE)
    bench.target.control({"do": "cable", "state": "out", "out_ms": 3000})
    bench.run_ms(2900)
    bench.lift()
    bench.client.reconnect(10)
    assert [(end.point, end.kind) for end in bench.ends()] == [(1, enums.Record.DONE)]
    assert bench.load(POINTS[:1]).number == codes.REFUSED_DUPLICATE


def test_a_purge_after_a_shot_is_none_of_its_steps(open_sim):
    """Simulator: the truth of a shot is what it was when the next motion began, the needle's or the plunger's."""
    bench = Bench(open_sim(hand="none"))
    bench.ready(POINTS)
    bench.press_and_trigger()
    bench.run_ms(600)
    bench.lift()
    expect(bench.client.disarm())
    bench.work(messages.Prime(40_000))
    assert bench.truth()["shots"][0]["shot"]["steps"] == bench.ends()[0].steps
