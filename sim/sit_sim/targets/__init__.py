"""Simulated targets: the firmware in this process (`sim:`) or under MicroPython (`sim:micropython`) on one plant."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from .errors import ControlError, FirmwareDied, LinkLost, TargetError
from .target import SimTarget

__all__ = ["SPECS", "ControlError", "FirmwareDied", "LinkLost", "SimTarget", "TargetError", "open_target"]

SPECS = ("sim:", "sim:micropython")
"""The simulated targets; `emu:`, or `emu:PATH` of a UF2, is the firmware on an emulated RP2040."""


def open_target(
    spec: str,
    *,
    seed: int = 1,
    hand: str = "auto",
    scenario: str | Path | None = None,
    state_dir: str | Path | None = None,
    realtime: bool = False,
    stop_fitted: bool = False,
    unit: Any = None,
    plant: Any = None,
    process: Callable[[Any], Any] | None = None,
    empty: bool = False,
) -> SimTarget:
    """Open a simulated device, booted, at target time 0.

    `seed` picks noise, skin, the hand's delays and the stalls; `hand` is auto, none or the path of a script;
    `state_dir` keeps the store between runs; `realtime` paces it to the wall clock; `unit` (default the nominal one)
    is the plant's; `empty`: an emulated board without firmware. `plant` and `process` (a function of the FRAM) stand in
    for the usual ones in the simulator's tests.
    Raises TargetError or ControlError with one sentence.
    """
    from ..hand import make_hand
    from ..scenario import Scenario, play, read_scenario
    from ..world import World
    from .fram import Fram, FramFile

    if spec not in SPECS and not spec.startswith("emu:"):
        raise TargetError(f"The simulated target {spec!r} isn't known; use {', '.join(SPECS)} or emu:PATH.")
    story = read_scenario(Path(scenario)) if scenario else Scenario()
    fram = Fram()
    store_file = FramFile(Path(state_dir), fram) if state_dir else None
    runner = None
    try:
        if plant is None:
            plant = _plant(spec, story, unit, seed, stop_fitted)
        runner = process(fram) if process else _process(spec, fram, empty)
        machine = _machine(spec, plant, runner, fram, seed)
        fitted = getattr(plant, "unit", None)
        world = World(plant, getattr(fitted, "needle_id", 1), getattr(fitted, "syringe_id", 1))
        holder = make_hand(hand, world, machine.events, lambda: machine.tick, seed)
        machine.on_panel = holder.see
        repro = ["sit", "sim", "--target", spec, "--hand", hand, "--seed", str(seed)]
        repro += ["--scenario", str(scenario)] if scenario else []
        target = SimTarget(machine, runner, world, holder, plant, shlex.join(repro), realtime)
        play(story, target)
        machine.boot()
    except BaseException:
        if runner is not None:
            runner.close()
        if store_file is not None:
            store_file.close()
        raise
    target.store_file = store_file
    return target


def _plant(spec: str, story: Any, unit: Any, seed: int, stop_fitted: bool) -> Any:
    from ..plant import Plant, nominal_unit, perturbed, spread_unit, syringe_values

    try:
        fitted_syringe = syringe_values(story.syringe_id)
    except ValueError as exc:
        raise ControlError(f"[device] syringe_id: {exc}") from None
    if unit is None and story.spread_seed is None:
        unit = replace(nominal_unit(), **fitted_syringe)
    elif unit is None:
        unit = spread_unit(story.spread_seed, story.syringe_id)
    if story.unit:
        try:
            unit = perturbed(unit, story.unit)
        except (KeyError, ValueError) as exc:
            raise ControlError(f"[unit]: {exc.args[0] if exc.args else exc}") from exc
    if spec.startswith("emu:"):
        from ..emu.wiring import OUTPUT_DELAY_S

        unit = replace(unit, output_delay_s=OUTPUT_DELAY_S)
    fitted = stop_fitted if story.stop_fitted is None else story.stop_fitted
    return Plant(unit, seed, stop_fitted=fitted)


def _machine(spec: str, plant: Any, process: Any, fram: Any, seed: int) -> Any:
    if spec.startswith("emu:"):
        from .emu import EmuMachine

        return EmuMachine(plant, process, fram, seed)
    from .lockstep import Machine

    return Machine(plant, process, fram, seed)


def _process(spec: str, fram: Any, empty: bool) -> Any:
    if spec.startswith("emu:"):
        from .emu import EmuProcess

        return EmuProcess(spec.partition(":")[2], empty=empty)
    if spec == "sim:":
        from .inprocess import InProcess

        return InProcess(fram)
    from .pipe import PipeProcess

    return PipeProcess(fram)
