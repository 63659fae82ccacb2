"""A board that can do less says so, and its user reads why: an ESP32 goes less deep and gives single shots alone."""

from pathlib import Path

import pytest
from shotkit import Bench
from sit_firmware.boards.sim import SimBoard
from sit_host._gen import enums
from sit_host.cli import run as sit
from sit_host.errors import EXIT_FAILED
from sit_host.outcome import Refused
from test_run_stack import declared

pytestmark = pytest.mark.targets("sim:", reason="the board's statement is laid over the simulated board's class")
DEEP_UM = 1850  # an RP2040 gives it
PLAN = Path(__file__).resolve().parents[2] / "examples" / "plans" / "face-30-points.toml"


@pytest.fixture
def bench(open_sim, monkeypatch):
    """A simulated device whose board is an ESP32 by what it states."""
    monkeypatch.setattr(SimBoard, "name", "esp32")
    monkeypatch.setattr(SimBoard, "repetitive", 0)
    bench = Bench(open_sim(hand="none"))
    bench.prepare()
    return bench


def test_an_esp32_goes_less_deep_and_says_why(bench):
    """Depth: what lies over the board's lower highest depth is refused by host and device, the host with the reason."""
    points = [(1, DEEP_UM, 10_000)]
    refused = bench.load(points)
    assert isinstance(refused, Refused) and refused.number == enums.Refusal.TOO_DEEP
    assert "ticks can come late" in refused.doc and str(bench.client.device.max_depth_um) in refused.doc
    refused = bench.load(points, check=False)
    assert isinstance(refused, Refused) and refused.number == enums.Refusal.TOO_DEEP and refused.reply is not None


def test_an_esp32_gives_single_shots_alone_and_says_why(bench):
    """Start: a run is refused by the device itself; the host tells the board's reason."""
    refused = bench.load([(1, 1500, 10_000)], run=declared(enums.Run.HOP))
    assert isinstance(refused, Refused) and refused.number == enums.Refusal.HARDWARE and refused.reply is not None
    assert "single shots alone" in refused.doc and "ESP32" in refused.doc


def test_the_plan_check_says_why(tmp_path, monkeypatch, capsys):
    """Plan check: too deep for this board is a problem of the plan, with the board's reason."""
    monkeypatch.setattr(SimBoard, "name", "esp32")
    plan = tmp_path / "plan.toml"
    plan.write_text(PLAN.read_text().replace("depth_mm = 1.5", "depth_mm = 1.85"))
    assert sit(["check", str(plan), "--target", "sim:"]) == EXIT_FAILED
    assert "ticks can come late" in capsys.readouterr().err
