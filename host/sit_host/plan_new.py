"""A new plan: one site with one grid of points, as commented TOML that passes its own check."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import tomlkit
from jinja2 import Environment, PackageLoader, StrictUndefined

from .plan_limits import Equipment, Limits


@dataclass(frozen=True)
class NewPlan:
    """What a new plan is made of. Users' units: millimetres and microlitres."""

    name: str
    area: str
    site: str
    product: str
    lot: str
    expiry: date
    viscosity_mpa_s: float
    syringe: str
    needle: str
    rows: int
    cols: int
    spacing_mm: float
    depth_mm: float
    volume_ul: float


def render_plan(new: NewPlan, equipment: Equipment, limits: Limits, file: str) -> str:
    """Return the plan's text. `file` is the name it will have, for the examples in its comments."""
    environment = Environment(
        loader=PackageLoader("sit_host"), undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True
    )
    environment.filters["toml"] = lambda text: tomlkit.string(text).as_string()
    syringe = equipment.syringes.get(new.syringe)
    needle = equipment.needles.get(new.needle)
    points = new.rows * new.cols
    return environment.get_template("plan.toml.j2").render(
        vars(new),
        file=file,
        points=points,
        total_ul=_number(points * round(new.volume_ul * 1000) / 1000),
        syringe_text=syringe.name if syringe else "unknown",
        needle_text=f"{needle.gauge}, {needle.length_mm:g} mm, depth from {needle.bevel_um / 1000:g} mm"
        if needle
        else "unknown",
        syringes=", ".join(equipment.syringes),
        needles=", ".join(equipment.needles),
        max_depth_mm=f"{limits.max_depth_um / 1000:g}",
    )


def _number(value: float) -> str:
    """Write a number as TOML's float, without noise digits."""
    text = f"{value:.6f}".rstrip("0")
    return text + "0" if text.endswith(".") else text
