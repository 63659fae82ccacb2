"""`sit qa trace`: the matrix of hazards, controls and tests, checked."""

from __future__ import annotations

from pathlib import Path

import click

from sit_host.cli.common import output_options
from sit_host.cli.ui import Ui
from sit_host.errors import EXIT_OK, SitError
from sit_host.qa.trace import project, read_matrix
from sit_host.qa.trace_page import html

_COLUMNS = ("hazard", "list", "invariants", "controls", "tests")


@click.command("trace", epilog="Example: sit qa trace --html build/hazards.html")
@click.option("--root", type=click.Path(path_type=Path, file_okay=False), help="The project's folder [here or above].")
@click.option("--html", "page", type=click.Path(path_type=Path, dir_okay=False), help="Write a page for a reader.")
@output_options
def command(ui: Ui, root: Path | None, page: Path | None) -> int:
    """Print and check the hazard matrix: no hazard without a control, no control without a test, no test that isn't."""
    matrix = read_matrix(project((root or Path.cwd()).resolve()))
    if page is not None:
        try:
            page.parent.mkdir(parents=True, exist_ok=True)
            page.write_text(html(matrix), encoding="utf-8")
        except OSError as error:
            raise SitError(f"{page} can't be written ({error.strerror}).", "Check the folder.") from None
    ui.result(
        {
            "hazards": [
                {"id": h.id, "list": h.list, "controls": [c.name for c in h.controls], "tests": list(h.proofs())}
                for h in matrix.hazards
            ],
            "problems": matrix.problems,
            "unnamed": matrix.unnamed,
        }
    )
    ui.table(
        "",
        _COLUMNS,
        [(h.id, h.list, " ".join(map(str, h.requirement)), len(h.controls), len(h.proofs())) for h in matrix.hazards],
    )
    if matrix.unnamed:
        ui.note(f"Controls that no hazard names: {', '.join(matrix.unnamed)}.")
    if page is not None:
        ui.say(f"Wrote {page}.")
    for problem in matrix.problems:
        ui.note(problem)
    if matrix.problems:
        raise SitError(
            f"The matrix has {len(matrix.problems)} problems.", "Mend docs/safety/hazards.toml or the tests."
        )
    ui.say(f"{len(matrix.hazards)} hazards, each with a control, each control with a test.")
    return EXIT_OK
