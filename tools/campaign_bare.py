"""Many injections on the bare loop: firmware's tick and plant, compiled, on drawn units.

    tools/campaign_bare.py injections [--runs N] [--sound] [--thin] [--workers N | --scheduler ...] [--folder DIR]
    tools/campaign_bare.py replay SEED [--plot FILE.svg] [--without guard,flag] [--sound]
    tools/campaign_bare.py lies [--units N] [--sites N] [--below UM]
    tools/campaign_bare.py doses [--units N] [--shots N] [--volume NL] [--factory] [--workers N | --scheduler ...]
    tools/campaign_bare.py region [--units N] [--shots N] [--all] [--write] [--workers N | --scheduler ...]
    tools/campaign_bare.py quick [--units N] [--shots N] [--depth UM]
    tools/campaign_bare.py drift [--units N] [--shots N] [--volume NL]
    tools/campaign_bare.py equal [--shots N] [--plain | --sim]
    tools/campaign_bare.py speed

`injections` runs the spread of units and the faults of F1 without a mechanical stop and prints the worst true tip with
its seed; `replay` runs that seed again. `doses` prints systematic and random error over units. Both keep their results
as Parquet in a folder: a run that was stopped goes on from there, and the same seeds have the same results whatever the
number of workers. `lies` lets the encoder lie in the last of the way in, where it is worst, and prints the margin with
every zero off by its uncertainty. `region` says which needles, fluids, volumes and syringes keep the limits, `quick`
prints time and error of the shots of a run, `drift` shows what the second dose channel can tell (docs/metering.md).
`equal` compares the compiled loop with the firmware as it stands under CPython, tick for tick.
Exit code 1 when a true tip passed 2000 um or the loops differ.
"""

import argparse
import functools
import os
import sys
import time
from collections import Counter
from pathlib import Path

from sit_sim.campaign import injections, parts
from sit_sim.campaign.doses import Doses
from sit_sim.plant import reference

sys.path.insert(0, str(Path(__file__).resolve().parent))
from bare import drift, equal, quick, region, replay

_BUILD = Path(__file__).resolve().parents[1] / "build"


def tell(what: str) -> parts.Tell:
    """Progress on one line of stderr, with the time that is left."""
    shown = 0.0

    def show(done: int, total: int, left_s: float) -> None:
        nonlocal shown
        if time.monotonic() - shown < 2 and done < total:
            return
        shown = time.monotonic()
        print(f"{done} of {total} {what}, {left_s:.0f} s left", file=sys.stderr)

    return show


def run_parts(args: argparse.Namespace, folder: Path, total: int, part: parts.Part) -> float:
    """Make what is missing; returns the seconds it took, 0 when nothing was missing."""
    begun = time.perf_counter()
    made = parts.run(folder, total, part, args.workers, args.scheduler, tell("parts"))
    return time.perf_counter() - begun if made else 0.0


