"""Figures of a series of doses or depths: pure functions of numbers.

Systematic and random error as ISO 8655 defines them (mean and standard deviation against the nominal volume), the
tolerance interval of ISO 11608-1 (mean +- k s holds 97.5 % of all doses with 95 % confidence; k = 2.67 at n = 60), and
the trumpet curve of infusion pumps over windows of shots.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

CONTENT = 0.975
CONFIDENCE = 0.95
WINDOWS = (1, 2, 5, 10, 20, 30)


@dataclass(frozen=True)
class Spread:
    """A series in percent of its nominal value: `systematic` = mean - 100, `random` = standard deviation.

    `low` and `high` are the ends of the tolerance interval as errors, `k` its factor.
    """

    n: int
    systematic: float
    random: float
    k: float

    @property
    def low(self) -> float:
        """The lower end of the tolerance interval, as an error in percent."""
        return self.systematic - self.k * self.random

    @property
    def high(self) -> float:
        """The upper end."""
        return self.systematic + self.k * self.random


def spread(values: Sequence[float], nominal: float) -> Spread:
    """The errors of at least two values against their nominal one. Raises ValueError for fewer."""
    if len(values) < 2:
        raise ValueError("a spread needs two values or more")
    errors = [100.0 * (value / nominal - 1.0) for value in values]
    return Spread(len(values), statistics.fmean(errors), statistics.stdev(errors), tolerance_factor(len(values)))


def tolerance_factor(n: int) -> float:
    """k of a two-sided normal tolerance interval: Howe's formula (J. Am. Stat. Assoc. 64, 1969), chi2 by
    Wilson and Hilferty (1931). 2.67 for n = 60, as the table of ISO 11608-1 has it."""
    normal = statistics.NormalDist()
    free = n - 1
    quantile = 1.0 - 2.0 / (9 * free) + normal.inv_cdf(1.0 - CONFIDENCE) * math.sqrt(2.0 / (9 * free))
    chi2 = free * max(quantile, 1e-3) ** 3
    return normal.inv_cdf((1.0 + CONTENT) / 2) * math.sqrt(free * (1.0 + 1.0 / n) / chi2)


def trumpet(values: Sequence[float], nominal: float) -> list[tuple[int, float, float]]:
    """(shots in a window, lowest, highest mean error in percent over all windows of so many shots in a row)."""
    rows = []
    for width in WINDOWS:
        if width > len(values):
            break
        total = sum(values[:width])
        low = high = total
        for last in range(width, len(values)):
            total += values[last] - values[last - width]
            low, high = min(low, total), max(high, total)
        rows.append((width, 100.0 * (low / width / nominal - 1.0), 100.0 * (high / width / nominal - 1.0)))
    return rows
