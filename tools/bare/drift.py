"""`campaign_bare.py drift`: who is warned of a bore that drifted since the calibration, and who without one."""

from __future__ import annotations

import argparse
import statistics
from types import SimpleNamespace
from typing import Any

from sit_host._gen.enums import Record as Kind
from sit_host.drift import area_mm2_e3, judge
from sit_sim.campaign.bore import shown_areas
from sit_sim.campaign.metering import Setup
from sit_sim.plant import spread_unit

_OTHER = 100_000  # the syringe that was calibrated is that of another drawn unit
_DRIFTS_PERCENT = (0, 2, 3, 4, 5)
_SETUPS = (Setup("30G saline"), Setup("32G saline", 2), Setup("34G saline", 3), Setup("30G, 5 mPa s", 1, 5.0))


def judged(shown: list[int], bore_um: float, drift: float) -> Any:
    """The host's verdict on areas shown, with a calibrated bore; the true one has drifted by the share `drift`."""
    ends = [SimpleNamespace(kind=Kind.DONE, cap_steps=round(area * (1 + drift) ** 2)) for area in shown]
    return judge(ends, SimpleNamespace(syringe_id=1, bore_um=round(bore_um), area_e4=10_000))  # type: ignore[arg-type]


def main(args: argparse.Namespace) -> int:
    """Print a row for each setup; exit code 1 when a sound unit is warned."""
    print(f"{args.units} units x {args.shots} shots of {args.volume} nl; calibrated with another syringe of the type")
    wrong = 0
    for setup in _SETUPS:
        ratios, bounds = [], []
        warned = dict.fromkeys(_DRIFTS_PERCENT, 0)
        for seed in range(1, args.units + 1):
            shown, true_um = shown_areas(setup, seed, args.volume, args.shots)
            ratios += [area / area_mm2_e3(true_um) for area in shown]
            calibrated_um = spread_unit(seed + _OTHER).bore_m * 1e6
            for percent in _DRIFTS_PERCENT:
                found = judged(shown, calibrated_um, percent / 100)
                warned[percent] += found.drifted
            bounds.append(judged(shown, calibrated_um, 0).bound_percent or 0.0)
        wrong += warned[0]
        told = ", ".join(f"+{percent} % {n}" for percent, n in warned.items() if percent)
        print(
            f"{setup.name}: area shown / true {statistics.fmean(ratios):.4f}, one shot {statistics.stdev(ratios):.4f},"
            f" {len(ratios)} told; bound {min(bounds):.1f}-{max(bounds):.1f} %; warned: sound {warned[0]}, bore {told}"
        )
    return int(wrong > 0)
