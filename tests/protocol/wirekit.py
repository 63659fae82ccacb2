"""A firmware link with both ends in reach, and the vectors run through it. One file for CPython and MicroPython."""

import struct

from sit_firmware import codes, wire
from sit_firmware.link import Link


class Stream:
    """The link's byte stream: the test puts bytes in and takes bytes out, `room` is what the host still reads."""

    def __init__(self):
        self.inbox = bytearray()
        self.outbox = bytearray()
        self.room = 1 << 20

    def readinto(self, buf):
        n = min(len(buf), len(self.inbox))
        buf[:n] = self.inbox[:n]
        self.inbox = self.inbox[n:]
        return n

    def write(self, buf):
        n = min(len(buf), self.room)
        self.outbox.extend(buf[:n])
        self.room -= n
        return n


class Desk:
    """A handler that notes its calls and answers each one differently: total_min_nl is the number of the call.

    The reply is the header and then, up to `pad` bytes in all, a counting pattern.
    """

    def __init__(self, pad=0):
        self.calls = []  # (id, seq, session, payload, refusal)
        self.pad = pad

    def handle(self, request, refusal, reply):
        self.calls.append((request.id, request.seq, request.session, bytes(request.payload), refusal))
        struct.pack_into(wire.REPLY_HEADER, reply, 0, refusal, 1, 0, 0, 0, len(self.calls), 0)
        for i in range(wire.REPLY_HEADER_LEN, self.pad):
            reply[i] = i & 0xFF
        return max(self.pad, wire.REPLY_HEADER_LEN)


class Rig:
    """A link, its stream and its handler."""

    def __init__(self, pad=0):
        self.stream = Stream()
        self.desk = Desk(pad)
        self.link = Link(self.stream, self.desk.handle)

    def send(self, data):
        """Puts bytes in, polls until all are read, gives back the bytes that came out."""
        self.stream.inbox.extend(data)
        while self.stream.inbox:
            self.link.poll()
        self.link.poll()
        out = bytes(self.stream.outbox)
        self.stream.outbox = bytearray()
        return out


def unhex(text):
    """Bytes of a hexadecimal text."""
    return bytes(int(text[i : i + 2], 16) for i in range(0, len(text), 2))


def check(name, seen, wanted):
    """Ends the run with one sentence when the two differ."""
    if seen != wanted:
        raise AssertionError("%s: %r, expected %r" % (name, seen, wanted))  # noqa: UP031  (MicroPython)


def requests(vectors):
    """Every request vector reaches the handler unchanged; replies and pushes sent to a device are unknown requests."""
    count = 0
    for v in vectors["frames"]:
        rig = Rig()
        rig.send(unhex(v["wire"]))
        check(v["name"], len(rig.desk.calls), 1)
        number, seq, session, _, refusal = rig.desk.calls[0]
        check(v["name"], (number, seq, session), (v["id"], v["seq"], v["session"]))
        if v["kind"] != "request":
            check(v["name"], refusal, codes.REFUSED_UNKNOWN_MESSAGE)
        elif number != codes.MSG_HELLO and wire.REQUESTS[number][1]:
            # whole and in range, but no HELLO went before it
            check(v["name"], refusal, codes.REFUSED_NO_SESSION)
        else:
            check(v["name"], refusal, 0)
        count += 1
    return count


def encodes(vectors):
    """The firmware's encoder makes every vector's bytes again."""
    for v in vectors["frames"]:
        rig = Rig()
        rig.send(unhex(v["wire"]))
        payload = rig.desk.calls[0][3]
        rig.stream.outbox = bytearray()
        rig.link._send(v["seq"], v["id"], v["session"], payload, 0)
        rig.link.poll()
        check(v["name"], bytes(rig.stream.outbox), unhex(v["wire"]))
    return len(vectors["frames"])


def bad(vectors):
    """No bad vector reaches the handler, none is answered, and each is counted once."""
    for v in vectors["bad"]:
        rig = Rig()
        check(v["name"], rig.send(unhex(v["wire"])), b"")
        check(v["name"], rig.desk.calls, [])
        check(v["name"], (rig.link.frames, rig.link.bad_frames + rig.link.long_frames), (0, 1))
    return len(vectors["bad"])


def streams(vectors):
    """From each stream the handler gets exactly the frames that are in it."""
    names = {v["name"]: (v["id"], v["seq"]) for v in vectors["frames"]}
    for v in vectors["streams"]:
        rig = Rig()
        rig.send(unhex(v["wire"]))
        check(v["name"], [call[:2] for call in rig.desk.calls], [names[n] for n in v["frames"]])
    return len(vectors["streams"])


def exchanges(vectors):
    """One device, frame after frame: the refusal each earns, or the kept reply again without a call."""
    rig = Rig()
    replies = {}
    for v in vectors["exchanges"]:
        calls = len(rig.desk.calls)
        out = rig.send(unhex(v["wire"]))
        if "repeat" in v:
            check(v["name"], (len(rig.desk.calls), out), (calls, replies[v["wire"]]))
        else:
            check(v["name"], (len(rig.desk.calls), rig.desk.calls[-1][4]), (calls + 1, v["result"]))
            replies[v["wire"]] = out
    return len(vectors["exchanges"])


ALL = (requests, encodes, bad, streams, exchanges)
