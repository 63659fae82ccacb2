"""Free heap of the firmware after each shot on real MicroPython: from the 5th on it must stay the same.

    tools/heap_shots.py                   1000 shots on sim:micropython, two minutes
    tools/heap_shots.py --shots 100

The shots are given by hand in tables of 50 points, a treatment for each syringe; each table's records are saved and
released, a used syringe is changed. The heap is looked at after a collection. Exit code 1 when it isn't the same.
tools/emu_ram.py does it on the emulated board.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "stack"))
from shotkit import Bench
from sit_host._gen import enums, messages
from sit_host.describe import fault_text
from sit_host.outcome import expect
from sit_host.table import NO_EXPIRY, Row
from sit_sim.targets import open_target

FIRST_LOOK = 5
_DEPTH_UM, _VOLUME_NL, _DWELL_MS = 1500, 2000, 200
_POINTS = 50
_SYRINGE_SHOTS = 400
_SITES = 8


def give(bench: Bench, first: int, count: int, after: Callable[[int], None]) -> None:
    """A table of `count` points, one press each; `after` is called with the number of each shot, from `first` on.

    RuntimeError when one isn't done.
    """
    rows = [Row(point, 1, 1 + point % _SITES, _DEPTH_UM, _VOLUME_NL) for point in range(first, first + count)]
    treatment = b"HEAP" + (1 + (first - 1) // _SYRINGE_SHOTS).to_bytes(4, "little")
    begin = messages.LoadBegin(treatment, count, 1, 1, 1000, 50000, _DWELL_MS, NO_EXPIRY)
    expect(bench.client.load_table(begin, rows))
    for given in range(count):
        if bench.state() != enums.State.ARMED:
            _no_fault(bench, first + given)
            expect(bench.arm(cursor=given, count=count - given))
        head = bench.status().ledger_head
        bench.press_and_trigger()
        bench.client.wait_for(lambda head=head: bench.status().ledger_head >= head + 2, 5.0)
        bench.lift()
        bench.hand("next_site")
        after(first + given)
    ends = bench.ends()
    if any(end.kind != enums.Record.DONE for end in ends[-count:]):
        raise RuntimeError(f"not every shot was done: {[(end.kind.name, end.cause) for end in ends[-count:]]}")


def _no_fault(bench: Bench, shot: int) -> None:
    status = bench.status()
    if status.header.fault:
        ended = [(end.kind.name, end.cause) for end in bench.ends()]
        text = fault_text(status.header.fault, status.fault_value)
        raise RuntimeError(f"before shot {shot} a fault was latched: {text} The shots ended {ended}")


def _save(bench: Bench) -> None:
    """The host has the records: their room is free."""
    expect(bench.client.ledger_release(bench.status().ledger_head))


def run(shots: int) -> list[int]:
    """Free bytes after each shot."""
    free: list[int] = []

    def look(number: int) -> None:
        free.append(bench.target.control({"do": "info"})["heap_free_bytes"])

    bench = Bench(open_target("sim:micropython", hand="none"))
    try:
        bench.prepare()
        while len(free) < shots:
            if len(free) and len(free) % _SYRINGE_SHOTS == 0:
                bench.new_syringe()
                bench.prepare()
            give(bench, len(free) + 1, min(_POINTS, shots - len(free)), look)
            _save(bench)
    finally:
        bench.target.close()
    return free


def main(argv: list[str]) -> int:
    """0 when the free heap stays the same."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shots", type=int, default=1000)
    args = parser.parse_args(argv)
    if args.shots < FIRST_LOOK:
        parser.error(f"--shots must be at least {FIRST_LOOK}: the heap is looked at from that shot on")
    free = run(args.shots)
    settled = list(enumerate(free, 1))[FIRST_LOOK - 1 :]
    changes = [f"shot {n}: {b - a:+d}" for (_, a), (n, b) in itertools.pairwise(settled) if a != b]
    print(f"free heap after shot {FIRST_LOOK}: {settled[0][1]} bytes, after shot {args.shots}: {settled[-1][1]} bytes")
    print("the same after each shot between" if not changes else "it changed: " + ", ".join(changes))
    return 1 if changes else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
