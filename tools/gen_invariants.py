"""Keep the tables of docs/safety/invariants.md: which control stands where and which tests go red without it.

    tools/gen_invariants.py [--check]

The tables follow from tools/bite_controls.toml; the function a control stands in is found in its file. The text
between the tables is written by hand.
"""

import argparse
import ast
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import bite

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "safety" / "invariants.md"
BEGIN, END = "<!-- controls {}: begin -->", "<!-- controls {}: end -->"


def function_at(source: str, line: int) -> str:
    """The dotted name of the innermost function or class around a line, or "module"."""
    name, size = "module", len(source)

    def visit(node: ast.AST, prefix: str) -> None:
        nonlocal name, size
        for child in ast.iter_child_nodes(node):
            inner = prefix
            if isinstance(child, ast.FunctionDef | ast.ClassDef):
                inner = f"{prefix}.{child.name}" if prefix else child.name
                last = child.end_lineno or child.lineno
                if child.lineno <= line <= last and last - child.lineno < size:
                    name, size = inner, last - child.lineno
            visit(child, inner)

    visit(ast.parse(source), "")
    return name


def row(control: bite.Control) -> str:
    """One line of a table. Raises ValueError when the control's text doesn't stand in its file."""
    source = (ROOT / control.file).read_text()
    at = source.find(control.original)
    if at < 0:
        raise ValueError(f"{control.name}: its original text doesn't stand in {control.file}")
    line = source.count("\n", 0, at + len(control.original) - len(control.original.lstrip())) + 1
    where = f"`{control.file}`"
    if control.file.endswith(".py"):
        where += f" {function_at(source, line)}"
    tests = ", ".join(dict.fromkeys(f"`{t.split('::')[-1].split('[')[0]}`" for t in control.tests))
    return f"| {control.name} | {where} | {tests} |"


def page(text: str, controls: list[bite.Control]) -> str:
    """The page with each table between its marks made anew. Raises ValueError when the marks of one are missing."""
    for invariant in sorted({c.invariant for c in controls}, key=int):
        begin, end = BEGIN.format(invariant), END.format(invariant)
        if text.count(begin) != 1 or text.count(end) != 1:
            raise ValueError(f"{PAGE.relative_to(ROOT)}: the marks of invariant {invariant} are missing")
        rows = [row(c) for c in controls if c.invariant == invariant]
        table = "\n".join(["| control | where | red without it |", "| --- | --- | --- |", *rows])
        head, rest = text.split(begin)
        text = f"{head}{begin}\n{table}\n{end}{rest.split(end)[1]}"
    return text


def main(argv: list[str]) -> int:
    """Write the page, or with --check say whether it differs; 0 when it is (now) right."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 if the page has drifted")
    args = parser.parse_args(argv)
    text = PAGE.read_text()
    try:
        made = page(text, bite.load())
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    if made == text:
        return 0
    if args.check:
        print(f"{PAGE.relative_to(ROOT)} differs from tools/bite_controls.toml; run `make gen`.", file=sys.stderr)
        return 1
    PAGE.write_text(made)
    print(f"wrote {PAGE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
