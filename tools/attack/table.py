"""What a campaign came to, as lines for people."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from attack.cases import names


def violations(results: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Runs in which an invariant didn't hold."""
    return [r for r in results if r["wrong"]]


def summary(results: list[dict[str, Any]], faults: str) -> str:
    """One line while it runs."""
    tip = max((r["tip_um"] for r in results), default=0.0)
    return f"{len(violations(results))} violations, deepest tip {tip:.1f} um"


def lines(results: list[dict[str, Any]], faults: str) -> list[str]:
    """The table by fault, then the worst cases with their seeds."""
    out = [
        f"{'fault':20} {'runs':>6} {'detected':>8} {'harmless':>8} {'residual':>8} {'not struck':>10} {'tip um':>8} "
        f"{'react':>6} wrong"
    ]
    for name in names(faults):
        mine = [r for r in results if r["fault"] == name]
        if not mine:
            continue
        came = [sum(r["came"] == word for r in mine) for word in ("detected", "harmless", "residual", "not struck")]
        tip = max(r["tip_um"] for r in mine)
        react = max((r["reaction_ticks"] for r in mine if r["reaction_ticks"] is not None), default=None)
        wrong = sum(bool(r["wrong"]) for r in mine)
        shown = "-" if react is None else str(react)
        ways = f"{came[0]:8} {came[1]:8} {came[2]:8} {came[3]:10}"
        out.append(f"{name:20} {len(mine):6} {ways} {tip:8.1f} {shown:>6} {wrong or '-'}")
    out += ["", *_worst(results)]
    bad = violations(results)
    out.append(f"{len(results)} runs, {len(bad)} violations")
    for r in bad[:40]:
        out.append(f"  seed {r['seed']}: {r['fault']} {r['args'] or ''} {r['moment']}: {'; '.join(r['wrong'])[:200]}")
    return out


def _worst(results: list[dict[str, Any]]) -> list[str]:
    deepest = max(results, key=lambda r: r["tip_um"])
    slowest = max(results, key=lambda r: r["reaction_ticks"] or 0)
    volume = max(results, key=lambda r: r["volume_error"])
    return [
        f"deepest true tip: {deepest['tip_um']:.1f} um ({deepest['fault']}, seed {deepest['seed']})",
        f"longest from fault to safe outputs, where one latched: {slowest['reaction_ticks']} ticks "
        f"({slowest['fault']}, seed {slowest['seed']})",
        f"largest volume error of a shot told as DONE: {volume['volume_error']:.1%} "
        f"({volume['fault']}, seed {volume['seed']})",
    ]
