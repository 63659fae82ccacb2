"""The device as a treatment sees it: its ledger read as it grows, its events, its state, and the way back after a
lost link. Nothing here moves anything."""

from __future__ import annotations

from collections.abc import Callable

from sit_host._gen import enums
from sit_host._gen.messages import Event, StatusReply
from sit_host._gen.records import Record
from sit_host.client import Client
from sit_host.errors import LinkLost, NoAnswer, UnknownError, WorkFailed
from sit_host.ledger import read_records
from sit_host.outcome import expect

POLL_S = 0.25  # how long a wait may be before Ctrl-C is looked at
LINK_GONE = (LinkLost, NoAnswer, UnknownError)  # nothing more is heard: what happened stands in the ledger
SHOT_END_S = 15.0  # longest that a shot under way may take to end


class Watched:
    """A connected device, the ledger records read from it so far, and what it told.

    `on_record` is called once for each new record, in order, before anything else is asked of the device.
    """

    def __init__(self, client: Client, first_seq: int = 1) -> None:
        """Read the ledger from record `first_seq` on; what the device no longer keeps is passed over."""
        self.client = client
        self.records: list[Record] = []
        self.told: list[Event] = []
        self.on_record: Callable[[Record], None] = lambda record: None
        self._next_seq = first_seq
        self._fresh: list[Event] = []

    def status(self) -> StatusReply:
        """Return the status now. Raises as `expect` does, and LinkLost."""
        return expect(self.client.status())

    def sync(self) -> int:
        """Read every record that isn't here yet; return the number of the next one.

        Raises WorkFailed for a damaged record: what it held can't be told, so nothing may be given on top of it.
        """
        for entry in read_records(self.client, self._next_seq):
            if not entry.whole:
                raise WorkFailed(
                    f"Record {entry.record.seq} of the device's ledger is damaged: it may hold a shot.",
                    "Save the ledger with `sit log list --save` and have the store serviced.",
                )
            self._next_seq = entry.record.seq + 1
            self.records.append(entry.record)
            self.on_record(entry.record)
        return self._next_seq

    def events(self) -> list[Event]:
        """Wait at most POLL_S for events; return those that came. Lost ones are read again."""
        found = self.client.wait_for(self._take, POLL_S)
        return found or []

    def _take(self) -> list[Event]:
        events = self.client.events()
        self.told.extend(events)
        return events

    def moving(self) -> bool:
        """Whether the device is armed or injecting, as far as its last reply told.

        It is asked anew once another process has ended something through this one: the reply to a frame of ours that
        was on its way then may be read after theirs, and tell of before.
        """
        if self.client.stopped_elsewhere:
            self.status()
        header = self.client.header
        return header is not None and header.state in (enums.State.ARMED, enums.State.INJECTING)

    def settle(self) -> StatusReply:
        """Wait until no shot is under way, end work and arming that are nobody's any more; return the status.

        Raises UnknownError when that doesn't end.
        """
        client = self.client
        end_s = client.transport.now() + SHOT_END_S
        while True:
            status = self.status()
            if status.header.state == enums.State.BUSY:
                expect(client.stop())
            elif status.header.state == enums.State.ARMED:
                expect(client.disarm())
            elif status.header.state not in (enums.State.INJECTING, enums.State.BOOT):
                return status
            if client.transport.now() >= end_s:
                raise UnknownError(
                    f"What the device does hasn't ended within {SHOT_END_S:g} s.",
                    "Press the e-stop, lift the device and look at `sit info`.",
                )
            client.sleep(POLL_S)

    def come_back(self, timeout_s: float) -> bool:
        """Open the lost link anew, wait out a shot under way and read what was written meanwhile.

        Returns whether the device started anew meanwhile. The device is disarmed then. Raises one of LINK_GONE.
        """
        end_s = self.client.transport.now() + timeout_s
        rebooted = False
        while True:
            left_s = end_s - self.client.transport.now()
            try:
                rebooted |= self.client.reconnect(max(left_s, 1.0)).rebooted
                self.client.set_clock_if_needed()
                self.settle()
                self.sync()
                return rebooted
            except LINK_GONE:
                if self.client.transport.now() >= end_s:
                    raise
