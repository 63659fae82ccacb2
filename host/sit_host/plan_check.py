"""Checks of a plan that parsed, against a device's limits or the reference design's: every problem, one sentence each.

`check_plan` is the host's first of three layers (plan check, client, firmware); the device refuses on its own
whatever this page should miss. Problems stop a treatment; warnings are shown and confirmed.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from statistics import median

from .boards import less_deep
from .flow import FlowImpossible, FlowPlan, Setup, plan_flow
from .flow_proof import check_proof
from .flow_run import RunPlan
from .plan import Plan, Point, Problem
from .plan_limits import Equipment, Limits
from .plan_run import check_run
from .plan_soft import soft_problems
from .plan_syringes import Segment, plan_segments

DEEP_WARNING_UM = 1500
PLASTIC_SMALL_NL = 10_000  # below that many shots can't be vouched for (docs/metering.md, Region)
PLASTIC_COMPLIANCE_UL_PER_100KPA = 1.5
SLOW_DISPENSE_S = 1.0
EXPIRY_SOON_DAYS = 30
OUTLIER = 8  # a point this many times the median, or this part of it, looks like a slipped decimal point


@dataclass(frozen=True)
class Checked:
    """The verdict on a plan: problems and warnings in the file's order, and what can be planned from it."""

    plan: Plan
    problems: tuple[Problem, ...]
    setup: Setup | None
    flow: FlowPlan | None
    segments: tuple[Segment, ...]
    run: RunPlan | None = None

    @property
    def ok(self) -> bool:
        """True when nothing but warnings was found."""
        return all(problem.warning for problem in self.problems)


@dataclass(frozen=True)
class _Context:
    plan: Plan
    limits: Limits
    equipment: Equipment
    today: date


def check_plan(
    plan: Plan, limits: Limits, equipment: Equipment, today: date, found: list[Problem] | None = None
) -> Checked:
    """Check `plan`; `found` are problems of reading it, kept in the result. Never raises for what a plan says."""
    context = _Context(plan, limits, equipment, today)
    problems = list(found or [])
    for rule in _RULES:
        problems.extend(rule(context))
    setup = equipment.setup(plan)
    flow = None
    if setup is not None:
        volumes = [point.volume_nl for point in plan.points if 0 < point.volume_nl <= limits.max_shot_nl]
        if volumes:
            try:
                flow = plan_flow(setup, min(volumes), max(volumes))
                check_proof(setup, min(volumes))
            except FlowImpossible as reason:
                problems.append(Problem(plan.lines.line(("needle",)), str(reason)))
    if flow is not None and flow.dispense_s > SLOW_DISPENSE_S:
        sentence = f"The largest point takes {flow.dispense_s:.1f} s (limited by {flow.limited_by}): hold still."
        problems.append(Problem(plan.lines.line(("needle",)), sentence, warning=True))
    segments: tuple[Segment, ...] = ()
    run = None
    if setup is not None:
        run, found_in_run = check_run(plan, setup, limits)
        problems.extend(found_in_run)
        segments, too_big = plan_segments(plan.points, setup, plan.head.change_needle_after)
        problems.extend(
            Problem(point.line, f"Point {point.id}: {_ul(point.volume_nl)} doesn't fit even a full syringe: lower it.")
            for point in too_big
        )
    problems.extend(soft_problems(plan, segments))
    return Checked(plan, tuple(sorted(set(problems))), setup, flow, segments, run)


def _ul(volume_nl: int) -> str:
    return f"{volume_nl / 1000:g} uL"


def _mm(depth_um: int) -> str:
    return f"{depth_um / 1000:g} mm"


