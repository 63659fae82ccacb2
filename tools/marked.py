"""A generated table between two marks of a page that people write: put it there, or say that it differs.

The marks are `<!-- NAME: begin -->` and `<!-- NAME: end -->`, each on a line of its own.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    """The lines of a Markdown table, the first column to the left and the others to the right."""
    lines = ["| " + " | ".join(head) + " |", "| --- |" + " ---: |" * (len(head) - 1)]
    return lines + ["| " + " | ".join(row) + " |" for row in rows]


def put(page: Path, name: str, text: str, source: str, check: bool = False) -> int:
    """Have `text` stand between the marks `name` of `page`; with `check` write nothing.

    Returns 0 when it stands there now. Returns 1, with a sentence that names the page and `source`, when `check` finds
    another text or when a mark is missing.
    """
    shown = page.relative_to(ROOT)
    begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->"
    old = page.read_text(encoding="utf-8")
    head, mark, rest = old.partition(begin)
    if not mark or end not in rest:
        print(f"{shown}: the marks {begin.strip()} and {end} are missing; put them back", file=sys.stderr)
        return 1
    new = f"{head}{begin}{text}\n{end}{rest.partition(end)[2]}"
    if new == old:
        return 0
    if check:
        print(f"{shown} differs from {source}; run `make gen`", file=sys.stderr)
        return 1
    page.write_text(new, encoding="utf-8")
    return 0
