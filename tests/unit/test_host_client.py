"""The host's client against a scripted device: outcomes, lost replies, schema, refusals of the host itself."""

from __future__ import annotations

import dataclasses

import pytest
from sit_host._gen import enums, messages
from sit_host._gen.enums import Ready, Refusal, State
from sit_host.codec import encode_frame
from sit_host.errors import EXIT_UNKNOWN, LinkLost, NoAnswer, ProtocolError, RefusedError, UnknownError
from sit_host.outcome import Delivered, Refused, Unknown, expect
from sit_host.table import NO_EXPIRY, ROWS_PER_PAGE, Row, pages, seal_hash
from sit_host.testing import ScriptedDevice, header, make


def _begin(count: int) -> messages.LoadBegin:
    return messages.LoadBegin(b"treatmnt", count, 1, 1, 1000, 50_000, 100, NO_EXPIRY)


def test_delivered_refused_unknown() -> None:
    """Every command ends in one of three ways, and the reply is the device's own."""
    device = ScriptedDevice()
    device.answer(messages.Prime, make(messages.PrimeReply, header=header(state=State.BUSY)), Refusal.NOT_READY, None)
    client = device.client()
    first = client.prime(2000)
    assert isinstance(first, Delivered) and first.reply.header.state == State.BUSY
    second = client.prime(2000)
    assert isinstance(second, Refused) and second.name == "NOT_READY" and second.reply.result == Refusal.NOT_READY
    third = client.prime(2000)
    assert isinstance(third, Unknown) and third.sent == messages.Prime(2000)
    with pytest.raises(UnknownError) as caught:
        expect(third)
    assert caught.value.exit_code == EXIT_UNKNOWN


def test_lost_replies_are_asked_for_again_with_the_same_number() -> None:
    """Invariant 5: a lost reply is asked for again as the same frame, so the device acts once."""
    device = ScriptedDevice()
    client = device.client()
    copies = device.copies
    device.drop_replies = 3
    assert isinstance(client.prime(5000), Delivered)
    assert device.copies - copies == 4
    assert device.sent(messages.Prime) == [messages.Prime(5000)]


def test_silence_ends_as_unknown_and_is_never_sent_anew() -> None:
    """Invariant 5: after its last copy a command is Unknown; nothing later sends it under a new number."""
    device = ScriptedDevice()
    device.answer(messages.Prime, None)
    client = device.client()
    assert isinstance(client.prime(5000), Unknown)
    client.sleep(5)
    expect(client.status())
    client.reconnect()
    assert device.sent(messages.Prime) == [messages.Prime(5000)]


def test_a_reply_no_longer_kept_leaves_the_outcome_unknown() -> None:
    """Invariant 5: SEQUENCE says nothing of an earlier copy; on a frame sent once it is a refusal."""
    device = ScriptedDevice()
    device.answer(messages.Prime, Refusal.SEQUENCE)
    client = device.client()
    assert isinstance(client.prime(5000), Refused)
    device.drop_replies = 1
    assert isinstance(client.prime(5000), Unknown)


def test_a_late_reply_is_nobodys() -> None:
    """A reply that comes after its request was given up isn't taken for the next one's."""
    device = ScriptedDevice()
    device.answer(messages.Prime, None, Refusal.BAD_STATE)
    client = device.client()
    unknown = client.prime(5000)
    late_seq = client.exchange.seq
    reply = make(messages.PrimeReply, header=header())
    device.say(encode_frame(late_seq, messages.PrimeReply.ID, reply.pack(), session=client.exchange.session))
    assert isinstance(unknown, Unknown)
    assert isinstance(client.prime(5000), Refused)
    assert client.exchange.counters.strays == 1


def test_a_reply_of_another_session_is_nobodys() -> None:
    """A reply with the right number, but of a session before this one, is dropped."""
    device = ScriptedDevice()
    device.answer(messages.Prime, None)
    client = device.client()
    reply = make(messages.PrimeReply, header=header())
    other = client.exchange.session ^ 1
    device.say(encode_frame(client.exchange.seq + 1, messages.PrimeReply.ID, reply.pack(), session=other))
    assert isinstance(client.prime(5000), Unknown)


