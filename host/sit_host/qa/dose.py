"""The verdict on doses: ISO 8655-style and ISO 11608-1-style tables for each volume, by syringe position, and trumpets.

The limits are those of the design for a calibrated stiff 1 mL set; a volume between two of them has the absolute limit
of the next larger one, as ISO 8655 has it, and a smaller one than the first that of the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from sit_host.qa.rate import LIMIT_PERCENT as RATE_LIMIT_PERCENT
from sit_host.qa.stats import spread, trumpet

# nominal nl -> (systematic, random) in percent
LIMITS = {
    1_000: (5.0, 5.0),
    2_000: (4.0, 2.0),
    5_000: (2.5, 1.5),
    10_000: (1.2, 0.8),
    20_000: (1.0, 0.5),
    50_000: (1.0, 0.4),
    100_000: (0.8, 0.3),
}
PEN_LIMIT_PERCENT = 5.0
_THIRDS = ("full", "middle", "empty")


@dataclass(frozen=True)
class Dose:
    """One dose: what was asked, what was measured, and where the plunger stood: 0 full to 1 empty.

    `rate`: flow past the tip over the flow asked for; None when the delivery was too short to tell.
    """

    asked_nl: int
    measured_nl: float
    position: float
    rate: float | None = None


def limits_percent(volume_nl: int) -> tuple[float, float]:
    """(systematic, random) limit of a volume in percent."""
    nominal = next((size for size in LIMITS if size >= volume_nl), max(LIMITS))
    systematic, random = LIMITS[nominal]
    share = nominal / volume_nl if volume_nl <= max(LIMITS) else 1.0
    return systematic * share, random * share


def verdict(doses: Sequence[Dose]) -> list[dict[str, Any]]:
    """One row for each volume, smallest first; `passes` by pipette's and rate's limits, `pen_passes` by the pen's.

    Raises ValueError when a volume has fewer than two doses.
    """
    return [_row(volume, [d for d in doses if d.asked_nl == volume]) for volume in sorted({d.asked_nl for d in doses})]


def _row(volume_nl: int, doses: Sequence[Dose]) -> dict[str, Any]:
    values = [dose.measured_nl for dose in doses]
    found = spread(values, volume_nl)
    systematic, random = limits_percent(volume_nl)
    rate = _rate([dose.rate for dose in doses if dose.rate is not None])
    return {
        "volume_nl": volume_nl,
        "n": found.n,
        "systematic_percent": round(found.systematic, 3),
        "systematic_limit_percent": round(systematic, 3),
        "random_percent": round(found.random, 3),
        "random_limit_percent": round(random, 3),
        "passes": abs(found.systematic) <= systematic and found.random <= random and rate["passes"] is not False,
        "k": round(found.k, 3),
        "tolerance_low_percent": round(found.low, 3),
        "tolerance_high_percent": round(found.high, 3),
        "pen_passes": max(-found.low, found.high) <= PEN_LIMIT_PERCENT,
        "rate": rate,
        "by_position": _by_position(volume_nl, doses),
        "trumpet": [[n, round(low, 3), round(high, 3)] for n, low, high in trumpet(values, volume_nl)],
    }


def _rate(ratios: Sequence[float]) -> dict[str, Any]:
    """Error of the flow in percent: mean, lowest, highest. The mean decides; None without a delivery that tells."""
    if not ratios:
        return {"n": 0, "mean_percent": None, "low_percent": None, "high_percent": None, "passes": None}
    mean, low, high = (round(100 * (ratio - 1), 2) for ratio in (fmean(ratios), min(ratios), max(ratios)))
    return {
        "n": len(ratios),
        "mean_percent": mean,
        "low_percent": low,
        "high_percent": high,
        "passes": abs(mean) <= RATE_LIMIT_PERCENT,
    }


def _by_position(volume_nl: int, doses: Sequence[Dose]) -> dict[str, dict[str, float]]:
    """The errors in each third of the syringe that has two doses or more."""
    found = {}
    for third, name in enumerate(_THIRDS):
        values = [dose.measured_nl for dose in doses if min(int(dose.position * 3), 2) == third]
        if len(values) >= 2:
            part = spread(values, volume_nl)
            found[name] = {
                "n": part.n,
                "systematic_percent": round(part.systematic, 3),
                "random_percent": round(part.random, 3),
            }
    return found
