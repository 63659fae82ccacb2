"""What a request must pass: schema and state; STOP and DISARM always; the reply's header (invariant 9)."""

import struct

import pytest
from appkit import Device, armed_device
from sit_firmware import codes, dispatch, image, wire
from sit_firmware.store.access import StoreError

STATES = {
    codes.STATE_IDLE: lambda dev: None,
    codes.STATE_BUSY: lambda dev: dev.app.session.busy(True),
    codes.STATE_FAULT: lambda dev: dev.app.faults.report(codes.FAULT_COMB) or dev.run(8),
}
ALWAYS = (codes.MSG_STOP, codes.MSG_DISARM)


def _shortest(message):
    return bytes(wire.REQUESTS[message][3])


def test_every_message_has_a_handler():
    """Invariant 9: the table of handlers is the schema's list of requests, no more and no less."""
    assert set(dispatch.HANDLERS) == set(wire.REQUESTS)


@pytest.mark.parametrize("state", STATES)
def test_states_are_those_of_the_schema(state):
    """Invariant 9: a message is done only in the states the schema allows it in."""
    for message, (_, _, allowed, _, _, _) in wire.REQUESTS.items():
        dev = Device()
        dev.hello()
        STATES[state](dev)
        called = []
        handlers = dict(dispatch.HANDLERS)
        dispatch.HANDLERS[message] = lambda dev, payload, reply, called=called: called.append(1) or 0
        try:
            result = dev.ask(message, _shortest(message), refusal=0).result
        finally:
            dispatch.HANDLERS.update(handlers)
        if allowed & 1 << state or message in ALWAYS:
            assert (result, called) == (0, [1])
        else:
            assert called == []
            assert result == (codes.REFUSED_FAULTED if state == codes.STATE_FAULT else codes.REFUSED_BAD_STATE)


def test_schema_mismatch_reads_but_never_changes():
    """A host with another schema may read; all that changes something is refused with SCHEMA, but for UPDATE."""
    dev = Device()
    assert dev.hello(schema=bytes(8)).result == 0
    for message, (_, changes, allowed, _, _, _) in wire.REQUESTS.items():
        if message == codes.MSG_HELLO or not allowed & 1 << codes.STATE_IDLE:
            continue
        result = dev.ask(message, _shortest(message), refusal=0).result
        if changes and message != codes.MSG_UPDATE:
            assert result == codes.REFUSED_SCHEMA
        else:
            assert result != codes.REFUSED_SCHEMA


def test_schema_mismatch_takes_the_arming_away():
    """A session with another schema, opened while armed, disarms: it could neither renew nor know what is armed."""
    dev = armed_device()
    dev.hello(schema=bytes(8))
    assert not dev.app.session.armed


def test_stop_and_disarm_need_neither_schema_nor_state():
    """Invariant 9: STOP and DISARM are done in every state and under any schema, from any whole frame."""
    for message in ALWAYS:
        dev = armed_device()
        dev.app.session.schema_ok = False
        answer = dev.ask(message, b"whatever", refusal=0)
        assert (answer.result, answer.state) == (0, codes.STATE_IDLE)


def test_a_refused_frame_does_nothing():
    """Invariant 9: what the link refuses is answered and not done."""
    dev = armed_device()
    answer = dev.ask(codes.MSG_SET_CLOCK, struct.pack("<I", 1_900_000_000), refusal=codes.REFUSED_NO_SESSION)
    assert answer.result == codes.REFUSED_NO_SESSION
    assert dev.app.wall.unix_s < 1_900_000_000
    assert answer.fields == b""


def test_every_reply_holds_the_state_after_the_command():
    """The header shows state, fault, readiness and totals as they are after the command."""
    dev = armed_device()
    assert dev.ask(codes.MSG_STATUS).state == codes.STATE_ARMED
    dev.shoot()
    answer = dev.ask(codes.MSG_DISARM)
    assert answer.state == codes.STATE_IDLE
    assert 0 < answer.total_min_nl <= 10000 <= answer.total_max_nl
    assert answer.ready & codes.READY_NEED == codes.READY_NEED


def test_reply_lengths_are_those_of_the_schema():
    """Each read's reply has the length the schema gives it."""
    dev = armed_device()
    for message, length in (
        (codes.MSG_STATUS, wire.STATUS_REPLY_LEN),
        (codes.MSG_SETTINGS_READ, wire.SETTINGS_READ_REPLY_LEN),
    ):
        assert len(dev.ask(message).fields) == length
    assert len(dev.hello().fields) == wire.HELLO_REPLY_LEN


