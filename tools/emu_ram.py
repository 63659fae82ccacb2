"""Where the RAM of the RP2040 goes, measured on the emulated board.

    tools/emu_ram.py [--write]       after boot, after the 5th and the 20th shot of a treatment; into docs/tick-cost.md
    tools/emu_ram.py --modules       what each module takes while it loads, and each part of the app

SIT_UF2 names a MicroPython UF2 for the Pico. A second of the board takes half a minute or more: the first takes about
nine minutes of a processor, the other one three.

What is free is counted after a collection; the largest free piece is found by asking for it. The firmware runs as it
is, started by another main.py, which counts in the background after each shot into an array that is read from outside
and takes about 2 KiB itself: without it so much more is free.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from array import array
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "stack"))
import marked
from heap_shots import FIRST_LOOK, give
from shotkit import Bench
from sit_sim.emu.chip import uf2_path
from sit_sim.targets import open_target
from sit_sim.targets.emu import EmuProcess

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "tick-cost.md"
Rows = list[tuple[str, ...]]
SHOTS = 20
LEAST_KIB = 60
"""What must be free after boot and after each shot."""
_MARK = (0x2051_7A11, 0x1EAF_0B0E)  # tells the array from all else in RAM

# slots of the array: two marks; bytes of the heap in all, free before, after boot, of the largest piece then; us of a
# collection; then what is free after each shot; then the largest piece at both looks
_HEAP, _EMPTY, _BOOT, _PIECE, _GC_US = range(2, 7)
_SHOT = 7  # free after shot n is at _SHOT + n
_PIECES = _SHOT + SHOTS + 1
_SLOTS = _PIECES + 2

_COUNTS = f"""
import gc
from array import array
gc.collect()
seen = array("i", [0] * {_SLOTS})
seen[{_HEAP}] = gc.mem_free() + gc.mem_alloc()
seen[{_EMPTY}] = gc.mem_free()
import main_deployed, time
gc.threshold(main_deployed._LOADING_BYTES)
from sit_firmware import recorder
ring = recorder.new_log()
recorder.new_log = lambda: ring
import sit_firmware.boards.rp2040
import sit_firmware.app as made
def largest():
    low, high = 0, gc.mem_free() + 1
    while high - low > 64:
        middle = (low + high) >> 1
        try:
            bytearray(middle)
            low = middle
        except MemoryError:
            high = middle
    gc.collect()
    return low
class Counted(made.App):
    def __init__(self, *args):
        super().__init__(*args)
        gc.collect()
        begun = time.ticks_us()
        gc.collect()
        seen[{_GC_US}] = time.ticks_diff(time.ticks_us(), begun)
        seen[{_BOOT}] = gc.mem_free()
        seen[{_PIECE}] = largest()
        self.shots = 0
        self.busy = False
        seen[0], seen[1] = {_MARK[0]}, {_MARK[1]}
    def poll(self):
        super().poll()
        busy = self.shot.active
        if self.busy and not busy and self.shots < {SHOTS}:
            self.shots += 1
            gc.collect()
            seen[{_SHOT} + self.shots] = gc.mem_free()
            if self.shots in ({FIRST_LOOK}, {SHOTS}):
                seen[{_PIECES} + (self.shots == {SHOTS})] = largest()
        self.busy = busy
made.App = Counted
main_deployed.main()
"""

_MODULES = """
import builtins, gc, micropython, sys
gc.collect()
print("RAM", gc.mem_free(), "before")
gc.threshold(4096)
load = __import__
inside = [0]
def watched(name, space=None, _=None, wanted=None, level=0):
    known = len(sys.modules)
    if level:
        name = "sit_firmware.store." + name
    gc.collect()
    before = gc.mem_free()
    inside.append(0)
    module = load(name, space, None, wanted, 0)
    deeper = inside.pop()
    gc.collect()
    taken = before - gc.mem_free()
    inside[-1] += taken
    if len(sys.modules) != known:
        print("RAM", taken - deeper, name)
    return module
builtins.__import__ = watched
import main_deployed
import sit_firmware.boards.rp2040
import sit_firmware.app as made
builtins.__import__ = load
def counted(kind, name):
    def make(*args):
        gc.collect()
        before = gc.mem_free()
        result = kind(*args)
        gc.collect()
        print("RAM", before - gc.mem_free(), name)
        return result
    return make
