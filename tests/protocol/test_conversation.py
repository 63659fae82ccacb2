"""Wire, end to end: the host's client talks through both codecs and the link to the whole background of the firmware.

The stream is in memory, time is ticks; the tick's side is played by the test (tests/unit/appkit.py). The line may
lose, garble or double whole bursts of bytes, by seed: what was done then is read in the device itself.
"""

import hashlib
import random
import struct
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "unit"))
import wirekit
from appkit import PRIME_NL, TREATMENT, Device
from sit_firmware import codes, image, wire
from sit_host import codec
from sit_host._gen import enums, messages
from sit_host.client import Client
from sit_host.outcome import Delivered, Refused, Unknown, expect
from sit_host.table import NO_EXPIRY

TICK_S = 250e-6
UNIX_S = 1_800_000_000
ROWS = ((1, 1, 1, 1200, 10000), (2, 1, 1, 1300, 12000))
BEGIN = messages.LoadBegin(TREATMENT, len(ROWS), 1, 1, 1000, 50000, 1000, NO_EXPIRY)
READS = [rule for rule in messages.RULES.values() if not rule.changes and rule.request is not messages.Hello]
PACKED = b"".join(struct.pack("<HBBHI", *row) for row in ROWS)


class Line:
    """A transport whose far end is a device in memory. `harm(data)` is what the line makes of a burst, either way."""

    name = "memory"

    def __init__(self, device, harm=lambda data: data):
        self.device = device
        self.stream = wirekit.Stream()
        self.harm = harm
        self.ticks = 0
        device.app.link._stream = self.stream

    def now(self):
        return self.ticks * TICK_S

    def send(self, data):
        self.stream.inbox.extend(self.harm(data))

    def wait(self, deadline_s):
        while True:
            self.device.run(1)
            self.ticks += 1
            data = bytes(self.stream.outbox)
            self.stream.outbox = bytearray()
            if data:
                return self.harm(data)
            if self.now() >= deadline_s:
                return b""

    def reopen(self, deadline_s):
        self.stream.inbox = bytearray()
        self.stream.outbox = bytearray()

    def close(self):
        pass


def talking(harm=lambda data: data):
    """A device and a client that has opened a session over a line that is whole as yet."""
    device = Device()
    line = Line(device)
    client = Client(line, unix_s=lambda: UNIX_S)
    client.hello()
    line.harm = harm
    return device, line, client


def ready(harm=lambda data: data):
    """The same with clock, self-test, zero, prime and a sealed table."""
    device, line, client = talking()
    client.start_events()
    client.set_clock_if_needed()
    device.zero_tool(True)
    for work in (messages.Selftest(), messages.Zero(), messages.Prime(PRIME_NL)):
        assert expect(client.run(work, timeout_s=30)).done
    device.zero_tool(False)
    load(client)
    line.harm = harm
    return device, line, client


def load(client):
    expect(client.request(BEGIN))
    expect(client.request(messages.LoadPage(0, PACKED)))
    digest = hashlib.sha256(BEGIN.pack() + PACKED).digest()[:8]
    return expect(client.request(messages.LoadSeal(len(ROWS), digest)))


def test_hello_tells_who_is_there():
    """Wire: HELLO opens the session and says which protocol, firmware and board answer."""
    device, _, client = talking()
    hello = client.device
    assert (hello.major, hello.minor, hello.schema_hash) == (1, messages.PROTOCOL_MINOR, messages.SCHEMA_HASH)
    assert (hello.board, hello.uid, hello.tick_us) == ("test", b"TEST0001", 250)
    assert hello.max_depth_um == device.app.settings.max_depth_um
    assert device.app.link.session == client.exchange.session


def test_from_hello_to_a_shot_and_its_record():
    """Wire: clock, self-test, zero, prime, load, arm, the trigger, the event, the record: each through both codecs."""
    device, _, client = ready()
    status = expect(client.status())
    assert status.header.state == enums.State.IDLE
    assert status.header.ready & enums.READY_NEED == enums.READY_NEED
    assert (status.points, status.treatment, status.unix_s >= UNIX_S) == (2, TREATMENT, True)
    armed = expect(client.arm(2000, 0, 2))
    assert armed.header.state == enums.State.ARMED
    device.shoot()
    shot = client.wait_for(lambda: [e for e in client.events() if e.kind == enums.Event.SHOT], timeout_s=2)[0]
    page = expect(client.request(messages.LedgerRead(shot.a)))
    assert page.first == shot.a
    record = struct.unpack_from(wire.RECORD, page.records)
    assert record[1] == enums.Record.DONE == shot.b
    assert record[6] == TREATMENT
    assert len(device.shots()) == 1