def test_another_schema_allows_reading_and_stopping_only() -> None:
    """A schema mismatch reads, stops and disarms; nothing else leaves this host."""
    device = ScriptedDevice()
    device.answer(messages.Hello, make(messages.HelloReply, header=device.header, schema_hash=b"another!", major=1))
    client = device.client(hello=False)
    client.hello()
    assert not client.schema_matches
    for outcome in (client.zero(), client.prime(2000), client.arm(2000, 0, 1), client.clear_fault(32)):
        assert isinstance(outcome, Refused) and outcome.name == "SCHEMA" and outcome.reply is None
    assert isinstance(client.status(), Delivered)
    assert isinstance(client.stop(), Delivered)
    assert isinstance(client.disarm(), Delivered)
    kinds = {type(message) for message in device.seen}
    assert kinds == {messages.Hello, messages.Status, messages.Stop, messages.Disarm}


def test_values_outside_their_range_are_refused_here() -> None:
    """A value outside the schema's range is refused in one sentence and not sent."""
    device = ScriptedDevice()
    client = device.client()
    outcome = client.prime(300_001)
    assert isinstance(outcome, Refused) and outcome.name == "BAD_VALUE" and "1000 to 300000 nl" in outcome.doc
    assert not device.sent(messages.Prime)


def test_one_micrometre_too_deep_is_refused_here() -> None:
    """Invariant 1: a row deeper than the device's highest depth is refused by the client; `check` off sends it."""
    device = ScriptedDevice()
    client = device.client()
    assert client.device is not None
    deepest = client.device.max_depth_um
    rows = [Row(1, 1, 1, deepest, 5000), Row(2, 1, 1, deepest + 1, 5000)]
    outcome = client.load_table(_begin(2), rows)
    assert isinstance(outcome, Refused) and outcome.name == "TOO_DEEP" and f"{deepest + 1} um" in outcome.doc
    assert not device.sent(messages.LoadBegin)
    assert isinstance(client.load_table(_begin(1), rows[:1]), Delivered)
    assert isinstance(client.load_table(_begin(2), rows, check=False), Delivered)
    assert device.sent(messages.LoadPage)[-1].rows == rows[0].pack() + rows[1].pack()


def test_an_expired_product_is_refused_here() -> None:
    """Limits: the client refuses a product that has expired by this host's clock; before that it sends it."""
    device = ScriptedDevice()
    client = device.client()
    now_s = client.now_unix_s()
    rows = [Row(1, 1, 1, 1200, 5000)]
    outcome = client.load_table(dataclasses.replace(_begin(1), expiry_unix_s=now_s), rows)
    assert isinstance(outcome, Refused) and outcome.name == "EXPIRED" and "another lot" in outcome.hint
    assert not device.sent(messages.LoadBegin)
    assert isinstance(client.load_table(dataclasses.replace(_begin(1), expiry_unix_s=now_s + 60), rows), Delivered)


def test_a_table_too_long_is_refused_here() -> None:
    """A table longer than the device holds, or of another length than it says, isn't begun."""
    device = ScriptedDevice()
    client = device.client()
    rows = [Row(n, 1, 1, 1200, 5000) for n in range(513)]
    outcome = client.load_table(_begin(513), rows)
    assert isinstance(outcome, Refused) and outcome.name == "TOO_MANY"
    outcome = client.load_table(_begin(2), rows[:3])
    assert isinstance(outcome, Refused) and outcome.name == "BAD_VALUE"
    assert not device.sent(messages.LoadBegin)


def test_a_table_goes_in_pages_and_is_sealed() -> None:
    """Pages hold whole rows and carry the index of their first; the seal covers LOAD_BEGIN and all rows."""
    device = ScriptedDevice()
    client = device.client()
    rows = [Row(n, 1, 1, 1200, 5000) for n in range(2 * ROWS_PER_PAGE + 1)]
    expect(client.load_table(_begin(len(rows)), rows))
    sent = device.sent(messages.LoadPage)
    assert [page.first for page in sent] == [0, ROWS_PER_PAGE, 2 * ROWS_PER_PAGE]
    assert b"".join(page.rows for page in sent) == b"".join(row.pack() for row in rows)
    assert device.sent(messages.LoadSeal) == [messages.LoadSeal(len(rows), seal_hash(_begin(len(rows)), rows))]
    assert all(len(page.pack()) <= messages.MAX_PAYLOAD for page in pages(rows))