def test_ledger_read_gives_whole_records_and_says_when_there_are_none():
    """LEDGER_READ gives up to three whole records from the number asked for, NO_RECORD beyond the last."""
    dev = armed_device()
    answer = dev.ask(codes.MSG_LEDGER_READ, struct.pack("<I", 0))
    assert struct.unpack_from("<I", answer.fields)[0] == 1
    assert len(answer.fields) == 4 + 3 * wire.RECORD_LEN
    head = dev.app.ledger.head
    assert len(dev.ask(codes.MSG_LEDGER_READ, struct.pack("<I", head - 1)).fields) == 4 + wire.RECORD_LEN
    assert dev.ask(codes.MSG_LEDGER_READ, struct.pack("<I", head)).result == codes.REFUSED_NO_RECORD
    assert dev.ask(codes.MSG_LEDGER_READ, struct.pack("<I", 0xFFFFFFFF)).result == codes.REFUSED_NO_RECORD


def test_events_can_be_read_again():
    """EVENTS_READ gives kept events from the number asked for on, whole, in order."""
    dev = armed_device()
    answer = dev.ask(codes.MSG_EVENTS_READ, struct.pack("<I", 2))
    assert (len(answer.fields) - 4) % wire.EVENT_LEN == 0
    assert struct.unpack_from("<I", answer.fields, 4)[0] == 2
    head = struct.unpack_from("<I", answer.fields)[0]
    assert len(dev.ask(codes.MSG_EVENTS_READ, struct.pack("<I", head)).fields) == 4


def test_recorder_gives_the_last_shot():
    """RECORDER_READ gives the bytes of the last shot from any offset, none beyond the end."""
    dev = armed_device()
    dev.shoot()
    answer = dev.ask(codes.MSG_RECORDER_READ, struct.pack("<I", 0))
    seq, size, stride = struct.unpack_from(wire.FMT_RECORDER_READ_REPLY, answer.fields)
    assert seq == dev.records(codes.RECORD_DONE)[0]["seq"]
    assert size > stride > 0
    assert len(dev.ask(codes.MSG_RECORDER_READ, struct.pack("<I", size)).fields) == wire.RECORDER_READ_REPLY_LEN


def test_hello_tells_who_the_device_is():
    """HELLO gives versions, board, boot count and a nonce that changes with each HELLO."""
    dev = Device()
    first = struct.unpack(wire.FMT_HELLO_REPLY, dev.hello().fields)
    second = struct.unpack(wire.FMT_HELLO_REPLY, dev.hello().fields)
    assert first[2] == wire.SCHEMA_HASH
    assert first[4].rstrip(b"\0") == b"test"
    assert first[6] == 1
    assert first[7] != second[7]
    again = Device(dev.store)
    assert struct.unpack(wire.FMT_HELLO_REPLY, again.hello().fields)[6] == 2


def test_full_ledger_refuses_arming_until_released():
    """A ledger without room for the table refuses arming with LEDGER_FULL; a release frees it."""
    from appkit import Store

    dev = Device(Store(1024 + 64 * 40))
    dev.prepare()
    rows = tuple((n, 1, 1, 1200, 1000) for n in range(1, 16))
    assert dev.load(rows) == 0
    assert dev.arm(count=15) == codes.REFUSED_LEDGER_FULL
    assert dev.ask(codes.MSG_LEDGER_RELEASE, struct.pack("<I", dev.app.ledger.head)).result == 0
    assert dev.arm(count=15) == 0


def test_a_store_that_stops_reading_is_answered():
    """Invariant 9: with a store that can't be read any more every request is answered and nothing is armed."""
    for message, (_, _, _, shortest, _, _) in wire.REQUESTS.items():
        dev = Device()
        dev.prepare()
        dev.store.fail = ("read",)
        dev.app.ledger.totals = _unreadable
        assert dev.ask(message, b"\x01" * shortest, refusal=0).total_max_nl == 0xFFFFFFFF
        dev.run(8)
        assert dev.app.state[image.ST_ARMED] == 0
        assert dev.ask(codes.MSG_LEDGER_READ, struct.pack("<I", 1)).result == codes.REFUSED_STORE


def test_a_press_with_an_unreadable_store_starts_nothing():
    """Invariant 4: what the ledger can't tell isn't given."""
    dev = armed_device()
    dev.touch(True)
    dev.app.ledger.has = _unreadable
    dev.trigger()
    assert dev.shots() == []
    assert dev.events(codes.EVENT_TRIGGER)[-1][0] == codes.REFUSED_STORE


def _unreadable(*_):
    raise StoreError("read at 1024: 5")
