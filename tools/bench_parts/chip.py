"""Cycles of the control step and the guard on the emulated RP2040: one whole shot replayed in each form."""

from array import array
from collections.abc import Iterator

from rich.table import Table
from sit_firmware import codes, image
from sit_firmware.control import step
from sit_firmware.guard import check
from sit_sim.campaign import Bench
from sit_sim.emu.chip import Chip, NoFirmware, uf2_path
from sit_sim.emu.replay import Cycles, Tape, digest_here, replay
from sit_sim.plant import nominal_unit

from bench_parts import Skip

FORMS = ("bytecode", "native", "viper", "thumb")
HEAD = ("form", "step mean", "step worst", "guard mean", "guard worst", "step + 2 guards, worst", "us")
_CLOCK_MHZ = 125
_BUDGET = 9_400  # cycles of one 2 kHz period that read, step, guard and write may take together


def record_tape(depth_um: int = 1500, volume_nl: int = 1000) -> Tape:
    """Give one shot on the bare loop of plant, control and guard and keep its input images."""
    bench = Bench(nominal_unit(), 1)
    bench.post_shot(depth_um, volume_nl)
    plant, state, inputs, outputs, params = bench.plant, bench.state, bench.inputs, bench.outputs, bench.params
    if plant.tick & 1:
        bench.run(1)
    begin = [array("i", [int(v) for v in a]) for a in (state, outputs, params)]
    kept: list[array] = []
    began = False
    while not began or state[image.ST_PHASE] != codes.PHASE_IDLE:
        plant.sample(inputs)
        kept.append(array("i", [int(v) for v in inputs]))
        if inputs[image.IN_TICK] & 1 == 0:
            step(state, inputs, outputs, params)
        check(state, inputs, outputs, params)
        state[image.ST_BEAT] += 1
        plant.advance(outputs)
        began = began or state[image.ST_PHASE] != codes.PHASE_IDLE
    if state[image.ST_RESULT] != codes.RESULT_DONE:
        raise RuntimeError(f"the shot of the tape ended with fault {state[image.ST_FAULT]}")
    return Tape(begin[0], begin[1], begin[2], kept)


def forms(tape: Tape) -> Iterator[tuple[Cycles, tuple[str, ...]]]:
    """Replay the tape in each form: its cycles, and the cells below HEAD.

    Raises NoFirmware without a UF2, RuntimeError when a form's outputs differ.
    """
    uf2 = uf2_path()
    expected = digest_here(tape)
    for form in FORMS:
        cycles = replay(Chip(uf2), form, tape)
        if cycles.digest != expected:
            raise RuntimeError(f"the {form} form gives other outputs than the source")
        numbers = (cycles.step_mean, cycles.step_worst, cycles.guard_mean, cycles.guard_worst, cycles.period_worst)
        yield cycles, (form, *map(str, numbers), f"{cycles.period_worst / _CLOCK_MHZ:.0f}")


def run() -> Table:
    """The table of the bench; raises Skip without a UF2."""
    tape = record_tape()
    title = f"cycles over {len(tape.inputs)} ticks, calls included"
    table = Table(*HEAD, f"of {_BUDGET}", title=title)
    try:
        for cycles, cells in forms(tape):
            table.add_row(*cells, f"{cycles.period_worst / _BUDGET:.2f}")
    except NoFirmware as reason:
        raise Skip(str(reason)) from None
    table.caption = f"an empty call costs {cycles.call} cycles; outputs and state equal the source's in every tick"
    return table
