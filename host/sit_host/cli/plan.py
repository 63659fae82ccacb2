"""`sit plan new`: writes a plan from options or, on a terminal, from answers."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import click

from sit_host.cli.common import output_options
from sit_host.cli.ui import Ui
from sit_host.errors import SitError, UsageError
from sit_host.plan_check import check_plan
from sit_host.plan_limits import reference_equipment, reference_limits
from sit_host.plan_new import NewPlan, render_plan
from sit_host.plan_read import parse_plan

# option -> (question, type, default); asked in this order on a terminal when the option isn't given
_QUESTIONS: dict[str, tuple[str, Any, Any]] = {
    "name": ("Name of the plan", str, "New plan"),
    "area": ("Area of the body", str, "face"),
    "site": ("Site in that area", str, "right cheek"),
    "product": ("Product, as on the vial", str, "Saline 0.9 %"),
    "lot": ("Lot, as on the vial", str, None),
    "expiry": ("Expiry date, like 2027-06-30", click.DateTime(["%Y-%m-%d"]), None),
    "viscosity_mpa_s": ("Viscosity in mPa.s (saline: 1.0)", float, 1.0),
    "syringe": ("Syringe", str, "bd_1ml"),
    "needle": ("Needle", str, "30G4"),
    "rows": ("Rows of points", int, 5),
    "cols": ("Points in a row", int, 6),
    "spacing_mm": ("Distance between points in mm", float, 10.0),
    "depth_mm": ("Depth in mm", float, 1.2),
    "volume_ul": ("Volume per point in uL", float, 10.0),
}


@click.group()
def command() -> None:
    """Make a new treatment plan."""


def _options(function: Any) -> Any:
    for key, (question, kind, default) in reversed(_QUESTIONS.items()):
        shown = "" if default is None else f" [{default}]"
        flag = "--" + key.removesuffix("_mpa_s").removesuffix("_mm").removesuffix("_ul").replace("_", "-")
        function = click.option(flag, key, type=kind, help=f"{question}{shown}.")(function)
    return function


@command.command("new", epilog="Example: sit plan new cheek.toml --lot NA-2431 --expiry 2031-03-31 --rows 4 --cols 5")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@_options
@output_options
def new(ui: Ui, file: Path, **given: Any) -> int:
    """Write FILE: a commented plan of one site and one grid of points, which passes `sit check`."""
    if file.exists():
        raise SitError(f"{file} is there already: a plan is never overwritten.", "Choose another name.")
    plan = NewPlan(**_answers(ui, given))
    equipment, limits = reference_equipment(), reference_limits()
    text = render_plan(plan, equipment, limits, str(file))
    parsed, problems = parse_plan(text, str(file))
    if parsed is not None:
        problems = list(check_plan(parsed, limits, equipment, date.today(), problems).problems)
    for problem in problems:
        ui.note(problem.at(str(file)))
    if any(not problem.warning for problem in problems):
        raise SitError(f"{file} wasn't written: the plan would not pass its check.", "Correct the values named above.")
    try:
        with open(file, "x", encoding="utf-8") as out:
            out.write(text)
    except OSError as error:
        raise SitError(f"{file} can't be written ({error.strerror}).", "Check the folder.") from None
    ui.result({"file": str(file), "points": plan.rows * plan.cols, "warnings": [p.sentence for p in problems]})
    ui.say(f"Wrote {file}. Check it with `sit check {file}`, then `sit treat {file}`.")
    return 0


def _answers(ui: Ui, given: dict[str, Any]) -> dict[str, Any]:
    """Fill in what wasn't given: by asking where somebody can answer, else by the defaults."""
    asks = ui.interactive and not ui.yes and not ui.json
    missing = [key for key, (_, _, default) in _QUESTIONS.items() if given[key] is None and default is None]
    if missing and not asks:
        named = " and ".join("--" + key for key in missing)
        raise UsageError(f"A plan needs {named}: they are printed on the vial.", "Give them, or run it on a terminal.")
    answers = {}
    for key, (question, kind, default) in _QUESTIONS.items():
        value = given[key]
        if value is None:
            value = click.prompt(question, type=kind, default=default, err=True) if asks else default
        answers[key] = value.date() if isinstance(value, datetime) else value
    return answers
