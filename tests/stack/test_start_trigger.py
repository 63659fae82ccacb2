"""Starting: only the trigger, only armed and in contact, through every layer (invariants 2, 3, 5)."""

import pytest
from shotkit import TREATMENT, Bench, refusal
from sit_firmware import codes
from sit_host._gen import enums, messages
from sit_host.outcome import expect

POINTS = [(1, 1500, 5000), (2, 1500, 5000)]


def carriage_moved(bench):
    """Whether the needle has left its park place since the truth was last looked at."""
    return bench.target.machine.shots_begun


@pytest.fixture
def bench(open_sim):
    """A prepared device in nobody's hands."""
    bench = Bench(open_sim(hand="none"))
    bench.prepare()
    return bench


def test_nothing_but_the_trigger_starts(bench):
    """Invariant 2: contact alone, the trigger alone, the trigger before arming: no needle moves."""
    expect(bench.load(POINTS))
    before = bench.truth()["tip_max_um"]
    bench.press_and_trigger()
    bench.run_ms(300)
    bench.lift()
    expect(bench.arm(count=2))
    bench.hand("press")
    bench.run_ms(300)
    bench.lift()
    bench.hand("trigger")
    bench.run_ms(300)
    bench.hand("release")
    assert carriage_moved(bench) == 0
    assert bench.truth()["tip_max_um"] == before
    assert bench.records(enums.Record.INTENT) == []
    seen = [event.a for event in bench.events(enums.Event.TRIGGER)]
    assert seen == [codes.REFUSED_BAD_STATE, codes.REFUSED_NO_CONTACT]


def test_a_held_trigger_and_contact_give_one_shot(bench):
    """Invariant 2: trigger and contact that stick give one point, not two."""
    expect(bench.load(POINTS))
    expect(bench.arm(count=2))
    bench.press_and_trigger()
    bench.client.sleep(3)
    assert len(bench.ends()) == 1
    bench.hand("release")
    bench.run_ms(20)
    bench.hand("trigger")
    bench.client.sleep(1)
    assert len(bench.ends()) == 1
    assert bench.events(enums.Event.TRIGGER)[-1].a == codes.REFUSED_STILL_CONTACT
    bench.check_depth()


def test_the_same_point_is_not_given_twice(bench):
    """Invariant 5: a table with a point that was given is refused; the same point as a new attempt is taken."""
    expect(bench.load(POINTS))
    expect(bench.arm(count=1))
    bench.press_and_trigger()
    bench.follow()
    bench.lift()
    assert refusal(bench.load(POINTS)) == codes.REFUSED_DUPLICATE
    assert refusal(bench.arm()) == codes.REFUSED_NOT_READY
    expect(bench.load([(1, 1500, 5000, 2)]))


def test_depth_over_the_limit_is_refused_by_the_device(bench):
    """One micrometre over the highest settable depth is refused by the firmware when the host lets it through."""
    highest = bench.client.device.max_depth_um
    assert refusal(bench.load([(1, highest + 1, 5000)], check=False)) == codes.REFUSED_TOO_DEEP
    expect(bench.load([(1, highest, 5000)]))


def test_contact_keeps_work_from_moving_the_needle(bench):
    """Invariant 2: zero and self-test don't begin while something touches the nose-piece, and end when it does."""
    bench.hand("press")
    bench.run_ms(50)
    for message in (messages.Zero(), messages.Selftest()):
        assert refusal(bench.client.request(message)) == codes.REFUSED_STILL_CONTACT
    bench.lift()
    expect(bench.client.selftest())
    bench.run_to_phase(codes.PHASE_TEST)
    bench.hand("press")
    bench.client.sleep(1)
    assert bench.events(enums.Event.WORK)[-1].b == codes.REFUSED_STILL_CONTACT
    assert not bench.status().header.ready & enums.Ready.TESTED
    assert bench.truth()["tip_um"] < -700


def test_a_wrong_zero_keeps_from_arming(open_sim):
    """Invariant 1: a tip outside the zero window is told with its offset, and the device can't be armed."""
    bench = Bench(open_sim(hand="none"))
    bench.work(messages.Selftest())
    bench.target.control({"do": "set", "key": "adjust_um", "value": 60})
    bench.hand("fit_zero_tool")
    end = expect(bench.client.run(messages.Zero(), 60))
    assert end.result == codes.REFUSED_WRONG_ZERO
    assert 40 <= abs(end.cause) <= 80
    bench.hand("remove_zero_tool")
    bench.work(messages.Prime(40000))
    expect(bench.load(POINTS, TREATMENT))
    assert refusal(bench.arm()) == codes.REFUSED_NOT_READY


def test_zero_without_its_tool_moves_nothing(open_sim):
    """Without a tool in the gate the needle stays parked, the zero ends by itself, and the device stays unzeroed."""
    bench = Bench(open_sim(hand="none"))
    bench.work(messages.Selftest())
    before = bench.truth()["tip_max_um"]
    end = expect(bench.client.run(messages.Zero(), 60))
    assert bench.truth()["tip_max_um"] == before
    assert (end.result, end.cause) == (codes.REFUSED_NOT_READY, codes.CAUSE_NO_GATE)
    assert not bench.status().header.ready & enums.Ready.ZEROED
    bench.check_depth()
