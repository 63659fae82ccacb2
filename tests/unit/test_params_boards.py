"""What a late board lays over the parameters: a guard that looks farther ahead, and a lower highest depth."""

import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace

from sit_firmware import image, params

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
import late_boards  # noqa: E402
from param_blocks.choices import GUARD, TUNING  # noqa: E402

REFERENCE = tomllib.loads((ROOT / "hardware" / "reference.toml").read_text())


def block(board, **settings):
    """The parameters of a board after its settings and calibration were laid over them."""
    _, _, _, made = image.new()
    params.defaults(made)
    calibration = SimpleNamespace(syringe_id=1, bore_um=4699, offset_nl=0, compliance_nl_per_mpa=7007)
    params.apply(made, SimpleNamespace(**{"max_depth_um": 1900, **settings}), calibration, board)
    return made


def test_a_late_board_goes_less_deep_and_its_guard_looks_farther():
    """Depth: the ESP32's highest depth lies below the RP2040's by the derived terms, and settings can't raise it."""
    normal, late = block("rp2040"), block("esp32")
    band = late_boards.derive(REFERENCE, GUARD["still_um"], TUNING["cap_m_per_s"])
    assert late[image.P_MAX_DEPTH_UM] == band.depth_um < normal[image.P_MAX_DEPTH_UM]
    assert late[image.P_G_T_Q8] > normal[image.P_G_T_Q8] and late[image.P_G_T2_Q8] > normal[image.P_G_T2_Q8]
    assert params.sum_ok(late)
    assert block("esp32", max_depth_um=1500)[image.P_MAX_DEPTH_UM] == 1500


def test_its_ticks_may_be_no_later_than_the_dead_man_holds():
    """Depth: what the guard lets pass as in time is what the derivation took, two ticks."""
    hold_us = REFERENCE["deadman"]["hold_ticks"] * REFERENCE["tick"]["tick_us"]
    late = block("esp32")
    assert late[image.P_G_LATE_US] == hold_us
    delay_us = hold_us + REFERENCE["tick"]["output_delay_us"] + REFERENCE["coil"]["decay_us"]
    assert late[image.P_G_T_Q8] >= delay_us * 256 / REFERENCE["tick"]["tick_us"]


def test_the_rp2040s_guard_allows_for_its_own_outputs():
    """Depth: its outputs come later than the reference's tick says, so its guard looks farther ahead by as much."""
    tick = REFERENCE["tick"]
    own_us = REFERENCE["board"]["rp2040"]["output_delay_us"]
    normal, slow = block("sim"), block("rp2040")
    assert own_us >= 3 * 33, "tests/firmware/test_cycle_budget.py: three times the slowest tick on the emulator"
    later = (own_us - tick["output_delay_us"]) * 256 / tick["tick_us"]
    assert slow[image.P_G_T_Q8] - normal[image.P_G_T_Q8] >= int(later) > 0
    assert slow[image.P_G_T2_Q8] >= (slow[image.P_G_T_Q8] - 1) ** 2 // 512  # both are rounded up
    assert params.sum_ok(slow)
