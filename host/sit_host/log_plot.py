"""A plot of one shot from the flight recorder: depth, pressure, plunger steps and what passed the tip, over phases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sit_host._gen import enums
from sit_host.errors import UsageError
from sit_host.log_recording import Columns
from sit_host.report_plots import svg_text

FORMS = (".svg", ".png")
_PHASES = {int(phase): phase.name for phase in enums.Phase}
_PHASE_COLOURS = ("#f2f4f7", "#e6eef8")


def plot_shot(columns: Columns, title: str, path: Path) -> None:
    """Draw to `path` (.svg or .png). Raises UsageError for another ending, OSError when it can't be written."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    if path.suffix not in FORMS:
        raise UsageError(f"{path} has no ending that says what to draw.", f"Use one of {', '.join(FORMS)}.")
    figure = _figure(columns, title)
    if path.suffix == ".svg":
        path.write_text(svg_text(FigureCanvasSVG(figure), title), encoding="utf-8")
    else:
        FigureCanvasAgg(figure).print_png(str(path))


def _figure(columns: Columns, title: str) -> Any:
    from matplotlib.figure import Figure

    time = columns.time_ms
    values = columns.values
    # label, values, colour: one panel each, where the recording holds them
    steps = values.get("IN_STEPS", [])
    panels = [
        ("depth, µm", values.get("ST_DEPTH_UM"), "#1f6fb2"),
        ("pressure, kPa", [pa / 1000 for pa in values.get("IN_PRESS_PA", [])], "#c2571a"),
        ("plunger, steps", [step - steps[0] for step in steps], "#5b4b8a"),
        ("past the tip, µL", [nl / 1000 for nl in values.get("ST_NEEDLE_NL", [])], "#1b7a3d"),
    ]
    shown = [panel for panel in panels if panel[1]]
    figure = Figure(figsize=(9.0, 1.7 * len(shown) + 0.8), layout="constrained")
    axes = figure.subplots(len(shown), sharex=True, squeeze=False)[:, 0]
    for axis, (label, data, colour) in zip(axes, shown, strict=True):
        axis.plot(time, data, color=colour, linewidth=1.3)
        axis.set_ylabel(label, fontsize=8)
        axis.tick_params(labelsize=7)
        axis.spines[["top", "right"]].set_visible(False)
        for number, (start, end, _) in enumerate(phases(columns)):
            axis.axvspan(start, end, color=_PHASE_COLOURS[number % 2], linewidth=0)
    axes[0].invert_yaxis()
    for start, end, name in phases(columns):
        axes[0].annotate(
            name.lower(), ((start + end) / 2, 1.02), xycoords=("data", "axes fraction"), fontsize=6, ha="center"
        )
    axes[-1].set_xlabel("ms", fontsize=8)
    figure.suptitle(title, fontsize=9)
    return figure


def phases(columns: Columns) -> list[tuple[float, float, str]]:
    """Return (start ms, end ms, name) of each phase in the recording."""
    numbers = columns.values.get("ST_PHASE", [])
    time = columns.time_ms
    found: list[tuple[float, float, str]] = []
    begin = 0
    for i in range(1, len(numbers) + 1):
        if i == len(numbers) or numbers[i] != numbers[begin]:
            name = _PHASES.get(numbers[begin], f"phase {numbers[begin]}")
            found.append((time[begin], time[min(i, len(numbers) - 1)], name))
            begin = i
    return found
