"""Print the speeds of OpenSIT, as ratios taken in one run. The parts stand in tools/bench_parts/, one file each.

tools/bench.py [--only PART ...]
"""

import argparse
import importlib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

# name -> what it shows; each module has `run() -> rich.table.Table` and raises Skip with a reason
PARTS = {
    "simulator": "both simulated targets against real time, over a whole treatment and over an active shot",
    "codec": "the host's frame codec beside the bare COBS package",
    "round_trip": "a command and its reply, in target time",
    "chip": "control step and guard on the emulated RP2040, in each form",
}


def main(argv: list[str]) -> int:
    """Run the parts; a part that can't run here is skipped with its reason and the exit code stays 0."""
    from bench_parts import Skip
    from rich.console import Console

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=tuple(PARTS), help="only these parts")
    args = parser.parse_args(argv)
    console = Console(width=None if sys.stdout.isatty() else 120)
    for name in args.only or PARTS:
        console.rule(f"{name}: {PARTS[name]}", align="left")
        try:
            console.print(importlib.import_module(f"bench_parts.{name}").run())
        except Skip as reason:
            console.print(f"skipped: {reason}", highlight=False)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
