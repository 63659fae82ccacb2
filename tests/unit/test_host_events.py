"""Events of the device: each once and in order, although the wire loses and doubles them; work; the way back."""

from __future__ import annotations

import random

import pytest
from sit_host._gen import messages
from sit_host._gen.enums import Event, Refusal, State
from sit_host.client import WorkEnd
from sit_host.errors import LinkLost
from sit_host.events import EventLog
from sit_host.outcome import Delivered, Refused, Unknown
from sit_host.testing import ScriptedDevice, header, make


def _event(seq: int, kind: Event = Event.SHOT) -> messages.Event:
    return messages.Event(seq, seq * 10, kind, seq, 0, 0)


def _keeping(device: ScriptedDevice, kept: list[messages.Event], per_page: int = 9) -> None:
    """Answer EVENTS_READ from `kept`, oldest first, as many as fit a page."""

    def read(request: messages.EventsRead) -> messages.EventsReadReply:
        page = [event.pack() for event in kept if event.seq >= request.seq][:per_page]
        head = kept[-1].seq + 1 if kept else 0
        return make(messages.EventsReadReply, header=device.header, head=head, events=b"".join(page))

    device.answer(messages.EventsRead, read)


@pytest.mark.parametrize("seed", range(20))
def test_each_event_once_and_in_order(seed: int) -> None:
    """Whatever order, loss and doubling: every event comes out once, in order, once the gaps are filled."""
    rng = random.Random(seed)
    events = [_event(seq) for seq in range(5, 60)]
    on_wire = [event for event in events if rng.random() > 0.3] * 2
    rng.shuffle(on_wire)
    log = EventLog()
    log.begin(5)
    out = []
    for event in on_wire:
        log.push(event)
        out += log.take()
    while log.gap or log.next_seq < 60:
        log.fill([event for event in events if event.seq >= log.next_seq][:10], 60)
        out += log.take()
    assert out == events and log.lost == 0


def test_an_absurd_number_opens_no_gap() -> None:
    """An event numbered far beyond all others is dropped: it must not make the host ask for ever."""
    log = EventLog()
    log.begin(3)
    log.push(_event(4_000_000_000))
    log.push(_event(3))
    assert not log.gap and [event.seq for event in log.take()] == [3]


def test_what_the_device_dropped_is_counted() -> None:
    """Events that the device itself no longer has are counted as lost, and the later ones still come."""
    log = EventLog()
    log.begin(0)
    log.fill([_event(30), _event(31)], 32)
    assert [event.seq for event in log.take()] == [30, 31]
    assert log.lost == 30 and not log.gap


def test_a_gap_is_read_again() -> None:
    """An event lost on the wire shows as a gap when the next one comes, and is read again."""
    device = ScriptedDevice()
    client = device.client()
    kept = [
        device.event(Event.STATE, 1, lost=True),
        device.event(Event.STATE, 2, lost=True),
        device.event(Event.STATE, 3),
    ]
    _keeping(device, kept)
    client.sleep(0.1)
    assert client.events() == kept
    assert client.events() == []


def test_a_lost_last_event_is_found_by_asking() -> None:
    """The last event has no successor to show its loss: waiting for one asks the device twice a second."""
    device = ScriptedDevice()
    client = device.client()
    kept: list[messages.Event] = []
    _keeping(device, kept)
    device.at(1.0, lambda: kept.append(device.event(Event.SHOT, 7, lost=True)))
    found = client.wait_for(lambda: client.log.since(0), 10)
    assert found == kept and device.now() < 2.0


def test_many_lost_events_are_read_page_by_page() -> None:
    """More lost events than fit one reply are read in several."""
    device = ScriptedDevice()
    client = device.client()
    kept = [device.event(Event.SHOT, n, lost=True) for n in range(35)]
    _keeping(device, kept)
    assert client.events(refresh=True) == kept


def test_work_waits_for_its_own_event() -> None:
    """Long work ends with its own WORK event: not with one of other work, nor with one of the same work before."""
    device = ScriptedDevice()
    client = device.client()
    kept = [device.event(Event.WORK, messages.Zero.ID, 0, 3, lost=True)]  # of an earlier zero
    _keeping(device, kept)
    device.at(0.5, lambda: kept.append(device.event(Event.WORK, messages.Prime.ID, 0, 0)))
    device.at(1.0, lambda: kept.append(device.event(Event.WORK, messages.Zero.ID, Refusal.WRONG_ZERO, -21)))
    outcome = client.run(messages.Zero(), 10)
    assert outcome == Delivered(WorkEnd(Refusal.WRONG_ZERO, -21))


def test_work_refused_or_without_an_end() -> None:
    """Refused work isn't waited for; work that reports no end in time is Unknown, not done."""
    device = ScriptedDevice()
    client = device.client()
    _keeping(device, [])
    device.answer(messages.Zero, Refusal.NOT_READY, make(messages.ZeroReply, header=header(state=State.BUSY)))
    assert isinstance(client.run(messages.Zero(), 10), Refused)
    outcome = client.run(messages.Zero(), 10)
    assert isinstance(outcome, Unknown) and "10 s" in outcome.why


def test_coming_back_disarms_and_goes_on_with_the_events() -> None:
    """Invariant 3: after a lost link the device is disarmed at once; events of meanwhile are read again, none twice."""
    device = ScriptedDevice()
    client = device.client()
    kept = [device.event(Event.SHOT, 1)]
    _keeping(device, kept)
    client.sleep(0.1)
    assert client.events() == kept
    device.cut()
    with pytest.raises(LinkLost):
        client.wait(client.transport.now() + 1)
    kept.append(device.event(Event.SHOT, 2, lost=True))
    session = client.exchange.session
    back = client.reconnect()
    assert not back.rebooted and client.exchange.session != session
    assert type(device.seen[-2]) is messages.Disarm
    assert client.events() == kept[1:]


def test_coming_back_to_a_device_that_started_anew() -> None:
    """After a reset the device numbers its events anew: all of them are new."""
    device = ScriptedDevice()
    client = device.client()
    hello = client.device
    assert hello is not None
    device.event(Event.SHOT, 1)
    device.cut()
    device._event_seq = 0
    device.answer(messages.Hello, messages.HelloReply(**{**vars(hello), "boot_count": 2}))
    kept = [device.event(Event.STATE, 1, lost=True)]
    _keeping(device, kept)
    assert client.reconnect().rebooted
    assert client.events() == kept


def test_telemetry_reaches_its_listener() -> None:
    """A pushed sample is kept and handed on; one too short is counted and dropped."""
    device = ScriptedDevice()
    client = device.client()
    seen: list[messages.Telemetry] = []
    client.on_telemetry = seen.append
    sample = make(messages.Telemetry, depth_um=-800, state=State.IDLE)
    device.push(sample)
    client.sleep(0.01)
    assert seen == [sample] and client.telemetry == sample