def test_loading_ends_at_the_first_refusal() -> None:
    """After a refused page neither further pages nor the seal are sent."""
    device = ScriptedDevice()
    device.answer(messages.LoadPage, Refusal.TOO_SHALLOW)
    client = device.client()
    rows = [Row(n, 1, 1, 100, 5000) for n in range(2 * ROWS_PER_PAGE)]
    outcome = client.load_table(_begin(len(rows)), rows)
    assert isinstance(outcome, Refused) and outcome.name == "TOO_SHALLOW"
    assert len(device.sent(messages.LoadPage)) == 1 and not device.sent(messages.LoadSeal)


def test_garbage_is_told_apart_from_silence() -> None:
    """A device that answers garbage, a MicroPython prompt and silence each get their own sentence."""
    garbage = ScriptedDevice()
    garbage.answer(messages.Hello, None)
    garbage.at(0.1, lambda: garbage.say(b"OK 25.0 C\r\n\0more"))
    with pytest.raises(ProtocolError, match=r"not like an OpenSIT device.*OK 25\.0 C"):
        garbage.client()
    prompt = ScriptedDevice()
    prompt.answer(messages.Hello, None)
    prompt.say(b"MicroPython v1.26 on 2026-01-01\r\n>>> ")
    with pytest.raises(ProtocolError) as caught:
        prompt.client()
    assert "MicroPython prompt" in caught.value.do
    silent = ScriptedDevice()
    silent.answer(messages.Hello, None)
    with pytest.raises(NoAnswer, match="doesn't answer"):
        silent.client()


def test_noise_before_a_good_answer_is_no_error() -> None:
    """Boot messages before the first frame don't keep a session from being opened."""
    device = ScriptedDevice()
    device.say(b"booting...\r\n\0")
    assert device.client().device is not None


def test_a_reply_too_short_is_a_protocol_error() -> None:
    """A reply that is too short for its message is an error of its own, not a number made up."""
    device = ScriptedDevice()
    device.answer(messages.SettingsRead, header())
    with pytest.raises(ProtocolError, match="SETTINGS_READ"):
        device.client().settings_read()


def test_a_lost_link_sends_nothing_more() -> None:
    """Once the link is lost, commands are not tried, and a reading doesn't pretend to an unknown outcome."""
    device = ScriptedDevice()
    client = device.client()
    device.cut()
    outcome = client.prime(5000)
    assert isinstance(outcome, Unknown) and outcome.lost
    with pytest.raises(LinkLost):
        client.zero()
    with pytest.raises(LinkLost):
        client.wait(client.transport.now() + 1)
    assert not device.sent(messages.Zero)


def test_readings_that_get_no_answer() -> None:
    """A reading that isn't answered is NoAnswer or LinkLost, never 'outcome unknown'."""
    device = ScriptedDevice()
    client = device.client()
    device.answer(messages.Status, None)
    with pytest.raises(NoAnswer):
        expect(client.status())
    device.cut()
    with pytest.raises(LinkLost):
        expect(client.status())


def test_stop_is_repeated_soon_and_needs_no_session() -> None:
    """Invariant 9: STOP works without HELLO, and is repeated within a tenth of a second."""
    device = ScriptedDevice()
    client = device.client(hello=False)
    device.drop_replies = 2
    assert isinstance(client.stop(), Delivered)
    assert device.now() < 0.3 and client.exchange.session == 0


