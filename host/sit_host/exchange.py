"""Requests and replies over one transport: sequence numbers, time-outs, re-sends of the same frame, pushes.

A request that gets no reply in time is sent again as the very same bytes. The device answers a repeated
sequence number of a session from its cache, so a lost reply is asked for again and nothing is done twice.
A request can be nested in another one's wait (STOP must not queue), so replies are filed by sequence number.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sit_host._gen import messages
from sit_host.codec import BadFrame, Decoder, Frame, encode_frame, signed_part
from sit_host.errors import LinkLost
from sit_host.transport.base import Transport
from sit_host.wire import Message, ShortPayload
from sit_host.wirelog import Tap

HELLO_ID = messages.Hello.ID
_SEQ_LAST = 0xFFFF
_SAMPLE_BYTES = 64


@dataclass(frozen=True)
class Answer:
    """A reply came: its header, its whole payload, and how often the request had been sent by then."""

    header: messages.ReplyHeader
    payload: bytes
    sends: int


@dataclass(frozen=True)
class Silence:
    """No reply came. `sends` is how many copies left this host, `lost` whether the link broke."""

    why: str
    sends: int
    lost: bool


@dataclass
class Counters:
    """What went over the link, for diagnosis."""

    bytes_in: int = 0
    frames_in: int = 0
    bad_frames: int = 0
    strays: int = 0
    resends: int = 0
    sample: bytes = b""  # the first bytes received, for the sentence about a device that talks garbage


class Exchange:
    """Sends requests and files what comes back. Not for several threads at once: see `Client.lock`."""

    def __init__(
        self,
        transport: Transport,
        on_push: Callable[[Frame], None],
        between: Callable[[], None],
        next_wake_s: Callable[[float], float],
    ) -> None:
        """Ask nothing yet.

        `on_push` gets frames sent unasked. `between` runs after every wait and may ask (nested) itself;
        `next_wake_s(deadline_s)` says when it has something to do.
        """
        self.transport = transport
        self.session = 0
        self.seq = 0
        self.counters = Counters()
        self._on_push = on_push
        self._between = between
        self._next_wake_s = next_wake_s
        self.tap: Tap | None = None
        self.sign: Callable[[bytes], bytes] | None = None  # the MAC of a paired session; None: not paired
        self._fresh = True  # nothing has been sent over this opening of the link
        self._decoder = Decoder()
        self._waiting: dict[int, tuple[int, int]] = {}  # seq -> (reply id, session)
        self._replies: dict[int, bytes] = {}

    def ask(self, message: Message, timeout_s: float, tries: int, *, check: bool = True) -> Answer | Silence:
        """Send `message` up to `tries` times, `timeout_s` apart, and return what came of it.

        Raises RangeError for a value outside its range, unless `check` is off.
        """
        seq = self._next_seq()
        session = 0 if message.ID == HELLO_ID else self.session
        frame = self._frame(seq, message.ID, message.pack(check), session)
        self._waiting[seq] = (message.ID | messages.REPLY_BIT, session)
        sends = 0
        try:
            while sends < tries:
                self._send(frame)
                sends += 1
                self.counters.resends += sends > 1
                payload = self._await(seq, self.transport.now() + timeout_s)
                if payload is not None:
                    return Answer(messages.ReplyHeader.unpack(payload), payload, sends)
            return Silence(f"no reply to {sends} copies, {timeout_s:g} s apart.", sends, lost=False)
        except LinkLost as error:
            # the copy whose sending failed may have left in part or in whole
            return Silence(error.what, sends + 1, lost=True)
        finally:
            self._waiting.pop(seq, None)
            self._replies.pop(seq, None)

    def pump(self, deadline_s: float) -> None:
        """Wait once, at most until the deadline, and file what came. Raises LinkLost."""
        self._take(self.transport.wait(self._next_wake_s(deadline_s)))
        self._between()

    def restart(self) -> None:
        """Forget half a frame: the link was opened anew."""
        self._decoder = Decoder()
        self._fresh = True

    def _frame(self, seq: int, id: int, payload: bytes, session: int) -> bytes:
        if self.sign is None or not messages.RULES[id].changes:
            return encode_frame(seq, id, payload, session=session)
        return encode_frame(
            seq, id, payload, session=session, mac=self.sign(signed_part(seq, id, payload, session=session))
        )

    def _send(self, frame: bytes) -> None:
        # the first zero ends what a program before us may have left half sent
        data = b"\0" + frame if self._fresh else frame
        self.transport.send(data)
        self._fresh = False
        if self.tap is not None:
            self.tap.sent(self.transport.now(), data)

    def _await(self, seq: int, deadline_s: float) -> bytes | None:
        while seq not in self._replies and self.transport.now() < deadline_s:
            self.pump(deadline_s)
        return self._replies.pop(seq, None)

    def _next_seq(self) -> int:
        self.seq = self.seq % _SEQ_LAST + 1
        return self.seq

    def _take(self, data: bytes) -> None:
        if not data:
            return
        if self.tap is not None:
            self.tap.received(self.transport.now(), data)
        counters = self.counters
        counters.bytes_in += len(data)
        if len(counters.sample) < _SAMPLE_BYTES:
            counters.sample += data[: _SAMPLE_BYTES - len(counters.sample)]
        for item in self._decoder.feed(data):
            if isinstance(item, BadFrame):
                counters.bad_frames += 1
            elif item.id & messages.REPLY_BIT:
                self._file(item)
            elif item.id in messages.PUSHES:
                counters.frames_in += 1
                self._on_push(item)
            else:
                counters.strays += 1

    def _file(self, frame: Frame) -> None:
        expected = self._waiting.get(frame.seq)
        # a late or doubled reply, or one to a request of a session before this one, belongs to nobody
        if expected is None or frame.id != expected[0] or not self._same_session(frame, expected[1]):
            self.counters.strays += 1
            return
        try:
            messages.ReplyHeader.unpack(frame.payload)
        except ShortPayload:
            self.counters.bad_frames += 1
            return
        self.counters.frames_in += 1
        self._replies[frame.seq] = frame.payload

    def _same_session(self, frame: Frame, session: int) -> bool:
        return session == 0 or frame.session in (session, 0)
