"""Power cut in the writes of a treatment on the whole stack: host, firmware and plant; every point once."""

import sys
from pathlib import Path

import pytest
from sit_host._gen import enums
from sit_host.errors import LinkLost
from sit_host.outcome import expect

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "stack"))

from shotkit import TREATMENT, Bench

POINTS = ((1, 1500, 5000), (2, 1500, 5000), (3, 1500, 5000))
# the writes of a shot: INTENT, some checkpoints, its end; the next shot's follow
CUTS = ((1, 0), (1, 40), (1, 64), (2, 10), (3, 64), (5, 0), (9, 63), (14, 64))


def begun(bench):
    """Points that have an INTENT, as a resuming host reads them from the ledger."""
    return [r.point for r in bench.records(enums.Record.INTENT) if r.treatment == TREATMENT]


def give_the_rest(bench):
    """Loads the points that were never begun and gives them."""
    rest = [point for point in POINTS if point[0] not in begun(bench)]
    if not rest:
        return
    bench.prepare()
    expect(bench.load(rest))
    expect(bench.arm(count=len(rest)))
    for _ in rest:
        bench.press_and_trigger()
        bench.client.sleep(0.4)
        bench.lift()


def come_back(bench):
    """Power is back: the hand has lifted, the host connects and the operator looks at what is uncertain."""
    with pytest.raises(LinkLost):
        bench.client.wait(bench.target.now() + 1)
    bench.lift()
    bench.client.reconnect(10)
    bench.client.set_clock_if_needed()
    uncertain = bench.status().uncertain_seq
    if uncertain:
        expect(bench.client.ack_uncertain(uncertain))


@pytest.mark.parametrize(("write", "kept"), CUTS)
def test_every_point_once(open_sim, write, kept):
    """Invariants 4 and 5: whichever write loses power, no point is given twice and the truth lies in the intervals."""
    bench = Bench(open_sim(hand="none"))
    bench.ready(POINTS)
    before_nl = bench.truth()["tissue_nl"]
    bench.target.control({"do": "power", "off_ms": 50, "at_write": write, "kept_bytes": kept})
    try:
        for _ in POINTS:
            bench.press_and_trigger()
            bench.client.sleep(0.4)
            bench.lift()
    except LinkLost:
        come_back(bench)
    else:
        pytest.fail(f"a treatment of three points has less than {write} writes")
    give_the_rest(bench)
    intents = begun(bench)
    ends = bench.ends()
    assert sorted(intents) == [1, 2, 3] and sorted(end.point for end in ends) == [1, 2, 3]
    assert bench.target.machine.shots_begun <= len(intents)
    low_nl = sum(end.tissue_min_nl for end in ends)
    high_nl = sum(end.tissue_max_nl for end in ends)
    assert low_nl <= bench.truth()["tissue_nl"] - before_nl <= high_nl
    assert [end.kind for end in ends].count(enums.Record.UNCERTAIN) <= 1
    bench.check_depth()
