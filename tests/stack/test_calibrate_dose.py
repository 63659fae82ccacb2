"""`sit calibrate dose` on the simulator's balance: a wrong bore is found, stored, and doses are right afterwards."""

import json

import pytest
from sit_host.cli import run

pytestmark = pytest.mark.targets("sim:", reason="gives the target to the command line itself")

SCENARIO = "sim/scenarios/bore_plus_2_percent.toml"
TRUE_BORE_UM = 4699 * 1.02


def test_calibration_mends_a_wrong_bore(service_store, capsys):
    """Calibration: weighed, fitted and stored in service mode; from the next start 10 uL are within the limits."""
    target = ["--target", "sim:", "--scenario", SCENARIO, "--state", str(service_store), "--json"]

    assert run(["calibrate", "dose", "--volumes", "4,20", "--rounds", "2", "--write", *target]) == 0
    result = json.loads(capsys.readouterr().out)
    found = result["found"]
    assert result["written"]
    assert abs(found["bore_um"] - TRUE_BORE_UM) <= found["bore_u_um"] + 1
    assert abs(found["offset_nl"]) <= 40

    assert run(["qa", "dose", "--n", "4", "--volumes", "10", *target]) == 0
    verdict = json.loads(capsys.readouterr().out)
    assert verdict["facts"]["calibrated bore, um"] == found["bore_um"]
    assert verdict["facts"]["calibrated at, unix s"] > 0


def test_nothing_is_written_without_being_asked(capsys):
    """Calibration: one volume is refused as usage, before anything moves."""
    assert run(["calibrate", "dose", "--volumes", "4", "--target", "sim:"]) == 2
    assert "two volumes" in capsys.readouterr().err
