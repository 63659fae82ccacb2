"""A verdict for a reader: tables for the terminal and one HTML page that stands alone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from sit_host.errors import SitError


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
    return [main, places, trumpets]


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


def html(title: str, passed: bool, facts: Sequence[tuple[str, object]], tables: Sequence[Table]) -> str:
    """One page that needs nothing beside itself."""
    environment = Environment(
        loader=PackageLoader("sit_host"),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("verdict.html.j2").render(title=title, passed=passed, facts=facts, tables=tables)


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


def _word(passes: bool) -> str:
    return "passes" if passes else "fails"
