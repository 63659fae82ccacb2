"""`emu:` - the deployed files on real MicroPython on an emulated RP2040, the plant on its pins.

The machine is the lockstep's, but a tick of it is a tick of emulated time: the chip runs on its own timer, and what it
does reaches the plant by its pins alone (sit_sim.emu.wiring). Idle time can't be jumped over. A debug probe reads
light, tone and phase from the chip's RAM, for the hand and for the book of shots; nothing is written there.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path

from sit_firmware import codes, image

from ..clock import TICK_US, ticks_of_ms, ticks_of_s
from ..emu.chip import Chip, NoFirmware, uf2_path
from ..emu.deployed import FORM, file_system
from ..emu.probe import Probe
from ..emu.wiring import Wiring
from .errors import FirmwareDied, TargetError
from .fram import Fram
from .link import BYTES_PER_TICK
from .lockstep import Machine, PlantLike

_BOOT_S = 20.0
_FRAME_NS = 12_000
"""Into a tick of the plant: the firmware's panel frame, which follows its sample of the encoder by some us."""
_ALIGN_FRAMES = 40
_LOOK_TICKS = 200
"""How often the probe looks for the image of a firmware that starts."""


@cache
def _image(form: str, instead: tuple[tuple[str, str], ...], block_bytes: int, blocks: int) -> bytes:
    return file_system(block_bytes, blocks, form, dict(instead))


class EmuProcess:
    """The chip with its files. `instead` gives other texts for files at the top of its file system, as main.py.

    An `empty` one has MicroPython alone: what `sit flash` finds on a new board.
    """

    kind = "emu:"

    def __init__(
        self, uf2: str = "", form: str = FORM, instead: Mapping[str, str] | None = None, *, empty: bool = False
    ) -> None:
        try:
            path = Path(uf2) if uf2 else uf2_path()
            if not path.is_file():
                raise NoFirmware(f"{path} isn't a file: give the path of a MicroPython UF2 for RP2040")
        except NoFirmware as reason:
            raise TargetError(f"The emulated board can't start: {reason}.") from None
        files = partial(_image, form, tuple(sorted((instead or {}).items())))
        self.empty = empty
        self.chip = Chip(path, None if empty else files, start=False)
        self.probe = Probe(self.chip.mcu.sram)
        self.app = None
        self.phase = codes.PHASE_IDLE
        self.idle_until = 0
        self.fed = False
        self.rx_room = 0

    @property
    def state(self) -> array[int] | None:
        """The firmware's state by the probe; None while it starts."""
        return self.probe.read("state") if self.probe.found else None

    def boot(self) -> None:
        """The chip starts by itself once it has power and time runs."""

    def cycle(
        self, inputs: array[int], outputs: array[int], poll: bool, fail_read: bool, blocked: bool, rx: bytes
    ) -> bytes:
        """Not for a chip: it runs by itself."""
        raise NotImplementedError

    def heap_free(self) -> int | None:
        """Not known from outside."""
        return None

    def kill(self) -> None:
        """Power is gone."""

    def close(self) -> None:
        """Nothing is held."""


