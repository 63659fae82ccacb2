"""Metering beside what else gives a dose, on the same simulated units: errors per volume, needle and fluid.

    tools/bench_metering.py [--units N] [--shots N] [--workers N] [--out DIR]

Prints a table for each set-up and writes a plot of each as SVG. Simulated, not measured. docs/metering.md says what the
baselines are and where their parameters come from.
"""

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

os.environ.setdefault("MPLCONFIGDIR", str(Path("build") / "matplotlib"))

from rich.console import Console
from rich.table import Table
from sit_sim.campaign.metering import Setup, UnitError, percentiles, tuned_dwell_ms, unit_error
from sit_sim.campaign.pumps import Pump

SETUPS = (
    Setup("30G saline", 1, 1.0),
    Setup("32G saline", 2, 1.0),
    Setup("34G saline", 3, 1.0),
    Setup("30G 10 mPa s", 1, 10.0),
)
VOLUMES_NL = (1_000, 2_000, 5_000, 10_000, 50_000)
# of the size of ISO 8655-2 type A: systematic, random, percent (DESIGN's figures)
LIMITS = {1: (5, 5), 2: (4, 2), 5: (2.5, 1.5), 10: (1.2, 0.8), 20: (1.0, 0.5), 50: (1.0, 0.4), 100: (0.8, 0.3)}
OPEN = Pump("constant rate")
HAND = Pump("hand", dwell_ms=100, force_mn=4000, force_sd=0.1, reading_sd_nl=1000.0)
DWELLS_MS = (0, 10, 30, 100, 300)
TUNING_SEEDS = range(1001, 1005)
LARGE_NL = 20_000  # from here on half of the shots do: they take long
COLOURS = {
    "OpenSIT": "#1f6fb2",
    "factory": "#7fb0d8",
    "constant rate": "#c2571a",
    "fixed dwell": "#b08a1e",
    "hand": "#777777",
}


Figures = dict[str, tuple[float, float, float, float]]


def systems(setup: Setup, volume_nl: int) -> dict[str, tuple[Pump | None, bool]]:
    """What is compared: name -> (pump or None for OpenSIT, calibrated)."""
    dwell = tuned_dwell_ms(setup, TUNING_SEEDS, volume_nl, DWELLS_MS)
    return {
        "OpenSIT": (None, True),
        "factory": (None, False),
        "constant rate": (OPEN, True),
        "fixed dwell": (Pump(f"dwell {dwell} ms", dwell), True),
        "hand": (HAND, True),
    }


def measure(task: tuple[Setup, int, range, int]) -> dict[str, Any]:
    """All systems of one set-up and volume; seeds decide everything, so that workers don't matter."""
    setup, volume_nl, seeds, shots = task
    if volume_nl >= LARGE_NL:
        shots = max(4, shots // 2)
    found: dict[str, list[UnitError]] = {}
    dwell = 0
    for name, (pump, calibrated) in systems(setup, volume_nl).items():
        dwell = pump.dwell_ms if pump is not None and name == "fixed dwell" else dwell
        found[name] = [unit_error(setup, seed, volume_nl, shots, pump, calibrated) for seed in seeds]
    return {"errors": found, "dwell_ms": dwell}


def row(volume_nl: int, result: dict[str, Any]) -> tuple[list[str], Figures]:
    """The table's row and the figures behind it: 90th percentiles over units, percent."""
    figures = {}
    for name, found in result["errors"].items():
        enough = [one for one in found if one.n >= 3]
        figures[name] = percentiles(enough, volume_nl) if enough else (float("nan"),) * 4
    ours = figures["OpenSIT"]
    cells = [f"{volume_nl // 1000}"]
    for name in COLOURS:
        cells.append(f"{figures[name][1]:.2f} / {figures[name][3]:.2f}")
    for name in ("constant rate", "fixed dwell"):
        cells.append(f"{figures[name][1] / ours[1]:.0f} x / {figures[name][3] / ours[3]:.1f} x")
    limit = LIMITS[volume_nl // 1000]
    cells.append("yes" if ours[1] <= limit[0] and ours[3] <= limit[1] else "no")
    cells.append(str(result["dwell_ms"]))
    missed = sum(one.missed for one in result["errors"]["OpenSIT"])
    cells.append(f"{missed} of {sum(one.n + one.missed for one in result['errors']['OpenSIT'])}")
    return cells, figures


def plot(name: str, volumes: list[int], figures: list[Figures], out: Path) -> Path:
    """Both errors over the volume, with the limits, as SVG."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.0, 4.0), layout="constrained")
    sides = figure.subplots(1, 2, sharey=True)
    at_ul = [volume / 1000 for volume in volumes]
    for axes, part, title in zip(sides, (1, 3), ("systematic error", "random error"), strict=True):
        for system, colour in COLOURS.items():
            label = "OpenSIT, factory record" if system == "factory" else system
            axes.plot(at_ul, [f[system][part] for f in figures], color=colour, marker="o", markersize=4, label=label)
        limits = [LIMITS[int(v)][part // 3] for v in at_ul]
        axes.plot(at_ul, limits, color="black", linewidth=0.8, linestyle="--", label="limit")
        axes.set(xscale="log", yscale="log", xlabel="dose, uL", title=title)
        axes.set_xticks(at_ul, [f"{v:g}" for v in at_ul], minor=False)
        axes.minorticks_off()
        axes.grid(True, linewidth=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    sides[0].set_ylabel("percent of the dose, 90th percentile of units")
    handles, labels = sides[1].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), fontsize=8, frameon=False)
    figure.suptitle(f"{name} (simulated)")
    path = out / f"metering-{name.replace(' ', '-').replace(',', '')}.svg"
    out.mkdir(parents=True, exist_ok=True)
    FigureCanvasSVG(figure).print_svg(path)
    return path


def main(argv: list[str]) -> int:
    """Measure, print, plot; 0."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--units", type=int, default=6, help="drawn units of each set-up (default 6)")
    parser.add_argument(
        "--shots", type=int, default=6, help="shots of each unit and volume, fewer from 20 uL on (default 6)"
    )
    parser.add_argument("--setups", type=int, default=len(SETUPS), help="only the first set-ups")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes (default: all cores)")
    parser.add_argument("--out", type=Path, default=Path("build"), help="where the plots go (default build/)")
    args = parser.parse_args(argv)
    console = Console(width=None if sys.stdout.isatty() else 170)
    seeds = range(1, args.units + 1)
    chosen = SETUPS[: args.setups]
    tasks = [(setup, volume_nl, seeds, args.shots) for setup in chosen for volume_nl in VOLUMES_NL]
    with ProcessPoolExecutor(args.workers) as pool:
        results = dict(zip([(t[0].name, t[1]) for t in tasks], pool.map(measure, tasks), strict=True))
    for setup in chosen:
        table = Table(title=f"{setup.name}: systematic / random error, %, 90th percentile of {args.units} units")
        for head in ("uL", *COLOURS, "rate : ours", "dwell : ours", "in limits", "dwell ms", "not given"):
            table.add_column(head, justify="right")
        figures = []
        for volume_nl in VOLUMES_NL:
            cells, found = row(volume_nl, results[setup.name, volume_nl])
            figures.append(found)
            table.add_row(*cells)
        console.print(table)
        console.print(str(plot(setup.name, list(VOLUMES_NL), figures, args.out)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
