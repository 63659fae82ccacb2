"""`sit check`, `sit plan new`, the operator's side of `sit treat`: exit codes, JSON, one sentence per error."""

import io
import json
import signal
from pathlib import Path

import pytest
from sit_host import cli
from sit_host.cli.common import Call
from sit_host.cli.treat_console import ConsoleTalk
from sit_host.cli.ui import Ui
from sit_host.treatment.talk import Tally
from test_plan_read import GOOD

EXAMPLE = Path(__file__).parents[2] / "examples" / "plans" / "face-30-points.toml"


@pytest.fixture
def sit(capsys, monkeypatch):
    """Runs a command line without a terminal and without a target; (exit code, out, err)."""
    monkeypatch.delenv("SIT_TARGET", raising=False)
    monkeypatch.setattr("sys.stdin", io.StringIO())

    def run(*args):
        code = cli.run([str(arg) for arg in args])
        return code, *capsys.readouterr()

    return run


def test_a_good_plan(sit):
    """`sit check`: exit code 0, what it needs, and the limits it was held against."""
    code, out, _ = sit("check", EXAMPLE)
    assert code == 0
    assert "30, 1.2 to 1.8 mm deep" in out and "300 uL in all" in out
    code, out, _ = sit("check", EXAMPLE, "--json")
    found = json.loads(out)
    assert code == 0 and found["ok"]
    assert found["forecast"]["points"] == 30 and found["forecast"]["total_nl"] == 300_000


def test_a_plan_with_problems(sit, tmp_path):
    """`sit check`: exit code 1, each problem a line `file:line: sentence` on standard error, and in the JSON."""
    plan = tmp_path / "p.toml"
    plan.write_text(GOOD.replace("depth_mm = 1.5", "depth_mm = 15.0").replace("total_ul = 25.0", "total_ul = 250.0"))
    code, out, err = sit("check", plan)
    assert code == 1 and out == ""
    assert f"{plan}:12: `total_ul` says 250 uL" in err and f"{plan}:22: Point 7: depth 15 mm is too deep" in err
    code, out, _ = sit("check", plan, "--json")
    found = json.loads(out)
    assert code == 1 and not found["ok"] and [problem["line"] for problem in found["problems"]] == [12, 22]


@pytest.mark.parametrize(("text", "words"), [(None, "can't be read"), ("name = ", ":1: isn't TOML")])
def test_a_file_that_is_no_plan(sit, tmp_path, text, words):
    """`sit check` and `sit treat`: a file that isn't there or isn't TOML is one sentence and exit code 1."""
    plan = tmp_path / "p.toml"
    if text is not None:
        plan.write_text(text)
    for command in ("check", "treat"):
        code, _, err = sit(command, plan)
        assert code == 1 and words in err and "Traceback" not in err


def test_treat_checks_before_it_connects(sit, tmp_path):
    """`sit treat`: a plan that is too deep is refused before any device is asked for."""
    plan = tmp_path / "p.toml"
    plan.write_text(GOOD.replace("depth_mm = 1.5", "depth_mm = 1.999"))
    code, _, err = sit("treat", plan, "--yes", "--target", "serial:/dev/none", "--records", tmp_path / "records")
    assert code == 1 and "is too deep" in err and "/dev/none" not in err
    assert not (tmp_path / "records").exists()


def test_treat_needs_a_place_for_its_record(sit, tmp_path):
    """`sit treat`: where no record can be kept nothing is begun."""
    (tmp_path / "file").write_text("")
    code, _, err = sit("treat", EXAMPLE, "--yes", "--target", "serial:/dev/none", "--records", tmp_path / "file" / "x")
    assert code == 1 and "Records can't be kept" in err and "/dev/none" not in err


def test_treat_asks_where_nobody_can_answer(sit, tmp_path, monkeypatch):
    """`sit treat`: without a terminal and without --yes it says so, with exit code 2, and nothing moves."""
    monkeypatch.setattr(Call, "simulated", False)  # a simulator inside the command is the one that isn't asked for
    code, _, err = sit("treat", EXAMPLE, "--target", "sim:", "--records", tmp_path / "records")
    assert code == 2 and "Give --yes" in err
    assert not list(tmp_path.glob("records/*/record.json"))


def test_a_new_plan_is_written_once_and_passes(sit, tmp_path):
    """`sit plan new`: writes a commented plan that passes `sit check`, and never over a file that is there."""
    plan = tmp_path / "new.toml"
    args = ("plan", "new", plan, "--lot", "A1", "--expiry", "2031-03-31", "--rows", "2", "--cols", "2")
    code, out, _ = sit(*args, "--json")
    assert code == 0 and json.loads(out)["points"] == 4
    assert sit("check", plan)[0] == 0
    before = plan.read_text()
    code, _, err = sit(*args)
    assert code == 1 and "is there already" in err and plan.read_text() == before


def test_a_new_plan_needs_what_only_the_vial_says(sit, tmp_path):
    """`sit plan new`: lot and expiry aren't made up; without a terminal they must be given (exit code 2)."""
    code, _, err = sit("plan", "new", tmp_path / "new.toml")
    assert code == 2 and "--lot and --expiry" in err


@pytest.mark.parametrize(("option", "value"), [("--depth", "15"), ("--volume", "0"), ("--needle", "99G")])
def test_a_new_plan_that_would_not_pass_is_not_written(sit, tmp_path, option, value):
    """`sit plan new`: values that the check refuses are told, and no file is left."""
    plan = tmp_path / "new.toml"
    code, _, err = sit("plan", "new", plan, "--lot", "A1", "--expiry", "2031-03-31", option, value)
    assert code == 1 and "wasn't written" in err and not plan.exists()


def test_ctrl_c_is_counted_while_armed_and_raised_otherwise():
    """Ctrl-C: counted while the device is armed, so that no exchange with it is torn; elsewhere it ends the program."""
    talk = ConsoleTalk(Ui(yes=True))
    with talk.count_interrupts():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
    assert talk.interrupts == 2
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_progress_goes_to_standard_error(capsys):
    """`sit treat`: without a terminal each point is a line with the running total as an interval, on standard error."""
    talk = ConsoleTalk(Ui(yes=True, json=True))
    for done in (1, 1, 2):
        talk.progress(
            Tally(done=done, tried=done, points=3, low_nl=9_900 * done, high_nl=10_100 * done, planned_nl=30_000)
        )
    talk.close()
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == ["point 1/3, 9.9-10.1 of 30 uL", "point 2/3, 19.8-20.2 of 30 uL"]


def test_nobody_there_is_not_attended(monkeypatch):
    """Unattended is --yes or no terminal: then faults and unknown shots end a treatment."""
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert not ConsoleTalk(Ui()).attended
    assert not ConsoleTalk(Ui(yes=True)).attended
