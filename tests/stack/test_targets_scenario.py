"""Scenarios, hand scripts and control commands: what they do, and one clear sentence for each that is wrong."""

from functools import partial
from pathlib import Path

import pytest
from fake_plant import FakePlant
from sit_firmware import image
from sit_sim import scenario, world
from sit_sim.faults import BY_NAME
from sit_sim.hand import read_script
from sit_sim.scenario import read_scenario
from sit_sim.targets import ControlError, commands, elsewhere
from sit_sim.targets.trace import Trace, read
from test_lockstep import echo_process

SCENARIOS = sorted((Path(scenario.__file__).parents[1] / "scenarios").glob("*.toml"))
ONE = pytest.mark.targets("sim:", reason="scenarios know nothing of the firmware process")
pytestmark = ONE


def written(tmp_path, text):
    """A file with this text."""
    path = tmp_path / "case.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_each_scenario_file_is_right_and_says_what_happens(path):
    """Every scenario of the project reads, and says in a sentence what it is for."""
    assert read_scenario(path).doc.endswith(".")


WRONG = {
    "not toml": ("[unit\n", "can't be read"),
    "unknown table": ("[unti]\nbore = 1.0\n", "doesn't know the key 'unti'"),
    "factor of zero": ("[unit]\nbore = 0\n", "unit] bore is 0.0; it must lie between 0.01"),
    "single event": ('[event]\ndo = "truth"\n', "write [[event]]"),
    "no time": ('[[event]]\ndo = "cable"\n', "event 1: it needs a time"),
    "two times": ('[[event]]\nat_s = 1\nat_point = 1\ndo = "cable"\n', "at_s doesn't know the key 'at_point'"),
    "unknown phase": ('[[event]]\nphase = "LUNCH"\ndo = "cable"\n', "there is no phase 'lunch'; the phases are"),
    "unknown command": ('[[event]]\nat_s = 1\ndo = "fly"\n', "there is no command 'fly'"),
    "missing argument": ('[[event]]\nat_s = 1\ndo = "fault"\n', "the command fault needs 'name'"),
    "unknown argument": ('[[event]]\nat_s = 1\ndo = "cable"\nout_s = 1\n', "doesn't take 'out_s'"),
    "unknown fault": ('[[event]]\nat_s = 1\ndo = "fault"\nname = "gremlin"\n', "there is no fault 'gremlin'"),
    "fault's argument": (
        '[[event]]\nat_s = 1\ndo = "fault"\nname = "estop"\nhow = 1\n',
        "the fault estop has no argument 'how'",
    ),
    "negative time": ('[[event]]\nat_s = -1\ndo = "cable"\n', "at_s is -1.0; it must lie between 0"),
    "not a number": ('[[event]]\nat_s = "soon"\ndo = "cable"\n', "at_s is 'soon'; it must be a number"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_scenario_is_refused_with_file_and_key(case, tmp_path):
    """A wrong scenario is refused before anything runs, in one sentence that names file and key."""
    text, expected = WRONG[case]
    with pytest.raises(ControlError) as caught:
        read_scenario(written(tmp_path, text))
    sentence = str(caught.value)
    assert "case.toml: " in sentence and expected.lower() in sentence.lower() and "\n" not in sentence.strip()


WRONG_LINES = {
    "soon press": "the time 'soon' isn't a number",
    "1.0": "a line is SECONDS ACTION [NUMBER]",
    "1.0 dance": "There is no action 'dance'",
    "1.0 lift 3": "takes no number",
    "1.0 press 200": "must lie between 0.05 and 20",
    "-1 press": "must lie between 0 and 1000000",
}


@pytest.mark.parametrize("line", WRONG_LINES)
def test_a_wrong_hand_script_is_refused_with_file_and_line(line, tmp_path):
    """A hand's script names file and line of what is wrong."""
    path = written(tmp_path, f"# a script\n\n0.5 press 1.5\n{line}\n")
    with pytest.raises(ControlError, match=r"case\.toml:4: ") as caught:
        read_script(path)
    assert WRONG_LINES[line] in str(caught.value)


@pytest.fixture
def echo(open_sim):
    """Opens the echo App on the fake plant."""
    return partial(open_sim, process=partial(echo_process, "sim:"))


def test_events_happen_at_their_tick(echo, tmp_path):
    """Scenario: an event happens at its time, or so long after the phase of its shot began."""
    path = written(
        tmp_path,
        '[world]\npress_n = 2.0\n[[event]]\nat_s = 0.5\ndo = "hand"\naction = "trigger"\n'
        '[[event]]\nphase = "APPROACH"\nat_point = 1\nafter_ms = 100\ndo = "hand"\naction = "release"\n',
    )
    target = echo(plant=FakePlant(), scenario=path, hand="none")
    trace = Trace()
    target.trace(trace)
    target.wait(1.0)
    records = read(trace.data)
    assert all(inputs[image.IN_CONTACT] for _, inputs, _, _ in records)
    pressed = [tick for tick, inputs, _, _ in records if inputs[image.IN_TRIGGER]]
    assert (pressed[0], pressed[-1]) == (2000, 2000 + 400)


def test_hand_script_acts_at_its_times(echo, tmp_path):
    """Hand script: each action happens at its time of target time."""
    path = written(tmp_path, "0.25 press 1.5\n0.5 trigger # now\n0.75 release\n")
    target = echo(plant=FakePlant(), hand=str(path))
    trace = Trace()
    target.trace(trace)
    target.wait(1.0)
    pressed = [tick for tick, inputs, _, _ in read(trace.data) if inputs[image.IN_TRIGGER]]
    assert (pressed[0], pressed[-1]) == (2000, 2999)


def test_every_fault_of_the_lists_can_be_brought_about(echo):
    """Faults: each of F1 and F2 is the plant's or a command, begins and ends; none is a name alone."""
    for name, fault in BY_NAME.items():
        assert (name in elsewhere.ELSEWHERE) == (fault.value.where != "plant" or name == "tick_hung")
        target = echo(hand="none", plant=None)
        target.wait(0.01)
        target.control({"do": "fault", "name": name})
        target.control({"do": "unfault", "name": name})


def test_every_action_and_input_reaches_the_plant(echo):
    """World: each action of a hand is an input that the plant has."""
    target = echo(hand="none", plant=None)
    for action in world.ACTIONS:
        target.control({"do": "hand", "action": action})
    assert target.truth()["contact_n"] >= 0


def test_every_command_is_carried_out(echo, tmp_path):
    """Control port: each command of the table is one that a target has, with its usual arguments."""
    usual = {
        "set": {"key": "supply_mv", "value": 11000},
        "fault": {"name": "driver_fault"},
        "unfault": {"name": "driver_fault"},
        "hand": {"action": "press"},
        "run": {"ms": 1},
        "trace": {"path": str(tmp_path / "trace")},
    }
    for name in commands.COMMANDS:
        target = echo(hand="none", plant=None)
        assert isinstance(target.control({"do": name, **usual.get(name, {})}), dict)


def test_wrong_unit_in_a_scenario_is_named(echo, tmp_path):
    """Scenario: a quantity that the plant hasn't is named with those it has."""
    with pytest.raises(ControlError, match="no quantity 'boar': use one of"):
        echo(plant=None, scenario=written(tmp_path, "[unit]\nboar = 1.0\n"))


def test_documentation_names_every_command_argument_and_action():
    """docs/simulator.md: each command, argument and action is there by its name."""
    text = (Path(scenario.__file__).parents[2] / "docs" / "simulator.md").read_text()
    for name, (_, args) in commands.COMMANDS.items():
        assert f"`{name}`" in text, name
        assert not [arg for arg in args if f"`{arg}`" not in text]
    assert not [action for action in world.ACTIONS if f"`{action}`" not in text]
