"""The tick of the RP2040 within its share of the period, over a shot and a run given by its machine code."""

import pytest

pytest.importorskip("rp2040py", reason="the emulator isn't installed: run `make setup`")
from sit_sim.emu.bare_tick import RAPID, ticks

BUDGET_CYCLES = 9400  # 15 % of a control period: docs/tick-cost.md
PYTHON_CYCLES = 1450  # of a tick before its machine code, at most: docs/tick-cost.md
MHZ = 125


def test_a_control_period_takes_its_share_and_no_more():
    """Tick: read, step, two guards, write and recorder of the dearest two ticks, with the Python above them.

    The dearest control tick and the dearest guard tick may fall together, though they didn't here.
    """
    every = list(ticks(RAPID))
    control, guard = (max(t.cycles for t in every if t.control == kind) for kind in (1, 0))
    assert control + guard + 2 * PYTHON_CYCLES <= BUDGET_CYCLES, (control, guard)
    assert max(t.output_cycles for t in every) <= 33 * MHZ, "the guard's horizon was derived from this: [board.rp2040]"
