"""Giving: a table is loaded, sealed and armed, then the device is followed while the trigger delivers the points.

The host never starts a shot. It keeps the lease, reads the ledger after each shot, and disarms when nobody goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from sit_host._gen import enums
from sit_host._gen.messages import Event, LoadBegin, LoadRun
from sit_host._gen.statuses import ALARMS
from sit_host.describe import status_info
from sit_host.outcome import expect
from sit_host.table import NO_EXPIRY, Row
from sit_host.treatment.device import Watched
from sit_host.treatment.talk import Talk

LEASE_MS = 3000
PATIENCE_S = 300.0  # an armed device that gives no point is disarmed after this


class End(Enum):
    """Why the device isn't armed any more."""

    GIVEN = "every row was tried"
    MISSED = "the last point was missed"
    IDLE = "no point was given for five minutes"
    EMPTY = "the syringe hasn't enough left"
    FAULT = "a fault latched"
    LEASE = "the lease ran out"
    DISARMED = "somebody else disarmed the device"
    INTERRUPTED = "it was stopped here"


@dataclass(frozen=True)
class Fluid:
    """What a table's head says: ids of syringe and needle, the planner's figures, its run, the product's end."""

    syringe_id: int
    needle_id: int
    viscosity_upas: int
    flow_nl_per_s: int
    dwell_ms: int
    run: LoadRun | None = None
    expiry_unix_s: int = NO_EXPIRY


class Giver:
    """Gives rows of one treatment."""

    def __init__(self, device: Watched, talk: Talk, treatment: bytes, fluid: Fluid) -> None:
        self._device = device
        self._client = device.client
        self._talk = talk
        self._treatment = treatment
        self._fluid = fluid
        self._shots = 0
        self._end: End | None = None
        self._last_hint = 0
        self._missed = False

    def load(self, rows: Sequence[Row]) -> None:
        """Load and seal a table of these rows. Raises RefusedError (DUPLICATE for a row given already)."""
        fluid = self._fluid
        begin = LoadBegin(
            treatment=self._treatment,
            count=len(rows),
            syringe_id=fluid.syringe_id,
            needle_id=fluid.needle_id,
            viscosity_upas=fluid.viscosity_upas,
            flow_nl_per_s=fluid.flow_nl_per_s,
            dwell_ms=fluid.dwell_ms,
            expiry_unix_s=fluid.expiry_unix_s,
        )
        expect(self._client.load_table(begin, rows, run=fluid.run))

    def give(self, rows: Sequence[Row], lease_max_ms: int) -> End:
        """Arm the loaded table and follow until the device isn't armed any more; then the ledger is read to its end.

        Raises one of device.LINK_GONE when the link breaks: the ledger knows then what was given.
        """
        client, device = self._client, self._device
        self._shots, self._end, self._last_hint, self._missed = 0, None, 0, False
        with self._talk.count_interrupts():
            if self._talk.interrupts:
                return End.INTERRUPTED
            expect(client.arm(min(LEASE_MS, lease_max_ms), 0, len(rows)))
            quiet_s = client.transport.now() + PATIENCE_S
            asked = 0
            while True:
                for event in device.events():
                    if self._take(event):
                        quiet_s = client.transport.now() + PATIENCE_S
                asked = self._obey_interrupts(asked)
                if not device.moving():
                    break
                if self._end is End.EMPTY or client.transport.now() > quiet_s:
                    self._end = self._end or End.IDLE
                    expect(client.disarm())
            self._drain()
        return self._verdict(asked, len(rows))

    def _drain(self) -> None:
        """Take what was told up to now, and read the ledger to its end."""
        self._device.settle()
        for event in self._client.events(refresh=True):
            self._device.told.append(event)
            self._take(event)
        self._device.sync()

    def _verdict(self, asked: int, rows: int) -> End:
        header = self._client.header
        if asked:
            return End.INTERRUPTED
        if header is not None and header.fault:
            return End.FAULT
        if self._shots >= rows:
            return End.GIVEN
        return self._end or (End.MISSED if self._missed else End.DISARMED)

    def _obey_interrupts(self, asked: int) -> int:
        """Ctrl-C once: disarm after the shot. Twice: stop at once. Return how often it has been obeyed."""
        wanted = min(self._talk.interrupts, 2)
        if wanted > asked:
            if wanted == 1:
                self._talk.say("Stopping after this shot. Press Ctrl-C again to stop at once.")
                expect(self._client.disarm())
            else:
                self._talk.say("Stopped at once.")
                expect(self._client.stop())
        return wanted

    def _take(self, event: Event) -> bool:
        """Do what an event asks for. Return whether it is the end of a shot."""
        kind = event.kind
        if kind == enums.Event.SHOT:
            self._shots += 1
            self._last_hint = 0
            self._missed = event.b != enums.Record.DONE
            self._device.sync()
        elif kind == enums.Event.TRIGGER:
            self._hint(event)
        elif kind == enums.Event.ALARM and event.b and event.a in ALARMS:
            alarm = ALARMS[event.a]
            self._talk.say(f"Alarm {alarm.name} ({alarm.priority}): {alarm.action} {alarm.hint}")
        elif kind == enums.Event.LEASE:
            self._end = End.LEASE
        return kind == enums.Event.SHOT

    def _hint(self, event: Event) -> None:
        """Tell why a trigger press wasn't obeyed, once until the next shot."""
        number = event.b if event.a == enums.Refusal.TOO_MUCH and event.b else event.a
        if event.a == enums.Refusal.PLUNGER_END:
            self._end = End.EMPTY
        if number != self._last_hint:
            self._last_hint = number
            info = status_info(number)
            self._talk.say(f"Trigger not obeyed: {info.doc} {info.hint}")
