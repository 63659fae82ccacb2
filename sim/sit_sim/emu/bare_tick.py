"""The RP2040's whole tick on the bare processor, the plant on its registers: cycles of every tick of shots, no UF2.

    for tick in ticks(SINGLE): ...
    for tick in ticks(RAPID): ...

The registers answer as the chip's do: a conversion takes 2 us, a frame of the panel chain 2 us. What the source makes
of the same inputs is computed beside it and compared in each tick.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import sit_firmware
from sit_build import entries, forms
from sit_firmware import codes, image, params
from sit_firmware.boards import signals as panel
from sit_firmware.control.law import step
from sit_firmware.guard import check
from sit_firmware.recorder import END, FIRST, NEXT, RUN

from sit_sim.campaign import Bench
from sit_sim.campaign.loop import ask_shot, home
from sit_sim.emu import signals
from sit_sim.emu.core import Core, address
from sit_sim.plant import nominal_unit
from sit_sim.plant.jit import image_view

_ADC, _TIMER, _SPI1, _COIL, _PIO1, _SIO = 0x4004C000, 0x40054000, 0x40040000, 0x40050084, 0x50300000, 0xD0000000
_CONVERSION_CYCLES = _FRAME_CYCLES = 250
_READY, _RECEIVED = 0x100, 4
_TOKEN_HELD = 5  # SIO: outputs set
_MEMORY, _LOG = 4, 5
_WATER_UPA_S = 1000
# RAM of what hardware keeps for the tick, behind the board's memory: needle, steps, ring, its register, tables
_RAM = address(_MEMORY) + 0x400
_NEEDLE, _STEPS, _RING_AT, _RING, _LIGHTS, _TONES, _WAITS = (_RAM + 0x80 * n for n in range(7))
_PACKAGE = Path(sit_firmware.__file__).parent


class Shot(NamedTuple):
    """What is asked for; `skin_ticks` is the longest time in the skin of a shot of a run, 0 for a single one."""

    depth_um: int
    volume_nl: int
    flow_nl_per_s: int = 60_000
    skin_ticks: int = 0


SINGLE = (Shot(1500, 1000),)
RAPID = (*SINGLE, *[Shot(1700, 7000, 200_000, 360)] * 4)
"""A run: a careful shot, which measures the syringe, then the most that 30G gives nine times a second."""


class Tick(NamedTuple):
    """What a tick took: its shot's number, the phase before it, 1 if it had a control step, cycles to its last output
    and to its end.
    """

    shot: int
    phase: int
    control: int
    output_cycles: int
    cycles: int


class _Registers:
    """The chip's registers for one tick: reads take from the plant's inputs, writes go to `written`."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._pins, self._chain = signals.pins("rpi_pico"), signals.chain_inputs()
        self._chain_out, self._sensors = signals.chain_outputs(), signals.sensors()
        self._channels = {self._pins[name].number - 26: name for name in ("load", "pressure", "shared")}
        self.inputs = array("i", [0] * image.N_INPUTS)
        self.us = 0
        self.output_at = 0
        self._frame = self._shown = 0
        self._converted = self._converted_at = self._framed_at = 0

    @property
    def _now(self) -> int:
        return int(self._core.mcu.core.cycles)

    def __getitem__(self, at: int) -> int:
        if at == _ADC:
            return _READY if self._now >= self._converted_at else 0
        if at == _ADC + 4:
            return self._converted
        if at == _SPI1 + 0x0C:
            return _RECEIVED if self._now >= self._framed_at else 0
        if at == _SPI1 + 8:
            return self._frame
        if at == _TIMER + 0x28:
            return self.us
        if at == _SIO + 4:
            return sum(1 << w.number for w in self._pins.values() if w.slot >= 0 and w.level(self.inputs[w.slot]))
        return 0

    def __setitem__(self, at: int, value: int) -> None:
        if at == _ADC:
            self._converted_at = self._now + _CONVERSION_CYCLES
            name = self._channels[value >> 12 & 7]
            if name == "shared":
                name = "supply" if self._shown >> self._chain_out["adc_select"] & 1 else "contact"
            self._converted = self._sensors[name].raw(self.inputs[self._sensors[name].slot])
        elif at == _SPI1 + 8:
            self._framed_at = self._now + _FRAME_CYCLES
            word = 1 << self._chain["high"].number | (self._shown >> self._chain_out["echo"] & 1) << (
                self._chain["echo"].number
            )
            for wire in self._chain.values():
                if wire.slot >= 0 and wire.level(self.inputs[wire.slot]):
                    word |= 1 << wire.number
            self._frame, self._shown = word, value
        elif at in (_COIL + 0, _SIO + 4 * _TOKEN_HELD):
            self.output_at = self._now


