"""The compiled loop against the firmware as it stands, tick for tick, in all four arrays."""

import argparse

from sit_sim.campaign.bench import Bench
from sit_sim.plant import spread_unit

_SHOT_TICKS = 1200


def main(args: argparse.Namespace) -> int:
    """Compare; 1 when they differ anywhere."""
    if args.sim:
        from bare.against_sim import against_sim

        return against_sim(args.shots)
    return against_plain(args.shots)


def against_plain(shots: int) -> int:
    """The firmware's functions compiled and as they stand on the same plant; a fresh drawn unit every tenth shot."""
    ticks = 0
    for number in range(shots):
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
    print(f"{shots} injections, {ticks} ticks: compiled and plain firmware are equal in all four arrays")
    return 0
