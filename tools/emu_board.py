"""The whole firmware on the emulated board, measured from outside: tools/cycles.py prints what comes of it.

A tick's first register is the converter's, some 80 cycles before the encoder's count is read; its last output is the
coil's voltage or, when the drive is on, the dead-man's token.
"""

import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sit_host._gen import messages
from sit_host.client import Client
from sit_host.outcome import expect
from sit_host.transport.sim import SimTransport
from sit_sim.emu.chip import Chip, uf2_path
from sit_sim.emu.deployed import file_system
from sit_sim.targets import open_target
from sit_sim.targets.emu import EmuProcess

Rows = list[tuple[str, ...]]
_STATUS_ASKED = 12
_MHZ = 125
_COIL = 6 * 0x14 + 0x0C  # compare register of the coil's PWM slice
_SAME_TICK_US = 60
_IO = """
import gc, micropython
from array import array
gc.threshold(4096)
from machine import mem32
from sit_firmware.boards.rp2040 import make_board
board = make_board()
inputs, outputs = array("i", [0] * 24), array("i", [0] * 8)
mem32[0xE000E014] = 0xFFFFFF
mem32[0xE000E018] = 0
mem32[0xE000E010] = 5
@micropython.viper
def timed(f, a) -> int:
    clock = ptr32(0xE000E010)
    begun = clock[2]
    f(a)
    return (begun - clock[2]) & 0xFFFFFF
print([timed(board.read, inputs) for _ in range(40)])
print([timed(board.write, outputs) for _ in range(40)])
"""
# writes a word to the converter's FIFO register, which nothing else touches, and so says when it was reached
_MARK = """
import micropython
from machine import Timer
from sit_firmware.app import App
@micropython.asm_thumb
def mark(r0):
    mov(r1, 0x80)
    mov(r2, 23)
    lsl(r1, r2)
    mov(r2, 0x13)
    mov(r3, 14)
    lsl(r2, r3)
    add(r1, r1, r2)
    mov(r2, 0)
    str(r2, [r1, 12])
class Bare(App):
    def __init__(self):
        for name in NAMES:
            setattr(self, name, None)
        self._ticks = 0
        self._cycle = mark
        self._images = ()
def ticking(callback):
    import time
    timer = Timer(-1, freq=4000, mode=Timer.PERIODIC, callback=callback, hard=True)
    time.sleep_ms(5)
    timer.deinit()
"""
_ADC_FIFO = 12


def python_cycles() -> dict[str, list[int]]:
    """What lies above the machine code, on a chip without its board: cycles of each form and from an interrupt on.

    read, write: viper, the call included; direct: interrupt to machine code that is the timer's callback itself; tick:
    interrupt to the machine code that App.tick calls.
    """
    chip = Chip(uf2_path(), lambda block_bytes, blocks: file_system(block_bytes, blocks, "viper", {"main.py": ""}))
    read, write = chip.execute(_IO).splitlines()[-2:]
    found = {"read": [int(n) for n in read[1:-1].split(",")], "write": [int(n) for n in write[1:-1].split(",")]}
    with open_target("sim:", hand="none") as target:
        process: Any = target.machine.process
        names = list(vars(process.app))
    irqs = _Interrupts(chip)
    marks: list[int] = []
    adc: Any = chip.mcu.adc
    write_register = adc.write_uint32

    def written(offset: int, value: int) -> None:
        if offset == _ADC_FIFO:
            marks.append(chip.cycles - irqs.begun)
        else:
            write_register(offset, value)

    adc.write_uint32 = written
    chip.execute(f"NAMES = {names}{_MARK}bare = Bare()\nbeat = bare.tick")
    for name, callback in (("direct", "mark"), ("tick", "beat")):
        marks.clear()
        chip.execute(f"ticking({callback})")
        found[name] = marks[2:]  # the first ones set up caches of the interpreter
    return found


class _Interrupts:
    """When the timer last asked for an interrupt, in cycles."""

    def __init__(self, chip: Chip) -> None:
        timer: Any = chip.mcu.timer
        check = timer._check_interrupts
        self.begun = 0
        asked = [False]

        def checked() -> None:
            now = bool(timer.int_status)
            if now and not asked[0]:
                self.begun = chip.cycles
            asked[0] = now
            check()

        timer._check_interrupts = checked


def _formatted() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        with open_target("sim:", hand="none", state_dir=folder) as target:
            target.control({"do": "run", "ms": 50})
        return (Path(folder) / "store.bin").read_bytes()


