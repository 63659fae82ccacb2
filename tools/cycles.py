"""What a tick costs on the RP2040: writes the table of docs/tick-cost.md, or prints it.

    tools/cycles.py [--write] [--only forms|phases|board]

phases  the tick's machine code on the bare emulated processor, by phase of a shot and of a run's; needs no UF2
forms   step and guard replayed on the emulated chip as bytecode, native, viper and machine code; SIT_UF2
board   the whole firmware on the emulated board: latency, jitter, round trip; SIT_UF2

A part that can't run is left as it is on the page. The emulator has no flash waits: each figure is a lower bound.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))
import marked

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "tick-cost.md"
MHZ = 125
PERIOD_CYCLES = 62_500
PYTHON_CYCLES = 1_450  # the last table has what was measured

Rows = list[tuple[str, ...]]


def phases() -> str:
    """Cycles of the tick's machine code by phase, each tick compared with the source."""
    from sit_firmware import codes
    from sit_sim.emu.bare_tick import RAPID, size_bytes, ticks

    names = {getattr(codes, n): n[6:].lower() for n in dir(codes) if n.startswith("PHASE_")}
    every = list(ticks(RAPID))
    rows = []
    for title, some in (("", [t for t in every if not t.shot]), ("run, ", [t for t in every if t.shot])):
        for phase in dict.fromkeys(t.phase for t in some):
            rows.append(_row(title + names[phase], [t for t in some if t.phase == phase]))
        rows.append(_row("whole run" if title else "whole shot", some))
    rows.append(_row("both", every))
    head = (
        "phase",
        "control tick mean",
        "worst",
        "guard tick mean",
        "worst",
        "both, worst",
        "us",
        "to the last output, us",
    )
    whole = int(rows[-1][5]) + 2 * PYTHON_CYCLES
    said = (
        f"With the Python above it, {PYTHON_CYCLES} cycles a tick at most, the dearest period takes {whole} cycles:",
        f"{100 * whole / PERIOD_CYCLES:.1f} % of it. The machine code has {size_bytes()} bytes.",
    )
    return "\n".join([*marked.table(head, rows), "", *said])


def _row(name: str, ticks: list[Any]) -> tuple[str, ...]:
    control, guard = ([t for t in ticks if t.control == kind] for kind in (1, 0))
    both = max(t.cycles for t in control) + max(t.cycles for t in guard)
    cells = [n for each in (control, guard) for n in (_mean(each), max(t.cycles for t in each))]
    output_us = max(t.output_cycles for t in control) / MHZ
    return (name, *map(str, cells), str(both), f"{both / MHZ:.1f}", f"{output_us:.1f}")


def _mean(ticks: list[Any]) -> int:
    return round(sum(tick.cycles for tick in ticks) / len(ticks))


def forms_table() -> str:
    """The same shot on the emulated chip in four forms; RuntimeError when one gives other numbers."""
    from bench_parts.chip import HEAD, forms, record_tape

    rows = []
    for cycles, cells in forms(record_tape(1500, 1000)):
        rows.append((*cells, f"{100 * cycles.period_worst / PERIOD_CYCLES:.1f} %"))
    return "\n".join(marked.table((*HEAD, "of a period"), rows))


def board() -> str:
    """The firmware on the emulated board, at rest and in the self-test's motions."""
    from emu_board import measure

    return "\n".join(marked.table(("what", "figure"), measure()))


PARTS: dict[str, Callable[[], str]] = {"phases": phases, "forms": forms_table, "board": board}


def main(argv: list[str]) -> int:
    """Run the parts; a part without what it needs says so and the exit code stays 0."""
    from sit_sim.emu.chip import NoFirmware

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="put the tables into docs/tick-cost.md")
    parser.add_argument("--only", choices=tuple(PARTS), help="this part alone")
    args = parser.parse_args(argv)
    for name in [args.only] if args.only else PARTS:
        try:
            text = PARTS[name]()
        except NoFirmware as reason:
            print(f"{name} skipped: {reason}")
            continue
        print(f"\n{name}\n{text}", flush=True)
        if args.write:
            marked.put(PAGE, name, text, "tools/cycles.py")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
