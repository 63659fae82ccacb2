"""What `sit treat` shows at its end: asked against reported (and true) for each point, the figures, the paths."""

from __future__ import annotations

from typing import Any

from sit_host.cli.ui import Ui
from sit_host.treatment.sitting import Done


def show_result(ui: Ui, done: Done) -> None:
    """Print the table of points, the figures and where the record is."""
    if ui.json:
        return
    record = done.record
    points = record["points"]
    with_truth = any(point.get("truth") for point in points)
    true = ["true"] if with_truth else []
    columns = ["Point", "Site", "End", "um asked", "told", *true, "uL asked", "told", *true]
    title = f"{record['plan']['name']}: depth in um, volume in uL"
    ui.table(
        f"{title}; true: simulator" if with_truth else title,
        columns,
        [_row(point, with_truth) for point in points],
    )
    for line in _figures(record["summary"]):
        ui.say(line)
    if record["drift"]["drifted"]:
        ui.say(record["drift"]["sentence"])
    ui.say(f"Record: {done.json_path}")
    ui.say(f"Report: {done.html_path}")


def _row(point: dict[str, Any], with_truth: bool) -> list[object]:
    asked, reported, truth = point["commanded"], point["reported"], point.get("truth")
    row: list[object] = [point["id"], point["site"], point["verdict"], asked["depth_um"]]
    row.append(reported["depth_um"] if reported else "")
    if with_truth:
        row.append(f"{truth['depth_um']:.0f}" if truth else "")
    row.append(f"{asked['volume_nl'] / 1000:g}")
    row.append(f"{reported['volume_min_nl'] / 1000:.2f}-{reported['volume_max_nl'] / 1000:.2f}" if reported else "")
    if with_truth:
        row.append(f"{truth['volume_nl'] / 1000:.2f}" if truth else "")
    return row


def _figures(summary: dict[str, Any]) -> list[str]:
    verdicts = ", ".join(f"{count} {name}" for name, count in summary["verdicts"].items())
    given = f"{summary['given_min_nl'] / 1000:.2f} to {summary['given_max_nl'] / 1000:.2f} uL"
    lines = [f"{summary['points']} points: {verdicts}. {given} of {summary['planned_nl'] / 1000:g} uL into tissue."]
    truth = summary.get("truth")
    if truth:
        lines.append(
            f"Truth (simulator): largest depth error {truth['largest_depth_error_um']} um, largest volume error "
            f"{truth['largest_volume_error_percent']} %; deepest tip {truth['deepest_tip_um']} um, "
            f"{truth['smallest_margin_um']} um before 2000 um."
        )
        if truth["repeated_points"]:
            lines.append(
                f"Apart from that: {truth['repeated_points']} points given in more than one attempt, "
                f"largest volume error {truth['largest_volume_error_repeated_percent']} %."
            )
        lines.append(
            f"Ledger against truth: plunger {truth['reported_plunger_steps']} against {truth['plunger_steps']} steps, "
            f"{'equal at each point' if truth['steps_equal'] else 'NOT EQUAL'}; true volumes "
            f"{'all inside' if truth['all_inside_intervals'] else 'NOT ALL INSIDE'} their intervals."
        )
    return lines