@pytest.mark.parametrize("rule", [pytest.param(rule, id=rule.request.NAME) for rule in READS])
def test_every_read_is_answered_in_its_layout(rule):
    """Wire: each reading's reply unpacks to its type and packs to the same bytes again."""
    _, _, client = ready()
    fields = {f.name: f.low for f in rule.request.FIELDS}
    answer = client.exchange.ask(rule.request(**fields), 0.5, 1)
    reply = rule.reply.unpack(answer.payload)
    assert reply.header.result in (0, enums.Refusal.NO_RECORD)
    assert reply.pack() == answer.payload


def test_a_foreign_schema_reads_and_doesnt_change():
    """Wire: with another schema hash reading goes on, every change is refused with SCHEMA, STOP and DISARM are done."""
    device, _, client = talking()
    client.exchange.session = 77
    answer = client.exchange.ask(messages.Hello(77, bytes(8)), 0.5, 1)
    assert answer.header.result == 0
    assert isinstance(client.status(), Delivered)
    for rule in messages.RULES.values():
        if rule.changes and rule.request is not messages.Update:  # it mends the mismatch
            values = {f.name: b"" if f.kind == "rest" else bytes(int(f.kind[5:])) if f.kind[0] == "b"
                      else f.low for f in rule.request.FIELDS}  # fmt: skip
            outcome = client.request(rule.request(**values), check=False)
            # only the hash is wrong; a state that forbids the message is told after it
            assert outcome.number == enums.Refusal.SCHEMA
    assert isinstance(client.stop(), Delivered)
    assert isinstance(client.disarm(), Delivered)
    assert device.app.table.count == 0


def test_a_second_hello_takes_the_session():
    """Session: after another program's HELLO the first one's changes are refused, its STOP isn't."""
    device, line, client = ready()
    expect(client.arm(2000, 0, 2))
    Client(line).hello()
    outcome = client.request(messages.Renew(2000))
    assert isinstance(outcome, Refused)
    assert outcome.number == enums.Refusal.NO_SESSION
    assert isinstance(client.stop(), Delivered)
    assert not device.app.session.armed


def crowd(client):
    """More requests of the session than the device keeps."""
    clock = messages.SetClock(UNIX_S).pack()
    seqs = range(client.exchange.seq + 1, client.exchange.seq + 10)
    session = client.exchange.session
    return b"".join(codec.encode_frame(seq, codes.MSG_SET_CLOCK, clock, session=session) for seq in seqs)


def stranger(client):
    """Another program's HELLO."""
    return codec.encode_frame(1, codes.MSG_HELLO, messages.Hello(99, messages.SCHEMA_HASH).pack())


@pytest.mark.parametrize("between", [crowd, stranger])
def test_a_forgotten_reply_leaves_the_outcome_unknown(between):
    """Invariant 5: SEQUENCE or NO_SESSION on a copy says nothing about the first frame: the outcome is unknown."""
    device, line, client = ready()
    done = counted(device)
    bursts = []

    def harm(data):
        bursts.append(data)
        if len(bursts) != 2:
            return data
        # the reply is lost, and this comes before the host asks again
        line.stream.inbox.extend(between(client))
        return b""

    line.harm = harm
    outcome = client.request(BEGIN)
    assert done[codes.MSG_LOAD_BEGIN] == 1
    assert len(bursts) > 2
    assert isinstance(outcome, Unknown)


@pytest.mark.parametrize("seed", range(4))
def test_no_bytes_from_outside_the_session_move_anything(seed):
    """Invariant 9: noise, and every request without the session, leave the device idle, at rest and unchanged."""
    device, line, client = ready()
    chance = random.Random(seed)
    device.player.taken.clear()
    head = device.app.ledger.head
    for _ in range(150):
        noise = bytearray(some_request(chance, chance.choice((0, client.exchange.session ^ 1, 1))))
        if chance.random() < 0.3:
            noise[chance.randrange(len(noise))] ^= 1 << chance.randrange(8)
        if chance.random() < 0.3:
            noise += bytes(chance.randrange(256) for _ in range(chance.randrange(80)))
        line.stream.inbox.extend(noise)
        device.run(3)
    assert device.player.taken == []
    assert device.app.session.state == codes.STATE_IDLE
    assert (device.app.table.sealed, device.app.table.count, device.app.ledger.head) == (True, 2, head)


