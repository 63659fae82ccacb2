"""Many injections on the bare loop: firmware's tick and plant, compiled, on drawn units.

    tools/campaign_bare.py doses [--units N] [--shots N] [--volume NL] [--factory] [--out FILE.npz] [--workers N]
    tools/campaign_bare.py equal [--shots N]

`doses` prints systematic and random error over units, and adds to FILE: a run that was stopped goes on from there, and
units have the same results whatever the number of workers. `equal` gives the same shots with the firmware's functions
compiled and as they stand and compares all four arrays after each tick; exit code 1 when they differ.
"""

import argparse
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from sit_sim.campaign.bench import Bench
from sit_sim.campaign.metering import Setup, UnitError, percentiles, unit_error
from sit_sim.plant import spread_unit

_SETUP = Setup("30G saline")
_SHOT_TICKS = 1200


def dose(task: tuple[int, int, int, bool]) -> tuple[int, UnitError]:
    """One unit's shots."""
    seed, volume_nl, shots, calibrated = task
    return seed, unit_error(_SETUP, seed, volume_nl, shots, None, calibrated)


def doses(args: argparse.Namespace) -> int:
    """Run what FILE doesn't hold yet, in pieces, and print the figures of all."""
    key = f"{args.volume}-{args.shots}-{'factory' if args.factory else 'calibrated'}"
    kept = dict(np.load(args.out)) if args.out.exists() else {}
    known = {int(line[0]): line for line in kept.get(key, np.zeros((0, 5)))}
    left = [seed for seed in range(1, args.units + 1) if seed not in known]
    begun = time.perf_counter()
    with ProcessPoolExecutor(args.workers) as pool:
        for first in range(0, len(left), 100):
            piece = [(seed, args.volume, args.shots, not args.factory) for seed in left[first : first + 100]]
            for seed, found in pool.map(dose, piece, chunksize=5):
                known[seed] = np.array([seed, *found])
            kept[key] = np.array([known[seed] for seed in sorted(known)])
            args.out.parent.mkdir(parents=True, exist_ok=True)
            np.savez(args.out, **kept)
            print(f"{len(known)} of {args.units} units", file=sys.stderr)
    spent = time.perf_counter() - begun
    lines = [known[seed] for seed in range(1, args.units + 1)]
    units = [UnitError(line[1], line[2], int(line[3]), int(line[4])) for line in lines if line[3] >= 3]
    figures = "systematic p50 {:.2f} p90 {:.2f} %, random p50 {:.2f} p90 {:.2f} %".format(
        *percentiles(units, args.volume)
    )
    print(f"{args.volume} nl, {len(units)} units: {figures}")
    systematic = max(abs(unit.systematic_nl) for unit in units) * 100 / args.volume
    random = max(unit.random_nl for unit in units) * 100 / args.volume
    missed = sum(int(line[4]) for line in lines)
    given = sum(int(line[3]) for line in lines)
    print(f"worst systematic {systematic:.2f} %, worst random {random:.2f} %, not given {missed} of {missed + given}")
    if left:
        print(f"{len(left) * args.shots / spent:.0f} injections/s with {args.workers} workers")
    return 0


def equal(args: argparse.Namespace) -> int:
    """Compare compiled and plain firmware tick for tick, a fresh drawn unit every tenth shot."""
    ticks = 0
    for number in range(args.shots):
        if number % 10 == 0:
            pair = [Bench(spread_unit(number + 1), number + 1, plain=plain) for plain in (False, True)]
            for one in pair:
                one.purge(600)
        for one in pair:
            one.plant.set("site", number)
            one.post_shot((1200, 1500, 1900)[number % 3], (1000, 2000, 5000)[number % 3])
        for _ in range(_SHOT_TICKS):
            for one in pair:
                one.run(1)
            ticks += 1
            for name, ours, plain in zip(
                ("state", "inputs", "outputs", "params"), *(one.arrays for one in pair), strict=True
            ):
                if ours.tolist() != plain.tolist():
                    print(f"shot {number}, tick {ticks}: {name} differ")
                    return 1
        for one in pair:
            one.hold(False)
    print(f"{args.shots} injections, {ticks} ticks: compiled and plain firmware are equal in all four arrays")
    return 0


def main(argv: list[str]) -> int:
    """Run one of the two."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = parser.add_subparsers(required=True)
    part = parts.add_parser("doses", help="errors of the dose over drawn units")
    part.add_argument("--units", type=int, default=100)
    part.add_argument("--shots", type=int, default=10, help="of each unit (default 10)")
    part.add_argument("--volume", type=int, default=1000, help="nl (default 1000)")
    part.add_argument("--factory", action="store_true", help="on the factory calibration")
    part.add_argument("--out", type=Path, default=Path("build") / "doses.npz", help="results (default build/doses.npz)")
    part.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes (default: all cores)")
    part.set_defaults(run=doses)
    part = parts.add_parser("equal", help="compiled against plain firmware")
    part.add_argument("--shots", type=int, default=1000)
    part.set_defaults(run=equal)
    args = parser.parse_args(argv)
    return int(args.run(args))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
