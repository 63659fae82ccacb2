"""Fault campaign on the whole stack: fault x moment x unit of the spread, judged against the plant's truth.

    tools/campaign.py                               10 000 seeded runs of F1 on sim:, no mechanical stop
    tools/campaign.py --target sim:micropython --runs 200
    tools/campaign.py --faults f2                   the faults that only hardware covers, with the stop fitted
    tools/campaign.py --replay 123 --plot one.svg   one seed again, with plots
    tools/campaign.py --link                        the link under attack, each damage at each moment
    tools/campaign.py --cuts --every 1              power cut at every store write and every tick of five shots
    tools/campaign.py --reactions                   worst reactions to STOP, e-stop, release, cable, hang

Results are kept in build/; a stopped campaign goes on where it was. Exit code 1 when an invariant didn't hold.
"""

from __future__ import annotations

import argparse
import functools
import multiprocessing
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))
from attack import cuts, links, reactions, results, table
from attack.run import run_seed

_RUNS = {"f1": 10_000, "f2": 500}


def _one(spec: str, faults: str, seed: int) -> dict[str, Any]:
    return run_seed(spec, faults, seed)[0]


def main(argv: list[str]) -> int:
    """Run or replay; 0 when every invariant held."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faults", choices=("f1", "f2"), default="f1", help="list of single faults (default f1)")
    parser.add_argument("--target", choices=("sim:", "sim:micropython"), default="sim:")
    parser.add_argument("--runs", type=int, metavar="N", help="how many (default 10000 of f1, 500 of f2)")
    parser.add_argument("--from", dest="first", type=int, default=1, metavar="SEED", help="first seed (default 1)")
    parser.add_argument("--workers", type=int, default=2, metavar="N")
    parser.add_argument("--results", type=Path, metavar="FILE", help="where results are kept")
    parser.add_argument("--replay", type=int, metavar="SEED", help="run one seed and show it")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="with --replay: draw it (svg, png)")
    parser.add_argument("--link", action="store_true", help="attack the link; --runs (default one of each case)")
    parser.add_argument("--cuts", action="store_true", help="cut power at store writes and ticks")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="with --cuts: each N-th tick (default 1)")
    parser.add_argument("--reactions", action="store_true", help="measure reactions; --runs for each (default 100)")
    args = parser.parse_args(argv)
    if (args.runs is not None and args.runs < 1) or args.workers < 1 or args.every < 1:
        parser.error("--runs, --workers and --every must be at least 1")
    for chosen, part in ((args.replay is not None, _replay), (args.link, _link), (args.cuts, _cuts)):
        if chosen:
            return part(args)
    if args.reactions:
        return _reactions(args)
    if args.plot:
        parser.error("--plot needs --replay SEED")
    runs = args.runs if args.runs is not None else _RUNS[args.faults]
    kept = (
        args.results
        or results.ROOT / "build" / f"campaign-{args.faults}-{args.target.strip(':').replace(':', '-')}.jsonl"
    )
    found = results.gather(
        kept,
        range(args.first, args.first + runs),
        functools.partial(_one, args.target, args.faults),
        args.workers,
        lambda so_far: table.summary(list(so_far.values()), args.faults),
    )
    stop = "with the mechanical stop" if args.faults == "f2" else "without mechanical stop"
    print(f"{args.faults.upper()} on {args.target}, {stop}, seeds {args.first} to {args.first + runs - 1}")
    print("\n".join(table.lines(list(found.values()), args.faults)))
    return 1 if table.violations(found.values()) else 0


def _replay(args: argparse.Namespace) -> int:
    verdict, watch = run_seed(args.target, args.faults, args.replay, watch_images=args.plot is not None)
    for name, value in verdict.items():
        print(f"{name:16} {value}")
    if args.plot and watch is not None:
        from attack.plot import draw

        draw(watch, verdict, args.plot)
        print(f"{'plot':16} {args.plot}")
    return 1 if verdict["wrong"] else 0


def _link(args: argparse.Namespace) -> int:
    with multiprocessing.Pool(args.workers) as pool:
        runs = range(args.runs or len(links.CASES))
        found = list(pool.imap_unordered(functools.partial(links.attack, args.target), runs, chunksize=4))
    bad = [result for result in found if result["wrong"]]
    grid = f"{len(links.DAMAGE)} kinds of damage x {len(links.MOMENTS)} moments"
    print(f"link on {args.target}: {grid}, {len(found)} runs, {len(bad)} violations")
    for result in sorted(bad, key=lambda result: result["seed"]):
        print(f"  {result['seed']}: {result['fault']} at {result['moment']}: {'; '.join(result['wrong'])[:200]}")
    return 1 if bad else 0


def _cuts(args: argparse.Namespace) -> int:
    ticks, writes = cuts.session()
    total = -(-ticks // args.every) + writes * len(cuts.KEPT)
    kept = results.Kept(args.results or results.ROOT / "build" / "cuts.jsonl")
    progress = results.Progress(total)

    def show(made: int) -> None:
        progress.total = total - flock.skipped
        progress.show(made, f"{len(flock.wrong)} violations")

    flock = cuts.Flock(args.workers, kept, show)
    cuts.every_tick(flock, args.every)
    at_ticks = flock.cases
    cuts.every_write(flock, writes)
    print(f"a session of {cuts.SHOTS} shots: {ticks} ticks that the firmware runs, {writes} store writes")
    print(f"{at_ticks} cuts at ticks, {flock.cases - at_ticks} in writes: {len(flock.wrong)} violations")
    for name, text in flock.wrong[:40]:
        print(f"  {name}: {text}")
    return 1 if flock.wrong else 0


def _reactions(args: argparse.Namespace) -> int:
    found = {cause.name: reactions.measure(cause, args.runs or 100) for cause in reactions.CAUSES}
    print("\n".join(reactions.lines(found)))
    return 1 if any(worst.late or worst.begun for worst in found.values()) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