RESOLVED = [
    (messages.Arm(2000, 0, 1), {"header": header(state=State.ARMED)}, True),
    (messages.Arm(2000, 0, 1), {}, False),
    (messages.Disarm(), {"header": header(state=State.INJECTING)}, False),
    (messages.Stop(), {}, True),
    (messages.ClearFault(44), {"header": header(fault=44)}, False),
    (messages.ClearFault(44), {}, True),
    (messages.AckUncertain(7), {"uncertain_seq": 7}, False),
    (messages.AckUncertain(7), {}, True),
    (messages.LedgerRelease(9), {"ledger_saved": 8}, False),
    (messages.LedgerRelease(9), {"ledger_saved": 9}, True),
    (messages.LoadSeal(3, bytes(8)), {"points": 2}, False),
    (messages.LoadSeal(3, bytes(8)), {"points": 3}, True),
    (messages.Zero(), {"header": header(ready=Ready.TESTED)}, False),
    (messages.Prime(2000), {}, True),
    (messages.Subscribe(100), {}, None),
]


@pytest.mark.parametrize(("sent", "status", "expected"), RESOLVED, ids=lambda value: getattr(value, "NAME", None))
def test_unknown_outcomes_are_resolved_by_the_status(sent: object, status: dict, expected: bool | None) -> None:
    """Invariant 5: what became of a command is read from the device, not found out by sending it anew."""
    device = ScriptedDevice()
    client = device.client()
    device.answer(messages.Status, lambda request: device.status(**status))
    before = len(device.seen)
    assert client.resolve(Unknown("x", "no reply", sent)) is expected
    assert device.seen[before:] == [messages.Status()]


def test_a_hint_goes_with_each_refusal() -> None:
    """Every refusal has a sentence and says what to do; one that is new to this host is named by its number."""
    device = ScriptedDevice()
    client = device.client()
    for number in Refusal:
        device.answer(messages.Zero, number)
        with pytest.raises(RefusedError) as caught:
            expect(client.zero())
        assert caught.value.name == number.name and caught.value.what.endswith(".") and caught.value.do.endswith(".")
    device.answer(messages.Zero, messages.ReplyHeader(31, State.IDLE, 0, 0, 0, 0, 0))
    outcome = client.zero()
    assert isinstance(outcome, Refused) and "31" in outcome.doc


def test_the_clock_is_set_only_when_needed() -> None:
    """The clock is set when it isn't set or off by a minute, and only in a state that takes it."""
    device = ScriptedDevice()
    client = device.client()
    client.set_clock_if_needed()
    assert not device.sent(messages.SetClock)
    device.answer(messages.Status, device.status(unix_s=0, header=header(state=State.ARMED)))
    client.set_clock_if_needed()
    assert not device.sent(messages.SetClock)
    device.answer(messages.Status, device.status(unix_s=0))
    client.set_clock_if_needed()
    assert len(device.sent(messages.SetClock)) == 1


def test_every_message_has_a_method() -> None:
    """One typed method per message of the schema."""
    device = ScriptedDevice()
    client = device.client()
    client.load_table(_begin(1), [Row(1, 1, 1, 1200, 5000)], run=messages.LoadRun(1, 110, 60, 5000, 50_000, 0))
    calls = (
        client.settings_read,
        client.zero,
        lambda: client.prime(2000),
        lambda: client.arm(1000, 0, 1),
        lambda: client.renew(1000),
        client.access_read,
        lambda: client.pair(bytes(16)),
        lambda: client.service(enums.Service.CLOSE),
        lambda: client.settings_write(messages.SettingsWrite(1000, 600, 10000, 100000, 100000, 100000, 100, 2000)),
        lambda: client.calibration_write(messages.CalibrationWrite(1, 4699, 0, 7007, 10000, 1)),
        client.disarm,
        client.stop,
        lambda: client.clear_fault(32),
        lambda: client.ack_uncertain(1),
        client.selftest,
        lambda: client.ledger_read(1),
        lambda: client.ledger_release(1),
        lambda: client.subscribe(0),
        lambda: client.recorder_read(0),
        lambda: client.events_read(0),
        lambda: client.set_clock(1_800_000_000),
        lambda: client.change(enums.Change.NEEDLE, done=False),
        client.update,
    )
    for call in calls:
        assert isinstance(call(), Delivered)
    assert {type(message) for message in device.seen} == {rule.request for rule in messages.RULES.values()}
