"""Plots of a treatment as SVG text that stands by itself inside a page: depth and volume of each point."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

_COLOURS = {"commanded": "#8a8f98", "reported": "#1f6fb2", "truth": "#c2571a"}
_LABELS = {"commanded": "asked", "reported": "reported", "truth": "true (simulator)"}


def depth_plot(points: Sequence[Mapping[str, Any]]) -> str:
    """Return the depth of each point, um: asked, reported and, where known, true."""
    return _plot(points, "depth_um", 1, "depth, µm", inverted=True)


def volume_plot(points: Sequence[Mapping[str, Any]]) -> str:
    """Return the tissue volume of each point, uL: asked, the reported interval and, where known, true."""
    return _plot(points, "volume_nl", 1000, "volume into tissue, µL", inverted=False)


def _plot(points: Sequence[Mapping[str, Any]], key: str, unit: int, label: str, *, inverted: bool) -> str:
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.0, 2.8), layout="constrained")
    axes = figure.add_subplot()
    places = range(len(points))
    axes.bar(places, [p["commanded"][key] / unit for p in points], color="#e3e6ea", label=_LABELS["commanded"])
    for side, marker in (("reported", "_"), ("truth", ".")):
        found = [(i, p[side][key] / unit) for i, p in enumerate(points) if p.get(side)]
        if found:
            x, y = zip(*found, strict=True)
            axes.plot(x, y, marker, color=_COLOURS[side], label=_LABELS[side], markersize=7, markeredgewidth=1.6)
    if key == "volume_nl":
        spans = [(i, p["reported"]["volume_min_nl"], p["reported"]["volume_max_nl"]) for i, p in _reported(points)]
        for i, low, high in spans:
            axes.plot([i, i], [low / unit, high / unit], "-", color=_COLOURS["reported"], linewidth=1.2)
    step = max(1, len(points) // 30)
    axes.set_xticks(list(places)[::step], [str(p["id"]) for p in points][::step], fontsize=7)
    axes.set_xlabel("point", fontsize=8)
    axes.set_ylabel(label, fontsize=8)
    axes.tick_params(axis="y", labelsize=7)
    axes.spines[["top", "right"]].set_visible(False)
    if inverted:
        axes.invert_yaxis()
    axes.legend(fontsize=7, frameon=False, ncols=3, loc="lower left", bbox_to_anchor=(0, 1))
    return svg_text(FigureCanvasSVG(figure), label)


def _reported(points: Sequence[Mapping[str, Any]]) -> list[tuple[int, Mapping[str, Any]]]:
    return [(i, p) for i, p in enumerate(points) if p.get("reported")]


def svg_text(canvas: Any, salt: str) -> str:
    """Return a canvas as an <svg> element: no date, no outside references, the same bytes for the same figure."""
    import matplotlib

    out = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": salt}):
        canvas.print_svg(out, metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = out.getvalue()
    return re.sub(r"<metadata>.*?</metadata>\s*", "", text[text.index("<svg") :], flags=re.DOTALL)
