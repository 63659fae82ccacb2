"""The hardware's pages agree with reference.toml, with the command line and with themselves."""

import csv
import re
import tomllib
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from sit_host.cli import NOUNS

ROOT = Path(__file__).resolve().parents[2]
HARDWARE = ROOT / "hardware"
REF = tomllib.loads((HARDWARE / "reference.toml").read_text(encoding="utf-8"))
PAGES = (*sorted(HARDWARE.glob("*.md")), ROOT / "docs" / "bringup.md", ROOT / "docs" / "silicon.md")
COLUMNS = ["block", "quantity", "part", "maker's number", "what it must do (reference.toml)", "why this one", "status"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    """Each link of a page leads to a file that is there."""
    for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_exist(page):
    """Each `sit` command that a page names is one that there is."""
    for name in re.findall(r"`sit ([a-z]+)", page.read_text(encoding="utf-8")):
        assert name in NOUNS, name


@pytest.mark.parametrize("name", ["block", "interlock", "nosepiece"])
def test_drawings_are_drawings(name):
    """A drawing is well-formed SVG with a title, all of its text inside its frame."""
    root = ET.parse(HARDWARE / f"{name}.svg").getroot()
    space = "{http://www.w3.org/2000/svg}"
    assert root.tag == space + "svg" and root.find(space + "title").text
    width, height = float(root.get("width")), float(root.get("height"))
    for text in root.iter(space + "text"):
        assert 0 < float(text.get("x")) < width and 0 < float(text.get("y")) < height and text.text.strip()


def test_drawings_carry_the_references_numbers():
    """Flag, park, stop, zero window, current limit and comb in drawings and pages are those of reference.toml."""
    nose = (HARDWARE / "nosepiece.svg").read_text(encoding="utf-8")
    flag, axis, window_um = REF["flag"], REF["needle_axis"], REF["zero"]["window_um"]
    assert f"{flag['position_um'] / 1000:.3f} +-{flag['tolerance_um'] / 1000:.3f} flag" in nose
    assert f"{axis['mechanical_stop_mm']:.3f} +0 / -0.030 stop" in nose
    assert f"{axis['mechanical_stop_mm'] - axis['park_mm']:.3f} +0 / -0.030 from park" in nose
    assert f"{-axis['park_mm']:.3f} +-{window_um / 1000:.3f}" in nose
    amps = REF["coil"]["current_limit_a"]
    for name in ("block.svg", "interlock.svg", "interlock.md"):
        assert f"{amps:g} A" in (HARDWARE / name).read_text(encoding="utf-8")
    bring_up = (ROOT / "docs" / "bringup.md").read_text(encoding="utf-8")
    assert f"{flag['position_um'] / 1000 - axis['park_mm']:.3f} mm from park" in bring_up


def test_the_stops_tolerances_add_up():
    """The table of the stop's depth in mechanics.md is the sum of its terms."""
    zero = REF["zero"]
    spread_um, stop_um = zero["window_um"] + zero["uncertainty_um"], REF["needle_axis"]["mechanical_stop_mm"] * 1000
    page = (HARDWARE / "mechanics.md").read_text(encoding="utf-8")
    assert f"**{stop_um + spread_um + 2:.0f}**" in page and f"**{stop_um - 30 - spread_um:.0f}**" in page


def test_the_dead_mans_figures_are_the_budgets():
    """Pulse and its bounds in the interlock's page and drawing are those that the power budget computes."""
    budget = (HARDWARE / "power.md").read_text(encoding="utf-8")
    low, mid, high = re.findall(r"\| (?:shortest pulse|pulse = R x C x factor|longest pulse) \| (\d+) \|", budget)
    assert f"{low} to {high} us" in (HARDWARE / "interlock.svg").read_text(encoding="utf-8")
    page = (HARDWARE / "interlock.md").read_text(encoding="utf-8")
    assert f"{mid} us anew" in page and f"pulse {high}" in page


def test_parts_list():
    """Each part says what it must do and its status; nothing claims to have been built."""
    rows = list(csv.reader((HARDWARE / "bom.csv").open(encoding="utf-8", newline="")))
    assert rows[0] == COLUMNS
    for row in rows[1:]:
        assert len(row) == len(COLUMNS) and row[2] and row[4], row
        assert re.match("proposal|measure before use", row[6]), row