@pytest.mark.parametrize("seed", range(4))
def test_no_request_starts_a_shot(seed):
    """Invariant 2: whatever the session's own host asks for, in contact and armed now and then, no shot begins."""
    device, _, client = ready()
    chance = random.Random(seed)
    device.touch(False)
    device.touch(True)
    seq = client.exchange.seq
    armed = 0
    for _ in range(250):
        seq += 1
        number = chance.choice([*wire.REQUESTS, codes.MSG_ARM, codes.MSG_ARM])
        if number in (codes.MSG_HELLO, codes.MSG_LOAD_BEGIN):
            continue
        frame = some_request(chance, client.exchange.session, number, seq)
        if number == codes.MSG_ARM and chance.random() < 0.8:
            frame = codec.encode_frame(seq, number, messages.Arm(2000, 0, 2).pack(), session=client.exchange.session)
        device.app.link._stream.inbox.extend(frame)
        device.run(chance.randrange(40))
        if device.app.session.state == codes.STATE_BUSY and chance.random() < 0.5:
            device.syringe_out_and_in()
        armed += device.app.session.armed
    assert armed > 0
    assert device.shots() == []


def some_request(chance, session, number=None, seq=None):
    """A request with values drawn from the schema's ranges."""
    rule = messages.RULES[number or chance.choice([n for n in wire.REQUESTS if n != codes.MSG_HELLO])]
    values = {}
    for f in rule.request.FIELDS:
        if f.kind == "rest":
            values[f.name] = bytes(chance.randrange(256) for _ in range(10 * chance.randrange(4)))
        elif f.kind.startswith("bytes"):
            values[f.name] = bytes(chance.randrange(256) for _ in range(int(f.kind[5:])))
        else:
            values[f.name] = chance.choice((f.low, f.high, chance.randint(f.low, f.high)))
    message = rule.request(**values)
    return codec.encode_frame(
        chance.randrange(65536) if seq is None else seq, message.ID, message.pack(), session=session
    )


def test_stop_is_done_while_replies_are_stuck():
    """Invariant 9: the host reads nothing, the queue is full, and STOP still disarms."""
    device, line, client = ready()
    expect(client.arm(2000, 0, 2))
    line.stream.room = 0
    for seq in range(20):
        line.send(codec.encode_frame(60000 + seq, codes.MSG_STATUS, b""))
    line.send(codec.encode_frame(0, codes.MSG_STOP, b""))
    device.run(10)
    assert not device.app.session.armed
    assert device.app.state[image.ST_ARMED] == 0


def harmful(seed, odds):
    """A line that loses, garbles or doubles a burst now and then."""
    chance = random.Random(seed)

    def harm(data):
        if chance.random() > odds:
            return data
        how = chance.randrange(4)
        if how == 0:
            return b""
        if how == 1:
            return data * 2
        at = chance.randrange(len(data))
        return data[:at] if how == 2 else data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]

    return harm


@pytest.mark.parametrize("seed", range(8))
def test_on_a_bad_line_everything_is_done_once(seed):
    """Invariant 5: over a line that loses and doubles, a change is done at most once, and once when Delivered."""
    device, _, client = ready(harmful(seed, 0.4))
    done = counted(device)
    begun = client.request(BEGIN)
    if isinstance(begun, Delivered):
        assert done[codes.MSG_LOAD_BEGIN] == 1
    outcomes = []
    for _ in range(4):
        before = done[codes.MSG_SET_CLOCK]
        outcome = client.set_clock(UNIX_S)
        outcomes.append(outcome)
        times = done[codes.MSG_SET_CLOCK] - before
        assert times == 1 if isinstance(outcome, Delivered) else times <= 1
        assert isinstance(outcome, Delivered | Unknown)
    assert any(isinstance(outcome, Delivered) for outcome in outcomes)


def test_the_bad_lines_were_bad():
    """The lines of the test above did lose and double: frames were dropped, and sent again."""
    resends = bad = 0
    for seed in range(5):
        device, _, client = ready(harmful(seed, 0.4))
        for _ in range(4):
            client.set_clock(UNIX_S)
        resends += client.exchange.counters.resends
        bad += device.app.link.bad_frames + client.exchange.counters.bad_frames
    assert resends > 4
    assert bad > 2


def counted(device):
    """How often each request reaches its handler with nothing against it, by message id."""
    done = dict.fromkeys(wire.REQUESTS, 0)
    handler = device.app.link._handler

    def counting(request, refusal, reply):
        done[request.id] = done.get(request.id, 0) + (not refusal)
        return handler(request, refusal, reply)

    device.app.link._handler = counting
    return done
