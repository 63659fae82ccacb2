"""What commands print and ask: results on standard output, everything else on standard error.

With `--json` standard output gets exactly one JSON value. A question is never asked where nobody can answer.
"""

from __future__ import annotations

import json as jsonlib
import sys
from collections.abc import Iterable, Sequence
from enum import Enum, IntFlag
from typing import Any

from sit_host.errors import SitError, UsageError


class Ui:
    """Output and questions of one command.

    `json`: the result is one JSON value. `yes`: every question is answered with yes. `verbose`: more detail.
    """

    def __init__(self, *, json: bool = False, yes: bool = False, verbose: bool = False) -> None:
        self.json = json
        self.yes = yes
        self.verbose = verbose
        self._printed = False

    def result(self, value: object) -> None:
        """With `--json` print `value`, the command's one JSON value; without it do nothing."""
        if self.json and not self._printed:
            self._printed = True
            print(jsonlib.dumps(jsonable(value), indent=2), flush=True)

    def line(self, value: object) -> None:
        """With `--json` print `value` as one line of a stream; without it do nothing."""
        if self.json:
            self._printed = True
            print(jsonlib.dumps(jsonable(value)), flush=True)

    def say(self, text: str = "") -> None:
        """Print a line of the result for people; nothing with `--json`."""
        if not self.json:
            print(text, flush=True)

    def note(self, text: str) -> None:
        """Tell about progress, on standard error."""
        print(text, file=sys.stderr, flush=True)

    def detail(self, text: str) -> None:
        """Tell a detail, with `-v` only."""
        if self.verbose:
            self.note(text)

    def error(self, error: SitError) -> None:
        """Tell one error: what happened, and what to do on a line of its own."""
        self.result({"error": error.as_json()})
        self.note(f"sit: {error.what}")
        if error.do:
            self.note(f"     {error.do}")

    def table(self, title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Print a table for people; columns of numbers stand to the right. Nothing with `--json`."""
        if self.json:
            return
        from rich import box
        from rich.table import Table

        cells = [[_text(cell) for cell in row] for row in rows]
        table = Table(title=title or None, box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
        for index, column in enumerate(columns):
            numbers = bool(cells) and all(_is_number(row[index]) for row in cells)
            table.add_column(column, justify="right" if numbers else "left", overflow="fold")
        for row in cells:
            table.add_row(*row)
        self.console(error=False).print(table)

    def pairs(self, rows: Iterable[tuple[str, object]]) -> None:
        """Print names and values for people. Nothing with `--json`."""
        if self.json:
            return
        shown = [(name, _text(value)) for name, value in rows]
        width = max((len(name) for name, _ in shown), default=0)
        for name, value in shown:
            first, *more = value.splitlines() or [""]
            print(f"{name.ljust(width)}  {first}".rstrip())
            for line in more:
                print(" " * (width + 2) + line)

    def console(self, *, error: bool = True) -> Any:
        """Return a rich console on standard error (progress bars) or standard output; plain when it is no terminal."""
        from rich.console import Console

        stream = sys.stderr if error else sys.stdout
        width = None if stream.isatty() else 120
        return Console(file=stream, highlight=False, markup=False, width=width)

    @property
    def interactive(self) -> bool:
        """Whether somebody can answer a question."""
        return sys.stdin is not None and sys.stdin.isatty()

    def confirm(self, question: str) -> bool:
        """Ask a yes-or-no question on standard error. Raises UsageError naming --yes when nobody can answer."""
        if self.yes:
            return True
        if not self.interactive:
            raise UsageError(
                f"This needs an answer, and standard input isn't a terminal: {question}", "Give --yes to agree."
            )
        while True:
            answer = self._ask(f"{question} [y/n] ").lower()
            if answer in ("y", "yes"):
                return True
            if answer in ("n", "no"):
                return False

    def pause(self, text: str) -> None:
        """Ask the operator to do something and press Enter; `--yes` goes on at once. Raises as `confirm` does."""
        if self.yes:
            self.note(text)
            return
        if not self.interactive:
            raise UsageError(f"This waits for an operator, and standard input isn't a terminal: {text}", "Give --yes.")
        self._ask(f"{text} Then press Enter. ")

    def _ask(self, prompt: str) -> str:
        # input() would write its prompt to standard output, where a result belongs
        print(prompt, end="", file=sys.stderr, flush=True)
        line = sys.stdin.readline()
        if not line:
            raise KeyboardInterrupt
        return line.strip()


def jsonable(value: object) -> object:
    """Return what JSON can hold for values of ours: names of enumerations, hex of bytes, text of everything else."""
    if isinstance(value, dict):
        return {str(key): jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(item) for item in value]
    if isinstance(value, IntFlag):
        return int(value)
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, bytes | bytearray):
        return value.hex()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return str(value)


def _text(value: object) -> str:
    if isinstance(value, Enum):
        return str(value.name)
    return str(value)


def _is_number(text: str) -> bool:
    digits = text.replace(" ", "").replace(".", "").replace("-", "").replace("+", "")
    return digits.isdigit() or text in ("", "-")
