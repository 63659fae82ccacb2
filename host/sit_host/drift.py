"""Drift since the calibration: the bore by plunger force over pressure, against the bore the steps are counted with.

A dose is steps x travel x area. The calibration knows the area by weighing, and what force over pressure showed then
(`area_e4`); each end record says what it showed in that shot. Averaged over many shots the two must still agree within

    bound = 4 bore_tol + sensor_gain + model + 3 s / sqrt(n)

4 bore_tol: two syringes, then and now, each off by the type's tolerance, which acts twice on the area; sensor_gain and
model: [drift] of hardware/reference.toml; s: the scatter of the n shots, at least `shot` there. Less than that can't be
told from another syringe of the type. docs/metering.md shows both sides on the plant. Pure functions.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sit_host._gen.enums import Record as Kind
from sit_host._gen.equipment import DRIFT, TABLES
from sit_host._gen.messages import SettingsReadReply
from sit_host._gen.records import Record

LEAST_SHOTS = int(DRIFT["least_shots"])


@dataclass(frozen=True)
class Drift:
    """What `shots` shots showed: the area against the calibration's, percent, and the bound; None: can't be judged."""

    shots: int
    percent: float | None = None
    bound_percent: float | None = None

    @property
    def drifted(self) -> bool:
        """True when the calibration surely doesn't hold any more."""
        return self.percent is not None and self.bound_percent is not None and abs(self.percent) > self.bound_percent

    @property
    def sentence(self) -> str:
        """What it means and what to do, for a person."""
        if self.percent is None:
            return f"Drift since the calibration: can't be judged from {self.shots} shots and this calibration."
        found = f"the bore by force and pressure {self.percent:+.1f} % in area, at most {self.bound_percent:.1f} %"
        if not self.drifted:
            return f"Drift since the calibration: none seen ({found}, {self.shots} shots)."
        return (
            f"Drift since the calibration: {found}, {self.shots} shots: doses may be off by as much. Check that the "
            "syringe is the right one, then run `sit calibrate dose` before the next treatment."
        )

    def as_json(self) -> dict[str, Any]:
        """Return it for records."""
        return {**vars(self), "drifted": self.drifted, "sentence": self.sentence}


def area_mm2_e3(bore_um: float) -> float:
    """Area of a bore in 0.001 mm2, as records tell it."""
    return math.pi / 4 * bore_um**2 / 1000


def areas(ends: Iterable[Record]) -> list[int]:
    """What the shots among `ends` showed, 0.001 mm2; those that couldn't tell are left out."""
    return [end.cap_steps for end in ends if end.kind in (Kind.DONE, Kind.PARTIAL) and end.cap_steps]


def reference_e4(ends: Iterable[Record], bore_um: float) -> int:
    """`area_e4` of a calibration: what its shots showed against the bore it found, 1/10000; 0 from too few shots."""
    shown = areas(ends)
    if len(shown) < LEAST_SHOTS:
        return 0
    return round(10_000 * statistics.fmean(shown) / area_mm2_e3(bore_um))


def judge(ends: Iterable[Record], settings: SettingsReadReply) -> Drift:
    """Judge the end records of a treatment or a series by the calibration in force."""
    shown = areas(ends)
    n = len(shown)
    if n < LEAST_SHOTS or not settings.area_e4:
        return Drift(n)
    expected = area_mm2_e3(settings.bore_um) * settings.area_e4 / 10_000
    errors = [area / expected - 1 for area in shown]
    noise = 3 * max(statistics.stdev(errors), DRIFT["shot"]) / math.sqrt(n)
    bound = 4 * _bore_tol(settings.syringe_id) + DRIFT["sensor_gain"] + DRIFT["model"] + noise
    return Drift(n, round(100 * statistics.fmean(errors), 2), round(100 * bound, 2))


def _bore_tol(syringe_id: int) -> float:
    """The type's tolerance; that of the worst known type for one this host doesn't know."""
    tolerances = {row["id"]: float(row["bore_tol"]) for row in TABLES["syringe"].values()}
    return tolerances.get(syringe_id, max(tolerances.values()))
