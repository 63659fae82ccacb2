"""The hazard matrix for a reader: a Markdown page that is kept in docs/safety, and an HTML page that stands alone."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

from sit_host.page import page
from sit_host.qa.trace import CONTROLS, HAZARDS, Hazard, Matrix

_HEAD = f"""# Hazards

Made from `{HAZARDS}` and `{CONTROLS}` by `make gen`; do not edit. `sit qa trace` checks it: no hazard
without a control, no control without a test, no test that doesn't exist, no fault of the closed lists left out.
`make bite` takes each control out and shows that its tests go red. The requirements are the
[invariants](invariants.md).

OpenSIT is research software, not a certified medical device.
"""


def markdown(matrix: Matrix) -> str:
    """The page docs/safety/hazards.md."""
    lines = [_HEAD, "| hazard | cause | harm | control | list | requirement |", "| --- | --- | --- | --- | --- | --- |"]
    for h in matrix.hazards:
        numbers = ", ".join(map(str, h.requirement))
        lines.append(f"| [{h.hazard}](#{h.id}) | {h.cause} | {h.harm} | {h.control} | {h.list} | {numbers} |")
    for h in matrix.hazards:
        lines += ["", f"## {h.id}", *_details(h)]
    return "\n".join(lines) + "\n"


def _details(h: Hazard) -> list[str]:
    lines = [f"{h.hazard}: {h.cause}."]
    if h.faults:
        lines.append(f"Faults of the simulator: {', '.join(h.faults)}.")
    if h.list == "F2":
        lines += [f"Hardware: {h.hardware} Self-test: {h.self_test} Residual risk: {h.residual}"]
    lines += ["", "| control | where | red without it |", "| --- | --- | --- |"]
    for c in h.controls:
        tests = ", ".join(f"`{test.split('::')[-1].split('[')[0]}`" for test in c.tests)
        lines.append(f"| {c.name} | `{c.file}` {c.function} | {tests} |")
    if h.tests:
        lines += ["", f"Further: {', '.join(f'`{test}`' for test in h.tests)}."]
    return lines


def html(matrix: Matrix) -> str:
    """One page that needs nothing beside itself."""
    return page("hazards.html.j2", breaks=_breaks).render(matrix=matrix)


def _breaks(name: str) -> Markup:
    """A name of a test or file that may go on in the next line after each of its parts."""
    return Markup(re.sub(r"(?<=\w)(/|::|_)", r"\1<wbr>", str(escape(name))))
