"""From a plan file to a checked plan: reading and checking in one call, with every problem kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from .errors import SitError
from .plan import PlanUnreadable, Problem
from .plan_check import Checked, check_plan
from .plan_limits import Equipment, Limits
from .plan_read import read_plan


class PlanRefused(SitError):
    """The plan has problems. `problems` holds them all, `file` is where they stand."""

    def __init__(self, file: str, problems: Sequence[Problem]) -> None:
        count = sum(not problem.warning for problem in problems)
        what = f"{file} can't be given as it is: {count} problem{'s' * (count != 1)}."
        super().__init__(what, "Correct the lines named, then check again.")
        self.file = file
        self.problems = tuple(problems)

    def as_json(self) -> dict[str, object]:
        """Return the error with its problems."""
        return {**super().as_json(), "problems": problems_json(self.problems)}


def load_plan(file: Path, limits: Limits, equipment: Equipment, today: date) -> Checked:
    """Read and check `file`. Raises PlanRefused with every problem, or SitError when it can't be read at all."""
    try:
        plan, problems = read_plan(file)
    except PlanUnreadable as error:
        raise SitError(str(error)) from None
    if plan is None:
        raise PlanRefused(str(file), problems)
    checked = check_plan(plan, limits, equipment, today, problems)
    if not checked.ok:
        raise PlanRefused(str(file), checked.problems)
    return checked


def problems_json(problems: Sequence[Problem]) -> list[dict[str, object]]:
    """Return problems for `--json`."""
    return [{"line": p.line, "sentence": p.sentence, "warning": p.warning, "soft": p.soft} for p in problems]
