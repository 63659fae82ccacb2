"""`sit treat`: a whole treatment, from the plan to the record."""

from __future__ import annotations

import time
from datetime import date
from pathlib import Path
from typing import Any

import click

from sit_host.cli.common import Call, device_options
from sit_host.cli.treat_console import ConsoleTalk
from sit_host.cli.treat_show import show_result
from sit_host.errors import EXIT_OK, SitError
from sit_host.outcome import expect
from sit_host.plan_check import Checked
from sit_host.plan_forecast import forecast, forecast_pairs
from sit_host.plan_limits import device_limits, reference_equipment, reference_limits
from sit_host.plan_load import PlanRefused, load_plan
from sit_host.records import DEFAULT_DIR, check_writable
from sit_host.treatment.agree import FLAG
from sit_host.treatment.sitting import Sitting, sit

_DECLINED = SitError("Nothing was given: the treatment wasn't begun.", "")


@click.command(
    epilog="Example: sit treat examples/plans/face-30-points.toml --target sim:micropython\n\n"
    "Ctrl-C once ends it after the shot under way, twice at once. Start the same plan again to go on."
)
@click.argument("plan", type=click.Path(path_type=Path))
@click.option(
    "--records",
    type=click.Path(path_type=Path, file_okay=False),
    default=DEFAULT_DIR,
    show_default=True,
    envvar="SIT_RECORDS",
    help="Folder for records; a record is never written over.",
)
@click.option("--resume/--new", "resume", default=None, help="Take up an unfinished treatment, or begin a new one.")
@click.option(FLAG, "over_soft", is_flag=True, help="Agree to the soft limits that the plan passes; it is recorded.")
@device_options
def command(call: Call, plan: Path, records: Path, resume: bool | None, over_soft: bool) -> int:
    """Give the points of PLAN with the device; the trigger starts each one.

    Shows what will happen, leads through syringe, needle, zero and prime, follows each point, offers missed ones
    again, and keeps a record (JSON and a page) however it ends.
    """
    ui = call.ui
    today = date.today()
    _checked(call, plan, lambda: load_plan(plan, reference_limits(), reference_equipment(), today), quiet=True)
    check_writable(records)
    talk = ConsoleTalk(ui)
    with call.connect() as client:
        settings = expect(client.settings_read())
        limits = device_limits(settings, f"device on {client.name}", client.board)
        checked = _checked(call, plan, lambda: load_plan(plan, limits, reference_equipment(), today))
        need = forecast(checked)
        if need is not None and not ui.json:
            for name, value in forecast_pairs(checked.plan, need):
                ui.note(f"{name:14}{value}")
        if not ui.confirm("Begin this treatment?"):
            raise _DECLINED
        try:
            done = sit(
                Sitting(
                    client=client,
                    checked=checked,
                    limits=limits,
                    settings=settings,
                    forecast=need,
                    talk=talk,
                    records=records,
                    new=None if resume is None else not resume,
                    unix_s=time.time,
                    keeps_ledger=not call.simulated or call.sim.state_dir is not None,
                    over_soft=over_soft,
                )
            )
        finally:
            talk.close()
    ui.result(done.json())
    show_result(ui, done)
    error = done.result.error
    if error is None and not done.record["complete"]:
        error = SitError("Not every point was given.", "The table and the report say which.")
    if error is None:
        return EXIT_OK
    ui.error(error)
    return error.exit_code


def _checked(call: Call, plan: Path, load: Any, *, quiet: bool = False) -> Checked:
    """Load the plan, showing each problem; warnings once."""
    try:
        checked: Checked = load()
    except PlanRefused as refused:
        for problem in refused.problems:
            call.ui.note(problem.at(str(plan)))
        raise
    if not quiet:
        for problem in checked.problems:
            if not problem.soft:  # those are told when they are asked for
                call.ui.note(problem.at(str(plan)))
    return checked
