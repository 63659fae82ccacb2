"""The guided weighings: several of each volume, cumulative where one shot is too light for the balance."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from sit_host.calibrate.balance import Meter
from sit_host.calibrate.fit import Weighing
from sit_host.calibrate.series import Series
from sit_host.errors import WorkFailed

LEAST_NL = 20_000  # a weighing holds at least this much, unless that takes too many shots
LEAST_SHOTS, MOST_SHOTS = 3, 20
_TRIES = 8  # each with half as many shots: one missed spoils a weighing, and a few light ones are better than none


def shots_for(volume_nl: int) -> int:
    """How many shots one weighing of this volume holds."""
    return min(max(math.ceil(LEAST_NL / volume_nl), LEAST_SHOTS), MOST_SHOTS)


def weigh(
    series: Series,
    meter: Meter,
    depth_um: int,
    volumes_nl: Sequence[int],
    rounds: int,
    tell: Callable[[str], None],
) -> list[Weighing]:
    """Weigh each volume once a round, so that drift and plunger position fall on all alike.

    A weighing in which a shot was missed is taken anew with half as many; raises WorkFailed when that
    happens eight times running.
    """
    found = []
    for number in range(rounds):
        for volume_nl in volumes_nl:
            weighing = _one(series, meter, depth_um, volume_nl)
            found.append(weighing)
            tell(
                f"Round {number + 1} of {rounds}: {weighing.shots} x {volume_nl / 1000:g} uL, "
                f"{weighing.mean_nl / 1000:.4f} uL each."
            )
    return found


def _one(series: Series, meter: Meter, depth_um: int, volume_nl: int) -> Weighing:
    shots = shots_for(volume_nl)
    for _ in range(_TRIES):
        series.make_ready_if_needed(shots * volume_nl)
        before = meter.total_nl()
        if series.give(depth_um, volume_nl, shots):
            return Weighing(volume_nl, shots, meter.total_nl() - before)
        shots = max(shots // 2, 1)
    raise WorkFailed(
        f"A weighing of {volume_nl / 1000:g} uL was missed {_TRIES} times.",
        "See `sit log`; mend what made shots end early, then calibrate anew. Nothing was written.",
    )
