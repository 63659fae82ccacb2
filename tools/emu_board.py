"""The whole firmware on the emulated board, measured from outside: tools/cycles.py prints what comes of it.

Times are taken on the wires: the panel frame stands for the sample, which it follows by some us; the dead-man's token
is the last output that the tick writes before the step chunk. One board is opened twice: once to ask its free RAM.
"""

import statistics
import sys
import tempfile
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
# the deployed main.py, saying how much RAM is left when the firmware runs
_MAIN = """
import gc
gc.threshold(4096)
import main_deployed
from sit_firmware.app import App
init = App.__init__
def built(self, board):
    init(self, board)
    gc.collect()
    print("free", gc.mem_free())
App.__init__ = built
main_deployed.main()
"""


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


def io_cycles() -> dict[str, list[int]]:
    """Cycles of the board's read and write, the call included, on a chip with nothing at its pins."""
    chip = Chip(uf2_path(), lambda block_bytes, blocks: file_system(block_bytes, blocks, instead={"main.py": ""}))
    read, write = chip.execute(_IO).splitlines()[-2:]
    return {"read": [int(n) for n in read[1:-1].split(",")], "write": [int(n) for n in write[1:-1].split(",")]}


def _formatted() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        with open_target("sim:", hand="none", state_dir=folder) as target:
            target.control({"do": "run", "ms": 50})
        return (Path(folder) / "store.bin").read_bytes()


def measure() -> Rows:
    """Rows of name and figure. NoFirmware without a UF2."""
    path = str(uf2_path())
    store = _formatted()
    deployed = (Path(__file__).resolve().parents[1] / "firmware" / "main.py").read_text(encoding="utf-8")

    def process(fram: Any) -> EmuProcess:
        fram.data[:] = store
        return EmuProcess(path, instead={"main.py": _MAIN, "main_deployed.py": deployed})

    with open_target("emu:", hand="none", process=process) as target:
        machine: Any = target.machine
        said = machine.said.decode(errors="replace")
        free = int(said.rpartition("free ")[2].split()[0])
        rows = [
            ("boot to the first tick, s", f"{target.now():.2f}"),
            ("RAM free after boot, KiB", f"{free / 1024:.1f}"),
        ]
        print(*rows, sep="\n", file=sys.stderr)  # the rest takes minutes
        for name, cycles in io_cycles().items():
            rows.append((f"{name}, least and most, cycles", f"{min(cycles)}, {max(cycles)}"))
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
        ("from the panel frame to the token, guard alone, us", _span([n for n in latency if n < _split(latency)])),
        ("from the panel frame to the token, step and guard, us", _span([n for n in latency if n >= _split(latency)])),
        ("STATUS and its reply, median and most, ms", f"{statistics.median(trips):.2f}, {max(trips):.2f}"),
    ]


def _split(latency: list[float]) -> float:
    """Between the ticks with a step and those without."""
    return (min(latency) + max(latency)) / 2


def _span(values: list[float]) -> str:
    return f"{statistics.mean(values):.1f}, worst {max(values):.1f}"


class _Wires:
    """Listens to the panel's bus and the token's pin."""

    def __init__(self, target: Any) -> None:
        machine = target.machine
        self._clock = machine.chip.clock
        self._frames: list[float] = []
        self.latencies: list[float] = []
        bus = machine.chip.mcu.spi[1]
        begin = bus.on_transmit

        def frame(value: int) -> None:
            self._frames.append(self._clock.nanos / 1000)
            begin(value)

        bus.on_transmit = frame
        machine.wiring.listen("token", self._token)

    def _token(self, level: bool) -> None:
        if level and self._frames:
            self.latencies.append(self._clock.nanos / 1000 - self._frames[-1])

    @property
    def periods(self) -> list[float]:
        """Between two frames, us."""
        return [b - a for a, b in zip(self._frames, self._frames[1:], strict=False)]

    def clear(self) -> None:
        """Begin anew."""
        self._frames = self._frames[-1:]
        self.latencies = []
