"""docs/safety/guard-list.md: every name in it exists, and no fault of the device is missing."""

import re
import tomllib
from pathlib import Path

from sit_firmware import codes

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "safety" / "guard-list.md").read_text()
FAULTS = {name[6:] for name in vars(codes) if name.startswith("FAULT_")}


def rows():
    """Cells of the rows of the two tables with controls and hazards."""
    for line in TEXT.split("## Session self-test")[0].splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and len(cells) == 5 and not line.startswith(("| ---", "| watched")):
            yield cells


def test_controls_and_hazards_exist():
    """Invariant 6: what the list says is watched has a control that bites, and a hazard that it belongs to."""
    controls = {
        entry["name"] for entry in tomllib.loads((ROOT / "tools" / "bite_controls.toml").read_text())["control"]
    }
    hazards = {row["id"] for row in tomllib.loads((ROOT / "docs" / "safety" / "hazards.toml").read_text())["hazard"]}
    for watched, _, _, control, hazard in rows():
        assert set(control.split(", ")) <= controls, watched
        assert hazard in hazards, watched


def test_every_fault_is_listed():
    """Invariant 6: no fault that the device can latch is missing from the list."""
    assert {name for name in FAULTS if not re.search(rf"\b{name}\b", TEXT)} == set()


def test_tests_exist():
    """The proofs it names are there."""
    for path in re.findall(r"`(tests/[\w/]+\.py)`", TEXT):
        assert (ROOT / path).is_file(), path
