"""Series of shots at one place: the device is made ready once, then tables are given while a meter is read between.

Used by `sit qa` and `sit calibrate`, on a bench and on the simulator alike. The host starts no shot: the trigger does.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from sit_host._gen.enums import Fault
from sit_host._gen.enums import Record as Kind
from sit_host._gen.equipment import NEEDLE_POINTS
from sit_host._gen.messages import SettingsReadReply
from sit_host._gen.records import Record
from sit_host.client import Client
from sit_host.errors import SitError, UsageError, WorkFailed
from sit_host.outcome import expect
from sit_host.plan_check import Checked, check_plan
from sit_host.plan_limits import device_limits, reference_equipment
from sit_host.plan_read import parse_plan
from sit_host.table import Row
from sit_host.treatment.course import ENDS
from sit_host.treatment.device import Watched
from sit_host.treatment.give import End, Fluid, Giver
from sit_host.treatment.ready import Fitting, make_ready
from sit_host.treatment.talk import Talk

SERIES = b"CALI"  # how the treatment id of a series begins: LOAD_BEGIN in protocol/schema.toml
_SITES = 200  # shots go to so many site numbers in turn: the limit per site is for people
_TRIES = 3
_SETTLE_S = 0.1  # a clearing is over by then
_USABLE_NL_PER_UL = 850  # of the capacity: the rest is for prime, stored volume and the end of the stroke
_PLAN = """name = "Series"
area = "bench"
syringe = "{syringe}"
needle = "{needle}"
[product]
name = "Water"
lot = "bench"
expiry = 2099-12-31
viscosity_mpa_s = {viscosity}
[totals]
points = {points}
total_ul = {total_ul}
[[site]]
name = "vial"
"""
_POINT = '[[point]]\nsite = "vial"\ndepth_mm = {depth_mm}\nvolume_ul = {volume_ul}\ndeliberate = true\n'


@dataclass(frozen=True)
class Given:
    """One shot that ended as it should. `used_nl` is what the syringe had given before it, by the device's count."""

    end: Record
    used_nl: int


class Series:
    """Shots of several volumes and depths with the calibrated syringe type; `settings` are those in force.

    `ends`: the end records of all shots, `missed`: how many tables were.
    """

    def __init__(
        self,
        client: Client,
        talk: Talk,
        amounts: Sequence[tuple[int, int]],
        *,
        needle: str = "30G4",
        viscosity_mpa_s: float = 1.0,
    ) -> None:
        """Plan for these (depth_um, volume_nl). Raises UsageError when the device or the planner refuses one."""
        self._client = client
        self._talk = talk
        self.settings: SettingsReadReply = expect(client.settings_read())
        self.checked = _checked(self.settings, client.name, amounts, needle, viscosity_mpa_s)
        self._device = Watched(client, expect(client.status()).ledger_head)
        self._device.sync()
        self._fitting = Fitting.full_syringe(self.checked)
        self._ready = False
        self._treatment = SERIES + secrets.token_bytes(4)
        self._point = 0
        self._used_nl = 0
        self._needle_points = 0
        self.missed = 0
        self.ends: list[Record] = []

    def give(
        self, depth_um: int, volume_nl: int, count: int = 1, kinds: tuple[Kind, ...] = (Kind.DONE,)
    ) -> list[Given]:
        """Give `count` equal shots from one syringe; [] when one of them didn't end as one of `kinds`, so that a
        reading stays clean.

        Raises WorkFailed when it can't go on, RefusedError as the device refuses.
        """
        setup, flow = self.checked.setup, self.checked.flow
        assert setup is not None and flow is not None
        fluid = Fluid(
            setup.syringe.id,
            setup.needle.id,
            round(setup.viscosity_mpa_s * 1000),
            flow.flow_nl_per_s,
            flow.dwell_ms,
        )
        self.make_ready_if_needed(count * volume_nl, count)
        rows = [Row(self._next_point(), 1, n % _SITES, depth_um, volume_nl) for n in range(count)]
        giver = Giver(self._device, self._talk, self._treatment, fluid)
        giver.load(rows)
        self._needle_points += count
        known = len(self._device.records)
        how = giver.give(rows, self.settings.lease_max_ms)
        if self._cleared_repeated() and how is End.FAULT:
            how = End.MISSED
        if how is End.INTERRUPTED:
            raise SitError("Stopped by Ctrl-C: there is no result.", "Start it again.")
        given, whole = [], True
        for record in self._device.records[known:]:
            if record.kind in ENDS and record.treatment == self._treatment:
                given.append(Given(record, self._used_nl))
                self.ends.append(record)
                self._used_nl += record.needle_nl
                whole = whole and record.kind in kinds
        if how in (End.GIVEN, End.MISSED) and whole and len(given) == count:
            return given
        self.missed += 1
        self._ready = False
        if how is End.EMPTY:
            self._fitting = Fitting.full_syringe(self.checked)
        elif how not in (End.GIVEN, End.MISSED):
            raise WorkFailed(f"The series ended: {how.value}.", "See `sit info`; mend that, then start again.")
        return []

    def _cleared_repeated(self) -> bool:
        """Clear REPEATED: in a treatment somebody must look; into a vial `missed` counts what ends early."""
        if self._device.status().header.fault != Fault.REPEATED:
            return False
        expect(self._client.clear_fault(Fault.REPEATED))
        self._client.sleep(_SETTLE_S)
        return True

    def make_ready_if_needed(self, volume_nl: int, count: int = 1) -> None:
        """Make the device ready unless it is, with a full syringe when less is left than `volume_nl`, or the needle's
        points are fewer than `count`."""
        assert self.checked.setup is not None
        empty = self._used_nl + volume_nl > self.checked.setup.syringe.capacity_ul * _USABLE_NL_PER_UL
        if empty or self._needle_points + count > NEEDLE_POINTS:
            self._fitting = Fitting.full_syringe(self.checked)
            self._ready = False
        if self._ready:
            return
        if self._fitting.what:
            self._used_nl = self._needle_points = 0
        make_ready(self._device, self._talk, self.checked, self._fitting)
        self._ready = True

    def _next_point(self) -> int:
        self._point += 1
        if self._point > 60_000:
            raise WorkFailed("A series holds 60000 shots at most.", "Make it shorter.")
        return self._point


def tries() -> range:
    """How often a missed shot or weighing is taken anew."""
    return range(_TRIES)


def _checked(
    settings: SettingsReadReply, name: str, amounts: Sequence[tuple[int, int]], needle: str, viscosity_mpa_s: float
) -> Checked:
    """The series as a plan that passed its check: one point for each amount."""
    equipment, limits = reference_equipment(), replace(device_limits(settings, name), weighed=True)
    syringe = next((key for key, value in equipment.syringes.items() if value.id == settings.syringe_id), "")
    text = _PLAN.format(
        syringe=syringe,
        needle=needle,
        viscosity=float(viscosity_mpa_s),
        points=len(amounts),
        total_ul=sum(volume_nl for _, volume_nl in amounts) / 1000,
    )
    text += "".join(_POINT.format(depth_mm=depth / 1000, volume_ul=volume / 1000) for depth, volume in amounts)
    plan, problems = parse_plan(text, "series")
    if plan is not None:
        checked = check_plan(plan, limits, equipment, date.today(), problems)
        problems = list(checked.problems)
        if checked.ok and checked.flow is not None:
            return checked
    wrong = next((problem.sentence for problem in problems if not problem.warning), "It can't be planned.")
    raise UsageError(f"The series can't be given: {wrong}", "Choose other volumes or depths.")
