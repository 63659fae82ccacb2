"""Invariant 9: bytes never raise, never grow memory, and reach the handler only as a whole valid frame."""

import json
from pathlib import Path

import pytest
import wirekit
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sit_firmware import cobs, codes, wire
from sit_host import codec

VECTORS = json.loads((Path(__file__).resolve().parents[2] / "protocol" / "vectors.json").read_text())
WIRES = [bytes.fromhex(v["wire"]) for v in VECTORS["frames"] + VECTORS["bad"]]
CALM = settings(derandomize=True, deadline=None, max_examples=150)

frames = st.builds(
    codec.encode_frame,
    st.integers(0, 0xFFFF),
    st.integers(0, 0xFF),
    st.binary(max_size=wire.MAX_PAYLOAD),
    session=st.integers(0, 0xFFFFFFFF),
)


@st.composite
def shaken(draw):
    """A frame with a byte changed, lost or added."""
    data = bytearray(draw(st.one_of(frames, st.sampled_from(WIRES))))
    at = draw(st.integers(0, len(data) - 1))
    how = draw(st.sampled_from(("change", "lose", "add")))
    if how == "lose":
        del data[at]
    elif how == "add":
        data.insert(at, draw(st.integers(0, 255)))
    else:
        data[at] = draw(st.integers(0, 255))
    return bytes(data)


pieces = st.lists(st.one_of(st.binary(max_size=300), frames, shaken(), st.sampled_from(WIRES)), max_size=12)


@CALM
@given(pieces, st.lists(st.integers(1, 260), max_size=30))
@example([b"\0" * 600], [])
@example([b"\xff" * 5000, b"\0", WIRES[0]], [1] * 30)
def test_only_whole_frames_reach_the_handler(parts, cuts):
    """The handler gets what the host's own decoder finds in the bytes, wherever they are chopped, and nothing else."""
    data = b"".join(parts)
    rig = wirekit.Rig()
    at = 0
    for cut in cuts:
        rig.send(data[at : at + cut])
        at += cut
    rig.send(data[at:])
    found = [item for item in codec.Decoder().feed(data)]
    whole = [item for item in found if isinstance(item, codec.Frame)]
    assert rig.link.frames == len(whole)
    assert rig.link.bad_frames + rig.link.long_frames == len(found) - len(whole)
    asked = [(f.id, f.seq, f.session, f.payload) for f in whole]
    called = [call[:4] for call in rig.desk.calls]
    # a repeated HELLO may be answered from the cache: the calls are the frames, some left out
    left = iter(asked)
    assert all(call in left for call in called)
    assert len(asked) - len(called) <= sum(f.id == codes.MSG_HELLO for f in whole)


@CALM
@given(pieces)
def test_buffers_never_grow(parts):
    """Every buffer of the link keeps its length, whatever comes and whether or not the host reads."""
    rig = wirekit.Rig(pad=wire.MAX_PAYLOAD)
    rig.stream.room = 100
    before = lengths(rig.link)
    for part in parts:
        rig.send(part)
        rig.link.push(codes.PUSH_EVENT, bytes(wire.EVENT_LEN))
    assert lengths(rig.link) == before


def lengths(the_link):
    once = the_link._once
    buffers = [the_link._rx, the_link._tx, the_link._frame, the_link._reply, the_link._chunk, *once._replies]
    return [len(b) for b in [*buffers, once._seq, once._crc, once._len, once._replies]]


@CALM
@given(frames)
def test_a_changed_byte_is_noticed(data):
    """CRC: a frame with one byte changed is never taken for a frame, at any place."""
    rig = wirekit.Rig()
    for at in range(0, len(data) - 1, 7):
        rig.send(data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :])
    assert rig.desk.calls == []


@CALM
@given(st.binary(max_size=254))
def test_cobs_in_place(data):
    """The firmware's COBS equals the `cobs` package's, both ways, for every length a frame can have."""
    from cobs import cobs as package

    buf = bytearray(b"\0" + data)
    cobs.encode(buf, len(buf))
    # a run of 254 needs no second code at its very end in this form; a frame never gets there
    if len(data) < 254:
        assert bytes(buf) == package.encode(data)
    assert b"\0" not in buf
    assert cobs.decode(buf, len(buf))
    assert bytes(buf[1:]) == data


@CALM
@given(st.binary(min_size=1, max_size=245).map(lambda data: data.replace(b"\0", b"\1")))
def test_decode_agrees_on_garbage(data):
    """The firmware's decoder takes exactly the bytes that the `cobs` package takes."""
    from cobs import cobs as package

    buf = bytearray(data)
    try:
        wanted = package.decode(data)
    except package.DecodeError:
        assert not cobs.decode(buf, len(buf))
        return
    assert cobs.decode(buf, len(buf))
    assert bytes(buf[1:]) == wanted


@pytest.mark.parametrize("length", [0, 1, wire.MAX_PAYLOAD])
def test_the_longest_frame_passes(length):
    """A payload of the greatest length still makes a frame, one byte more is never sent."""
    rig = wirekit.Rig(pad=wire.REPLY_HEADER_LEN + length if length < wire.MAX_PAYLOAD else length)
    [reply] = codec.Decoder().feed(rig.send(codec.encode_frame(5, codes.MSG_STATUS, b"")))
    assert isinstance(reply, codec.Frame)
    assert len(reply.payload) == rig.desk.pad
    assert not rig.link._send(0, 1, 0, bytes(wire.MAX_PAYLOAD + 1), 0)
