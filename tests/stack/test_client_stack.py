"""The host's client on the real firmware: lost and damaged frames, the lease, a pulled cable, a reset."""

import itertools

import pytest
import steps
from sit_host._gen import messages
from sit_host._gen.enums import Event, Record, Refusal, State
from sit_host.errors import LinkLost
from sit_host.outcome import Delivered, Refused, Unknown, expect

PRIME_NL = 2000
PRIMES = 8
BAD_LINK = {"do": "link", "drop": 0.15, "duplicate": 0.15, "corrupt": 0.1, "truncate": 0.05, "delay_ms": 20.0}


def purged_steps(client):
    """Plunger steps of all priming in the ledger."""
    return sum(record.steps for record in steps.records(client, Record.PURGE))


def test_a_bad_link_doubles_nothing(open_device):
    """Invariant 5: over a link that drops, doubles, damages and delays frames each command acts once or not at all."""
    client = open_device(hand="none")
    client.transport.control(BAD_LINK)
    ends = []
    for _ in range(PRIMES):
        try:
            ends.append(client.run(messages.Prime(PRIME_NL), 30))
        except LinkLost:
            pytest.fail("the cable was never out")
    client.transport.control({"do": "link"})
    delivered = sum(isinstance(end, Delivered) for end in ends)
    unknown = sum(isinstance(end, Unknown) for end in ends)
    done = len(steps.records(client, Record.PURGE))
    assert client.exchange.counters.resends > 0 and client.exchange.counters.bad_frames > 0
    assert delivered >= PRIMES // 2
    assert delivered <= done <= delivered + unknown
    # what the ledger holds is what the screw has turned
    assert purged_steps(client) == client.transport.truth()["plunger_steps"]


def test_events_over_a_bad_link_come_once_and_in_order(open_device):
    """Events that the wire loses and doubles reach the host each once and in order."""
    client = open_device(hand="none")
    start = client.log.next_seq
    client.transport.control(BAD_LINK)
    for _ in range(4):
        client.run(messages.Prime(PRIME_NL), 30)
    client.transport.control({"do": "link"})
    client.events(refresh=True)
    seen = client.log.since(0)
    assert [event.seq for event in seen] == list(range(start, start + len(seen))) and len(seen) >= 6
    assert client.log.lost == 0
    assert sum(event.kind == Event.WORK for event in seen) == len(steps.records(client, Record.PURGE))


def test_out_of_range_is_refused_by_the_firmware_too(open_device):
    """A value that the client lets through unchecked is refused by the firmware, and nothing moves."""
    client = open_device(hand="none")
    outcome = client.request(messages.Prime(300_001), check=False)
    assert isinstance(outcome, Refused) and outcome.name == "BAD_VALUE" and outcome.reply is not None
    assert client.transport.truth()["plunger_steps"] == 0


def test_one_micrometre_too_deep_is_refused_below_the_client(open_device):
    """Invariant 1: the firmware refuses a row one micrometre too deep that the client was told to let through."""
    client = open_device(hand="none")
    deepest = client.device.max_depth_um
    assert deepest == expect(client.settings_read()).max_depth_um

    def load(depth_um, check):
        table = steps.rows(1, depth_um=depth_um)
        begin = messages.LoadBegin(treatment=steps.TREATMENT, count=1, **steps.SALINE)
        return client.load_table(begin, table, check=check)

    here = load(deepest + 1, check=True)
    assert isinstance(here, Refused) and here.name == "TOO_DEEP" and here.reply is None
    there = load(deepest + 1, check=False)
    assert isinstance(there, Refused) and there.name == "TOO_DEEP" and there.reply is not None
    assert isinstance(load(deepest, check=True), Delivered)


def test_a_session_of_before_changes_nothing(open_device):
    """Invariant 9: after another HELLO a frame of the session before is refused, but STOP still works."""
    client = open_device(hand="none")
    before = client.exchange.session
    client.hello()
    client.exchange.session = before
    outcome = client.prime(PRIME_NL)
    assert isinstance(outcome, Refused) and outcome.number == Refusal.NO_SESSION
    assert isinstance(client.stop(), Delivered) and isinstance(client.disarm(), Delivered)


def armed(client, count=3):
    """A device with a table, armed; nobody touches it."""
    steps.load(client, steps.rows(count))
    expect(client.arm(2000, 0, count))


@pytest.fixture
def prepared(open_device):
    """A tested, zeroed and primed device whose hand then lets go."""
    client = open_device()
    steps.make_ready(client)
    client.sleep(1)
    client.transport.target.machine.on_panel = lambda *panel: None
    return client


def test_a_waiting_host_keeps_the_lease(prepared):
    """Invariant 3: a host that waits in the client keeps the device armed, also over a bad link."""
    client = prepared
    armed(client)
    client.transport.control({"do": "link", "drop": 0.1, "corrupt": 0.05, "delay_ms": 20.0})
    for _ in range(10):
        client.sleep(1)
        assert expect(client.status()).header.state == State.ARMED
    assert client.lease.active


def test_a_silent_host_loses_the_lease(prepared):
    """Invariant 3: a host that doesn't wait in the client loses the lease; the client then renews nothing."""
    client = prepared
    armed(client)
    client.transport.control({"do": "run", "ms": 3000})
    assert expect(client.status()).header.state == State.IDLE
    client.sleep(3)
    kinds = [event.kind for event in client.events(refresh=True)]
    assert Event.LEASE in kinds and not client.lease.active
    assert expect(client.status()).header.state == State.IDLE


def test_a_pulled_cable(prepared):
    """Invariant 3: a pulled cable is a lost link; the way back finds the device disarmed and misses no event."""
    client = prepared
    armed(client)
    client.transport.control({"do": "cable", "out_ms": 3000})
    with pytest.raises(LinkLost):
        client.sleep(10)
    assert not client.lease.active
    with pytest.raises(LinkLost):
        client.status()
    back = client.reconnect()
    assert not back.rebooted and back.status.header.state == State.IDLE
    events = client.events(refresh=True)
    assert Event.STATE in [event.kind for event in events]
    assert all(later.seq == event.seq + 1 for event, later in itertools.pairwise(client.log.since(0)))


def test_a_reset_is_noticed(prepared):
    """After a power cut the client finds a device that started anew: untested, and its events begin anew."""
    client = prepared
    boots = client.device.boot_count
    client.transport.control({"do": "power", "off_ms": 500.0})
    with pytest.raises(LinkLost):
        client.sleep(10)
    back = client.reconnect()
    assert back.rebooted and client.device.boot_count == boots + 1
    assert not back.status.header.ready & 1
    client.set_clock_if_needed()
    assert expect(client.status()).unix_s


def test_an_unknown_outcome_is_resolved_not_repeated(open_device):
    """Invariant 5: a command whose replies were all lost is found out from the device; the ledger shows it once."""
    client = open_device(hand="none")
    client.transport.control({"do": "link", "direction": "to_host", "drop": 1.0})
    outcome = client.prime(60_000)
    assert isinstance(outcome, Unknown)
    client.transport.control({"do": "link"})
    client.sleep(1)
    assert client.resolve(outcome) is True
    assert len(steps.records(client, Record.PURGE)) == 1
