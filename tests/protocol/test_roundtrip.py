"""Wire: any message a host can build arrives at the firmware with its values, and any reply arrives at the host."""

import struct

import pytest
import wirekit
from hypothesis import given, settings
from hypothesis import strategies as st
from sit_firmware import codes, wire
from sit_host import codec
from sit_host._gen import messages
from sit_host.wire import RangeError, ShortPayload

CALM = settings(derandomize=True, deadline=None, max_examples=25)
RULES = [pytest.param(rule, id=rule.request.NAME) for rule in messages.RULES.values()]
# a closing `rest` would take what is appended
FIXED = [param for param in RULES if all(f.kind != "rest" for f in param.values[0].reply.FIELDS)]
PUSHES = [pytest.param(push, id=push.NAME) for push in messages.PUSHES.values()]


def values(fields, room):
    """A strategy for the values of some fields; a `rest` gets at most what the payload has left."""
    used = sum(int(f.kind[5:]) if f.kind.startswith("bytes") else int(f.kind[1:]) // 8
               for f in fields if f.kind != "rest")  # fmt: skip
    parts = {}
    for f in fields:
        if f.kind == "rest":
            parts[f.name] = st.binary(max_size=room - used)
        elif f.unit == "text":
            parts[f.name] = st.text("abc.0123 -", max_size=int(f.kind[5:])).map(str.rstrip)
        elif f.kind.startswith("bytes"):
            size = int(f.kind[5:])
            parts[f.name] = st.binary(min_size=size, max_size=size)
        else:
            parts[f.name] = st.integers(f.low, f.high)
    return st.fixed_dictionaries(parts)


def unpacked(form, payload):
    """What the firmware's layout makes of a payload, `rest` included, in the order of the fields."""
    head = struct.calcsize(form)
    return [*struct.unpack_from(form, payload), bytes(payload[head:])]


def as_raw(message):
    """A message's values as numbers and bytes, with a closing rest."""
    raw = []
    for f in message.FIELDS:
        value = getattr(message, f.name)
        size = int(f.kind[5:]) if f.kind.startswith("bytes") else 0
        raw.append(value.encode().ljust(size, b"\0") if isinstance(value, str) else value)
    return raw if any(f.kind == "rest" for f in message.FIELDS) else [*raw, b""]


@pytest.mark.parametrize("rule", RULES)
def test_requests(rule):
    """Wire: host values -> bytes -> the firmware's link -> the firmware's layout: the same values, and no refusal."""

    @CALM
    @given(values(rule.request.FIELDS, wire.MAX_PAYLOAD), st.integers(0, 0x7FFE))
    def run(fields, seq):
        message = rule.request(**fields)
        rig = wirekit.Rig()
        rig.send(codec.encode_frame(0xFFFF, 1, messages.Hello(7, messages.SCHEMA_HASH).pack()))
        rig.send(codec.encode_frame(seq, message.ID, message.pack(), session=7))
        number, got_seq, session, payload, refusal = rig.desk.calls[-1]
        assert (number, got_seq, session, refusal) == (message.ID, seq, 7, 0)
        form = getattr(wire, "FMT_" + message.NAME, "<")
        assert unpacked(form, payload) == as_raw(message)

    run()


@pytest.mark.parametrize("rule", RULES)
def test_replies(rule):
    """Wire: firmware layout -> firmware link -> host: the same values, enumerations included."""
    form = getattr(wire, f"FMT_{rule.request.NAME}_REPLY", "<")
    header = messages.ReplyHeader
    room = wire.MAX_PAYLOAD - wire.REPLY_HEADER_LEN

    @CALM
    @given(values(header.FIELDS, room), values(rule.reply.FIELDS, room))
    def run(head, fields):
        head["result"] = 0
        sent = rule.reply(header=header(**head), **fields)

        def handler(request, refusal, reply):
            struct.pack_into(wire.REPLY_HEADER, reply, 0, *as_raw(sent.header)[:-1])
            *numbers, rest = as_raw(sent)
            struct.pack_into(form, reply, wire.REPLY_HEADER_LEN, *numbers)
            end = wire.REPLY_HEADER_LEN + struct.calcsize(form)
            reply[end : end + len(rest)] = rest
            return end + len(rest)

        rig = wirekit.Rig()
        rig.link._handler = handler
        [frame] = codec.Decoder().feed(rig.send(codec.encode_frame(9, codes.MSG_STATUS, b"")))
        assert rule.reply.unpack(frame.payload) == sent

    run()


@pytest.mark.parametrize("push", PUSHES)
def test_pushes(push):
    """Wire: firmware layout -> push -> host: the same values."""

    @CALM
    @given(values(push.FIELDS, wire.MAX_PAYLOAD))
    def run(fields):
        sent = push(**fields)
        rig = wirekit.Rig()
        rig.send(codec.encode_frame(1, 1, messages.Hello(7, messages.SCHEMA_HASH).pack()))
        *numbers, _ = as_raw(sent)
        assert rig.link.push(push.ID, struct.pack(getattr(wire, "FMT_" + push.NAME), *numbers))
        [frame] = codec.Decoder().feed(rig.send(b""))
        assert messages.PUSHES[frame.id].unpack(frame.payload) == sent

    run()


@pytest.mark.parametrize("rule", FIXED)
def test_a_later_minor_may_append(rule):
    """Wire: the host ignores bytes after the fields it knows, and says so when bytes are missing."""
    payload = bytes(wire.REPLY_HEADER_LEN + struct.calcsize(getattr(wire, f"FMT_{rule.request.NAME}_REPLY", "<")))
    assert rule.reply.unpack(payload + b"later") == rule.reply.unpack(payload)
    with pytest.raises(ShortPayload, match="bytes"):
        rule.reply.unpack(payload[:-1])


NUMBERS = [
    pytest.param(rule.request, f, id=f"{rule.request.NAME}.{f.name}")
    for rule in messages.RULES.values()
    for f in rule.request.FIELDS
    if f.kind[0] in "ui"
]


@pytest.mark.parametrize(("request_type", "field"), NUMBERS)
def test_the_host_refuses_before_sending(request_type, field):
    """Range: the host's own check names field, value and range, one below and one above."""
    lowest = {f.name: b"" if f.kind == "rest" else bytes(int(f.kind[5:])) if f.kind[0] == "b" else f.low
              for f in request_type.FIELDS}  # fmt: skip
    for value in (field.low - 1, field.high + 1, 1.5, True):
        with pytest.raises(RangeError, match=f"{request_type.NAME}.{field.name}"):
            request_type(**{**lowest, field.name: value}).pack()
