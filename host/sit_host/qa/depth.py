"""The verdict on depths: error of the tip at the end of insertion, mean and three standard deviations."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

LIMIT_UM = 25.0
HIGHEST_UM = 2000.0


def verdict(depths: Sequence[tuple[int, float]]) -> list[dict[str, Any]]:
    """One row for each asked depth of (asked_um, measured_um): passes when |mean| + 3 s is at most 25 um and no tip
    was measured beyond 2000 um. Raises ValueError when a depth has fewer than two readings."""
    rows = []
    for asked_um in sorted({asked for asked, _ in depths}):
        errors = [measured - asked for asked, measured in depths if asked == asked_um]
        if len(errors) < 2:
            raise ValueError("a verdict needs two readings or more of each depth")
        mean, deviation = statistics.fmean(errors), statistics.stdev(errors)
        bound = abs(mean) + 3 * deviation
        deepest = asked_um + max(errors)
        rows.append(
            {
                "depth_um": asked_um,
                "n": len(errors),
                "mean_um": round(mean, 2),
                "deviation_um": round(deviation, 2),
                "bound_um": round(bound, 2),
                "limit_um": LIMIT_UM,
                "deepest_um": round(deepest, 2),
                "passes": bound <= LIMIT_UM and deepest <= HIGHEST_UM,
            }
        )
    return rows
