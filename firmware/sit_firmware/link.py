"""The wire's lower half: frames out of bytes, each request answered once, replies and pushes into bytes.

    link = Link(board.link, handler, admit)
    handler(request, refusal, reply) -> length    once for each request that isn't answered from the cache
    admit(request) -> refusal                     0, or why this frame of the session may not change anything
    link.poll()                                   each background poll: reads, answers, writes; never blocks
    link.push(codes.PUSH_EVENT, payload) -> bool  queues what is sent unasked; False: nobody listens, or no room is left

`request` has `id`, `seq`, `flags`, `session` (of the frame), `payload`, and for `admit` what the MAC covers (`signed`)
and the MAC (`mac`): memoryviews valid during the call only. A frame that isn't admitted leaves no trace in the session.
`refusal` is 0 or the REFUSED_* that the frame itself earns: UNKNOWN_MESSAGE, BAD_LENGTH, BAD_VALUE, NO_SESSION or
SEQUENCE. When it isn't 0 the handler does nothing but write the reply header with that result. Everything that
depends on the device (schema hash, state, readiness) is the handler's. `reply` is a memoryview of MAX_PAYLOAD bytes to
write header and fields into; the length comes back. The handler may call `push`, must not call `poll`, must not raise.

Any bytes end in a whole valid frame or in a counter. STOP and DISARM reach the handler from every whole frame, in any
session, with any sequence number and any payload. Background only; all buffers are made once, garbage is at most
some hundred bytes per frame.
"""

import binascii
import struct
from array import array

from sit_firmware import cobs, codes, wire
from sit_firmware.once import Once

_OVERHEAD = wire.HEADER_LEN + wire.MAC_LEN + 4
_ENCODED_MAX = wire.MAX_FRAME + 1  # a frame fits one COBS block: one byte more, then the zero
_CHUNK = 256  # bytes read in one poll
_QUEUE = 1024  # bytes waiting to be sent
_REPLY_ROOM = 2 * (_ENCODED_MAX + 1)  # what pushes leave free for replies
_ALWAYS = (codes.MSG_STOP, codes.MSG_DISARM)
_HEADER = "<HBBI"  # seq, id, flags, session


class Request:
    """A whole valid frame, as the handler sees it."""

    def __init__(self):
        self.seq = 0
        self.id = 0
        self.flags = 0
        self.session = 0
        self.payload = memoryview(b"")
        self.signed = self.payload
        self.mac = self.payload


