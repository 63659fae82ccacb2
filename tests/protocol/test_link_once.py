"""Invariants 5 and 9 on the link: a request that changes something is done once; STOP and DISARM always."""

import struct

import pytest
import wirekit
from hypothesis import given, settings
from hypothesis import strategies as st
from sit_firmware import codes, once, wire
from sit_host import codec
from sit_host._gen import messages

NONCE = 0x1234ABCD
OTHER = 0x5678ABCD
RENEW = struct.pack("<H", 2000)
CALM = settings(derandomize=True, deadline=None, max_examples=100)


def hello(seq=1, nonce=NONCE):
    return codec.encode_frame(seq, codes.MSG_HELLO, messages.Hello(nonce, messages.SCHEMA_HASH).pack())


def renew(seq, session=NONCE, payload=RENEW):
    return codec.encode_frame(seq, codes.MSG_RENEW, payload, session=session)


def opened(**options):
    """A link with a session, its HELLO forgotten by the handler's notes."""
    rig = wirekit.Rig(**options)
    rig.send(hello())
    rig.desk.calls.clear()
    return rig


def results(data):
    return [messages.ReplyHeader.unpack(f.payload).result for f in codec.Decoder().feed(data)]


@pytest.mark.parametrize("copies", [2, 5])
def test_a_repeated_frame_is_answered_from_the_cache(copies):
    """Invariant 5: the same frame again gets the same reply, byte for byte, without a second call."""
    rig = opened()
    first = rig.send(renew(2))
    for _ in range(copies - 1):
        assert rig.send(renew(2)) == first
    assert len(rig.desk.calls) == 1