class EmuMachine(Machine):
    """The lockstep's machine around a chip that keeps its own time."""

    process: EmuProcess  # type: ignore[assignment]

    def __init__(self, plant: PlantLike, process: EmuProcess, fram: Fram, seed: int) -> None:
        super().__init__(plant, process, fram, seed)  # type: ignore[arg-type]
        self.chip = process.chip
        self.wiring = Wiring(self.chip.mcu, plant, fram, self._cut)
        self.outputs = array("i", [0] * image.N_OUTPUTS)
        self.resets = 0
        """Times that the watchdog has reset the chip."""
        self.said = b""
        """What the firmware printed while it started."""
        self._powered = False
        self._cut_asked = False
        self._frames_ns: list[float] = []
        self.chip.on_watchdog(self._watchdog_reset)

    # --- power -------------------------------------------------------------------------------------

    def boot(self) -> None:
        """Power is there. The first time, run until the firmware ticks; FirmwareDied with its words when it doesn't.

        An empty board is there with its prompt. From then on the link is up whenever USB is, firmware or not.
        """
        self._powered = True
        self.boots += 1
        if self.boots > 1:
            return
        end = self.tick + ticks_of_s(_BOOT_S)
        while not (self.chip.connected and (self.process.empty or self.ticking())):
            if self.tick >= end:
                said = bytes(self.chip.received).decode(errors="replace").strip()
                raise FirmwareDied(
                    f"The firmware on the emulated board didn't start. It said: {said[-600:] or 'nothing'}"
                )
            self.step(end)
        self.cable.power(True)
        self.said = bytes(self.chip.received)
        self.chip.received.clear()

    def ticking(self) -> bool:
        """Firmware runs: the probe has found its image, and ticks are counted there."""
        probe = self.process.probe
        return probe.found and probe.slot("inputs", image.IN_TICK) > 0

    def power_off(self, off_ms: float) -> None:
        """Cut power now; it is back `off_ms` later and the chip starts."""
        self._powered = False
        self.fram.cut_happened = False
        self.hung_until = 0
        self._frames_ns.clear()
        self.wiring.power_lost()
        self.chip.power_cycle()
        self.process.probe.forget()
        self.cable.power(False)
        self._see_phase(codes.PHASE_IDLE)
        self.events.at(self.tick + max(1, ticks_of_ms(off_ms)), self.boot)

    def hang(self, ticks: int) -> None:
        """Not to be had from outside: a test deploys a firmware that hangs."""
        raise TargetError(
            "The processor of the emulated board can't be held from outside; deploy a main.py that hangs."
        )

    def _cut(self) -> None:
        self._cut_asked = True
        self.chip.simulator.stopped = True

    def _watchdog_reset(self) -> None:
        self.resets += 1
        self.boots += 1
        self._frames_ns.clear()
        self.process.probe.forget()
        self.cable.power(False)

    # --- time --------------------------------------------------------------------------------------

    def step(self, until: int) -> None:
        """One tick of emulated time."""
        tick = self.tick
        if self.events.next_tick <= tick:
            self.events.run_due(tick)
        if self._powered:
            self._run_chip(tick)
        else:
            self.wiring.powerless_tick()
        self.tick = tick + 1
        self.ticks_run += 1
        if self._cut_asked:
            self._cut_asked = False
            self.power_off(self.cut_off_ms)
        self._watch(tick)

    def _run_chip(self, tick: int) -> None:
        chip, cable = self.chip, self.cable
        if chip.connected and not cable.powered:
            cable.power(True)
        if cable.to_device.due_tick <= tick:
            chip.write(cable.to_device.take(tick, BYTES_PER_TICK))
        begun_ns, frames = chip.clock.nanos, self.wiring.frames
        self.wiring.begin()
        chip.run_for(TICK_US * 1e-6)
        if len(self._frames_ns) < _ALIGN_FRAMES and self.wiring.frames > frames:
            self._align(self.wiring.frame_ns - begun_ns)
        if chip.received and cable.up:
            cable.to_host.put(tick, bytes(chip.received))
            chip.received.clear()

    def _align(self, frame_ns: float) -> None:
        """The plant's ticks begin where the firmware's do, as the lockstep has it: a little before its earliest sample.

        Some frames come late by a few us, none early, so the earliest of several counts.
        """
        period_ns = TICK_US * 1000
        first_ns = self._frames_ns[0] if self._frames_ns else frame_ns
        self._frames_ns.append(first_ns + (frame_ns - first_ns + period_ns / 2) % period_ns - period_ns / 2)
        if len(self._frames_ns) == _ALIGN_FRAMES:
            self.chip.run_for((min(self._frames_ns) - _FRAME_NS) % period_ns * 1e-9)

    def _watch(self, tick: int) -> None:
        probe = self.process.probe
        if not probe.found:
            if self._powered and tick % _LOOK_TICKS == 0:
                probe.find()
            return
        phase = probe.slot("state", image.ST_PHASE)
        self.process.phase = phase
        if phase != self.phase:
            self._see_phase(phase)
        outputs = probe.read("outputs")
        self.outputs[image.OUT_LIGHT] = outputs[image.OUT_LIGHT]
        self.outputs[image.OUT_TONE] = outputs[image.OUT_TONE]
        self._see_panel()
        if self.trace is not None:
            self.trace.add(tick, probe.read("inputs"), outputs, phase)
