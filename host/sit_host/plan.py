"""Treatment plans: the tables of the TOML file and the plan that they make.

A plan says what is given where: product, syringe, needle, sites, points or grids of points, and the author's own
totals. `plan_read.read_plan` makes one from a file; `plan_check.check_plan` weighs it against a device's limits.
Users write millimetres and microlitres; a `Plan` holds whole micrometres and nanolitres.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from .plan_lines import LineIndex
from .table import NO_EXPIRY

MAX_POINT_ID = 65535
MAX_SITES = 254


@dataclass(frozen=True, order=True)
class Problem:
    """One thing wrong in a plan, as one sentence; with `warning` it is only worth a second look, with `soft` as well it
    passes a soft limit: an operator has to agree before it is given."""

    line: int
    sentence: str
    warning: bool = False
    soft: bool = False

    def at(self, file: str) -> str:
        """Return `file:line: sentence`, the form every editor can jump to."""
        kind = "soft limit: " if self.soft else "warning: " if self.warning else ""
        return f"{file}:{self.line}: {kind}{self.sentence}"


class PlanUnreadable(Exception):
    """The file can't be read or isn't TOML; `str()` is one sentence with file and line."""


class Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False, str_strip_whitespace=True)


class Product(Table):
    """What is in the syringe."""

    name: str = Field(min_length=1, max_length=80)
    lot: str = Field(min_length=1, max_length=40)
    expiry: date
    viscosity_mpa_s: float = Field(ge=0.3, le=2000.0)


class Totals(Table):
    """The author's own count, held against the sum of the points."""

    points: int = Field(gt=0, le=512)
    total_ul: float = Field(gt=0)


class Site(Table):
    """A named part of the area; `max_ul` is the author's own limit for it."""

    name: str = Field(min_length=1, max_length=60)
    max_ul: float | None = Field(default=None, gt=0)


class PointEntry(Table):
    """One [[point]]."""

    id: int | None = Field(default=None, ge=1, le=MAX_POINT_ID)
    site: str
    depth_mm: float = Field(gt=0)
    volume_ul: float = Field(gt=0)
    deliberate: bool = False


class GridEntry(Table):
    """One [[grid]]: rows x cols points of one depth and volume, spaced evenly, given row by row."""

    first_id: int | None = Field(default=None, ge=1, le=MAX_POINT_ID)
    site: str
    rows: int = Field(ge=1, le=64)
    cols: int = Field(ge=1, le=64)
    spacing_mm: float = Field(ge=0.5, le=100)
    depth_mm: float = Field(gt=0)
    volume_ul: float = Field(gt=0)
    deliberate: bool = False


class RunEntry(Table):
    """The [run]: shots follow each other while the trigger is held. `place_max_ul`: most without contact released."""

    how: Literal["glide", "hop"]
    rate_per_s: float = Field(ge=1.0, le=20.0)
    place_max_ul: float | None = Field(default=None, gt=0)


class Head(Table):
    """The keys outside any table."""

    name: str = Field(min_length=1, max_length=80)
    area: str = Field(min_length=1, max_length=60)
    syringe: str
    needle: str
    change_needle_after: int | None = Field(default=None, ge=1, le=512)
    notes: str = Field(default="", max_length=2000)


@dataclass(frozen=True)
class Point:
    """One point to inject: whole micrometres and nanolitres; `line` is where the file says so."""

    id: int
    site: int
    depth_um: int
    volume_nl: int
    line: int
    deliberate: bool = False
    row: int | None = None
    col: int | None = None


@dataclass(frozen=True)
class Plan:
    """A plan that parsed. `sites` are numbered from 1 in the file's order; `sha256` is over the file's bytes."""

    file: str
    sha256: str
    head: Head
    product: Product
    totals: Totals
    sites: tuple[Site, ...]
    points: tuple[Point, ...]
    lines: LineIndex = field(repr=False, compare=False)
    run: RunEntry | None = None

    @property
    def sum_nl(self) -> int:
        """Sum of all volumes, nl."""
        return sum(point.volume_nl for point in self.points)

    @property
    def max_depth_um(self) -> int:
        """Deepest point, um."""
        return max((point.depth_um for point in self.points), default=0)

    @property
    def viscosity_upas(self) -> int:
        """Viscosity in uPa.s, as the protocol carries it."""
        return round(self.product.viscosity_mpa_s * 1000)

    @property
    def expiry_unix_s(self) -> int:
        """The product must not be used from this time on: the end of its last day, here."""
        end = datetime.combine(self.product.expiry + timedelta(days=1), time())
        return min(round(end.timestamp()), NO_EXPIRY - 1)

    def site_name(self, number: int) -> str:
        """Return the name of site `number` (from 1)."""
        return self.sites[number - 1].name if 1 <= number <= len(self.sites) else f"site {number}"
