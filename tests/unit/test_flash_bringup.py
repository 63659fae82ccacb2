"""`sit bringup`: the order of docs/bringup.md, and no motion that nobody has agreed to."""

import contextlib
import json
import re
from pathlib import Path

from sit_host.cli import run
from sit_host.cli.bringup_steps import STEPS
from sit_host.cli.common import Call
from sit_host.cli.ui import Ui
from sit_host.client import Client
from sit_host.describe import INPUTS
from sit_host.transport.sim import SimTransport
from sit_sim.targets import open_target

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


def test_the_operator_can_do_what_a_step_says():
    """Bring-up: each input has the device's name for it; a step that names a command which acts leaves it the port."""
    assert all(set(step.inputs) <= set(INPUTS) for step in STEPS)
    acting = [step for step in STEPS if "`sit treat" in step.do or ("`sit flash`" in step.do and step.number > 1)]
    assert acting and not any(step.device for step in acting)


def test_steps_of_a_person_open_no_port(capsys):
    """Bring-up: a step that a person proves asks the device nothing, so that another command can have the port."""
    code = run(["bringup", "--target", "serial:/dev/no-such-port", "--from", "17", "--to", "17", "--yes", "--json"])
    assert code == 0
    assert json.loads(capsys.readouterr().out)["steps"] == [{"step": 17, "proved": "agreed by --yes"}]


def test_power_is_taken_away_as_often_as_the_page_says(capsys, monkeypatch):
    """Bring-up: step 3 counts a boot and a record for each time that the supply was away."""
    with open_target("sim:", hand="none") as target:
        client = Client(SimTransport(target, "sim:"))
        client.hello()
        monkeypatch.setattr(Call, "connect", lambda call: contextlib.nullcontext(client))
        monkeypatch.setattr(Ui, "pause", lambda ui, text: target.control({"do": "power", "off_ms": 10}))
        assert run(["bringup", "--target", "sim:", "--from", "3", "--to", "3", "--yes", "--json"]) == 0
    (step,) = json.loads(capsys.readouterr().out)["steps"]
    assert step["proved"].startswith("boot 6, ")
