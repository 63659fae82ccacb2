"""`sit bringup`: the order of docs/bringup.md, and no motion that nobody has agreed to."""

import json
import re
from pathlib import Path

from sit_host.cli import run
from sit_host.cli.bringup_steps import STEPS

PAGE = Path(__file__).parents[2] / "docs" / "bringup.md"


def test_the_steps_are_those_of_the_page():
    """docs/bringup.md: as many steps, in that order; the ones that move something are where it names the command."""
    rows = re.findall(r"^\| (\d+) \| (.*)$", PAGE.read_text(), re.MULTILINE)
    assert [int(number) for number, _ in rows] == [step.number for step in STEPS]
    moving = {step.number: f"sit {step.work.NAME.lower()}" for step in STEPS if step.work is not None}
    texts = {int(number): text for number, text in rows}
    assert all(command in texts[number] for number, command in moving.items())
    stops = [step.number for step in STEPS if "e-stop" in step.inputs or "Dead-man" in step.do or "Flag" in step.do]
    assert max(stops) < min(moving), "what stops it is proved before anything moves"


def test_yes_alone_never_agrees_to_motion(capsys):
    """Bring-up: --yes without --allow-motion is refused before the device is asked anything."""
    assert run(["bringup", "--target", "sim:", "--from", "12", "--to", "12", "--yes"]) == 2
    assert "--allow-motion" in capsys.readouterr().err


def test_allowed_motion_is_proved_by_the_device(capsys):
    """Bring-up: with --allow-motion the self-test runs and its step is proved."""
    assert run(["bringup", "--target", "sim:", "--from", "12", "--to", "12", "--yes", "--allow-motion", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["steps"] == [{"step": 12, "proved": "SELFTEST passed"}]