def measure() -> Rows:
    """Rows of name and figure. NoFirmware without a UF2."""
    path = str(uf2_path())
    store = _formatted()

    def process(fram: Any) -> EmuProcess:
        fram.data[:] = store
        return EmuProcess(path)

    with open_target("emu:", hand="none", process=process) as target:
        rows: Rows = [("boot to the first tick, s", f"{target.now():.2f}")]
        print(*rows, sep="\n", file=sys.stderr)  # the rest takes minutes
        above = python_cycles()
        for name in ("read", "write"):
            rows.append((f"{name} as viper, least and most, cycles", f"{min(above[name])}, {max(above[name])}"))
        python = max(above["tick"]) - max(above["direct"])
        rows.append(("Python of a tick before its machine code, cycles", f"{python}"))
        return rows + _run(target)


def _run(target: Any) -> Rows:
    """At rest, then a self-test, whose stroke drives the needle."""
    client = Client(SimTransport(target, "emu:"))
    wires = _Wires(target)
    client.hello()
    client.start_events()
    target.control({"do": "run", "ms": 50})
    wires.clear()
    trips = []
    for _ in range(_STATUS_ASKED):
        begun = target.now()
        expect(client.status())
        trips.append((target.now() - begun) * 1000)
    rest = wires.periods
    wires.clear()
    end = expect(client.run(messages.Selftest(), 60.0))
    if not end.done:
        raise RuntimeError(f"the self-test on the emulated board ended with {end}")
    latency = wires.latencies
    return [
        ("period of the tick at rest, least to most, us", f"{min(rest):.1f} to {max(rest):.1f}"),
        ("the same in a self-test", f"{min(wires.periods):.1f} to {max(wires.periods):.1f}"),
        ("from the timer's interrupt to the first register that is read, us", _span(wires.entries)),
        ("from there to the last output, guard alone, us", _span([n for n in latency if n < _split(latency)])),
        ("from there to the last output, step and guard, us", _span([n for n in latency if n >= _split(latency)])),
        ("the whole interrupt at rest, recorder included, us", _span(_handler_us(target))),
        ("STATUS and its reply, median and most, ms", f"{statistics.median(trips):.2f}, {max(trips):.2f}"),
    ]


def _handler_us(target: Any, ticks: int = 40) -> list[float]:
    """How long the processor stays in an interrupt of a tick, looked at each microsecond."""
    chip, spans, run = target.machine.chip, [], 0
    for _ in range(250 * ticks):
        chip.run_for(1e-6)
        if chip.mcu.core.ipsr:
            run += 1
        elif run:
            spans.append(float(run))
            run = 0
    return [span for span in spans if span > max(spans) / 4]  # USB's own are short


def _split(latency: list[float]) -> float:
    """Between the ticks with a step and those without."""
    return (min(latency) + max(latency)) / 2


def _span(values: list[float]) -> str:
    return f"{statistics.mean(values):.1f}, worst {max(values):.1f}"


class _Wires:
    """Listens to the registers that a tick touches first and last, and to the token's pin."""

    def __init__(self, target: Any) -> None:
        machine = target.machine
        self._clock = machine.chip.clock
        self._samples: list[float] = []
        self._output = 0.0
        self.latencies: list[float] = []
        self.entries: list[float] = []
        self._irqs = _Interrupts(machine.chip)
        self._chip = machine.chip
        for block, offset, call in ((machine.chip.mcu.adc, 0, self._sampled), (machine.chip.mcu.pwm, _COIL, self._put)):
            _listen(block, offset, call)
        machine.wiring.listen("token", self._token)

    @property
    def _now(self) -> float:
        return float(self._clock.nanos / 1000)

    def _sampled(self) -> None:
        """A conversion begins: the tick's first register, unless it is the second conversion of the same tick."""
        if self._samples and self._now - self._samples[-1] < _SAME_TICK_US:
            return
        if self._output:
            self.latencies.append(self._output - self._samples[-1])
        self._output = 0.0
        self._samples.append(self._now)
        self.entries.append((self._chip.cycles - self._irqs.begun) / _MHZ)

    def _put(self) -> None:
        self._output = self._now

    def _token(self, level: bool) -> None:
        if level:
            self._output = self._now

    @property
    def periods(self) -> list[float]:
        """Between two samples, us."""
        return [b - a for a, b in zip(self._samples, self._samples[1:], strict=False)]

    def clear(self) -> None:
        """Begin anew."""
        self._samples = self._samples[-1:]
        self.latencies, self.entries, self._output = [], [], 0.0


def _listen(block: Any, offset: int, call: Callable[[], None]) -> None:
    """Call when a register of a peripheral is written."""
    write = block.write_uint32

    def written(at: int, value: int) -> None:
        if at == offset:
            call()
        write(at, value)

    block.write_uint32 = written
