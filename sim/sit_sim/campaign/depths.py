"""How deep the true tip goes: one shot for each seed, on another unit each, with a fault at a seeded moment or none."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import NamedTuple

from sit_firmware import codes, image

from sit_sim.campaign.bench import Bench
from sit_sim.campaign.jitter import Jittered
from sit_sim.plant import Unit, reference, spread_unit

LIMIT_UM = 2000
_FAULT_NAMES = {value: name[6:] for name, value in vars(codes).items() if name.startswith("FAULT_")}
_DEPTHS_UM = (0, 0, -400, -900)  # from the highest: half of the shots are given there
_MOTION_TICKS = 240  # approach and insertion
_SHOT_TICKS = 700
_AFTER_TICKS = 3000


class Run(NamedTuple):
    """One shot: where it began and how deep the true tip went, from the nose-piece plane."""

    tip_um: float
    seed: int
    depth_um: int
    fault_tick: int
    latched: str


class Depths(NamedTuple):
    """All shots of a campaign, deepest first."""

    runs: list[Run]

    @property
    def deepest_um(self) -> float:
        """The deepest true tip."""
        return self.runs[0].tip_um

    def margin_um(self, zero_um: int) -> float:
        """What is left to the limit when the zero was wrong by all its stated uncertainty."""
        return LIMIT_UM - zero_um - self.deepest_um

    def latched(self) -> Counter[str]:
        """How often each fault was latched; "none" for no fault."""
        return Counter(run.latched for run in self.runs)


def deepest(
    seeds: range,
    fault: str | None = None,
    skin: bool = True,
    guard: bool = True,
    flag: bool = True,
    unit: Unit | None = None,
    board: str = "",
    jitter_us: float = 0,
    **arguments: float,
) -> Depths:
    """One shot for each seed; every third fault strikes anywhere in the shot, the others while the needle moves.

    `skin` False takes the skin away (nothing holds the needle back), `guard` and `flag` False take these away.
    `board`: with the parameters of a board, and its outputs as late as hardware/reference.toml says. `jitter_us`: its
    ticks come so much early or late.
    """
    runs = []
    for seed in seeds:
        drawn = unit or spread_unit(seed)
        if board:
            drawn = replace(drawn, output_delay_s=reference()["board"][board]["output_delay_us"] * 1e-6)
        if jitter_us:
            device: Bench = Jittered(drawn, seed * 13 + 5, jitter_us, board)
        else:
            device = Bench(drawn, seed * 13 + 5, guarded=guard, board=board)
        device.purge(1600)
        plant = device.plant
        plant.set("site", 1)
        if not skin:
            plant.set("skin", {"surface_m": 0.02})
        if not flag:
            plant.fault("flag_stuck_off")
        depth_um = int(device.params[image.P_MAX_DEPTH_UM]) + _DEPTHS_UM[seed % 4]
        tick = (seed * 7919) % (_SHOT_TICKS if seed % 3 == 0 else _MOTION_TICKS)
        device.post_shot(depth_um, 3000)
        device.run(tick)
        if fault is not None:
            plant.fault(fault, **arguments)
        device.run(_AFTER_TICKS)
        latched = _FAULT_NAMES.get(int(device.state[image.ST_FAULT]), "none")
        runs.append(Run(plant.truth()["tip_max_um"], seed, depth_um, tick, latched))
    return Depths(sorted(runs, reverse=True))
