"""One device's link: session, requests with three outcomes, the lease, and serving others while waiting.

Knows nothing of what messages mean; `client.Client` builds on it.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sit_host import keys
from sit_host._gen import enums, messages
from sit_host.codec import Frame
from sit_host.describe import status_info
from sit_host.errors import LinkLost, NoAnswer, ProtocolError
from sit_host.exchange import Answer, Exchange, Silence
from sit_host.lease import LeaseKeeper
from sit_host.outcome import Delivered, Outcome, Refused, Unknown
from sit_host.transport.base import Transport
from sit_host.wire import Message, RangeError, ShortPayload

REPLY_S = 0.3
"""How long a reply may take before the same frame is sent again."""
TRIES = 7
_HELLO_TRIES = 10  # a device may still be starting
_STOP_S = 0.1  # STOP, DISARM and RENEW are repeated soon: that does no harm, and being late may
_STOP_TRIES = 20
_RENEW_TRIES = 5
# what a copy may earn although the frame before it was carried out
_COPY_REFUSED = (enums.Refusal.SEQUENCE, enums.Refusal.NO_SESSION, enums.Limit.LOCKOUT)
_MOST_NESTED = 3  # a reading, and two commands to stop while it waits
_HOLDING = (enums.State.ARMED, enums.State.INJECTING)


class DeviceLink:
    """Session and requests. `lock` is held while a method runs."""

    def __init__(self, transport: Transport) -> None:
        """Send nothing yet: `hello` opens the session."""
        self.transport = transport
        self.exchange = Exchange(transport, self._on_push, self._between, self._next_wake_s)
        self.lock = threading.RLock()
        self.lease = LeaseKeeper()
        self.device: messages.HelloReply | None = None
        self.header: messages.ReplyHeader | None = None
        self.serve_others: Callable[[bool], None] | None = None
        self.lost = False
        self.stopped_elsewhere = False  # another process has sent STOP or DISARM through this one
        self._lease_thread = 0
        self._renewing = False
        self._serving = 0  # how deep others are being served
        self._closers: list[Callable[[], None]] = [transport.close]

    @property
    def name(self) -> str:
        """The connection, as shown to users."""
        return self.transport.name

    @property
    def board(self) -> str:
        """The kind of board, as HELLO named it; "" before."""
        return self.device.board if self.device is not None else ""

    @property
    def schema_matches(self) -> bool:
        """Whether host and device have the same protocol. If not, only reading is allowed."""
        return self.device is not None and self.device.schema_hash == messages.SCHEMA_HASH

    def hello(self) -> messages.HelloReply:
        """Open a session. Raises NoAnswer, ProtocolError, LinkLost or RefusedError; nothing moves in any case."""
        nonce = secrets.randbelow(0xFFFFFFFF) + 1
        with self.lock:
            self.lease.end()
            self.exchange.sign = None
            answer = self.exchange.ask(messages.Hello(nonce, messages.SCHEMA_HASH), REPLY_S, _HELLO_TRIES)
            if isinstance(answer, Silence):
                raise self._no_hello(answer)
            self.header = answer.header
            if answer.header.result:
                raise self._refused("HELLO", answer.header).error()
            try:
                self.device = messages.HelloReply.unpack(answer.payload)
            except ShortPayload as error:
                raise self._unreadable("HELLO", error) from error
            self.exchange.session = nonce
            self.lost = False
            self.use_key(keys.load(self.device.uid))
        return self.device

    def use_key(self, key: bytes | None) -> None:
        """Sign what changes something with this host's key of the device from now on; None for no key."""
        self.exchange.sign = None if key is None else keys.signer(key, self.session_seed())

    def session_seed(self) -> bytes:
        """Return what the keys of this session follow from, both sides' nonces among it."""
        device = self.device
        assert device is not None  # a session was opened
        return keys.session_seed(device.uid, device.boot_count, self.exchange.session, device.device_nonce)

    def close(self) -> None:
        """End the connection and give the port back. May be called twice. A running lease ends by itself."""
        closers, self._closers = self._closers, []
        for closer in reversed(closers):
            closer()

    def on_close(self, closer: Callable[[], None]) -> None:
        """Have `closer` called by `close`, the last given first."""
        self._closers.append(closer)

    def request(self, message: Message, *, check: bool = True) -> Outcome[Any]:
        """Send one message and return its outcome.

        `check` off lets through what this host would refuse itself: for tests of the device's own checks.
        Raises LinkLost when the link is known to be lost (nothing is sent then), ProtocolError when the reply is
        not to be understood.
        """
        rule = messages.RULES[message.ID]
        if check and rule.changes and not self.schema_matches and message.ID != messages.Update.ID:
            return self.refuse_here(message.NAME, enums.Refusal.SCHEMA)
        if self.lost:
            raise LinkLost(f"The connection to {self.name} is lost.", "Connect again.")
        timeout_s, tries = self._pace(message)
        with self.lock:
            try:
                answer = self.exchange.ask(message, timeout_s, tries, check=check)
            except RangeError as error:
                return self.refuse_here(message.NAME, enums.Refusal.BAD_VALUE, str(error))
            if isinstance(answer, Silence):
                self.lost |= answer.lost
                return Unknown(message.NAME, answer.why, message, answer.lost)
            self._note_header(answer.header)
            if answer.header.result in _COPY_REFUSED and answer.sends > 1:
                # this copy did nothing; whether an earlier one did, its forgotten reply would have said
                return Unknown(message.NAME, "its reply was lost and is no longer kept.", message)
            if answer.header.result:
                return self._refused(message.NAME, answer.header)
            try:
                return Delivered(rule.reply.unpack(answer.payload))
            except ShortPayload as error:
                raise self._unreadable(message.NAME, error) from error

    @staticmethod
    def refuse_here(message: str, number: enums.Refusal | enums.Limit, doc: str = "", hint: str = "") -> Refused:
        """Return a refusal of this host: nothing was sent."""
        info = status_info(number)
        return Refused(message, info.number, info.name, doc or info.doc, hint or info.hint)

    def relay(self, message: Message) -> Answer | Silence:
        """Ask the device for somebody else: no check of ours but the frame's own."""
        # set before it is known whether the frame arrives: whoever asked wants no further shot
        ends = message.ID in (messages.Stop.ID, messages.Disarm.ID)
        self.stopped_elsewhere |= ends
        timeout_s, tries = self._pace(message)
        if not ends:
            tries = 1  # whoever reads asks again; the owner must not wait long for its turn
        answer = self.exchange.ask(message, timeout_s, tries, check=False)
        if isinstance(answer, Silence):
            self.lost |= answer.lost
        else:
            self._note_header(answer.header)
        return answer

    def _pace(self, message: Message) -> tuple[float, int]:
        """Return how long to wait for a reply, s, and how often to ask."""
        if message.ID in (messages.Stop.ID, messages.Disarm.ID):
            return _STOP_S, _STOP_TRIES
        if message.ID == messages.Renew.ID:
            return _STOP_S, _RENEW_TRIES
        return REPLY_S, TRIES

    def wait(self, deadline_s: float) -> None:
        """Wait once, at most until the deadline: events are collected, the lease renewed, others served.

        Raises LinkLost when the link breaks.
        """
        with self.lock, self._watching_link():
            self.exchange.pump(deadline_s)

    # --- inside --------------------------------------------------------------------------------------

    def _on_push(self, frame: Frame) -> None:
        """Take a frame that the device sent unasked."""
        raise NotImplementedError

    def _next_wake_s(self, deadline_s: float) -> float:
        return self.lease.next_due_s(deadline_s) if self._may_renew() else deadline_s

    def _may_renew(self) -> bool:
        """Only the thread that armed renews: one that serves others must not keep a hung program's lease alive."""
        return threading.get_ident() == self._lease_thread and not self._renewing

    def _between(self) -> None:
        """After each wait: others first, since they may want to stop; then the lease."""
        if self.serve_others is not None and self._serving < _MOST_NESTED:
            self._serving += 1
            try:
                self.serve_others(self._serving > 1)  # while a reading is relayed, only what ends something
            finally:
                self._serving -= 1
        if self._may_renew() and self.lease.is_due(self.transport.now()):
            self._renewing = True
            try:
                self._renew_lease()
            finally:
                self._renewing = False

    def _renew_lease(self) -> None:
        asked_s = self.transport.now()
        if asked_s >= self.lease.ends_s:
            self.lease.end()
            return
        outcome = self.request(messages.Renew(self.lease.lease_ms))
        if isinstance(outcome, Delivered):
            self.lease.renewed(asked_s)
        elif isinstance(outcome, Refused) or self.lost:
            self.lease.end()

    def _note_header(self, header: messages.ReplyHeader) -> None:
        self.header = header
        if header.state not in _HOLDING:
            self.lease.end()

    @contextmanager
    def _watching_link(self) -> Iterator[None]:
        try:
            yield
        except LinkLost:
            self.lost = True
            self.lease.end()
            raise

    @staticmethod
    def _refused(message: str, header: messages.ReplyHeader) -> Refused:
        info = status_info(header.result)
        return Refused(message, info.number, info.name, info.doc, info.hint, header)

    def _unreadable(self, message: str, error: ShortPayload) -> ProtocolError:
        return ProtocolError(
            f"The reply of {self.name} to {message} can't be read: {error}",
            "Host and device speak different protocols: install the host version that belongs to this firmware.",
        )

    def _no_hello(self, silence: Silence) -> LinkLost | NoAnswer | ProtocolError:
        """Return the error for a port that doesn't answer HELLO as an OpenSIT device does."""
        counters = self.exchange.counters
        if silence.lost:
            self.lost = True
            return LinkLost(silence.why, "Check cable and power, then connect again.")
        if counters.frames_in or not counters.bytes_in:
            return NoAnswer(
                f"{self.name} doesn't answer.",
                "Check that the device is on and that this is its port; `sit ports` lists ports.",
            )
        sample = counters.sample[:24].decode("ascii", "backslashreplace").strip()
        do = "Check that this is the right port; `sit ports` lists ports."
        if b">>>" in counters.sample or b"MicroPython" in counters.sample:
            do = "It shows a MicroPython prompt: the firmware isn't running there. Reset the board."
        return ProtocolError(
            f"{self.name} answers, but not like an OpenSIT device: {counters.bytes_in} bytes, none of them a frame, "
            f"beginning with {sample!r}.",
            do,
        )
