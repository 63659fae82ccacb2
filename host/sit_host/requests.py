"""One typed method per message. Each returns Delivered(reply), Refused or Unknown; ranges are those of the schema."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sit_host._gen import enums, messages
from sit_host.boards import less_deep, single_shots
from sit_host.outcome import Delivered, Outcome, Refused
from sit_host.table import Row, pages, seal_hash
from sit_host.wire import Message, RangeError


class TypedMessages:
    """The messages of the protocol as methods, over `request`."""

    device: messages.HelloReply | None

    def request(self, message: Message, *, check: bool = True) -> Outcome[Any]:
        """Send one message and return its outcome."""
        raise NotImplementedError

    def now_unix_s(self) -> int:
        """Return the time of this host's clock."""
        raise NotImplementedError

    @staticmethod
    def refuse_here(message: str, number: enums.Refusal | enums.Limit, doc: str = "", hint: str = "") -> Refused:
        """Return a refusal of this host."""
        raise NotImplementedError

    def status(self) -> Outcome[messages.StatusReply]:
        """Read everything a monitor shows."""
        return self.request(messages.Status())

    def settings_read(self) -> Outcome[messages.SettingsReadReply]:
        """Read settings and calibration in force."""
        return self.request(messages.SettingsRead())

    def load_begin(self, begin: messages.LoadBegin) -> Outcome[messages.LoadBeginReply]:
        """Begin a point table."""
        return self.request(begin)

    def load_page(self, page: messages.LoadPage) -> Outcome[messages.LoadPageReply]:
        """Send rows of the table."""
        return self.request(page)

    def load_seal(self, count: int, hash: bytes) -> Outcome[messages.LoadSealReply]:
        """Seal the table."""
        return self.request(messages.LoadSeal(count, hash))

    def zero(self) -> Outcome[messages.ZeroReply]:
        """Begin a touch-off; `Client.run(Zero(), ..)` also waits for its end."""
        return self.request(messages.Zero())

    def prime(self, volume_nl: int) -> Outcome[messages.PrimeReply]:
        """Begin to purge air, needle parked; `Client.run(Prime(..), ..)` also waits for its end."""
        return self.request(messages.Prime(volume_nl))

    def renew(self, lease_ms: int) -> Outcome[messages.RenewReply]:
        """Renew the lease; the client does it by itself while it waits."""
        return self.request(messages.Renew(lease_ms))

    def disarm(self) -> Outcome[messages.DisarmReply]:
        """Start no further shot; one under way is finished. Always allowed."""
        return self.request(messages.Disarm())

    def stop(self) -> Outcome[messages.StopReply]:
        """End a shot at once, retract, disarm. Always allowed, needs no session."""
        return self.request(messages.Stop())

    def clear_fault(self, fault: int) -> Outcome[messages.ClearFaultReply]:
        """Unlatch this fault if its cause is gone."""
        return self.request(messages.ClearFault(fault))

    def ack_uncertain(self, seq: int) -> Outcome[messages.AckUncertainReply]:
        """Say that the operator has looked at the UNCERTAIN record `seq`."""
        return self.request(messages.AckUncertain(seq))

    def selftest(self) -> Outcome[messages.SelftestReply]:
        """Begin the session self-test; `Client.run(Selftest(), ..)` also waits for its end."""
        return self.request(messages.Selftest())

    def ledger_read(self, seq: int) -> Outcome[messages.LedgerReadReply]:
        """Read up to three raw records from `seq` on; `ledger.read_records` reads and checks them all."""
        return self.request(messages.LedgerRead(seq))

    def ledger_release(self, seq: int) -> Outcome[messages.LedgerReleaseReply]:
        """Say that all records below `seq` are stored here, so that their room may be used again."""
        return self.request(messages.LedgerRelease(seq))

    def subscribe(self, period_ms: int) -> Outcome[messages.SubscribeReply]:
        """Ask for TELEMETRY each `period_ms`, 0 for no more."""
        return self.request(messages.Subscribe(period_ms))

    def recorder_read(self, offset: int) -> Outcome[messages.RecorderReadReply]:
        """Read a page of the flight recorder; `ledger.read_recorder` reads all of it."""
        return self.request(messages.RecorderRead(offset))

    def events_read(self, seq: int) -> Outcome[messages.EventsReadReply]:
        """Read kept events from `seq` on; `Client.events` does it where one was lost."""
        return self.request(messages.EventsRead(seq))

    def set_clock(self, unix_s: int) -> Outcome[messages.SetClockReply]:
        """Set the device's clock."""
        return self.request(messages.SetClock(unix_s))

    def settings_write(self, settings: messages.SettingsWrite) -> Outcome[messages.SettingsWriteReply]:
        """Write the limits, in service mode. In force from the device's next start."""
        return self.request(settings)

    def calibration_write(self, calibration: messages.CalibrationWrite) -> Outcome[messages.CalibrationWriteReply]:
        """Write a calibration, in service mode. In force from the device's next start."""
        return self.request(calibration)

    def service(self, action: enums.Service, proof: bytes = bytes(16)) -> Outcome[messages.ServiceReply]:
        """Open or close service mode, or set its code; `keys.service_proof` makes the proof."""
        return self.request(messages.Service(action, proof))

    def pair(self, key: bytes) -> Outcome[messages.PairReply]:
        """Make `key` the one that the device obeys, 16 zeros for none; the pairing button must be held."""
        return self.request(messages.Pair(key))

    def access_read(self) -> Outcome[messages.AccessReadReply]:
        """Read whom the device obeys, and what it refused."""
        return self.request(messages.AccessRead())

    def update(self) -> Outcome[messages.UpdateReply]:
        """End the firmware with everything off: the board comes up once more at MicroPython's prompt."""
        return self.request(messages.Update())

    def change(self, what: enums.Change, *, syringe_id: int = 0, done: bool) -> Outcome[messages.ChangeReply]:
        """Begin a change of needle or syringe (`done` False), or say that it is done."""
        return self.request(messages.Change(what, syringe_id, int(done)))

    def load_table(
        self,
        begin: messages.LoadBegin,
        rows: Sequence[Row],
        *,
        run: messages.LoadRun | None = None,
        check: bool = True,
    ) -> Outcome[messages.LoadSealReply]:
        """Load and seal a whole table, `begin.count` being the number of rows; `run` declares it the table of a run.

        This host refuses by itself a row deeper than the device's highest settable depth, a table longer than it
        holds and an expired product; `check` off leaves that to the device. Ends at the first outcome that isn't
        Delivered.
        """
        if check:
            refusal = self._table_refusal(begin, rows)
            if refusal is not None:
                return refusal
        outcome: Outcome[Any] = self.request(begin, check=check)
        try:
            if run is not None and isinstance(outcome, Delivered):
                outcome = self._single_shots_alone(self.request(run, check=check))
            for page in pages(rows):
                if not isinstance(outcome, Delivered):
                    return outcome
                outcome = self.request(page, check=check)
            if not isinstance(outcome, Delivered):
                return outcome
            return self.request(messages.LoadSeal(len(rows), seal_hash(begin, rows, run)), check=check)
        except RangeError as error:
            return self.refuse_here("LOAD_PAGE", enums.Refusal.BAD_VALUE, str(error))

    def _single_shots_alone(self, outcome: Outcome[Any]) -> Outcome[Any]:
        """Say why a board doesn't take a run."""
        if not isinstance(outcome, Refused) or outcome.number != enums.Refusal.HARDWARE or self.device is None:
            return outcome
        doc = f"This board gives single shots alone. {single_shots(self.device.board)}"
        return replace(outcome, doc=doc, hint="Leave the run out of the plan, or use an RP2040 with its FRAM.")

    def _table_refusal(self, begin: messages.LoadBegin, rows: Sequence[Row]) -> Refused | None:
        if self.device is None or begin.count != len(rows):
            return self.refuse_here(
                begin.NAME, enums.Refusal.BAD_VALUE, f"LOAD_BEGIN names {begin.count} rows, the table has {len(rows)}."
            )
        if len(rows) > self.device.max_points:
            return self.refuse_here(
                begin.NAME,
                enums.Refusal.TOO_MANY,
                f"The table has {len(rows)} rows, the device holds {self.device.max_points}.",
            )
        if self.now_unix_s() >= begin.expiry_unix_s:
            return self.refuse_here(begin.NAME, enums.Limit.EXPIRED)
        deepest = max(rows, key=lambda row: row.depth_um)
        if deepest.depth_um > self.device.max_depth_um:
            return self.refuse_here(
                "LOAD_PAGE",
                enums.Refusal.TOO_DEEP,
                f"Point {deepest.point} is {deepest.depth_um} um deep, "
                f"the device's highest settable depth is {self.device.max_depth_um} um{less_deep(self.device.board)}.",
            )
        return None
