"""A verdict for a reader: tables for the terminal and one HTML page that stands alone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sit_host.errors import SitError
from sit_host.page import page
from sit_host.qa.rate import LIMIT_PERCENT as RATE_LIMIT_PERCENT
from sit_host.qa.stats import WINDOWS
from sit_host.report_plots import svg_text


@dataclass(frozen=True)
class Table:
    """One table of a verdict."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


def dose_tables(rows: Sequence[dict[str, Any]]) -> list[Table]:
    """The tables of `qa.dose.verdict`."""
    main = Table(
        "Dose",
        ("uL", "n", "systematic %", "limit", "random %", "limit", "ISO 8655", "k", "interval %", "ISO 11608-1, 5 %"),
        [
            (
                f"{row['volume_nl'] / 1000:g}",
                row["n"],
                f"{row['systematic_percent']:+.2f}",
                f"{row['systematic_limit_percent']:.2f}",
                f"{row['random_percent']:.2f}",
                f"{row['random_limit_percent']:.2f}",
                _word(row["passes"]),
                f"{row['k']:.2f}",
                f"{row['tolerance_low_percent']:+.2f} {row['tolerance_high_percent']:+.2f}",
                _word(row["pen_passes"]),
            )
            for row in rows
        ],
    )
    places = Table(
        "By position of the plunger",
        ("uL", "syringe", "n", "systematic %", "random %"),
        [
            (
                f"{row['volume_nl'] / 1000:g}",
                name,
                part["n"],
                f"{part['systematic_percent']:+.2f}",
                f"{part['random_percent']:.2f}",
            )
            for row in rows
            for name, part in row["by_position"].items()
        ],
    )
    trumpets = Table(
        "Trumpet curve: lowest and highest mean error over windows of shots",
        ("uL", "shots", "lowest %", "highest %"),
        [
            (f"{row['volume_nl'] / 1000:g}", n, f"{low:+.2f}", f"{high:+.2f}")
            for row in rows
            for n, low, high in row["trumpet"]
        ],
    )
    rates = Table(
        "Rate: flow past the tip over the middle of the dose, against the flow asked for",
        ("uL", "n", "mean error %", "lowest %", "highest %", "limit %", "verdict"),
        [
            (f"{row['volume_nl'] / 1000:g}", rate["n"], *_rate_words(rate), f"{RATE_LIMIT_PERCENT:g}", _rate_word(rate))
            for row in rows
            for rate in (row["rate"],)
        ],
    )
    return [main, rates, places, trumpets]


def dose_plots(rows: Sequence[dict[str, Any]]) -> list[str]:
    """The trumpet curves of `qa.dose.verdict` as one drawing: they close towards the mean error of a long series."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.0, 3.6), layout="constrained")
    axes = figure.subplots()
    for n, row in enumerate(rows):
        shots = [width for width, _, _ in row["trumpet"]]
        for place in (1, 2):
            label = f"{row['volume_nl'] / 1000:g} \u00b5L" if place == 1 else None
            axes.plot(shots, [curve[place] for curve in row["trumpet"]], color=f"C{n}", marker=".", label=label)
    axes.axhline(0, color="#999", linewidth=0.8)
    axes.set_xscale("log")
    axes.set_xticks(WINDOWS, [str(width) for width in WINDOWS])
    axes.minorticks_off()
    axes.set_xlabel("shots in the window")
    axes.set_ylabel("lowest and highest mean error, %")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8)
    return [svg_text(FigureCanvasSVG(figure), "trumpet")]


def depth_tables(rows: Sequence[dict[str, Any]]) -> list[Table]:
    """The table of `qa.depth.verdict`."""
    columns = ("mm", "n", "mean error um", "deviation um", "|mean| + 3 s um", "limit um", "deepest um", "verdict")
    keys = ("n", "mean_um", "deviation_um", "bound_um", "limit_um", "deepest_um")
    return [
        Table(
            "Depth",
            columns,
            [(f"{row['depth_um'] / 1000:g}", *(row[key] for key in keys), _word(bool(row["passes"]))) for row in rows],
        )
    ]


def html(
    title: str,
    passed: bool,
    facts: Sequence[tuple[str, object]],
    tables: Sequence[Table],
    plots: Sequence[str] = (),
) -> str:
    """One page that needs nothing beside itself; `plots` are SVG elements."""
    return page("verdict.html.j2").render(title=title, passed=passed, facts=facts, tables=tables, plots=plots)


def write(path: Path | None, text: str) -> None:
    """Write a page or a file; nothing without a path. Raises SitError."""
    if path is None:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SitError(f"{path} can't be written ({error.strerror}).", "Check the folder.") from None


def json_text(value: object) -> str:
    """A value as the text of a JSON file."""
    return json.dumps(value, indent=2) + "\n"


def _rate_words(rate: dict[str, Any]) -> tuple[str, ...]:
    found = (rate["mean_percent"], rate["low_percent"], rate["high_percent"])
    return tuple("" if value is None else f"{value:+.1f}" for value in found)


def _rate_word(rate: dict[str, Any]) -> str:
    return "too short" if rate["passes"] is None else _word(rate["passes"])


def _word(passes: bool) -> str:
    return "passes" if passes else "fails"
