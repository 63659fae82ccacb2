"""One loop for both firmware processes: plant, firmware and link in lockstep on virtual time.

A tick n: events due -> inputs sampled from the plant -> firmware tick -> one poll, unless it is withheld -> bytes
out -> the plant advances. When the firmware names a later tick, the plant is at rest and nothing comes before it,
time jumps there; the jump changes nothing that anybody can see.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from typing import Any, Protocol

from sit_firmware import codes, image

from ..clock import NEVER, TICK_US, EventQueue, ticks_of_ms
from .cable import Cable
from .errors import PowerCut
from .fram import Fram
from .link import BYTES_PER_TICK
from .stall import Stall
from .trace import Trace

WATCHDOG_MS = 1000
"""The hardware watchdog, once fed for the first time, resets the board this long after the last feeding."""
BOOT_MS = 300
"""From power or reset to the first tick of the firmware."""

_TICK_MASK = (1 << 30) - 1
_HALF_WRAP = 1 << 29
_AT_REST = (codes.PHASE_IDLE, codes.PHASE_FAULT)
# counters of the board's hardware that begin anew with it
_COUNTERS = (image.IN_TICK, image.IN_ENC_UM, image.IN_COMB_N, image.IN_COMB_ENC_UM, image.IN_STEPS)


class PlantLike(Protocol):
    """What the lockstep needs of a plant (docs/architecture.md)."""

    @property
    def at_rest(self) -> bool: ...

    def sample(self, inputs: array[int]) -> None: ...

    def advance(self, outputs: array[int]) -> None: ...

    def skip(self, n: int) -> None: ...

    def truth(self) -> dict[str, Any]: ...


class Process(Protocol):
    """Firmware that runs: in this process or in a child."""

    kind: str
    phase: int
    idle_until: int
    fed: bool
    rx_room: int
    want_state: bool

    @property
    def state(self) -> array[int] | None: ...

    def boot(self) -> None: ...

    def cycle(
        self, inputs: array[int], outputs: array[int], poll: bool, fail_read: bool, blocked: bool, rx: bytes
    ) -> bytes: ...

    def heap_free(self) -> int | None: ...

    def kill(self) -> None: ...

    def close(self) -> None: ...


class Machine:
    """The simulated device and its world's clock."""

    def __init__(self, plant: PlantLike, process: Process, fram: Fram, seed: int) -> None:
        self.plant = plant
        self.process = process
        self.fram = fram
        self.cable = Cable(seed)
        self.events = EventQueue()
        self.stall = Stall(seed)
        self.inputs = array("i", [0] * image.N_INPUTS)
        self.outputs = array("i", [0] * image.N_OUTPUTS)
        self.tick = 0
        self.skip_idle = True
        self.trace: Trace | None = None
        self.on_panel: Callable[[int, int], None] = lambda light, tone: None
        """Called with light and tone after a tick that changed one."""
        self.on_phase: Callable[[int], None] = lambda phase: None
        """Called with the new phase after a tick that changed it."""
        self.phase = codes.PHASE_IDLE
        self._shots: list[dict[str, Any]] = []
        self._begun_at: dict[str, Any] = {}
        self._ended_number = 0
        self._settled = True  # the last of them is as it was when the next motion began
        self.shots_begun = 0
        self.boots = 0
        self.ticks_run = 0
        """Ticks that were run, not jumped over."""
        self.fail_read = False
        """Let board.read raise in the next tick."""
        self.hung_until = 0
        """The background doesn't run before this tick."""
        self.cut_off_ms = 0.0
        """How long power stays off after a cut in a store operation."""
        self._runs_from = NEVER
        self._last_run = 0
        self._dog_tick = NEVER
        self._panel = (0, 0)
        self._base: list[int] | None = None
        self._rx_empty = 0

    # --- power -------------------------------------------------------------------------------------

    def boot(self) -> None:
        """Power is there: the firmware starts with empty memory and its hardware counters at zero."""
        try:
            self.process.boot()
        except PowerCut:
            self.power_off(self.cut_off_ms)
            return
        self.boots += 1
        self._rx_empty = self.process.rx_room
        if self.tick:
            self.plant.sample(self.inputs)
            self._base = [self.inputs[slot] for slot in _COUNTERS]
            self._base[0] = self.tick
            self._base[3] = self._base[1]  # what a comb edge captures is an encoder count
        self._runs_from = self.tick
        self._last_run = self.tick - 1
        self.cable.power(True)

    def power_off(self, off_ms: float) -> None:
        """Cut power now; the board starts again `off_ms` and its boot time later."""
        self.process.kill()
        self.fram.cut_happened = False
        self._runs_from = self._dog_tick = NEVER
        self.hung_until = 0
        self.fail_read = False
        self.outputs[:] = array("i", [0] * image.N_OUTPUTS)
        self.cable.power(False)
        self._see_phase(codes.PHASE_IDLE)
        self._see_panel()
        self.events.at(self.tick + ticks_of_ms(off_ms + BOOT_MS), self.boot)

    def hang(self, ticks: int) -> None:
        """The processor stands still for `ticks`: no tick, no poll, no token; what its peripherals hold stays."""
        if self._runs_from != NEVER:
            self._runs_from = self.tick + ticks

    # --- time --------------------------------------------------------------------------------------

    def step(self, until: int) -> None:
        """Run one tick, then jump over idle ones, not beyond `until`."""
        tick = self.tick
        limit = until
        if self.events.next_tick <= tick:
            self.events.run_due(tick)
            limit = tick  # whoever waits for what an event does looks before time goes on
        alive = tick >= self._runs_from
        if alive:
            if self._run_firmware(tick):
                ahead = (self.process.idle_until - self.inputs[image.IN_TICK]) & _TICK_MASK
                limit = min(limit, tick + (ahead if ahead < _HALF_WRAP else 0))
            else:
                limit = tick
        else:
            self.outputs[image.OUT_TOKEN] = 0
            self.outputs[image.OUT_STEPS] = 0
            limit = min(limit, self._runs_from, self._dog_tick)
        self.plant.advance(self.outputs)
        self.tick = tick + 1
        if tick > self._dog_tick:
            self.power_off(0.0)
        elif limit > self.tick and self.skip_idle and self.plant.at_rest:
            self._jump(min(limit, self.events.next_tick, self.cable.to_device.due_tick), alive)

    def _jump(self, to: int, alive: bool) -> None:
        """Go to tick `to` at once when it lies ahead; a processor that is alive would have run and fed its watchdog."""
        ticks = to - self.tick
        if ticks > 0:
            self.plant.skip(ticks)
            self.tick = to
            if alive:
                self._last_run = to - 1
                self._dog_tick = min(self._dog_tick + ticks, NEVER)

    def _run_firmware(self, tick: int) -> bool:
        """One cycle of the firmware; True when the ticks after it may be jumped over, as far as it allows."""
        inputs, outputs, process = self.inputs, self.outputs, self.process
        self.plant.sample(inputs)
        if self._base is not None:
            for slot, base in zip(_COUNTERS, self._base, strict=True):
                inputs[slot] -= base
        if tick - self._last_run > 1:
            inputs[image.IN_PERIOD_US] = (tick - self._last_run) * TICK_US
        self._last_run = tick
        self.ticks_run += 1
        cable = self.cable
        poll = tick >= self.hung_until and not self.stall.withholds(tick)
        rx = b""
        if cable.to_device.due_tick <= tick:
            rx = cable.to_device.take(tick, min(BYTES_PER_TICK, process.rx_room))
        fail_read, self.fail_read = self.fail_read, False
        try:
            sent = process.cycle(inputs, outputs, poll, fail_read, cable.blocked(), rx)
        except PowerCut:
            self.power_off(self.cut_off_ms)
            return False
        if sent:
            cable.to_host.put(tick, sent)
        if process.fed:
            self._dog_tick = tick + ticks_of_ms(WATCHDOG_MS)
        if process.phase != self.phase:
            self._see_phase(process.phase)
        if (outputs[image.OUT_LIGHT], outputs[image.OUT_TONE]) != self._panel:
            self._see_panel()
        if self.trace is not None:
            self.trace.add(tick, inputs, outputs, process.phase)
        # whoever waits for the bytes looks before time goes on
        return poll and not sent and process.rx_room == self._rx_empty

    # --- what others watch -------------------------------------------------------------------------

    def shots(self) -> list[dict[str, Any]]:
        """The plant's truth at the end of each shot; its `shot` as it became until the next motion began.

        The `shot` of one whose needle never passed the nose-piece plane is all zero but for its steps.
        """
        if not self._settled and self.phase in _AT_REST:
            last = self._shots[-1]
            shot = self.plant.truth().get("shot", {})
            if shot and shot["number"] != self._ended_number:
                return list(self._shots)  # the needle has passed the plane again since, to be zeroed or tested
            if shot and shot["number"] == self._begun_at["shot"]["number"]:
                shot = dict.fromkeys(shot, 0)
                shot["steps"] = last["plunger_steps"] - self._begun_at["plunger_steps"]
            last["shot"] = shot
        return list(self._shots)

    def _see_phase(self, phase: int) -> None:
        if phase == self.phase:
            return
        if self.phase in _AT_REST:
            self.shots()  # the shot before has become what it was: a purge's steps are no longer its own
            self._settled = self._settled or phase not in _AT_REST
        self.phase = phase
        if phase == codes.PHASE_APPROACH:
            self.shots_begun += 1
            self._begun_at = self.plant.truth()
        elif phase in _AT_REST and self.shots_begun > len(self._shots):
            truth = self.plant.truth()
            self._ended_number = truth["shot"]["number"] if "shot" in truth else 0
            self._shots.append(truth)
            self._settled = False
            self.shots()  # one that hasn't passed the plane is nothing, also when a stuck drive carries it on
        self.on_phase(phase)

    def _see_panel(self) -> None:
        panel = (self.outputs[image.OUT_LIGHT], self.outputs[image.OUT_TONE])
        if panel != self._panel:
            self._panel = panel
            self.on_panel(*panel)
