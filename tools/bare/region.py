"""`campaign_bare.py region`: which needles, fluids, volumes and syringes keep the design's limits, over drawn units."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from pathlib import Path

import marked
import numpy as np
from sit_host.flow import FlowImpossible, Setup, plan_flow
from sit_host.flow_proof import check_proof
from sit_host.plan_limits import reference_equipment
from sit_host.qa.dose import LIMITS, limits_percent
from sit_sim.campaign import parts
from sit_sim.campaign.region import Cell, Region

_PAGE = Path(__file__).resolve().parents[2] / "docs" / "metering.md"
_VISCOSITIES = (1.0, 2.0, 3.0, 5.0)
_NEEDLES = ("30G4", "32G4", "34G4")
_LEAST_DONE = 0.9  # of the shots in tissue: what isn't told as DONE is offered again
_REFUSED = "-"

Runner = Callable[[argparse.Namespace, Path, int, parts.Part], float]


def cells(all_cells: bool) -> dict[tuple[str, str, float, int], Cell]:
    """The cells by (syringe, needle, viscosity, volume) that the planner takes; with `all_cells` also what it refuses
    only because the device couldn't vouch for it."""
    equipment = reference_equipment()
    found = {}
    for syringe in equipment.syringes.values():
        for key in _NEEDLES:
            for viscosity in _VISCOSITIES:
                setup = Setup(equipment.needles[key], syringe, equipment.line, viscosity)
                for volume in LIMITS:
                    try:
                        plan = plan_flow(setup, volume, volume)
                        if not all_cells:
                            check_proof(setup, volume)
                    except FlowImpossible:
                        continue
                    cell = Cell(syringe.id, setup.needle.id, viscosity, volume, plan.flow_nl_per_s, plan.dwell_ms)
                    found[syringe.key, key, viscosity, volume] = cell
    return found


def main(args: argparse.Namespace, run_parts: Runner, folder: Path) -> int:
    """Run, print the table and what passes; `--write` puts it into docs/metering.md. 1 when 30G saline doesn't pass."""
    chosen = cells(args.all)
    region = Region(tuple(chosen.values()), args.units, args.shots)
    run_parts(args, folder / f"{args.units}-{args.shots}-{hash_of(region)}", len(region.cells), region.part)
    table = parts.read(folder / f"{args.units}-{args.shots}-{hash_of(region)}", len(region.cells)).to_pydict()
    columns = {name: np.array(values) for name, values in table.items()}
    shown, passed = {}, {}
    for number, name in enumerate(chosen):
        at = columns["cell"] == number
        shown[name], passed[name] = judged({key: value[at] for key, value in columns.items()}, name[3])
    text = "\n".join([*rows(shown), "", *shares(passed)])
    print(text)
    saline = [ok for (syringe, needle, viscosity, _), ok in passed.items() if (syringe, needle, viscosity) == _SALINE]
    whole = len(saline) == len(LIMITS) and all(saline)
    print(f"30G saline, 1 to 100 uL, stiff 1 mL set: {'all' if whole else 'NOT all'} within the limits")
    if args.write and not args.all:
        marked.put(_PAGE, "region", text, "tools/campaign_bare.py region")
    return int(not whole)


_SALINE = ("bd_1ml", "30G4", 1.0)


def hash_of(region: Region) -> str:
    """A name for the cells: another planner has others."""
    import hashlib

    return hashlib.sha256(repr(region.cells).encode()).hexdigest()[:8]


def judged(units: dict[str, np.ndarray], volume_nl: int) -> tuple[str, bool]:
    """A cell's text (worst unit's systematic / random error in percent; share told as DONE) and whether it passes."""
    share = units["done"].sum() / max(1, units["given"].sum())
    systematic = float(np.nanmax(np.abs(units["systematic"]))) if np.isfinite(units["systematic"]).any() else math.nan
    random = float(np.nanmax(units["random"])) if np.isfinite(units["random"]).any() else math.nan
    limit_systematic, limit_random = limits_percent(volume_nl)
    within = systematic <= limit_systematic and random <= limit_random
    text = f"{systematic:.2g} / {random:.2g}" if math.isfinite(systematic) else "none"
    if share < _LEAST_DONE:
        text += f", {100 * share:.0f} % DONE"
    passes = within and share >= _LEAST_DONE
    return (text if passes else f"**{text}**"), bool(passes)


def rows(shown: dict[tuple[str, str, float, int], str]) -> list[str]:
    """A row for each syringe, needle and viscosity that has a cell."""
    head = ("syringe, needle, mPa s", *(f"{volume / 1000:g} uL" for volume in LIMITS))
    lines = [
        (f"{syringe} {needle} {viscosity:g}", *(shown.get((syringe, needle, viscosity, v), _REFUSED) for v in LIMITS))
        for syringe, needle, viscosity in dict.fromkeys(name[:3] for name in shown)
    ]
    return marked.table(head, lines)


def shares(passed: dict[tuple[str, str, float, int], bool]) -> list[str]:
    """How much of the region passes, by syringe."""
    said = []
    for syringe in dict.fromkeys(name[0] for name in passed):
        own = [ok for name, ok in passed.items() if name[0] == syringe]
        total = len(_NEEDLES) * len(_VISCOSITIES) * len(LIMITS)
        said.append(f"{syringe}: {sum(own)} of {len(own)} cells that the planner takes pass ({total} in all)")
    return ["; ".join(said) + "."]
