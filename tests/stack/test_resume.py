"""What breaks a treatment off, and how it is taken up: nothing doubled, nothing lost, and a record in every case."""

import pytest
import treatkit
from sit_host._gen.enums import Record as Kind
from sit_host.errors import SitError
from sit_host.treatment.journal import JournalError, Writer
from treatkit import SCENARIOS, Operator, treat, write_plan

HOST_ONLY = "what it shows is the host's; one target is enough"
POINTS = [(1.5, 10.0)] * 4


@pytest.fixture
def plan(tmp_path):
    """Four points of 10 uL."""
    return write_plan(tmp_path, POINTS)


def interrupt_after(points, times=1):
    """An operator who presses Ctrl-C once so many points are done."""

    def press(talk, tally):
        if tally.done >= points:
            talk.interrupts = max(talk.interrupts, times)

    return Operator(on_tally=press)


def test_a_pulled_cable_doubles_and_loses_nothing(open_device, plan, tmp_path):
    """Invariant 5: a cable pulled in the middle of a shot and put back ends with every point exactly once."""
    client = open_device(scenario=SCENARIOS / "cable_pulled_mid_treatment.toml")
    operator = Operator()
    done = treat(client, plan, tmp_path / "records", operator)
    assert any("Connected again" in text for text in operator.said)
    assert done.record["complete"]
    assert treatkit.each_once(client, len(POINTS))
    assert done.record["summary"]["truth"]["steps_equal"]
    assert len(client.transport.truth()["shots"]) == len(POINTS)


def test_a_cable_pulled_while_it_is_made_ready(open_device, plan, tmp_path):
    """Invariant 5: a cable pulled during zero, prime or loading is no reason to give anything twice."""
    client = open_device()
    for second in range(4, 16, 4):
        client.transport.target.machine.events.at(
            second * 4000, lambda: client.transport.control({"do": "cable", "out_ms": 700})
        )
    done = treat(client, plan, tmp_path / "records")
    assert done.record["complete"], done.record["reason"]
    assert treatkit.each_once(client, len(POINTS))


def test_ctrl_c_ends_after_the_shot_and_a_second_start_goes_on(device, plan, tmp_path):
    """Ctrl-C disarms after the shot under way, keeps a record, and the next start gives what is left, no more."""
    first = treat(device, plan, tmp_path / "records", interrupt_after(2))
    assert first.record["ended"] == "stopped" and first.json_path.exists() and first.html_path.exists()
    assert treatkit.device_state(device) == "IDLE"
    given = sum(treatkit.starts(device).values())
    assert 2 <= given < len(POINTS)
    second = treat(device, plan, tmp_path / "records")
    assert second.record["resumed"] and second.record["complete"]
    assert second.record["treatment"] == first.record["treatment"]
    assert treatkit.each_once(device, len(POINTS))
    assert second.record["summary"]["points"] == len(POINTS)
    third = treat(device, plan, tmp_path / "records", interrupt_after(0), over_soft=True)
    assert third.record["run"] == 2 and not third.record["resumed"]


def test_ctrl_c_twice_stops_at_once(device, plan, tmp_path):
    """A second Ctrl-C ends a shot under way: the needle is home, the point is on record as not given in full."""

    class Impatient(Operator):
        @property
        def interrupts(self):
            tip_um = device.transport.truth()["tip_um"] if device.header else -1
            self._pressed = self._pressed or (2 if tip_um > 500 else 0)
            return self._pressed

        @interrupts.setter
        def interrupts(self, value):
            self._pressed = value

    # a slow fluid: the shot lasts long enough for a person
    slow = write_plan(tmp_path, [(1.5, 90.0)] * 2, name="slow.toml")
    slow.write_text(slow.read_text().replace("viscosity_mpa_s = 1.0", "viscosity_mpa_s = 20.0"))
    done = treat(device, slow, tmp_path / "records", Impatient(), over_soft=True)
    assert done.record["ended"] == "stopped"
    ends = [r for r in treatkit.ledger(device) if r.kind in (Kind.DONE, Kind.PARTIAL, Kind.ABORTED)]
    assert [end.kind for end in ends] in ([Kind.PARTIAL], [Kind.ABORTED])
    assert device.transport.truth()["tip_um"] < 0
    assert treatkit.device_state(device) == "IDLE"


@pytest.mark.targets("sim:", reason=HOST_ONLY)
def test_a_lost_journal_is_made_up_for_by_the_ledger(device, plan, tmp_path):
    """Invariant 5: with every file on the host lost, a second start finds the treatment in the device's ledger."""
    treat(device, plan, tmp_path / "records", interrupt_after(2))
    second = treat(device, plan, tmp_path / "elsewhere")
    assert second.record["resumed"] and second.record["complete"]
    assert treatkit.each_once(device, len(POINTS))


