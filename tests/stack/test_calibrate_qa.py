"""`sit qa dose` and `sit qa depth` on the simulator, by its truth."""

import json

import pytest
from sit_host.cli import run

pytestmark = pytest.mark.targets("sim:", reason="gives the target to the command line itself")


def test_doses_of_the_nominal_unit_are_within_the_limits(tmp_path, capsys):
    """Numbers: 1 to 10 uL of saline through 30G are within the limits of the design, and the page holds the table."""
    out, page = tmp_path / "dose.json", tmp_path / "dose.html"
    args = ["qa", "dose", "--n", "4", "--volumes", "1,10", "--target", "sim:", "--json"]
    assert run([*args, "--out", str(out), "--html", str(page)]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result == json.loads(out.read_text())
    assert [(row["volume_nl"], row["n"], row["passes"]) for row in result["rows"]] == [
        (1000, 4, True),
        (10_000, 4, True),
    ]
    assert [row["rate"]["passes"] for row in result["rows"]] == [None, True]
    assert "Trumpet curve" in page.read_text() and "<svg" in page.read_text()


def test_a_wrong_bore_fails_the_verdict(capsys):
    """Numbers: a bore 2 % over its calibration gives 4 % too much: refused by the verdict, exit code 1."""
    scenario = "sim/scenarios/bore_plus_2_percent.toml"
    args = ["qa", "dose", "--n", "3", "--volumes", "10", "--target", "sim:", "--scenario", scenario, "--json"]
    assert run(args) == 1
    (row,) = json.loads(capsys.readouterr().out)["rows"]
    assert row["systematic_percent"] == pytest.approx(4.0, abs=0.5)
    assert not row["passes"]


def test_depths_of_the_nominal_unit_are_within_25_um(capsys):
    """Numbers: |mean| + 3 s of the tip at most 25 um at three depths and the highest that can be set."""
    assert run(["qa", "depth", "--n", "3", "--target", "sim:", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert len(rows) == 4
    assert all(row["bound_um"] <= 25 for row in rows)


def test_a_series_that_cannot_be_given_is_refused():
    """Start: a depth that the device refuses ends the command before anything moves."""
    assert run(["qa", "depth", "--n", "2", "--depths", "2.5", "--target", "sim:"]) == 2


def test_depth_is_calibrated_on_the_simulator(tmp_path, capsys):
    """Calibration: `sit calibrate depth` states zero and scale; one depth is wrong usage."""
    out = tmp_path / "depth.json"
    args = ["calibrate", "depth", "--rounds", "2", "--target", "sim:", "--json", "--out", str(out)]
    assert run(args) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["passed"] and abs(result["found"]["worst_um"]) < 20
    assert json.loads(out.read_text())["readings"] == result["readings"] and len(result["readings"]) == 6
    assert run(["calibrate", "depth", "--depths", "1.0", "--target", "sim:"]) == 2