def _equipment(context: _Context) -> Iterator[Problem]:
    """Syringe and needle must be types that the reference design knows."""
    head = context.plan.head
    for key, given, known in (
        ("syringe", head.syringe, context.equipment.syringes),
        ("needle", head.needle, context.equipment.needles),
    ):
        if given not in known:
            near = difflib.get_close_matches(given, known, n=1, cutoff=0.4)
            hint = f'did you mean "{near[0]}"?' if near else f"known are {', '.join(known)}."
            yield Problem(context.plan.lines.line((key,)), f'Unknown {key} "{given}": {hint}')
    fitted = context.limits.syringe_id
    syringe = context.equipment.syringes.get(head.syringe)
    if fitted is not None and syringe is not None and syringe.id != fitted:
        names = {item.id: item.key for item in context.equipment.syringes.values()}
        sentence = f'The device is calibrated for "{names.get(fitted, fitted)}", not "{head.syringe}": '
        sentence += "plan for that one, or calibrate this type."
        yield Problem(context.plan.lines.line(("syringe",)), sentence)
    elif fitted is not None and syringe is not None and not context.limits.weighed:
        sentence = f'"{syringe.key}" was never weighed on this device: run `sit calibrate dose --write` first.'
        yield Problem(context.plan.lines.line(("syringe",)), sentence)


def _product(context: _Context) -> Iterator[Problem]:
    expiry = context.plan.product.expiry
    line = context.plan.lines.line(("product", "expiry"))
    if expiry < context.today:
        yield Problem(line, f"The product expired on {expiry}: use another lot.")
    elif (expiry - context.today).days <= EXPIRY_SOON_DAYS:
        yield Problem(line, f"The product expires soon, on {expiry}.", warning=True)


def _depths(context: _Context) -> Iterator[Problem]:
    plan, limits = context.plan, context.limits
    needle = context.equipment.needles.get(plan.head.needle)
    for point in _one_per_line(plan.points, lambda point: point.depth_um):
        depth = point.depth_um
        name = f"Point {point.id}"
        if depth > limits.max_depth_um:
            slip = _slip(depth, needle.bevel_um if needle else 0, limits.max_depth_um, "`depth_mm` is in millimetres")
            highest = f"the highest that can be set is {_mm(limits.max_depth_um)}{less_deep(limits.board)}"
            yield Problem(point.line, f"{name}: depth {_mm(depth)} is too deep, {highest}: lower it{slip}.")
        elif needle is not None and depth < needle.bevel_um:
            sentence = f"{name}: depth {_mm(depth)} is less than the bevel of {needle.key} ({_mm(needle.bevel_um)}), "
            yield Problem(point.line, sentence + "fluid would leak to the surface: go deeper or use a shorter bevel.")
        elif depth > DEEP_WARNING_UM:
            sentence = f"{name}: depth {_mm(depth)} is over 1.5 mm and may lie under the dermis where skin is thin."
            yield Problem(point.line, sentence, warning=True)


def _slip(value: int, least: int, most: int, unit: str) -> str:
    """Return a question when a thousandth (another unit) or a tenth (a decimal point) would be possible."""
    for factor in (1000, 10):
        if least <= value / factor <= most:
            return f" ({unit}: was {value / factor / 1000:g} meant?)"
    return ""


def _volumes(context: _Context) -> Iterator[Problem]:
    plan, limits = context.plan, context.limits
    middle = median(point.volume_nl for point in plan.points)
    for point in _one_per_line(plan.points, lambda point: point.volume_nl):
        volume = point.volume_nl
        name = f"Point {point.id}"
        if volume > limits.max_shot_nl:
            slip = _slip(volume, limits.min_shot_nl, limits.max_shot_nl, "`volume_ul` is in microlitres")
            most = f"at most {_ul(limits.max_shot_nl)} goes into one point"
            yield Problem(point.line, f"{name}: {_ul(volume)} is too much, {most}: lower it{slip}.")
        elif volume < limits.min_shot_nl:
            sentence = f"{name}: {_ul(volume)} is less than the device can meter, {_ul(limits.min_shot_nl)}: raise it."
            yield Problem(point.line, sentence)
        if not point.deliberate and (volume >= OUTLIER * middle or volume * OUTLIER <= middle):
            times = f"{volume / middle:.1f} times" if volume > middle else f"1/{middle / volume:.0f} of"
            sentence = f"{name}: {_ul(volume)} is {times} the plan's usual {_ul(round(middle))}, like a slipped "
            yield Problem(point.line, sentence + "decimal point: correct it, or write `deliberate = true` there.")


