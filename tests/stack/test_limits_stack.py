"""Limits on the whole stack: one validator behind every way in, with the host's own checks left out."""

import pytest
from shotkit import Bench, refusal
from sit_firmware import codes
from sit_host._gen import messages
from sit_host.outcome import Refused, expect
from sit_host.table import Row

BEVEL_UM = 440  # of the needle that is fitted, hardware/reference.toml


@pytest.fixture
def bench(open_sim):
    return Bench(open_sim(hand="none"))


def _load(bench, *points, site=1, treatment=b"LIMIT001"):
    rows = [Row(n, 1, site, depth, volume) for n, (depth, volume) in enumerate(points, 1)]
    begin = messages.LoadBegin(treatment, len(rows), 1, 1, 1000, 50000, 1000)
    return bench.client.load_table(begin, rows, check=False)


def test_a_row_at_each_limit_is_taken_and_one_beyond_is_refused(bench):
    """Invariant 1 and 4: depth, bevel and volume of a row, at the limit and one unit beyond it, with no host check."""
    limits = expect(bench.client.settings_read())
    deep, most = limits.max_depth_um, limits.max_shot_nl
    expect(_load(bench, (deep, most), (BEVEL_UM, 1)))
    assert refusal(_load(bench, (deep + 1, 1000))) == codes.REFUSED_TOO_DEEP
    assert refusal(_load(bench, (BEVEL_UM - 1, 1000))) == codes.REFUSED_TOO_SHALLOW
    assert refusal(_load(bench, (1500, most + 1))) == codes.REFUSED_TOO_MUCH
    assert refusal(_load(bench, (1500, 0))) == codes.REFUSED_BAD_VALUE


def test_the_sums_of_a_table_are_refused_when_it_is_sealed(bench):
    """Invariant 4: a table that would pass the limit of a site or of the session isn't sealed, so it can't be armed."""
    limits = expect(bench.client.settings_read())
    most = limits.max_shot_nl
    at_site = limits.max_site_nl // most
    expect(_load(bench, *[(1500, most)] * at_site))
    assert refusal(_load(bench, *[(1500, most)] * (at_site + 1))) == codes.REFUSED_TOO_MUCH
    assert not bench.status().header.ready & codes.READY_LOADED
    assert isinstance(bench.arm(), Refused)


def test_a_refused_row_leaves_no_table_to_arm(bench):
    """Invariant 2: after a refused page nothing of the table can be armed, and a press gives nothing."""
    bench.prepare()
    assert refusal(_load(bench, (1500, 1000), (9000, 1000))) == codes.REFUSED_TOO_DEEP
    assert refusal(bench.arm()) == codes.REFUSED_NOT_READY
    bench.press_and_trigger()
    bench.run_ms(500)
    assert bench.target.machine.shots_begun == 0


def test_the_shortest_time_between_shots(bench):
    """Invariant 2: a press before the gap is over starts nothing; after it the next point is given."""
    gap_ms = expect(bench.client.settings_read()).min_gap_ms
    bench.ready([(1, 1500, 1000), (2, 1500, 1000)])
    bench.press_and_trigger()
    bench.run_to_phase(codes.PHASE_DISPENSE)
    bench.run_to_phase(codes.PHASE_IDLE)
    bench.hand("release")
    bench.hand("lift")
    bench.run_ms(20)
    bench.hand("press")
    bench.run_ms(30)
    bench.hand("trigger")
    bench.run_ms(20)
    assert bench.target.machine.shots_begun == 1
    bench.lift()
    bench.run_ms(gap_ms)
    expect(bench.client.renew(2000))
    bench.press_and_trigger()
    bench.follow()
    assert bench.target.machine.shots_begun == 2
    bench.check_depth()
