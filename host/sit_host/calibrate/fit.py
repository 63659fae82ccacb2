"""Bore and dose offset from weighings: a weighted straight line, its uncertainty, and what the device is to be told.

The device believes in a bore d and an offset o, so asked for v it pushes what it takes for v + o. What arrives is

    delivered = s (v + o) + c        s = (true bore / d)^2, c a constant loss or gain of each shot

A line through weighings at two volumes or more gives s and c; the new bore is d sqrt(s), the new offset -c: then
delivered = v. Each weighing is weighted by its own variance; where the points scatter more than that about the line,
the variances grow with the scatter (Birge ratio).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sit_host.errors import WorkFailed

SHOT_NL = 15.0  # scatter of one shot, its part that doesn't grow with the volume
SHOT_SHARE = 0.003  # and the part that does
COVERAGE = 2.0  # k of the stated uncertainties: about 95 %
MOST_BORE_SHARE = 0.03  # a bore further than this from its type is another syringe, or a wrong weighing
MOST_OFFSET_NL = 500.0


@dataclass(frozen=True)
class Weighing:
    """One reading: `shots` equal shots of `volume_nl`, and what arrived of all of them."""

    volume_nl: int
    shots: int
    arrived_nl: float

    @property
    def mean_nl(self) -> float:
        """What one shot delivered on average."""
        return self.arrived_nl / self.shots


@dataclass(frozen=True)
class Calibration:
    """What was found, with expanded uncertainties (k = 2). `scatter` is the Birge ratio: near 1 when all is well."""

    bore_um: int
    bore_u_um: float
    offset_nl: int
    offset_u_nl: float
    slope: float
    constant_nl: float
    scatter: float

    def dose_percent(self, offset_nl: int, volume_nl: int) -> float:
        """How much a dose of `volume_nl` arrives off by with the calibration before, whose offset is given."""
        return 100 * ((self.slope * (volume_nl + offset_nl) + self.constant_nl) / volume_nl - 1)

    def volume_u_percent(self, volume_nl: int) -> float:
        """Expanded uncertainty of a dose by bore and offset together, in percent; taken as independent."""
        return 100 * math.hypot(2 * self.bore_u_um / self.bore_um, self.offset_u_nl / volume_nl)


def fit(
    weighings: Sequence[Weighing], bore_um: int, offset_nl: int, reading_u_nl: float, nominal_bore_um: float
) -> Calibration:
    """Fit weighings made with the calibration in force; `reading_u_nl` is the scatter of one reading.

    Raises WorkFailed for fewer than three weighings or two volumes, and for a result that no such syringe can have.
    """
    if len(weighings) < 3 or len({w.volume_nl for w in weighings}) < 2:
        raise WorkFailed("A calibration needs three weighings or more, at two volumes or more.", "Weigh more.")
    points = [(w.volume_nl + offset_nl, w.mean_nl, 1 / _variance(w, reading_u_nl)) for w in weighings]
    total = sum(weight for _, _, weight in points)
    middle_x = sum(x * weight for x, _, weight in points) / total
    middle_y = sum(y * weight for _, y, weight in points) / total
    across = sum(weight * (x - middle_x) ** 2 for x, _, weight in points)
    slope = sum(weight * (x - middle_x) * (y - middle_y) for x, y, weight in points) / across
    constant = middle_y - slope * middle_x
    chi2 = sum(weight * (y - slope * x - constant) ** 2 for x, y, weight in points)
    scatter = math.sqrt(chi2 / (len(points) - 2))
    grown = max(scatter, 1.0)
    slope_u = COVERAGE * grown / math.sqrt(across)
    offset_u = COVERAGE * grown * math.sqrt(1 / total + middle_x**2 / across)
    _plausible(slope, bore_um * math.sqrt(max(slope, 0.0)), nominal_bore_um, constant)
    bore = bore_um * math.sqrt(slope)
    return Calibration(
        bore_um=round(bore),
        bore_u_um=bore * slope_u / (2 * slope),
        offset_nl=round(-constant),
        offset_u_nl=offset_u,
        slope=slope,
        constant_nl=constant,
        scatter=scatter,
    )


def _variance(weighing: Weighing, reading_u_nl: float) -> float:
    """Variance of a weighing's mean shot: two readings, and the shots' own scatter."""
    shot = SHOT_NL**2 + (SHOT_SHARE * weighing.volume_nl) ** 2
    return 2 * (reading_u_nl / weighing.shots) ** 2 + shot / weighing.shots


def _plausible(slope: float, bore_um: float, nominal_bore_um: float, constant_nl: float) -> None:
    """Refuse what no syringe of the type has: writing it would make every dose wrong."""
    most = MOST_BORE_SHARE * nominal_bore_um
    if slope <= 0 or abs(bore_um - nominal_bore_um) > most:
        raise WorkFailed(
            f"The bore comes out as {bore_um:.0f} um; this syringe type has {nominal_bore_um:.0f} um within "
            f"{most:.0f} um: nothing is written.",
            "Check the syringe type, the water in the line, and the readings; then weigh anew.",
        )
    if abs(constant_nl) > MOST_OFFSET_NL:
        raise WorkFailed(
            f"Each shot comes out {constant_nl:+.0f} nl off whatever its volume, over {MOST_OFFSET_NL:.0f} nl: nothing "
            "is written.",
            "Look for air, a leak, or drops that were not wiped off; then weigh anew.",
        )