@pytest.mark.targets("sim:", reason=HOST_ONLY)
def test_a_new_run_is_a_new_treatment(device, plan, tmp_path):
    """A declined treatment isn't offered again; the new one has a name of its own."""
    first = treat(device, plan, tmp_path / "records", interrupt_after(1))
    second = treat(device, plan, tmp_path / "records", interrupt_after(1), new=True, over_soft=True)
    assert second.record["treatment"] != first.record["treatment"]
    third = treat(device, plan, tmp_path / "records")
    assert third.record["treatment"] == second.record["treatment"]
    assert third.record["complete"]


def test_a_power_cut_leaves_an_unknown_shot_that_nobody_repeats(open_device, plan, tmp_path):
    """Invariant 4: after a power cut in a shot nothing goes on until a person has looked; that point isn't repeated."""
    client = open_device(scenario=SCENARIOS / "power_cut_mid_shot.toml")
    alone = treat(client, plan, tmp_path / "records")
    assert alone.record["ended"] == "failed"
    assert "sit ack" in alone.record["reason"]
    assert sum(treatkit.starts(client).values()) == 2
    # a person looks at it, acknowledges and goes on
    done = treat(client, plan, tmp_path / "records", Operator(attended=True))
    assert [point["verdict"] for point in done.record["points"]] == ["done", "uncertain", "done", "done"]
    assert treatkit.starts(client) == {(1, 1): 1, (2, 1): 1, (3, 1): 1, (4, 1): 1}
    uncertain = done.record["points"][1]
    truth_nl = alone.record["points"][1]["truth"]["volume_nl"]
    assert uncertain["reported"]["volume_min_nl"] <= truth_nl <= uncertain["reported"]["volume_max_nl"]


def test_a_missed_point_is_given_what_it_lacks(open_device, plan, tmp_path):
    """A point that ended early is offered again as the next attempt, for the rest: never more than planned in all."""
    client = open_device(scenario=SCENARIOS / "contact_lost.toml")
    done = treat(client, plan, tmp_path / "records")
    point = done.record["points"][1]
    kinds = [attempt["kind"] for attempt in point["attempts"]]
    assert kinds == ["PARTIAL", "DONE"]
    first, second = point["attempts"]
    assert second["asked_nl"] == POINTS[1][1] * 1000 - first["volume_max_nl"]
    assert point["truth"]["volume_nl"] <= 1.03 * POINTS[1][1] * 1000
    assert treatkit.each_once(client, len(POINTS))


@pytest.mark.targets("sim:", reason=HOST_ONLY)
def test_a_declined_point_stays_missed(open_device, plan, tmp_path):
    """An operator may leave a missed point: the treatment is finished, not complete, and the record says so."""
    client = open_device(scenario=SCENARIOS / "contact_lost.toml")
    operator = Operator(attended=True, answers=[("Missed", False)])
    done = treat(client, plan, tmp_path / "records", operator)
    assert done.record["ended"] == "finished" and not done.record["complete"]
    assert [point["verdict"] for point in done.record["points"]] == ["done", "partial", "done", "done"]
    assert sum("Missed" in question for question in operator.asked) == 1


def test_a_fault_waits_for_a_person(open_device, plan, tmp_path):
    """Invariant 6: with nobody there a fault ends the treatment; a person clears it and the rest is given."""
    client = open_device(scenario=SCENARIOS / "estop.toml")
    alone = treat(client, plan, tmp_path / "records")
    assert alone.record["ended"] == "failed" and "ESTOP" in alone.record["reason"]
    assert treatkit.device_state(client) == "FAULT"
    assert [alarm["name"] for alarm in alone.record["alarms"]].count("ESTOP") == 1
    client.sleep(3.0)  # the e-stop is released
    done = treat(client, plan, tmp_path / "records", Operator(attended=True))
    assert done.record["complete"]
    assert treatkit.each_once(client, len(POINTS))


@pytest.mark.targets("sim:", reason=HOST_ONLY)
def test_ctrl_c_at_a_question_ends_the_work_under_way(device, plan, tmp_path):
    """Ctrl-C while the device is made ready stops its work at once and keeps a record."""

    class Leaving(Operator):
        def pause(self, text):
            if "Prime" in text:
                raise KeyboardInterrupt

    done = treat(device, plan, tmp_path / "records", Leaving())
    assert done.record["ended"] == "stopped" and done.html_path.exists()
    assert treatkit.device_state(device) == "IDLE"
    assert not treatkit.starts(device)


@pytest.mark.targets("sim:", reason=HOST_ONLY)
def test_a_device_that_never_comes_back(device, plan, tmp_path):
    """Exit code 3: with the cable out for good it isn't known what happened, and the record says so."""

    def pull(talk, tally):
        if tally.done == 1:
            device.transport.control({"do": "cable"})

    done = treat(device, plan, tmp_path / "records", Operator(on_tally=pull))
    assert done.record["ended"] == "failed"
    assert done.result.error.exit_code == 3
    assert "didn't come back" in done.record["reason"]
    device.transport.control({"do": "cable", "state": "in"})
    device.reconnect()
    assert treat(device, plan, tmp_path / "records").record["complete"]
    assert treatkit.each_once(device, len(POINTS))