for name in dir(made):
    if type(getattr(made, name)) is type and name != "App":
        setattr(made, name, counted(getattr(made, name), name + "()"))
begin = made.App.__init__
def built(self, *args):
    begin(self, *args)
    gc.collect()
    print("RAM", gc.mem_free(), "after boot")
    micropython.qstr_info()
made.App.__init__ = built
main_deployed.main()
"""


def _open(main: str) -> Any:
    """The board with another main.py, its own beside it, and a store that a device has formatted."""
    path = str(uf2_path())
    deployed = (ROOT / "firmware" / "main.py").read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        with open_target("sim:", hand="none", state_dir=folder) as target:
            target.control({"do": "run", "ms": 50})
        store = (Path(folder) / "store.bin").read_bytes()

    def process(fram: Any) -> EmuProcess:
        fram.data[:] = store
        return EmuProcess(path, instead={"main.py": main, "main_deployed.py": deployed})

    return open_target("emu:", hand="none", process=process)


def _seen(target: Any) -> array[int]:
    """The array, as it is now."""
    ram = bytes(target.machine.chip.mcu.sram)
    at = ram.index(array("i", _MARK).tobytes())
    return array("i", ram[at : at + 4 * _SLOTS])


def measure() -> Rows:
    """Rows of what and how much. NoFirmware without a UF2, RuntimeError when shots don't leave the same heap free, or
    when less than LEAST_KIB is free.
    """
    with _open(_COUNTS) as target:
        seen = _seen(target)
        print(*seen[: _SHOT + 1], file=sys.stderr)  # the rest takes minutes
        bench = Bench(target)
        bench.prepare()
        give(bench, 1, SHOTS, lambda n: print(f"shot {n}: {_seen(target)[_SHOT + n]} bytes free", file=sys.stderr))
        seen = _seen(target)
    free = seen[_SHOT + FIRST_LOOK : _SHOT + SHOTS + 1]
    if len(set(free)) != 1:
        raise RuntimeError(
            f"the free heap isn't the same after each shot: {list(free)} bytes from the {FIRST_LOOK}th on"
        )
    if min(seen[_BOOT], *free) < LEAST_KIB * 1024:
        raise RuntimeError(f"less than {LEAST_KIB} KiB are free: {seen[_BOOT]} bytes after boot, {free[0]} after shots")
    sizes = (
        ("heap of MicroPython", seen[_HEAP]),
        ("free before OpenSIT loads", seen[_EMPTY]),
        ("free after boot", seen[_BOOT]),
        ("the largest free piece after boot", seen[_PIECE]),
        (f"free after the {FIRST_LOOK}th shot", free[0]),
        (f"free after the {SHOTS}th shot", free[-1]),
        (f"the largest free piece after the {FIRST_LOOK}th shot", seen[_PIECES]),
        (f"the largest free piece after the {SHOTS}th shot", seen[_PIECES + 1]),
    )
    rows = [(what, f"{size / 1024:.1f} KiB") for what, size in sizes]
    return [*rows, ("a collection takes", f"{seen[_GC_US] / 1000:.1f} ms")]


def table() -> str:
    """The rows as a Markdown table."""
    return "\n".join(marked.table(("RAM", "figure"), measure()))


def modules() -> str:
    """Bytes and names, the largest first; modules that are part of MicroPython count with the one that asks first."""
    with _open(_MODULES) as target:
        said = target.machine.said.decode(errors="replace").splitlines()
    found = [line.split(" ", 2)[1:] for line in said if line.startswith("RAM ")]
    found.sort(key=lambda each: -int(each[0]))
    return "\n".join([f"{size:>7} {name}" for size, name in found] + [line for line in said if "qstr" in line])


def main(argv: list[str]) -> int:
    """Print what was asked for; without a UF2 say so, and the exit code stays 0."""
    from sit_sim.emu.chip import NoFirmware

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="put the table into docs/tick-cost.md")
    parser.add_argument("--modules", action="store_true", help="by module and by part of the app")
    args = parser.parse_args(argv)
    try:
        text = modules() if args.modules else table()
    except NoFirmware as reason:
        print(f"skipped: {reason}")
        return 0
    print(text)
    return marked.put(PAGE, "ram", text, "tools/emu_ram.py") if args.write and not args.modules else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