def test_copies_in_one_go():
    """Invariant 5: copies that come together in one read are one request."""
    rig = opened()
    out = rig.send(renew(2) * 3)
    assert len(rig.desk.calls) == 1
    assert out == out[: len(out) // 3] * 3


def test_a_refusal_is_kept_too():
    """Invariant 5: a repeated request gets its first answer even if the device would answer otherwise by now."""
    rig = opened()
    refusing = rig.link._handler
    rig.link._handler = lambda request, refusal, reply: refusing(request, refusal or codes.REFUSED_NOT_READY, reply)
    first = rig.send(renew(2))
    rig.link._handler = refusing
    assert rig.send(renew(2)) == first
    assert results(first) == [codes.REFUSED_NOT_READY]


def test_the_last_replies_are_kept_and_no_more():
    """Invariant 5: the last eight requests are answered again, older ones refused with SEQUENCE; none is done."""
    rig = opened()
    replies = {seq: rig.send(renew(seq)) for seq in range(2, 30)}
    rig.desk.calls.clear()
    for seq in range(30 - once._KEPT, 30):
        assert rig.send(renew(seq)) == replies[seq]
    assert rig.desk.calls == []
    for seq in range(2, 30 - once._KEPT):
        assert results(rig.send(renew(seq))) == [codes.REFUSED_SEQUENCE]
    assert {call[4] for call in rig.desk.calls} == {codes.REFUSED_SEQUENCE}


def test_reads_dont_push_replies_out():
    """Invariant 5: a kept reply outlives any number of reads."""
    rig = opened()
    first = rig.send(renew(2))
    for seq in range(3, 60):
        rig.send(codec.encode_frame(seq, codes.MSG_STATUS, b"", session=NONCE))
    rig.desk.calls.clear()
    assert rig.send(renew(2)) == first
    assert rig.desk.calls == []


def test_the_same_number_on_other_bytes():
    """Invariant 5: another request under a used number is refused, not answered with somebody else's reply."""
    rig = opened()
    rig.send(renew(2))
    assert results(rig.send(renew(2, payload=struct.pack("<H", 700)))) == [codes.REFUSED_SEQUENCE]


@pytest.mark.parametrize("session", [0, OTHER])
def test_a_change_needs_the_session(session):
    """Session: without the nonce of the last HELLO nothing is changed."""
    rig = opened()
    assert results(rig.send(renew(2, session))) == [codes.REFUSED_NO_SESSION]
    assert [call[4] for call in rig.desk.calls] == [codes.REFUSED_NO_SESSION]


def test_a_change_before_hello():
    """Session: fresh from boot no session is right, the number 0 least of all."""
    rig = wirekit.Rig()
    for session in (0, NONCE):
        assert results(rig.send(renew(1, session))) == [codes.REFUSED_NO_SESSION]


def test_a_new_hello_ends_the_session():
    """Session: after HELLO with another nonce the old one's frames, kept replies included, are refused."""
    rig = opened()
    rig.send(renew(2))
    rig.send(hello(1, OTHER))
    assert rig.link.session == OTHER
    assert results(rig.send(renew(2))) == [codes.REFUSED_NO_SESSION]
    assert results(rig.send(renew(2, OTHER))) == [0]


def test_an_old_hello_doesnt_reopen():
    """Invariant 5: a late HELLO of the session under way can't make its used numbers fresh again."""
    rig = opened()
    for seq in range(2, 20):
        rig.send(renew(seq))
    assert results(rig.send(hello())) == [codes.REFUSED_SEQUENCE]
    assert results(rig.send(renew(3))) == [codes.REFUSED_SEQUENCE]


@pytest.mark.parametrize("number", [codes.MSG_STOP, codes.MSG_DISARM])
@pytest.mark.parametrize("session", [0, NONCE, OTHER])
def test_stop_and_disarm_always_reach_the_handler(number, session):
    """Invariant 9: STOP and DISARM are done in any session, with any number, each copy, whatever their payload."""
    rig = opened()
    rig.send(renew(100))
    rig.desk.calls.clear()
    frames = [
        codec.encode_frame(seq, number, payload, session=session) for seq in (0, 1, 100) for payload in (b"", b"x")
    ]
    for frame in frames:
        for _ in range(2):
            assert results(rig.send(frame)) == [0]
    assert [call[4] for call in rig.desk.calls] == [0] * 12


def test_stop_when_nobody_reads():
    """Invariant 9: STOP is done while no reply can leave and the queue is full."""
    rig = opened(pad=200)
    rig.stream.room = 0
    for seq in range(2, 40):
        rig.send(renew(seq))
    assert rig.link.lost_replies > 0
    rig.desk.calls.clear()
    rig.send(codec.encode_frame(1, codes.MSG_STOP, b""))
    assert [call[0] for call in rig.desk.calls] == [codes.MSG_STOP]


def test_a_lost_reply_is_asked_for_again():
    """Invariant 5: a reply that found no room is kept, and comes when the host asks again; nothing is done twice."""
    rig = opened(pad=200)
    rig.stream.room = 0
    for seq in range(2, 20):
        rig.send(renew(seq))
    rig.stream.room = 1 << 20
    rig.send(b"")
    rig.desk.calls.clear()
    assert results(rig.send(renew(19))) == [0]
    assert rig.desk.calls == []


CHANGES = sorted(number for number, rule in wire.REQUESTS.items() if rule[1])
steps = st.lists(
    st.tuples(st.sampled_from((NONCE, OTHER, 0)), st.integers(0, 40), st.sampled_from((RENEW, struct.pack("<H", 501)))),
    max_size=60,
)


@CALM
@given(steps)
def test_no_change_is_done_twice(sequence):
    """Invariant 5: whatever order frames come in, within a session no number is done twice."""
    rig = opened()
    for session, seq, payload in sequence:
        rig.send(renew(seq, session, payload))
    done = [(session, seq) for _, seq, session, _, refusal in rig.desk.calls if not refusal]
    assert len(done) == len(set(done))
    assert all(session == NONCE for session, _ in done)
    assert [seq for _, seq in done] == sorted(seq for _, seq in done)


@CALM
@given(st.integers(0, 0xFFFF), st.integers(0, 0xFFFF))
def test_serial_arithmetic(last, seq):
    """Sequence: a number is new when it is 1 to 32767 ahead on the circle, over the wrap too."""
    rig = wirekit.Rig()
    rig.send(hello(last))
    [result] = results(rig.send(renew(seq)))
    assert (result == 0) == (1 <= (seq - last) % 65536 <= 32767)


@pytest.mark.parametrize("number", CHANGES)
def test_every_changing_request_is_covered(number):
    """Invariant 5: each request that changes something is kept from being done twice and needs the session."""
    request = messages.RULES[number].request
    rig = opened()
    payload = filled(request)
    frame = codec.encode_frame(2, number, payload, session=NONCE)
    assert rig.send(frame) == rig.send(frame)
    assert results(rig.send(codec.encode_frame(3, number, payload, session=OTHER))) == [codes.REFUSED_NO_SESSION]
    assert [call[4] for call in rig.desk.calls] == [0, codes.REFUSED_NO_SESSION]


def filled(request):
    """A payload of a request with every number at its lowest."""
    values = {f.name: b"" if f.kind == "rest" else bytes(int(f.kind[5:])) if f.kind[0] == "b" else f.low
              for f in request.FIELDS}  # fmt: skip
    return request(**values).pack()


LIMITED = [
    pytest.param(number, field, value, id=f"{rule.request.NAME}.{field.name}={value}")
    for number, rule in messages.RULES.items()
    for field in rule.request.FIELDS
    if field.kind[0] in "ui"
    for value in (field.low - 1, field.high + 1)
    if 0 <= value < 1 << 8 * int(field.kind[1:]) // 8
]


@pytest.mark.parametrize(("number", "field", "value"), LIMITED)
def test_a_value_out_of_range_is_refused(number, field, value):
    """Range: one below and one above every limit of the schema earn BAD_VALUE before anything sees the request."""
    request = messages.RULES[number].request
    good = request.unpack(filled(request))
    payload = type(good)(**{**vars(good), field.name: value}).pack(check=False)
    rig = opened()
    assert results(rig.send(codec.encode_frame(2, number, payload, session=NONCE))) == [codes.REFUSED_BAD_VALUE]


@pytest.mark.parametrize("number", sorted(set(wire.REQUESTS) - {codes.MSG_STOP, codes.MSG_DISARM}))
def test_a_wrong_length_is_refused(number):
    """Length: a payload one byte short or long is refused; only a last field `rest` may be longer."""
    request = messages.RULES[number].request
    payload = filled(request)
    rig = opened()
    longer = any(f.kind == "rest" for f in request.FIELDS)
    for wrong in ([] if longer else [payload + b"\0"]) + ([payload[:-1]] if payload else []):
        out = rig.send(codec.encode_frame(2, number, wrong, session=NONCE))
        assert results(out) == [codes.REFUSED_BAD_LENGTH]
