"""`campaign_bare.py quick`: time and error of the quick shots of a run, at DESIGN's volumes and nine a second."""

from __future__ import annotations

import argparse

import numpy as np
from sit_host.flow import Setup
from sit_host.flow_run import push, run_flow
from sit_host.plan_limits import reference_equipment
from sit_sim.campaign.metering import Setup as Device
from sit_sim.campaign.quick import Quick, quick_shots

PERIOD_MS = 111
DESIGN = (("30G4", 7000), ("32G4", 3000), ("34G4", 1500))


def series(needle: str, volume_nl: int, units: int, shots: int, depth_um: int) -> list[list[Quick]]:
    """Quick shots of each unit with the planner's flow."""
    equipment = reference_equipment()
    setup = Setup(equipment.needles[needle], equipment.syringes["bd_1ml"], equipment.line, 1.0)
    flow = run_flow(setup, volume_nl, volume_nl, depth_um, PERIOD_MS)
    guess = None if flow is None else push(setup, volume_nl, flow)
    if flow is None or guess is None:
        raise SystemExit(f"{volume_nl} nl through {needle} at nine a second isn't planned.")
    flight_us = round(1000 * guess.flight_ms)
    one = Device(needle, setup.needle.id)
    return [list(quick_shots(one, seed, volume_nl, flow, flight_us, shots, depth_um)) for seed in range(1, units + 1)]


def main(args: argparse.Namespace) -> int:
    """Print a line for each needle."""
    print(f"{args.units} units x {args.shots} quick shots at {args.depth} um, after a careful one each; saline")
    for needle, volume_nl in DESIGN:
        found = series(needle, volume_nl, args.units, args.shots, args.depth)
        times = [shot.time_ms for unit in found for shot in unit if shot.done and shot.one_look]
        errors = [[100 * shot.error for shot in unit if shot.done] for unit in found]
        own = [unit for unit in errors if len(unit) > 2]
        worst = (max(abs(np.mean(unit)) for unit in own), max(np.std(unit, ddof=1) for unit in own))
        first = max(abs(100 * unit[0].error) for unit in found if unit[0].done)
        middle = (np.median([abs(np.mean(unit)) for unit in own]), np.median([np.std(unit, ddof=1) for unit in own]))
        missed = sum(not shot.done for unit in found for shot in unit)
        print(
            f"{needle} {volume_nl / 1000:g} uL: {np.median(times):.0f} to {max(times):.0f} ms with one look; worst unit"
            f" {worst[0]:.1f} / {worst[1]:.1f} %, median unit {middle[0]:.1f} / {middle[1]:.1f} %; worst first shot"
            f" {first:.1f} %; not DONE {missed} of {args.units * args.shots}"
        )
    return 0
