"""Depths measured against depths asked for: a straight line, its uncertainty, and what is to be put right by hand.

    measured = s asked + c        c: the zero tool's gate against the nose-piece plane; s: the encoder's scale

No depth is ever put right by software: a wrong number could then drive the needle deeper than the guard believes.
A zero that is off is mended at the tool, a scale that is off at the encoder. What the guard band allows for the zero
(hardware/reference.toml, [zero] uncertainty_um) is the limit at the highest depth that can be set.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sit_host.errors import WorkFailed

LIMIT_UM = 20.0
COVERAGE = 2.0  # k of the stated uncertainties: about 95 %


@dataclass(frozen=True)
class DepthLine:
    """What was found, with expanded uncertainties (k = 2): `zero_um` = c, `scale_permille` = 1000 (s - 1).

    `worst_um` is the error at the highest settable depth, `worst_u_um` its uncertainty.
    """

    zero_um: float
    zero_u_um: float
    scale_permille: float
    scale_u_permille: float
    scatter_um: float
    worst_um: float
    worst_u_um: float

    @property
    def passes(self) -> bool:
        """True when the error at the highest depth surely is within what the guard band allows."""
        return abs(self.worst_um) + self.worst_u_um <= LIMIT_UM

    @property
    def advice(self) -> str:
        """What to do, one sentence."""
        if self.passes:
            return "Nothing is to be changed."
        if abs(self.scale_permille) > self.scale_u_permille and abs(self.scale_permille) > 5:
            return f"The scale is off by {self.scale_permille:+.1f} per mille: have the encoder serviced."
        if abs(self.zero_um) > self.zero_u_um:
            return f"The zero is off by {self.zero_um:+.0f} um: have the zero tool put right, zero anew, measure again."
        return "The readings scatter too much to tell: measure more, or with a finer instrument."


def fit_depths(readings: Sequence[tuple[int, float]], highest_um: int) -> DepthLine:
    """Fit (asked_um, measured_um). Raises WorkFailed for fewer than four readings or two depths."""
    n = len(readings)
    if n < 4 or len({asked for asked, _ in readings}) < 2:
        raise WorkFailed("A depth calibration needs four readings or more, at two depths or more.", "Measure more.")
    middle_x = sum(asked for asked, _ in readings) / n
    middle_y = sum(measured for _, measured in readings) / n
    across = sum((asked - middle_x) ** 2 for asked, _ in readings)
    slope = sum((asked - middle_x) * (measured - middle_y) for asked, measured in readings) / across
    zero = middle_y - slope * middle_x
    scatter = math.sqrt(sum((measured - slope * asked - zero) ** 2 for asked, measured in readings) / (n - 2))

    def u_um(at_um: float) -> float:
        return COVERAGE * scatter * math.sqrt(1 / n + (at_um - middle_x) ** 2 / across)

    return DepthLine(
        zero_um=zero,
        zero_u_um=u_um(0.0),
        scale_permille=1000 * (slope - 1),
        scale_u_permille=1000 * COVERAGE * scatter / math.sqrt(across),
        scatter_um=scatter,
        worst_um=(slope - 1) * highest_um + zero,
        worst_u_um=u_um(highest_um),
    )
