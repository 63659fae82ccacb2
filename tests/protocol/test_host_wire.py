"""Range: the host's typed messages take no value that the wire can't carry, and keep values that are new to them."""

import pytest
from sit_host._gen import enums, messages
from sit_host.table import NO_EXPIRY
from sit_host.wire import RangeError, ShortPayload

BEGIN = messages.LoadBegin(bytes(8), 1, 1, 1, 1000, 50000, 1000, NO_EXPIRY)
HELLO = messages.HelloReply.unpack(bytes(14 + 68))


@pytest.mark.parametrize("size", [0, 7, 9])
def test_bytes_of_the_wrong_length(size):
    """Range: fixed bytes are never cut or padded in silence."""
    with pytest.raises(RangeError, match=rf"LOAD_BEGIN.treatment has {size} bytes: it must have 8"):
        messages.LoadBegin(**{**vars(BEGIN), "treatment": bytes(size)}).pack()


def test_text_that_is_too_long():
    """Range: text is padded with zeros to its length, never cut."""
    fitting = messages.HelloReply(**{**vars(HELLO), "board": "x" * 16})
    assert messages.HelloReply.unpack(fitting.pack()).board == "x" * 16
    short = messages.HelloReply(**{**vars(HELLO), "board": "pico"})
    assert messages.HelloReply.unpack(short.pack()).board == "pico"
    with pytest.raises(RangeError, match="at most 16 bytes"):
        messages.HelloReply(**{**vars(HELLO), "board": "x" * 17}).pack()


def test_a_value_the_type_cant_hold():
    """Range: with the schema's check off, for tests of the device, the type's own range still holds."""
    assert messages.Renew(1).pack(check=False) == b"\1\0"
    with pytest.raises(RangeError, match="u16 can't hold it"):
        messages.Renew(65536).pack(check=False)


def test_a_value_that_is_new_to_us():
    """Wire: a state or bit of a later version stays a number, and packs to the same bytes again."""
    payload = bytes([0, 200, 201, 0, 0xFF, 0xFF]) + bytes(8)
    header = messages.ReplyHeader.unpack(payload)
    assert (header.state, header.phase, header.ready) == (200, 201, 0xFFFF)
    assert header.ready & enums.Ready.CONTACT
    assert header.pack() == payload


def test_a_short_payload():
    """Wire: a payload that ends too early is told apart from one with odd values."""
    with pytest.raises(ShortPayload, match="ARM has 5 bytes: at least 6"):
        messages.Arm.unpack(bytes(5))
