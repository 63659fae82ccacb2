"""The client: one typed method for each message, three outcomes, events, the lease, and the way back after a lost link.

    with open_client("serial:/dev/ttyACM0") as client:
        status = expect(client.status())
        end = expect(client.run(Selftest(), timeout_s=30))

All times are seconds of the transport's clock. Methods may be called from one thread at a time; `lock` is held
while one runs, so that a relay for other processes can serve them when this program waits at a question.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sit_host._gen import enums, messages
from sit_host.codec import Frame
from sit_host.device_link import DeviceLink
from sit_host.errors import LinkLost, NoAnswer, UnknownError
from sit_host.events import EventLog
from sit_host.outcome import Delivered, Outcome, Unknown, expect
from sit_host.requests import TypedMessages
from sit_host.resolve import in_force
from sit_host.transport.base import Transport
from sit_host.wire import Message, ShortPayload

_POLL_S = 0.5  # while waiting for an event, ask for lost ones this often
_CLOCK_OFF_S = 60


@dataclass(frozen=True)
class WorkEnd:
    """How accepted work ended: `result` 0 or the number of a refusal or fault, `cause` its cause or measure."""

    result: int
    cause: int

    @property
    def done(self) -> bool:
        """Whether it did what was asked."""
        return self.result == 0


@dataclass(frozen=True)
class Reconnected:
    """The link is back. `rebooted`: the device started anew meanwhile. The device is disarmed."""

    rebooted: bool
    status: messages.StatusReply


class Client(DeviceLink, TypedMessages):
    """One device over one transport."""

    def __init__(self, transport: Transport, *, unix_s: Callable[[], float] = time.time) -> None:
        """Send nothing yet: `hello` opens the session. `unix_s` is the wall clock for SET_CLOCK."""
        super().__init__(transport)
        self.log = EventLog()
        self.telemetry: messages.Telemetry | None = None
        self.on_telemetry: Callable[[messages.Telemetry], None] | None = None
        self._unix_s = unix_s

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- the session ---------------------------------------------------------------------------------

    def now_unix_s(self) -> int:
        """Return the time of this host's clock."""
        return int(self._unix_s())

    def start_events(self) -> None:
        """Begin to collect events at the device's next one. Raises as `expect` does."""
        self.log.begin(expect(self.status()).event_head)

    def set_clock_if_needed(self) -> None:
        """Set the device's clock when it isn't set or off by a minute, and the device takes it now."""
        status = expect(self.status())
        now = self.now_unix_s()
        if status.header.state in (enums.State.IDLE, enums.State.FAULT) and abs(status.unix_s - now) > _CLOCK_OFF_S:
            expect(self.set_clock(now))

    def reconnect(self, timeout_s: float = 30.0) -> Reconnected:
        """Open the lost link anew, with a new session, and disarm: what was injected is then in the ledger.

        Raises LinkLost when the link doesn't come back in time, else as `hello` does.
        """
        before = self.device
        deadline_s = self.transport.now() + timeout_s
        while True:
            try:
                status = self._open_anew(deadline_s)
                break
            except (LinkLost, NoAnswer, UnknownError):
                if self.transport.now() >= deadline_s:
                    raise
        device = self.device
        assert device is not None  # hello() has set it
        rebooted = before is None or (device.uid, device.boot_count) != (before.uid, before.boot_count)
        if rebooted:
            self.log.begin(0)
        self.log.seen_head(status.event_head)
        return Reconnected(rebooted, status)

    def _open_anew(self, deadline_s: float) -> messages.StatusReply:
        self.transport.reopen(deadline_s)
        self.exchange.restart()
        self.hello()
        expect(self.disarm())
        return expect(self.status())

    def resolve(self, unknown: Unknown) -> bool | None:
        """Return whether what a command of unknown outcome asked for is so now; None when that can't be told."""
        return in_force(unknown, expect(self.status()))

    def arm(self, lease_ms: int, cursor: int, count: int, *, check: bool = True) -> Outcome[messages.ArmReply]:
        """Arm for `count` rows from `cursor` on. While this program waits in the client the lease is renewed.

        Refused here once another process has stopped the device through this one, until an operator here has agreed
        to go on and `stopped_elsewhere` is set back.
        """
        if check and self.stopped_elsewhere:
            return self.refuse_here(
                messages.Arm.NAME,
                enums.Refusal.BAD_STATE,
                "Another process of this computer has stopped the device.",
                "Find out why, then start again.",
            )
        asked_s = self.transport.now()
        outcome = self.request(messages.Arm(lease_ms, cursor, count), check=check)
        if isinstance(outcome, Delivered):
            self._lease_thread = threading.get_ident()
            self.lease.begin(lease_ms, asked_s)
        return outcome

    # --- waiting and events --------------------------------------------------------------------------

    def sleep(self, seconds: float) -> None:
        """Wait for a time, doing what `wait` does."""
        end_s = self.transport.now() + seconds
        while self.transport.now() < end_s:
            self.wait(end_s)

    def events(self, *, refresh: bool = False) -> list[messages.Event]:
        """Return the events since the last call, in order and each once; lost ones are read again.

        `refresh` asks the device whether there are more even if no gap is known.
        """
        if self.log.next_seq is not None and (refresh or self.log.gap):
            self._read_events()
        return self.log.take()

    def wait_for(self, found: Callable[[], Any], timeout_s: float) -> Any:
        """Wait until `found()` returns something true and return that, or None at the time-out.

        Lost events are read again about twice a second meanwhile. Raises LinkLost when the link breaks.
        """
        end_s = self.transport.now() + timeout_s
        poll_s = self.transport.now() + _POLL_S
        while True:
            result = found()
            now = self.transport.now()
            if result or now >= end_s:
                return result or None
            if self.log.gap or now >= poll_s:
                with contextlib.suppress(NoAnswer):  # one reading that got lost doesn't end the wait
                    self._read_events()
                poll_s = now + _POLL_S
                continue
            self.wait(min(end_s, poll_s))

    def run(self, message: Message, timeout_s: float) -> Outcome[WorkEnd]:
        """Have long work done (self-test, zero, prime, the end of a change) and wait for its WORK event."""
        self._read_events()
        since = self.log.next_seq or 0
        outcome = self.request(message)
        if not isinstance(outcome, Delivered):
            return outcome
        event = self.wait_for(lambda: self._work_event(message.ID, since), timeout_s)
        if event is None:
            return Unknown(message.NAME, f"no end was reported within {timeout_s:g} s.", message)
        return Delivered(WorkEnd(event.b, event.c))

    def _work_event(self, id: int, since: int) -> messages.Event | None:
        for event in self.log.since(since):
            if event.kind == enums.Event.WORK and event.a == id:
                return event
        return None

    def _read_events(self) -> None:
        """Read the events that aren't here, until there is no gap."""
        while self.log.next_seq is not None:
            before = self.log.next_seq
            reply = expect(self.events_read(before))
            size = messages.Event.SIZE
            found = [
                messages.Event.unpack(reply.events[at : at + size])
                for at in range(0, len(reply.events) - size + 1, size)
            ]
            self.log.fill(found, reply.head)
            if not self.log.gap or self.log.next_seq == before:
                return

    def _on_push(self, frame: Frame) -> None:
        try:
            push = messages.PUSHES[frame.id].unpack(frame.payload)
        except ShortPayload:
            self.exchange.counters.bad_frames += 1
            return
        if isinstance(push, messages.Event):
            self.log.push(push)
        elif isinstance(push, messages.Telemetry):
            self.telemetry = push
            if self.on_telemetry is not None:
                self.on_telemetry(push)
