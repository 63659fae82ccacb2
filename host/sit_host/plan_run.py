"""A plan's [run]: what the planner of runs makes of it, or why it isn't possible."""

from __future__ import annotations

import math

from ._gen.enums import Run
from ._gen.messages import LoadRun
from .flow import Setup
from .flow_run import RunImpossible, RunPlan, plan_run
from .plan import Plan, Problem
from .plan_limits import Limits


def check_run(plan: Plan, setup: Setup, limits: Limits) -> tuple[RunPlan | None, list[Problem]]:
    """Return the run of a plan that has one, and its problems."""
    entry = plan.run
    volumes = [point.volume_nl for point in plan.points if 0 < point.volume_nl <= limits.max_shot_nl]
    if entry is None or not volumes:
        return None, []
    problems = []
    period_ms = round(1000 / entry.rate_per_s)
    if period_ms < limits.min_gap_ms:
        most = math.floor(1e4 / limits.min_gap_ms) / 10
        sentence = f"`rate_per_s` is {entry.rate_per_s:g}, {limits.origin} allows {most:g} at most: lower it."
        problems.append(Problem(plan.lines.line(("run", "rate_per_s")), sentence))
    place_nl = limits.max_shot_nl if entry.place_max_ul is None else round(entry.place_max_ul * 1000)
    line = plan.lines.line(("run", "place_max_ul") if entry.place_max_ul is not None else ("run",))
    if place_nl > limits.max_shot_nl:
        sentence = f"`place_max_ul` is {place_nl / 1000:g}, one place may get what one point may, "
        problems.append(Problem(line, sentence + f"{limits.max_shot_nl / 1000:g} uL: lower it."))
    elif place_nl < max(volumes):
        sentence = f"`place_max_ul` is {place_nl / 1000:g}, less than the largest point, {max(volumes) / 1000:g} uL: "
        problems.append(Problem(line, sentence + "raise it."))
    try:
        glides = entry.how == "glide"
        found = plan_run(setup, min(volumes), max(volumes), plan.max_depth_um, period_ms, place_nl, glides)
    except RunImpossible as reason:
        return None, [*problems, Problem(plan.lines.line(("run",)), str(reason))]
    return found, problems


def load_run(run: RunPlan) -> LoadRun:
    """Return the message that declares it."""
    how = Run.GLIDE if run.glides else Run.HOP
    return LoadRun(how, run.period_ms, run.skin_ms, run.place_nl, run.flow_nl_per_s, run.flight_us)
