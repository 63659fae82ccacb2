"""One injection of the campaign again, from its seed, with a plot."""

# ruff: noqa: F403, F405 -- the columns are this file's vocabulary

import argparse
from pathlib import Path

import numpy as np
from sit_sim.campaign.bare import run_unit
from sit_sim.campaign.cases import PER_UNIT
from sit_sim.campaign.injections import FAULT_NAMES, LIMIT_UM, name_of
from sit_sim.campaign.rows import *

_TICK_MS = 0.25


def main(args: argparse.Namespace) -> int:
    """Run, print and perhaps plot `args.seed`; 1 when the true tip passed the limit."""
    without = {name for name in args.without.split(",") if name}
    if without - {"guard", "flag"}:
        raise SystemExit(f"--without {args.without}: name guard, flag or both with a comma.")
    rows, zero_um, trace = run_unit(
        args.seed // PER_UNIT, args.seed, "guard" not in without, "flag" not in without, args.sound
    )
    row = rows[0]
    for name, value in (
        ("asked", f"{row[R_DEPTH_UM]:.0f} um, {row[R_VOLUME_NL]:.0f} nl"),
        ("unit", f"{args.seed // PER_UNIT}, zero off by {zero_um} um"),
        ("fault", f"{name_of(int(row[R_FAULT]))} at tick {row[R_FAULT_TICK]:.0f}"),
        ("latched", FAULT_NAMES.get(int(row[R_LATCHED]), "none")),
        ("deepest tip", f"{row[R_TIP_UM]:.1f} um of {LIMIT_UM}"),
        ("tissue", f"{row[R_TISSUE_NL]:.0f} nl, drip {row[R_DRIP_NL]:.1f} nl"),
    ):
        print(f"{name:12} {value}")
    if args.plot:
        draw(args.plot, trace, f"seed {args.seed}: {name_of(int(row[R_FAULT]))}", int(row[R_FAULT_TICK]))
        print(f"{'plot':12} {args.plot}")
    return int(row[R_TIP_UM] > LIMIT_UM)


def draw(path: Path, trace: np.ndarray, title: str, fault_tick: int) -> None:
    """Depth, current, pressure and volume over time, the fault and the latch marked."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    time_ms = np.arange(len(trace)) * _TICK_MS
    figure, panels = pyplot.subplots(4, 1, sharex=True, figsize=(9, 9), height_ratios=(3, 1, 1, 1))
    depth, current, pressure, volume = panels
    depth.plot(time_ms, trace[:, T_TIP_UM], label="true tip")
    depth.plot(time_ms, trace[:, T_ENCODER_UM], ":", label="tip as the device sees it")
    depth.plot(time_ms, trace[:, T_BURIED_UM], label="buried")
    depth.axhline(LIMIT_UM, color="red", linewidth=0.8)
    depth.set_ylabel("um")
    current.plot(time_ms, trace[:, T_CURRENT_A])
    current.set_ylabel("coil, A")
    pressure.plot(time_ms, trace[:, T_PRESS_PA] * 1e-3)
    pressure.set_ylabel("pressure, kPa")
    volume.plot(time_ms, trace[:, T_TISSUE_NL] - trace[0, T_TISSUE_NL])
    volume.set_ylabel("tissue, nl")
    volume.set_xlabel("ms after the request")
    latched = np.flatnonzero(trace[:, T_LATCHED])
    for panel in panels:
        if fault_tick >= 0:
            panel.axvline(fault_tick * _TICK_MS, color="grey", linewidth=0.8, label="fault")
        if len(latched):
            panel.axvline(latched[0] * _TICK_MS, color="black", linewidth=0.8, linestyle="--", label="latched")
    depth.legend(loc="lower right")
    depth.set_title(title)
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
    pyplot.close(figure)
