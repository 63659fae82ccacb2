"""What the campaign found: a syringe that is taken out and put back between two shots."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "stack"))
from shotkit import Bench
from sit_host._gen import enums
from sit_host.outcome import Refused, expect


@pytest.mark.parametrize("away_ms", [1, 600])
def test_a_syringe_that_left_is_primed_anew(open_sim, away_ms):
    """Invariant 4: another syringe may have come back, so nothing is given until it is primed."""
    bench = Bench(open_sim(hand="none"))
    bench.ready([(1, 1500, 5000), (2, 1500, 5000)])
    assert bench.status().header.ready & enums.Ready.PRIMED
    bench.hand("cartridge_out")
    bench.run_ms(away_ms + 4)
    bench.hand("cartridge_in")
    bench.run_ms(20)
    assert not bench.status().header.ready & enums.Ready.PRIMED
    bench.press_and_trigger()
    bench.run_ms(300)
    assert bench.target.machine.shots_begun == 0
    bench.lift()
    expect(bench.client.disarm())
    assert isinstance(bench.arm(), Refused)
