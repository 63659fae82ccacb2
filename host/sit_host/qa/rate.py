"""The rate of a delivery from the flight recorder: the flow past the tip over the middle of the dose.

Between a quarter and three quarters of the dose neither the rise of the pressure nor the last steps count. The volume
past the tip is the device's own (ST_NEEDLE_NL: steps less what is stored), kept each 4 ms while fluid flows. A dose
that takes less than 30 ms is a rise and a fall of the pressure and has no rate.
"""

from __future__ import annotations

from sit_host._gen.enums import Phase
from sit_host.log_recording import Columns

LIMIT_PERCENT = 5.0
_FIRST, _LAST = 0.25, 0.75
_LEAST_MS = 30.0
_LEAST_IMAGES = 4
_GIVING = (Phase.DISPENSE, Phase.DWELL)


def rate(columns: Columns, volume_nl: int, flow_nl_per_s: int) -> float | None:
    """The mean flow past the tip over the middle half of a dose, over the flow asked for; None when it has none."""
    if 1000 * volume_nl / flow_nl_per_s < _LEAST_MS:
        return None
    images = zip(columns.time_ms, columns.values["ST_NEEDLE_NL"], columns.values["ST_PHASE"], strict=True)
    giving = [(time_ms, nl) for time_ms, nl, phase in images if phase in _GIVING]
    end_nl = max((nl for _, nl in giving), default=0)
    low_nl, high_nl = end_nl - (1 - _FIRST) * volume_nl, end_nl - (1 - _LAST) * volume_nl
    middle = [(time_ms, nl) for time_ms, nl in giving if low_nl <= nl <= high_nl]
    if len(middle) < _LEAST_IMAGES:
        return None
    (first_ms, first_nl), (last_ms, last_nl) = middle[0], middle[-1]
    return (last_nl - first_nl) / (last_ms - first_ms) * 1000 / flow_nl_per_s
