"""How many times real time the simulated targets run: over a whole 30-point treatment, and inside its shots alone."""

import contextlib
import tempfile
import time
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from time import perf_counter

from rich.table import Table
from sit_firmware import codes
from sit_host.connect import open_client
from sit_host.outcome import expect
from sit_host.plan_forecast import forecast
from sit_host.plan_limits import device_limits, reference_equipment
from sit_host.plan_load import load_plan
from sit_host.transport import SimOptions
from sit_host.transport.sim import SimTransport
from sit_host.treatment.sitting import Sitting, sit
from sit_sim.targets import SPECS
from sit_sim.targets.lockstep import Machine
from sit_sim.targets.pipe import find_micropython

_PLAN = Path(__file__).resolve().parents[2] / "examples" / "plans" / "face-30-points.toml"
_REST = (codes.PHASE_IDLE, codes.PHASE_FAULT)


class _Quiet:
    """An operator's side with nobody there and nothing shown."""

    interrupts = 0
    attended = False

    def count_interrupts(self) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()

    def say(self, text: str) -> None:
        """Nothing is shown."""

    pause = say

    def confirm(self, question: str) -> bool:
        return True

    def progress(self, tally: object) -> None:
        """Nothing is shown."""


@dataclass
class _ShotWatch:
    """Wall and target time spent between the first and the last phase of each shot."""

    machine: Machine
    wall_s: float = 0.0
    ticks: int = 0
    shots: int = 0
    _began: tuple[float, int] | None = field(default=None)

    def see(self, phase: int) -> None:
        now = (perf_counter(), self.machine.tick)
        if phase == codes.PHASE_APPROACH:
            self._began = now
        elif phase in _REST and self._began is not None:
            self.wall_s += now[0] - self._began[0]
            self.ticks += now[1] - self._began[1]
            self.shots += 1
            self._began = None


def _treat(spec: str) -> tuple[float, float, _ShotWatch]:
    """Give the plan on a target; (target seconds, wall seconds, what the shots took)."""
    with tempfile.TemporaryDirectory() as folder, open_client(spec, sim=SimOptions(seed=1)) as client:
        settings = expect(client.settings_read())
        limits = device_limits(settings, spec)
        checked = load_plan(_PLAN, limits, reference_equipment(), date.today())
        transport = client.transport
        assert isinstance(transport, SimTransport)
        machine = transport.target.machine
        watch = _ShotWatch(machine)
        machine.on_phase = watch.see
        begin, start = client.transport.now(), perf_counter()
        done = sit(
            Sitting(
                client=client,
                checked=checked,
                limits=limits,
                settings=settings,
                forecast=forecast(checked),
                talk=_Quiet(),
                records=Path(folder),
                new=True,
                unix_s=time.time,
                keeps_ledger=False,
            )
        )
        if not done.record["complete"]:
            raise RuntimeError(f"the treatment on {spec} wasn't completed: {done.result.error}")
        return client.transport.now() - begin, perf_counter() - start, watch


def run() -> Table:
    """Run the 30-point example on each target, the first time only to compile the plant."""
    table = Table(
        "target", "treatment, target s", "wall s", "times real time", "shots, target s", "wall s", "times real"
    )
    _treat("sim:")
    for spec in SPECS:
        if spec == "sim:micropython" and find_micropython() is None:
            table.add_row(spec, "skipped: there is no MicroPython for this platform")
            continue
        target_s, wall_s, shots = _treat(spec)
        shot_s = shots.ticks * 250e-6
        table.add_row(
            spec,
            f"{target_s:.1f}",
            f"{wall_s:.2f}",
            f"{target_s / wall_s:.1f}",
            f"{shot_s:.2f}",
            f"{shots.wall_s:.2f}",
            f"{shot_s / shots.wall_s:.2f}",
        )
    return table
