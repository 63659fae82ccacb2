"""The report of a treatment: one HTML page that needs nothing beside itself, made from the record."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sit_host.page import page
from sit_host.report_plots import depth_plot, volume_plot

_VERDICTS = {
    "done": "given",
    "partial": "given in part",
    "aborted": "not given",
    "uncertain": "unknown: look at the interval",
    "left": "not reached",
}


def render_report(record: Mapping[str, Any]) -> str:
    """Return the page of a record as `treatment_record` makes it."""
    return page("report.html.j2", ul=_ul, mm=_mm, time=_time).render(
        record,
        verdict_words=_VERDICTS,
        has_truth=any(point.get("truth") for point in record["points"]),
        depth_svg=depth_plot(record["points"]),
        volume_svg=volume_plot(record["points"]),
    )


def _ul(volume_nl: float | None) -> str:
    return "" if volume_nl is None else f"{volume_nl / 1000:.2f}"


def _mm(depth_um: float | None) -> str:
    return "" if depth_um is None else f"{depth_um / 1000:.3f}"


def _time(unix_s: float) -> str:
    return datetime.fromtimestamp(unix_s, UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if unix_s else "clock not set"