@pytest.mark.targets("sim:", reason=HOST_ONLY)
def test_a_plan_given_again_is_asked_about(device, plan, tmp_path):
    """Limits: a plan that was given within a day is given again only when a person says that it is meant, at the
    terminal or by the flag; the same if it was changed in between and its earlier version wasn't finished."""
    treat(device, plan, tmp_path / "records")
    before = sum(treatkit.starts(device).values())
    declining = Operator(attended=True, answers=[("soft limits", False), ("Go on with it", False)])
    for nobody in (declining, Operator()):
        with pytest.raises(SitError, match="Nothing was given"):
            treat(device, plan, tmp_path / "records", nobody)
        assert any("begun 1 times within a day" in sentence for sentence in nobody.said)
    record = treat(device, plan, tmp_path / "records", interrupt_after(1), over_soft=True).record
    assert [item["how"] for item in record["agreed"]] == ["--over-soft-limits"]
    plan.write_text(plan.read_text() + "# changed\n")
    changed = Operator(attended=True, answers=[("soft limits", False)])
    with pytest.raises(SitError, match="Nothing was given"):
        treat(device, plan, tmp_path / "records", changed)
    assert any("earlier version" in sentence for sentence in changed.said)
    assert sum(treatkit.starts(device).values()) < before + len(POINTS)


def test_a_device_that_falls_silent_is_asked_again(open_device, plan, tmp_path):
    """Invariants 3, 5: five seconds of silence on an open link end the lease, not the treatment; nothing is doubled."""
    client = open_device(scenario=SCENARIOS / "host_silent.toml")
    operator = Operator()
    done = treat(client, plan, tmp_path / "records", operator)
    assert done.record["complete"], done.record["reason"]
    assert any("Connected again" in text for text in operator.said)
    assert treatkit.each_once(client, len(POINTS))


def test_a_noisy_link_changes_nothing(open_device, plan, tmp_path):
    """Invariant 5: a link that drops, doubles and damages frames gives every point exactly once."""
    client = open_device(scenario=SCENARIOS / "noisy_link.toml")
    done = treat(client, plan, tmp_path / "records")
    assert done.record["complete"], done.record["reason"]
    assert treatkit.each_once(client, len(POINTS))


@pytest.mark.targets("sim:", reason=HOST_ONLY)
def test_a_device_that_nobody_uses_is_disarmed(device, plan, tmp_path, monkeypatch):
    """Invariant 3: an armed device whose trigger nobody pulls is disarmed, and the treatment can be taken up again."""
    monkeypatch.setattr("sit_host.treatment.give.PATIENCE_S", 0.5)
    done = treat(device, plan, tmp_path / "records")
    assert done.record["ended"] == "stopped" and "no point was given" in done.record["reason"]
    assert treatkit.device_state(device) == "IDLE"
    assert not treatkit.starts(device)


@pytest.mark.targets("sim:", reason=HOST_ONLY)
def test_a_host_that_cannot_remember_gives_no_more(device, plan, tmp_path, monkeypatch):
    """Invariant 3: a journal that can't be written in the middle disarms the device, and no further shot begins."""
    write = Writer.add

    def full(writer, item):
        if sum(treatkit.starts(device).values()) >= 2:
            raise JournalError("The journal can't be written (no space left).", "Make room.")
        write(writer, item)

    monkeypatch.setattr(Writer, "add", full)
    done = treat(device, plan, tmp_path / "records")
    assert done.record["ended"] == "failed" and "no space left" in done.record["reason"]
    assert treatkit.device_state(device) == "IDLE"
    assert sum(bool(point["attempts"]) for point in done.record["points"]) == 2
    given = sum(treatkit.starts(device).values())
    monkeypatch.undo()
    assert treat(device, plan, tmp_path / "records").record["complete"]
    assert given == 2 and treatkit.each_once(device, len(POINTS))


@pytest.mark.targets("sim:", reason=HOST_ONLY)
def test_a_bug_on_the_host_stops_the_device_and_keeps_the_record(device, plan, tmp_path):
    """Invariant 6: whatever fails on the host, the device is stopped and what was given is kept."""

    def fail(talk, tally):
        if tally.done == 2:
            raise RuntimeError("made up")

    with pytest.raises(RuntimeError, match="made up"):
        treat(device, plan, tmp_path / "records", Operator(on_tally=fail))
    assert treatkit.device_state(device) == "IDLE"
    assert len(list((tmp_path / "records").glob("*/record.json"))) == 1
    assert treat(device, plan, tmp_path / "records").record["complete"]
    assert treatkit.each_once(device, len(POINTS))