def run_injections(args: argparse.Namespace) -> int:
    """The campaign over the spread and F1."""
    which = [name for name in ("sound", "thin") if getattr(args, name)]
    folder = args.folder / "-".join(("injections", *which))
    total = -(-args.runs // injections.PART)
    before = len(parts.missing(folder, total))
    spent = run_parts(args, folder, total, functools.partial(injections.part, sound=args.sound, thin=args.thin))
    table = parts.read(folder, total).slice(0, args.runs)
    columns = {name: table[name].to_numpy() for name in table.column_names}
    print("\n".join(injections.lines(columns)))
    if spent:
        per_s = before * injections.PART / spent
        who = f"workers of {args.scheduler}" if args.scheduler else f"{args.workers} workers"
        print(
            f"{per_s:.0f} injections/s by the wall clock with {who}, {columns['ticks'].mean():.0f} ticks an injection"
        )
    return int((columns["tip_um"] > injections.LIMIT_UM).any())


def run_lies(args: argparse.Namespace) -> int:
    """The lying encoder where it is worst."""
    from sit_sim.campaign.lying import FACTORS, lies_of

    limit_um = injections.LIMIT_UM - reference()["zero"]["uncertainty_um"]
    lies = [lie for unit in range(args.units) for lie in lies_of(unit, args.sites, below_um=args.below)]
    if not lies:
        print("No needle got through the skin at this depth: take more units or a smaller --below.", file=sys.stderr)
        return 1
    past = 0
    for factor in FACTORS:
        own = [lie for lie in lies if lie.factor == factor]
        worst = max(own)
        past += sum(lie.tip_um > limit_um for lie in own)
        latched = Counter(injections.FAULT_NAMES.get(lie.latched, "none") for lie in own)
        print(
            f"counts {factor:.1f}: {len(own)} runs, margin {limit_um - worst.tip_um:.1f} um (injection {worst.number},"
            f" struck at {worst.struck_um:.0f} um), {dict(latched.most_common())}"
        )
    print(f"past the limit with every zero off by its uncertainty: {past} of {len(lies)}")
    return int(past > 0)


def run_doses(args: argparse.Namespace) -> int:
    """Errors of the dose over drawn units."""
    what = Doses(args.volume, args.shots, not args.factory)
    folder = args.folder / "doses" / str(what)
    run_parts(args, folder, what.parts(args.units), functools.partial(what.part))
    table = parts.read(folder, what.parts(args.units)).slice(0, args.units)
    print("\n".join(what.lines(table)))
    return 0


def run_region(args: argparse.Namespace) -> int:
    """Which cells of the planner's region keep the limits."""
    return region.main(args, run_parts, args.folder / "region")


def run_speed(_args: argparse.Namespace) -> int:
    """The loop's speed on one core."""
    from sit_sim.campaign.speed import measure

    print(measure())
    return 0


def main(argv: list[str]) -> int:
    """Run one of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)

    def command(name: str, does: object, help_text: str, spread: bool = False) -> argparse.ArgumentParser:
        own = commands.add_parser(name, help=help_text)
        own.set_defaults(run=does)
        if spread:
            own.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes (default: all cores)")
            own.add_argument("--scheduler", metavar="tcp://HOST:PORT", help="let the workers of a Dask scheduler do it")
            own.add_argument(
                "--folder",
                type=Path,
                default=_BUILD,
                help="where results are kept, in folders by what they are of (default build/)",
            )
        return own

    own = command("injections", run_injections, "the spread and F1, no mechanical stop", spread=True)
    own.add_argument("--runs", type=int, default=10_000, help="how many (default 10000)")
    own.add_argument("--sound", action="store_true", help="none with a fault")
    own.add_argument("--thin", action="store_true", help="all with the thin needle")
    own = command("replay", replay.main, "one injection again")
    own.add_argument("seed", type=int, help="as `injections` prints it")
    own.add_argument("--sound", action="store_true", help="without its fault, as `injections --sound` ran it")
    own.add_argument("--plot", type=Path, metavar="FILE", help="draw it (svg, png)")
    own.add_argument("--without", default="", help="guard, flag or both with a comma: what the controls are good for")
    own = command("lies", run_lies, "an encoder that counts a part of the motion, in the last of the way in")
    own.add_argument("--units", type=int, default=100, help="units (default 100)")
    own.add_argument("--sites", type=int, default=5, help="shots of each, 20 faults in each shot (default 5)")
    own.add_argument("--below", type=int, default=0, metavar="UM", help="so much less than the highest depth")
    own = command("doses", run_doses, "errors of the dose over drawn units", spread=True)
    own.add_argument("--units", type=int, default=100)
    own.add_argument("--shots", type=int, default=10, help="of each unit (default 10)")
    own.add_argument("--volume", type=int, default=1000, help="nl (default 1000)")
    own.add_argument("--factory", action="store_true", help="on the factory calibration")
    own = command("region", run_region, "which cells of the planner's region keep the limits", spread=True)
    own.add_argument("--units", type=int, default=12)
    own.add_argument("--shots", type=int, default=8, help="of each unit (default 8)")
    own.add_argument("--all", action="store_true", help="also what the planner refuses as not to be vouched for")
    own.add_argument("--write", action="store_true", help="put the table into docs/metering.md")
    own = command("quick", quick.main, "time and error of the quick shots of a run")
    own.add_argument("--units", type=int, default=12)
    own.add_argument("--shots", type=int, default=6)
    own.add_argument("--depth", type=int, default=1700, help="um (default 1700)")
    own = command("drift", drift.main, "who is warned of a bore that drifted since the calibration")
    own.add_argument("--units", type=int, default=100)
    own.add_argument("--shots", type=int, default=12)
    own.add_argument("--volume", type=int, default=2000, help="nl (default 2000)")
    own = command("equal", equal.main, "the compiled loop against the firmware as it stands")
    own.add_argument("--shots", type=int, default=1000)
    own.add_argument("--sim", action="store_true", help="against whole shots on sim:, background included")
    command("speed", run_speed, "injections a second on one core")
    args = parser.parse_args(argv)
    for count in ("workers", "runs", "units", "sites", "shots", "volume"):
        if getattr(args, count, 1) < 1:
            parser.error(f"--{count} must be at least 1")
    return int(args.run(args))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
