"""Plots of a treatment as SVG text that stands by itself inside a page: depth and volume of each point."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

_COLOURS = {"commanded": "#dfe3e8", "reported": "#1f6fb2", "truth": "#c2571a"}
_LABELS = {"commanded": "asked", "reported": "reported", "truth": "true (simulator)"}


def depth_plot(points: Sequence[Mapping[str, Any]]) -> str:
    """Return the depth of each point, um, and its difference from what was asked: reported and, where known, true."""
    return _plot(points, "depth_um", 1, ("depth, µm", "difference, µm"), inverted=True)


def volume_plot(points: Sequence[Mapping[str, Any]]) -> str:
    """Return the tissue volume of each point, uL, and its difference: the reported interval and, where known, true."""
    return _plot(points, "volume_nl", 1000, ("into tissue, µL", "difference, µL"), inverted=False)


def _plot(points: Sequence[Mapping[str, Any]], key: str, unit: int, labels: tuple[str, str], *, inverted: bool) -> str:
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.0, 3.8), layout="constrained")
    whole, off = figure.subplots(2, sharex=True, height_ratios=(3, 2))
    places = range(len(points))
    asked = [point["commanded"][key] / unit for point in points]
    whole.bar(places, asked, color=_COLOURS["commanded"], label=_LABELS["commanded"])
    off.axhline(0, color=_COLOURS["commanded"], linewidth=1)
    for side, marker in (("reported", "_"), ("truth", ".")):
        found = [(i, point[side][key] / unit) for i, point in enumerate(points) if point.get(side)]
        style = {"color": _COLOURS[side], "linestyle": "", "marker": marker, "markersize": 6}
        whole.plot([i for i, _ in found], [value for _, value in found], label=_LABELS[side], **style)
        off.plot([i for i, _ in found], [value - asked[i] for i, value in found], **style)
    for i, low, high in _intervals(points, key):
        off.plot([i, i], [low / unit - asked[i], high / unit - asked[i]], color=_COLOURS["reported"], linewidth=1.2)
    step = max(1, len(points) // 30)
    off.set_xticks(list(places)[::step], [str(point["id"]) for point in points][::step])
    off.set_xlabel("point", fontsize=8)
    for axes, label in zip((whole, off), labels, strict=True):
        axes.set_ylabel(label, fontsize=8)
        axes.tick_params(labelsize=7)
        axes.spines[["top", "right"]].set_visible(False)
        if inverted:
            axes.invert_yaxis()
    whole.legend(fontsize=7, frameon=False, ncols=3, loc="lower left", bbox_to_anchor=(0, 1))
    return svg_text(FigureCanvasSVG(figure), labels[0])


def _intervals(points: Sequence[Mapping[str, Any]], key: str) -> list[tuple[int, int, int]]:
    """Place and bounds of each reported volume; depths have none."""
    if key != "volume_nl":
        return []
    found = [(i, point["reported"]) for i, point in enumerate(points) if point.get("reported")]
    return [(i, reported["volume_min_nl"], reported["volume_max_nl"]) for i, reported in found]


def svg_text(canvas: Any, salt: str) -> str:
    """Return a canvas as an <svg> element: no date, no outside references, the same bytes for the same figure."""
    import matplotlib

    out = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": salt}):
        canvas.print_svg(out, metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = out.getvalue()
    return re.sub(r"<metadata>.*?</metadata>\s*", "", text[text.index("<svg") :], flags=re.DOTALL)
