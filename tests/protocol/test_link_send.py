"""Wire: the link sends whole frames only, never blocks, and pushes never take a reply's place."""

import wirekit
from hypothesis import given, settings
from hypothesis import strategies as st
from sit_firmware import codes, wire
from sit_host import codec
from test_link_once import opened, renew

EVENT = bytes(range(wire.EVENT_LEN))
CALM = settings(derandomize=True, deadline=None, max_examples=100)


def test_nothing_is_pushed_before_hello():
    """Wire: a device that nobody has greeted is silent."""
    rig = wirekit.Rig()
    assert not rig.link.push(codes.PUSH_EVENT, EVENT)
    assert rig.send(b"") == b""
    assert rig.link.lost_pushes == 0


def test_a_push_is_a_whole_frame_of_the_session():
    """Wire: a push has the number 0 and the session of the last HELLO."""
    rig = opened()
    assert rig.link.push(codes.PUSH_EVENT, EVENT)
    [frame] = codec.Decoder().feed(rig.send(b""))
    assert frame == codec.Frame(0, codes.PUSH_EVENT, EVENT, session=rig.link.session)


def test_pushes_leave_room_for_replies():
    """Wire: with a host that doesn't read, pushes are dropped and counted while two full replies still find room."""
    rig = opened(pad=wire.MAX_PAYLOAD)
    rig.stream.room = 0
    while rig.link.push(codes.PUSH_EVENT, EVENT):
        pass
    assert rig.link.lost_pushes == 1
    rig.send(renew(2))
    rig.send(renew(3))
    assert rig.link.lost_replies == 0
    rig.stream.room = 1 << 20
    frames = codec.Decoder().feed(rig.send(b""))
    assert [frame.seq for frame in frames[-2:]] == [2, 3]
    assert not rig.link.pending


def test_pending_tells_what_waits():
    """Wire: what the host hasn't taken, and what is still to be read, is pending: time isn't skipped over it."""
    rig = opened()
    assert not rig.link.pending
    rig.stream.room = 3
    rig.link.push(codes.PUSH_EVENT, EVENT)
    rig.link.poll()
    assert rig.link.pending
    rig.stream.room = 1 << 20
    rig.link.poll()
    assert not rig.link.pending
    rig.stream.inbox.extend(bytes(400))
    rig.link.poll()
    assert rig.link.pending
    rig.link.poll()
    assert not rig.link.pending


@CALM
@given(st.lists(st.tuples(st.integers(0, 60), st.booleans(), st.integers(0, 224)), max_size=60))
def test_only_whole_frames_leave(moves):
    """Wire: however slowly the host reads, what it gets are whole frames in the order in which they were queued."""
    rig = opened()
    rig.stream.outbox = bytearray()
    rig.stream.room = 0
    queued = []
    seq = 1
    for room, push, length in moves:
        rig.stream.room += room
        payload = bytes(i * 7 & 0xFF for i in range(length))
        if push:
            if rig.link.push(codes.PUSH_TELEMETRY, payload):
                queued.append((0, payload))
            rig.link.poll()
            continue
        seq += 1
        lost = rig.link.lost_replies
        rig.desk.pad = length
        rig.stream.inbox.extend(renew(seq))
        rig.link.poll()
        if rig.link.lost_replies == lost:
            queued.append((seq, None))
    rig.stream.room = 1 << 20
    rig.link.poll()
    frames = codec.Decoder().feed(bytes(rig.stream.outbox))
    assert [frame.seq for frame in frames] == [number for number, _ in queued]
    for frame, (_, payload) in zip(frames, queued, strict=True):
        assert payload is None or frame.payload == payload
