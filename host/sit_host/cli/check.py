"""`sit check`: everything that can be wrong with a plan, before anything moves."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from sit_host.cli.common import Call, device_options
from sit_host.errors import EXIT_FAILED, EXIT_OK
from sit_host.outcome import expect
from sit_host.plan_forecast import forecast, forecast_pairs
from sit_host.plan_limits import Limits, device_limits, reference_equipment, reference_limits
from sit_host.plan_load import PlanRefused, load_plan, problems_json


@click.command(epilog="Example: sit check examples/plans/face-30-points.toml")
@click.argument("plan", type=click.Path(path_type=Path))
@device_options
def command(call: Call, plan: Path) -> int:
    """Check PLAN against the limits of a device, or of the reference design when no target is named.

    Each problem is one sentence with file and line. Nothing moves.
    """
    limits = _limits(call)
    try:
        checked = load_plan(plan, limits, reference_equipment(), date.today())
    except PlanRefused as refused:
        for problem in refused.problems:
            call.ui.note(problem.at(str(plan)))
        call.ui.note(f"sit: {refused}")
        call.ui.result({"file": str(plan), "ok": False, "problems": problems_json(refused.problems)})
        return EXIT_FAILED
    for problem in checked.problems:
        call.ui.note(problem.at(str(plan)))
    need = forecast(checked)
    call.ui.result(
        {
            "file": str(plan),
            "ok": True,
            "problems": problems_json(checked.problems),
            "limits": vars(limits),
            "forecast": need.as_json() if need else None,
        }
    )
    if need:
        call.ui.pairs(forecast_pairs(checked.plan, need))
    call.ui.say(f"The plan is good for the {limits.origin}, which goes to {limits.max_depth_um / 1000:g} mm at most.")
    return EXIT_OK


def _limits(call: Call) -> Limits:
    if not call.target:
        return reference_limits()
    with call.connect(acting=False, shared=True) as client:
        return device_limits(expect(client.settings_read()), f"device on {client.name}", client.board)
