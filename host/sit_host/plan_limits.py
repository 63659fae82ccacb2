"""What plans are checked against: the limits of a device (or of the reference design) and the known equipment.

Both come from `hardware/reference.toml` by way of the generated tables; nothing is typed twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ._gen.equipment import LIMITS, SOFT_LIMITS, TABLES
from .flow import Line, Needle, Setup, Syringe
from .plan import Plan

if TYPE_CHECKING:
    from ._gen.messages import SettingsReadReply

FACTORY_SYRINGE_ID = 1  # what a device leaves the factory calibrated for
MAX_POINTS = 512  # the device's point table
MIN_SHOT_NL = 1_000  # the smallest dose with stated figures


@dataclass(frozen=True)
class Limits:
    """Limits in force. `syringe_id` is the calibrated type, None when no device was asked.

    `weighed` False: the calibration holds only the type's own figures, and nobody may be treated with them.
    """

    max_depth_um: int
    max_shot_nl: int
    max_session_nl: int
    max_site_nl: int
    max_window_nl: int
    window_s: int
    max_points: int = MAX_POINTS
    min_gap_ms: int = 0
    min_shot_nl: int = MIN_SHOT_NL
    syringe_id: int | None = None
    weighed: bool = True
    origin: str = "reference design"
    board: str = ""


@dataclass(frozen=True)
class SoftLimits:
    """What an operator has to agree to, under the limits in force: per point, site, session, window and needle, and the
    time between two treatments with one plan."""

    shot_nl: int
    site_nl: int
    session_nl: int
    window_nl: int
    needle_points: int
    again_s: int


SOFT = SoftLimits(**SOFT_LIMITS)


@dataclass(frozen=True)
class Equipment:
    """Known syringes and needles by the name that plans use, and the line between them."""

    syringes: Mapping[str, Syringe]
    needles: Mapping[str, Needle]
    line: Line

    def setup(self, plan: Plan) -> Setup | None:
        """Return the plan's setup for the flow planner, None when it names unknown equipment."""
        syringe = self.syringes.get(plan.head.syringe)
        needle = self.needles.get(plan.head.needle)
        if syringe is None or needle is None:
            return None
        return Setup(needle, syringe, self.line, plan.product.viscosity_mpa_s)


def reference_limits() -> Limits:
    """Return the factory limits of the reference design: what a plan is checked against when no device is asked."""
    return Limits(
        max_depth_um=LIMITS["max_depth_um"],
        max_shot_nl=LIMITS["max_shot_nl"],
        max_session_nl=LIMITS["max_session_nl"],
        max_site_nl=LIMITS["max_site_nl"],
        max_window_nl=LIMITS["max_window_nl"],
        window_s=LIMITS["window_s"],
        min_gap_ms=LIMITS["min_gap_ms"],
    )


def device_limits(settings: SettingsReadReply, name: str, board: str = "") -> Limits:
    """Return the limits in force on a device by its SETTINGS_READ; `name` is what users call it, `board` its kind."""
    return Limits(
        max_depth_um=settings.max_depth_um,
        max_shot_nl=settings.max_shot_nl,
        max_session_nl=settings.max_session_nl,
        max_site_nl=settings.max_site_nl,
        max_window_nl=settings.max_window_nl,
        window_s=settings.window_s,
        min_gap_ms=settings.min_gap_ms,
        syringe_id=settings.syringe_id,
        weighed=settings.calibrated_unix_s > 0 or settings.syringe_id == FACTORY_SYRINGE_ID,
        origin=name,
        board=board,
    )


def reference_equipment() -> Equipment:
    """Return the syringes and needles of the reference design."""
    return equipment_from(TABLES)


def equipment_from(tables: Mapping[str, Any]) -> Equipment:
    """Build the equipment from tables laid out as in `reference.toml`."""
    syringes = {key: _syringe(key, row) for key, row in tables["syringe"].items()}
    needles = {key: _needle(key, row) for key, row in tables["needle"].items()}
    axis, tube, fluid = tables["plunger_axis"], tables["tube"], tables["fluid"]
    line = Line(
        tube_inner_mm=tube["inner_mm"],
        tube_length_mm=tube["length_mm"],
        entrance_loss=fluid["entrance_loss"],
        density_kg_per_m3=fluid["density_kg_per_m3"],
        lead_mm=axis["lead_mm"],
        max_speed_mm_per_s=axis["max_speed_mm_per_s"],
        stall_force_n=axis["stall_force_n"],
    )
    return Equipment(syringes, needles, line)


def _syringe(key: str, row: Mapping[str, Any]) -> Syringe:
    return Syringe(
        key=key,
        id=row["id"],
        name=row["name"],
        bore_mm=row["bore_mm"],
        capacity_ul=row["capacity_ul"],
        stopper_n_per_mm=row["stopper_n_per_mm"],
        friction_n=row["stopper_friction_range_n"][1],
        compliance_ul_per_100kpa=row["compliance_ul_per_100kpa"],
        compliance_max_ul_per_100kpa=row["compliance_range_ul_per_100kpa"][1],
        least_ul=row["least_ul"],
        slowest_ms=row["slowest_ms"],
    )


def _needle(key: str, row: Mapping[str, Any]) -> Needle:
    return Needle(key, row["id"], row["gauge"], row["inner_mm"], row["length_mm"], row["bevel_um"])