def ticks(shots: Sequence[Shot]) -> Iterator[Tick]:
    """Give the shots, the machine code in command, contact and trigger kept.

    RuntimeError when its numbers aren't the source's or a shot isn't done.
    """
    core, registers, bench = _connected()
    state, inputs, outputs, block = (array("i", [int(v) for v in each]) for each in bench.arrays)
    core.write(3, block)
    for number, shot in enumerate(shots):
        bench.plant.set("site", number)
        state[image.ST_ARG_SKIN_TICKS] = shot.skin_ticks
        ask_shot(image_view(state), image_view(block), *shot[:3], 200)
        while not home(bench.plant.arrays[0], state):
            bench.plant.sample(registers.inputs)
            _put_counts(core, registers)
            phase = state[image.ST_PHASE]
            for index, values in enumerate((state, inputs, outputs)):
                core.write(index, values)
            begun = core.mcu.core.cycles
            cycles = core.call()
            inputs = core.read(1, image.N_INPUTS)
            control = 1 - (inputs[image.IN_TICK] & 1)
            if control:
                step(state, inputs, outputs, block)
            check(state, inputs, outputs, block)
            if core.read(0, image.N_STATE) != state or core.read(2, image.N_OUTPUTS) != outputs:
                raise RuntimeError(f"machine code and source differ in tick {inputs[image.IN_TICK]}")
            yield Tick(number, phase, control, registers.output_at - begun, cycles)
            state[image.ST_BEAT] += 1
            bench.plant.advance(outputs)
        if state[image.ST_RESULT] != codes.RESULT_DONE:
            raise RuntimeError(f"shot {number} ended with fault {state[image.ST_FAULT]}, cause {state[image.ST_CAUSE]}")


def _connected() -> tuple[Core, _Registers, Bench]:
    """The tick's machine code, its registers, and a purged device, pressed on the skin with its trigger pulled."""
    machine = entries.machine_code(_PACKAGE, forms.constant_modules(_PACKAGE))
    assert machine is not None
    core = Core(machine.words, (0, 1, 2, 3, _LOG, _MEMORY), packed=True)
    registers = _Registers(core)
    for base in (_ADC, _TIMER, _SPI1, _COIL & ~0xFFF, _PIO1, _SIO):
        core.attach(registers, base)
    _fill_memory(core)
    log = array("i", [0] * END)
    log[RUN], log[NEXT] = 1, FIRST
    core.write(_LOG, log)
    bench = Bench(nominal_unit(), 1, board="rp2040")
    params.use_look(bench.params, 1, _WATER_UPA_S)
    bench.purge(600)
    bench.hold(True)
    if bench.plant.tick & 1:
        bench.run(1)
    return core, registers, bench


def size_bytes() -> int:
    """Bytes of the tick's machine code."""
    machine = entries.machine_code(_PACKAGE, forms.constant_modules(_PACKAGE))
    return 2 * len(machine.words) if machine else 0


def _fill_memory(core: Core) -> None:
    """What rp2040.py puts into WORK, with the counts and tables in RAM."""
    slots = forms.constants((_PACKAGE / "boards" / "rp2_tick.py").read_text())
    memory = array("i", [0] * 32)
    for name, at in (
        ("ADC", _ADC),
        ("SIO", _SIO),
        ("SPI", _SPI1),
        ("CLOCK", _TIMER + 0x28),
        ("COIL", _COIL),
        ("PIO", _PIO1),
        ("NEEDLE", _NEEDLE),
        ("STEPS", _STEPS),
        ("RING", _RING),
        ("RING_AT", _RING_AT),
        ("LIGHTS", _LIGHTS),
        ("TONES", _TONES),
        ("WAITS", _WAITS),
    ):
        memory[slots[f"W_{name}"]] = at - (1 << 32) if at >> 31 else at
    core.write(_MEMORY, memory)
    core.poke(_LIGHTS, panel.light_table())
    core.poke(_TONES, panel.tone_table())
    core.poke(_RING_AT, [_RING])


def _put_counts(core: Core, registers: Any) -> None:
    """What DMA keeps in RAM: counts, and the ring of captures with the last one in its place."""
    inputs = registers.inputs
    registers.us = inputs[image.IN_TICK] * 250
    core.poke(_NEEDLE, [inputs[image.IN_ENC_UM]])
    core.poke(_STEPS, [inputs[image.IN_STEPS]])
    captured = inputs[image.IN_COMB_N]
    core.poke(_RING_AT, [_RING + 4 * (captured % 16)])
    core.poke(_RING + 4 * ((captured - 1) % 16), [inputs[image.IN_COMB_ENC_UM]])