class Link:
    """Frames over a byte stream with `readinto(buf) -> n` and `write(buf) -> n`. See the head of this file."""

    def __init__(self, stream, handler, admit=None):
        self._stream = stream
        self._handler = handler
        self._admit = admit
        self._chunk = memoryview(bytearray(_CHUNK))
        self._rx = bytearray(_ENCODED_MAX)
        self._rx_view = memoryview(self._rx)
        self._rx_len = 0
        self._too_long = False  # inside a frame longer than any: wait for its zero
        self._more = False  # the last read filled the chunk
        self._tx = bytearray(_QUEUE)
        self._tx_view = memoryview(self._tx)
        self._tx_start = 0
        self._tx_end = 0
        self._frame = memoryview(bytearray(_ENCODED_MAX + 1))
        self._reply = memoryview(bytearray(wire.MAX_PAYLOAD))
        self._request = Request()
        self._crc = array("I", [0])  # of the request's frame; as a number it would be an object from 2^30 on
        self._once = Once()
        # what happened, for the session's diagnosis
        self.frames = 0  # whole valid frames
        self.bad_frames = 0  # COBS, length or CRC wrong
        self.long_frames = 0  # longer than the maximum
        self.lost_replies = 0  # no room: the host asks again
        self.lost_pushes = 0  # no room: EVENTS_READ has the events

    @property
    def session(self):
        """The host's nonce of the last HELLO; 0 before the first."""
        return self._once.session

    @property
    def pending(self):
        """True when the next poll has work even if no more bytes come: something to send, or more to read."""
        return self._more or self._tx_end > self._tx_start

    def poll(self):
        """One slice: sends what waits, reads at most _CHUNK bytes, answers every frame that they complete."""
        self._flush()
        n = self._stream.readinto(self._chunk)
        self._more = n == _CHUNK
        if n:
            self._take(bytes(self._chunk[:n]))

    def push(self, message_id, payload):
        """Queues a frame sent unasked; True when it was queued. Room for two replies always stays free."""
        if not self._once.session:
            return False
        if not self._send(0, message_id, self._once.session, payload, _REPLY_ROOM):
            self.lost_pushes += 1
            return False
        return True

    # --- in ----------------------------------------------------------------------------------------

    def _take(self, data):
        start = 0
        while True:
            zero = data.find(b"\0", start)
            if zero < 0:
                self._keep(data, start, len(data))
                return
            self._keep(data, start, zero)
            self._close()
            start = zero + 1

    def _keep(self, data, start, end):
        """Adds data[start:end] to the frame under way, or drops the frame when it gets too long."""
        n = end - start
        if self._too_long or self._rx_len + n > _ENCODED_MAX:
            self._too_long = True
            return
        self._rx[self._rx_len : self._rx_len + n] = data[start:end]
        self._rx_len += n

    def _close(self):
        """A zero came: the frame is whole."""
        n = self._rx_len
        self._rx_len = 0
        if self._too_long:
            self._too_long = False
            self.long_frames += 1
        elif n:
            if self._decode(n):
                self.frames += 1
                self._answer()
                self._flush()
            else:
                self.bad_frames += 1

    def _decode(self, n):
        """Undoes COBS in place and fills the request; False unless everything about the frame is right."""
        rx = self._rx
        if not cobs.decode(rx, n) or n - 1 < _OVERHEAD:
            return False
        crc_at = n - 4
        crc = binascii.crc32(self._rx_view[1:crc_at])
        if struct.unpack_from("<I", rx, crc_at)[0] != crc:
            return False
        request = self._request
        request.seq, request.id, request.flags, request.session = struct.unpack_from(_HEADER, rx, 1)
        mac_at = crc_at - wire.MAC_LEN
        request.payload = self._rx_view[1 + wire.HEADER_LEN : mac_at]
        request.signed = self._rx_view[1:mac_at]
        request.mac = self._rx_view[mac_at:crc_at]
        self._crc[0] = crc
        return True

    # --- answers -----------------------------------------------------------------------------------

    def _answer(self):
        request = self._request
        if request.id in _ALWAYS:
            self._call(0)
            return
        refusal = payload_refusal(request.id, request.payload)
        if refusal:
            self._call(refusal)
            return
        if not self._once.covers(request):
            self._call(0)
            return
        # before the session takes note of the number: a forged frame must not use it up
        refusal = self._foreign(request)
        if refusal:
            self._call(refusal)
            return
        kept = self._once.look(request, self._crc[0])
        if kept is None:
            n = self._call(0)
            self._once.keep(request, self._crc[0], self._reply[:n])
        elif isinstance(kept, int):
            self._call(kept)
        else:
            self._send_reply(kept)

    def _foreign(self, request):
        """What `admit` says of a frame of this session. HELLO is of none; one of another session is refused anyway."""
        if self._admit is None or request.id == codes.MSG_HELLO or request.session != self._once.session:
            return 0
        return self._admit(request)

    def _call(self, refusal):
        n = self._handler(self._request, refusal, self._reply)
        self._send_reply(self._reply[:n])
        return n

    def _send_reply(self, payload):
        request = self._request
        if not self._send(request.seq, request.id | codes.REPLY_BIT, request.session, payload, 0):
            self.lost_replies += 1

    # --- out ---------------------------------------------------------------------------------------

    def _send(self, seq, message_id, session, payload, spare):
        """Queues a whole frame and leaves `spare` bytes of the queue free, or queues nothing and returns False."""
        frame = self._frame
        n = len(payload) + _OVERHEAD
        if len(payload) > wire.MAX_PAYLOAD or not self._room(n + 2, spare):
            return False
        struct.pack_into(_HEADER, frame, 1, seq, message_id, 0, session)
        end = 1 + wire.HEADER_LEN + len(payload)
        frame[1 + wire.HEADER_LEN : end] = payload
        for i in range(end, end + wire.MAC_LEN):
            frame[i] = 0
        end += wire.MAC_LEN
        struct.pack_into("<I", frame, end, binascii.crc32(frame[1:end]))
        cobs.encode(frame, n + 1)
        frame[n + 1] = 0
        self._tx[self._tx_end : self._tx_end + n + 2] = frame[: n + 2]
        self._tx_end += n + 2
        return True

    def _room(self, n, spare):
        """Makes room for n bytes at the end of the queue, if the queue has n + spare bytes left."""
        waiting = self._tx_end - self._tx_start
        if waiting + n + spare > _QUEUE:
            return False
        if self._tx_end + n > _QUEUE:
            self._tx[:waiting] = bytes(self._tx_view[self._tx_start : self._tx_end])
            self._tx_start = 0
            self._tx_end = waiting
        return True

    def _flush(self):
        while self._tx_start < self._tx_end:
            n = self._stream.write(self._tx_view[self._tx_start : self._tx_end])
            if not n:
                return
            self._tx_start += n
        self._tx_start = 0
        self._tx_end = 0


def payload_refusal(message_id, payload):
    """What the payload of a request earns by itself: 0, UNKNOWN_MESSAGE, BAD_LENGTH or BAD_VALUE."""
    rule = wire.REQUESTS.get(message_id)
    if rule is None:
        return codes.REFUSED_UNKNOWN_MESSAGE
    _, _, _, shortest, fixed, limits = rule
    if len(payload) < shortest or (fixed and len(payload) > shortest):
        return codes.REFUSED_BAD_LENGTH
    for offset, form, low, high in limits:
        value = struct.unpack_from(form, payload, offset)[0]
        if (low is not None and value < low) or (high is not None and value > high):
            return codes.REFUSED_BAD_VALUE
    return 0
