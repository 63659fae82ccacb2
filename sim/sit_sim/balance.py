"""The virtual balance: a covered vial of water with a skin-like membrane, into which the needle injects.

It shows what a laboratory balance would: the tissue volume as mass in air (what drips outside is wiped off before a
reading), less what evaporated, with the balance's own scatter and readability. The same tick gives the same reading.
"""

from __future__ import annotations

import random
from typing import Final

from .clock import s_of_ticks

MG_PER_UL: Final = 0.997156
"""What a microlitre of water at 20 degrees weighs in air at 1013 hPa: its density less buoyancy."""
EVAPORATION_MG_PER_S: Final = 0.0005
"""From a covered vial: 1.8 mg in an hour."""
REPEATABILITY_MG: Final = 0.01
"""Standard deviation of a reading of a five-place balance."""
READABILITY_MG: Final = 0.01
_VIAL_MG: Final = 5000.0


def reading_mg(tissue_nl: float, tick: int) -> float:
    """What the display shows at a tick, mg, the vial included; `tissue_nl` is all that was injected so far."""
    scatter = random.Random(f"balance {tick}").gauss(0.0, REPEATABILITY_MG)
    mass = _VIAL_MG + tissue_nl * 1e-3 * MG_PER_UL - EVAPORATION_MG_PER_S * s_of_ticks(tick) + scatter
    return round(mass / READABILITY_MG) * READABILITY_MG
