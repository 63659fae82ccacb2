"""Events: numbered, bounded, read again."""

import struct
from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st
from sit_firmware import codes, image, wire
from sit_firmware.events import KEPT, Events


def kept_events(kept=KEPT):
    inputs = image.new()[1]
    inputs[image.IN_TICK] = 1234
    return Events(SimpleNamespace(inputs=inputs), kept)


def read(events, seq):
    """Event `seq` unpacked, None when it isn't kept."""
    buf = bytearray(wire.EVENT_LEN)
    return struct.unpack(wire.FMT_EVENT, buf) if events.read(seq, buf) else None


def test_an_event_is_its_wire_form():
    """What is kept is the payload of EVENT, tick and number included."""
    events = kept_events()
    events.push(codes.EVENT_SHOT, 7, codes.RECORD_DONE, 12)
    assert read(events, 1) == (1, 1234, codes.EVENT_SHOT, 7, codes.RECORD_DONE, 12)
    assert events.head == 2 and read(events, 2) is None and read(events, 0) is None


@given(st.integers(0, 300))
def test_the_oldest_gives_way(count):
    """Bounded: the last events are kept, an older one is not there rather than wrong."""
    events = kept_events(kept=8)
    for i in range(count):
        events.push(codes.EVENT_STATE, i)
    assert events.head == count + 1
    assert events.tail == max(1, events.head - 8)
    for seq in range(max(0, count - 20), count + 3):
        found = read(events, seq)
        assert (found is not None) == (events.tail <= seq < events.head)
        assert found is None or (found[0] == seq and found[3] == seq - 1)


@given(st.integers(-(2**40), 2**40), st.integers(-(2**40), 2**40))
def test_any_measure_fits(a, b):
    """A measure beyond its field never makes an event fail."""
    events = kept_events()
    events.push(codes.EVENT_FAULT, a, b, -b)
    _, _, _, found_a, found_b, _ = read(events, 1)
    assert found_a == a % 2**32
    assert found_b == max(-(2**31), min(2**31 - 1, b))
