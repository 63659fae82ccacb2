"""What a tick costs on the RP2040: writes the table of docs/tick-cost.md, or prints it.

    tools/cycles.py [--write] [--only forms|phases|board]

phases  machine code of control and guard on the bare emulated processor, by phase of a shot; needs no UF2
forms   step and guard replayed on the emulated chip as bytecode, native, viper and machine code; SIT_UF2
board   the whole firmware on the emulated board: latency, jitter, round trip, RAM; SIT_UF2

A part that can't run is left as it is on the page. The emulator has no flash waits: each figure is a lower bound.
"""

import argparse
import sys
from array import array
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import marked

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "tick-cost.md"
MHZ = 125
PERIOD_CYCLES = 62_500
BUDGET = 9_400

Rows = list[tuple[str, ...]]


def phases() -> str:
    """Cycles of step and guard in machine code, by phase, each call compared with the source."""
    import sit_firmware
    from bench_parts.chip import record_tape
    from sit_build import entries, forms
    from sit_firmware import codes, image
    from sit_firmware.control.law import step
    from sit_firmware.guard import check
    from sit_sim.emu.core import Core

    package = Path(sit_firmware.__file__).parent
    modules = forms.constant_modules(package)
    law = Core(entries.function_code(package, modules, "control/law.py", "step"))
    guard = Core(entries.function_code(package, modules, "guard.py", "check"))
    names = {getattr(codes, n): n[6:].lower() for n in dir(codes) if n.startswith("PHASE_")}
    tape = record_tape(1500, 2000)
    state, outputs, params = (array("i", a) for a in (tape.state, tape.outputs, tape.params))
    seen: dict[int, tuple[list[int], list[int]]] = {}
    for index, inputs in enumerate(tape.inputs):
        cost = seen.setdefault(state[image.ST_PHASE], ([], []))
        for kind, (core, function) in enumerate(((law, step), (guard, check))):
            if kind == 0 and index % 2:
                continue
            for number, values in enumerate((state, inputs, outputs, params)):
                core.write(number, values)
            cost[kind].append(core.call())
            function(state, inputs, outputs, params)
            if core.read(0, image.N_STATE) != state or core.read(2, image.N_OUTPUTS) != outputs:
                raise RuntimeError(f"machine code and source differ in tick {index}")
        state[image.ST_BEAT] += 1
    rows = []
    for phase, (steps, guards) in seen.items():
        steps = steps or [0]
        mean, worst = (round(sum(steps) / len(steps)), max(steps)), (round(sum(guards) / len(guards)), max(guards))
        period = mean[1] + 2 * worst[1]
        rows.append((names[phase], *(str(n) for n in (*mean, *worst, period)), f"{period / MHZ:.1f}"))
    head = ("phase", "step mean", "step worst", "guard mean", "guard worst", "step + 2 guards, worst", "us")
    return "\n".join(marked.table(head, rows))


def forms_table() -> str:
    """The same shot on the emulated chip in four forms; RuntimeError when one gives other numbers."""
    from bench_parts.chip import record_tape
    from sit_sim.emu.chip import Chip, uf2_path
    from sit_sim.emu.replay import digest_here, replay

    tape = record_tape(1500, 1000)
    expected = digest_here(tape)
    rows = []
    for form in ("bytecode", "native", "viper", "thumb"):
        cycles = replay(Chip(uf2_path()), form, tape)
        if cycles.digest != expected:
            raise RuntimeError(f"the {form} form gives other outputs than the source")
        numbers = (cycles.step_mean, cycles.step_worst, cycles.guard_mean, cycles.guard_worst, cycles.period_worst)
        share = f"{100 * cycles.period_worst / PERIOD_CYCLES:.1f} %"
        rows.append((form, *(str(n) for n in numbers), f"{cycles.period_worst / MHZ:.0f}", share))
    head = (
        "form",
        "step mean",
        "step worst",
        "guard mean",
        "guard worst",
        "step + 2 guards, worst",
        "us",
        "of a period",
    )
    return "\n".join(marked.table(head, rows))


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
