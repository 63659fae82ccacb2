"""The host's decoder and client under any bytes: nothing raises, nothing grows, whole frames are still found."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sit_host._gen import messages
from sit_host._gen.messages import MAX_PAYLOAD
from sit_host.codec import MAX_WIRE, BadFrame, Decoder, Frame, encode_frame
from sit_host.outcome import Delivered
from sit_host.testing import ScriptedDevice
from sit_host.wirelog import describe

ANY = st.binary(max_size=1200)
PAYLOAD = st.binary(max_size=MAX_PAYLOAD)


def _chopped(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({cut % (len(data) + 1) for cut in cuts} | {0, len(data)})
    return [data[first:last] for first, last in itertools.pairwise(places)]


@given(ANY, st.lists(st.integers(0, 5000), max_size=20))
def test_any_bytes_however_chopped(data: bytes, cuts: list[int]) -> None:
    """Any bytes decode to the same items however they are chopped; never more than one frame is held."""
    whole = Decoder()
    expected = whole.feed(data)
    decoder = Decoder()
    found: list[Frame | BadFrame] = []
    for piece in _chopped(data, cuts):
        found += decoder.feed(piece)
        assert len(decoder._partial) <= MAX_WIRE + 1
    assert found == expected
    assert all(describe(item) for item in found)


@given(PAYLOAD, st.integers(0, 0xFFFF), st.integers(0, 0xFF), st.integers(0, 0xFFFFFFFF), ANY)
def test_a_frame_after_garbage_is_found(payload: bytes, seq: int, id: int, session: int, garbage: bytes) -> None:
    """A whole frame that begins after a zero is found, whatever came before."""
    frame = encode_frame(seq, id, payload, session=session)
    assert len(frame) <= MAX_WIRE + 1
    assert Decoder().feed(garbage + b"\0" + frame)[-1] == Frame(seq, id, payload, session)


@given(PAYLOAD, st.data())
def test_a_changed_bit_is_noticed(payload: bytes, data: st.DataObject) -> None:
    """One changed bit anywhere never gives another good frame."""
    frame = bytearray(encode_frame(7, 2, payload, session=9))
    place = data.draw(st.integers(0, len(frame) - 1))
    frame[place] ^= 1 << data.draw(st.integers(0, 7))
    assert not [item for item in Decoder().feed(bytes(frame) + b"\0") if isinstance(item, Frame)]


def test_a_payload_too_long_is_refused() -> None:
    """A payload that doesn't fit a frame is refused before anything is sent."""
    with pytest.raises(ValueError, match="at most 224"):
        encode_frame(1, 2, bytes(MAX_PAYLOAD + 1))


@settings(max_examples=60)
@given(st.lists(ANY, max_size=4), st.integers(0, 255), PAYLOAD)
def test_noise_on_the_line_changes_no_outcome(noise: list[bytes], id: int, payload: bytes) -> None:
    """Noise and frames nobody asked for, between request and reply, change neither outcome nor what was sent."""
    device = ScriptedDevice()
    client = device.client()
    for data in noise:
        device.say(data + b"\0")
    device.say(encode_frame(client.exchange.seq + 2, id, payload, session=client.exchange.session ^ 1))
    outcome = client.prime(5000)
    assert isinstance(outcome, Delivered)
    assert device.sent(messages.Prime) == [messages.Prime(5000)]