def _sums(context: _Context) -> Iterator[Problem]:
    """Session and site limits, the site's own limit, and more points than the device holds."""
    plan, limits = context.plan, context.limits
    if plan.sum_nl > limits.max_session_nl:
        sentence = f"The plan gives {_ul(plan.sum_nl)}, a session may give {_ul(limits.max_session_nl)}: split it."
        yield Problem(plan.lines.line(("totals",)), sentence)
    if len(plan.points) > limits.max_points:
        sentence = f"The plan has {len(plan.points)} points, the device holds {limits.max_points}: split it."
        yield Problem(plan.lines.line(("totals",)), sentence)
    for number, site in enumerate(plan.sites, start=1):
        total = sum(point.volume_nl for point in plan.points if point.site == number)
        line = plan.lines.line(("site", number - 1))
        own = None if site.max_ul is None else round(site.max_ul * 1000)
        if total > limits.max_site_nl:
            most = f"a site may get {_ul(limits.max_site_nl)}"
            yield Problem(line, f'Site "{site.name}" gets {_ul(total)}, {most}: give less there.')
        if own is not None and total > own:
            sentence = f'Site "{site.name}" gets {_ul(total)}, over its own `max_ul` of {_ul(own)}: give less there.'
            yield Problem(plan.lines.line(("site", number - 1, "max_ul")), sentence)
        if total == 0:
            yield Problem(line, f'Site "{site.name}" has no points.', warning=True)


def _totals(context: _Context) -> Iterator[Problem]:
    """What the author counted against what the points add up to."""
    plan = context.plan
    if plan.totals.points != len(plan.points):
        sentence = f"`points` says {plan.totals.points} but the plan has {len(plan.points)}: correct one of them."
        yield Problem(plan.lines.line(("totals", "points")), sentence)
    stated = plan.totals.total_ul * 1000
    if abs(stated - plan.sum_nl) > 0.5:
        hint = "correct one of them"
        ratio = max(plan.sum_nl / stated, stated / plan.sum_nl)
        if 9 <= ratio <= 11:
            hint = "ten times apart, like a slipped decimal point: check every volume"
        elif 900 <= ratio <= 1100:
            hint = "a thousand times apart, like mL or nL for uL: check the units"
        sentence = f"`total_ul` says {plan.totals.total_ul:g} uL but the points add up to {_ul(plan.sum_nl)}: {hint}."
        yield Problem(plan.lines.line(("totals", "total_ul")), sentence)


def _syringe(context: _Context) -> Iterator[Problem]:
    """A soft syringe can't meter small volumes as well: say for which."""
    plan = context.plan
    syringe = context.equipment.syringes.get(plan.head.syringe)
    if syringe is None or syringe.compliance_ul_per_100kpa < PLASTIC_COMPLIANCE_UL_PER_100KPA:
        return
    small = [point for point in plan.points if point.volume_nl < PLASTIC_SMALL_NL]
    if small:
        sentence = f'{len(small)} points are under {_ul(PLASTIC_SMALL_NL)}: "{syringe.key}" is too soft for those.'
        yield Problem(plan.lines.line(("syringe",)), sentence, warning=True)


def _one_per_line(points: tuple[Point, ...], value: Callable[[Point], int]) -> Iterator[Point]:
    """The first point of each line and value: a grid's hundred equal points need one sentence, not a hundred."""
    seen: set[tuple[int, int]] = set()
    for point in points:
        key = (point.line, value(point))
        if key not in seen:
            seen.add(key)
            yield point


_RULES = (_equipment, _product, _depths, _volumes, _sums, _totals, _syringe)
