"""What a plan will need, told before anything moves: points, volume, time, syringes, needles, what stays behind."""

from __future__ import annotations

from dataclasses import dataclass

from .flow import shot_time_s
from .plan import Plan
from .plan_check import Checked

HOP_S = 0.3  # a hand from point to point with the trigger held
MOVE_S = 2.5  # a hand from point to point: lift, move, press, trigger
SYRINGE_CHANGE_S = 60.0  # with the needle, zero and prime
NEEDLE_CHANGE_S = 45.0


@dataclass(frozen=True)
class Forecast:
    """Counts and sums of a plan. `residual_nl` stays in the syringes when all points are given."""

    points: int
    total_nl: int
    min_depth_um: int
    max_depth_um: int
    syringes: int
    needles: int
    prime_nl: int
    residual_nl: int
    time_s: float
    flow_nl_per_s: int
    dwell_ms: int
    limited_by: str
    longest_shot_s: float
    run_per_s: float = 0.0

    def as_json(self) -> dict[str, object]:
        """Return it for `--json` and the record."""
        return dict(vars(self))


def forecast(checked: Checked) -> Forecast | None:
    """Return what a checked plan needs; None when it has problems that leave it open."""
    plan, setup, flow = checked.plan, checked.setup, checked.flow
    if setup is None or flow is None or not checked.segments:
        return None
    syringes = sum(segment.what == "syringe" for segment in checked.segments)
    needles = len(checked.segments)
    prime_nl = sum(segment.prime_nl for segment in checked.segments)
    shots_s = sum(MOVE_S + shot_time_s(flow.flow_nl_per_s, flow.tau_ms / 1e3, point.volume_nl) for point in plan.points)
    run = checked.run
    if run is not None:
        places = -(-plan.sum_nl // run.place_nl) if run.glides else 0
        shots_s = len(plan.points) * (run.period_ms / 1e3 if run.glides else HOP_S) + MOVE_S * (places + needles)
    return Forecast(
        points=len(plan.points),
        total_nl=plan.sum_nl,
        min_depth_um=min(point.depth_um for point in plan.points),
        max_depth_um=plan.max_depth_um,
        syringes=syringes,
        needles=needles,
        prime_nl=prime_nl,
        residual_nl=round(syringes * setup.syringe.capacity_ul * 1000) - plan.sum_nl - prime_nl,
        time_s=shots_s + syringes * SYRINGE_CHANGE_S + (needles - syringes) * NEEDLE_CHANGE_S,
        flow_nl_per_s=flow.flow_nl_per_s,
        dwell_ms=flow.dwell_ms,
        limited_by=flow.limited_by,
        longest_shot_s=flow.shot_s if run is None else run.shot_ms / 1e3,
        run_per_s=0.0 if run is None else 1e3 / run.period_ms,
    )


def forecast_pairs(plan: Plan, item: Forecast) -> list[tuple[str, str]]:
    """Return the forecast as names and values for people."""
    changes = [
        f"{item.syringes} syringe{'s' * (item.syringes > 1)}",
        f"{item.needles} needle{'s' * (item.needles > 1)}",
    ]
    depths = f"{item.min_depth_um / 1000:g} mm"
    if item.max_depth_um != item.min_depth_um:
        depths = f"{item.min_depth_um / 1000:g} to {item.max_depth_um / 1000:g} mm"
    expiry = f"lot {plan.product.lot}, expires {plan.product.expiry}"
    return [
        ("Plan", f"{plan.head.name} ({plan.head.area})"),
        ("Product", f"{plan.product.name}, {expiry}"),
        ("Points", f"{item.points}, {depths} deep"),
        ("Volume", f"{item.total_nl / 1000:g} uL in all"),
        ("Needs", f"{changes[0]}, {changes[1]} ({plan.head.syringe}, {plan.head.needle})"),
        ("Purged", f"{item.prime_nl / 1000:g} uL to fill tube and needle and push the air out"),
        ("Left over", f"{item.residual_nl / 1000:g} uL in the syringe{'s' * (item.syringes > 1)}"),
        (
            "Longest shot",
            f"{item.longest_shot_s:.2f} s at {item.flow_nl_per_s / 1000:g} uL/s (limit: {item.limited_by})",
        ),
        *([("Run", f"up to {item.run_per_s:.2g} a second while the trigger is held")] if item.run_per_s else []),
        ("Time", f"about {minutes(item.time_s)}"),
    ]


def minutes(seconds: float) -> str:
    """Return a duration as people say it."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min"
