"""The first thing the device is for: armed points, given one after the other, through every layer."""

import pytest
from shotkit import Bench
from sit_host._gen import enums


@pytest.fixture
def treated(open_sim):
    """Three points at three depths, given by the automatic hand; the bench and the plant's truth of each shot."""
    bench = Bench(open_sim())
    bench.ready([(1, 1200, 10000), (2, 1500, 5000), (3, 1900, 20000)])
    bench.follow()
    return bench


def test_three_points(treated):
    """Invariants 1, 4: each point is DONE once; depth, steps and tissue volume agree with the plant's truth."""
    ends = treated.ends()
    shots = treated.truth()["shots"]
    assert [(end.point, end.kind) for end in ends] == [(n, enums.Record.DONE) for n in (1, 2, 3)]
    assert len(shots) == 3
    intents = treated.records(enums.Record.INTENT)
    for end, intent, truth in zip(ends, intents, shots, strict=True):
        shot = truth["shot"]
        assert end.ref == intent.seq
        assert abs(shot["depth_um"] - intent.depth_um) <= 50
        assert end.steps == shot["steps"]
        assert end.tissue_min_nl <= shot["tissue_nl"] <= end.tissue_max_nl
        assert end.steps <= intent.cap_steps
        assert 16_500 < end.cap_steps < 18_200, "area of the bore, 0.001 mm2"
    treated.check_depth()
    status = treated.status()
    assert status.plunger_steps == treated.truth()["plunger_steps"]
    assert status.header.total_min_nl <= sum(s["shot"]["tissue_nl"] for s in shots) <= status.header.total_max_nl


def test_same_seed_same_shot(open_sim, target_spec):
    """Lockstep: a whole shot with the real firmware gives the same ledger and truth on both targets."""
    results = []
    for spec in {target_spec, "sim:"}:
        bench = Bench(open_sim(spec))
        bench.ready([(1, 1500, 10000)])
        bench.follow()
        records = [(r.kind, r.steps, r.depth_um, r.tissue_min_nl, r.tissue_max_nl, r.needle_nl) for r in bench.ends()]
        results.append((records, bench.truth()["shots"][0]))
    assert all(result == results[0] for result in results)


@pytest.mark.targets("sim:", reason="it compares two runs of the in-process target")
def test_skipped_time_changes_nothing(open_sim, target_spec):
    """Lockstep: with idle ticks run or jumped over, the shot and the records are the same."""
    results = []
    for skip in (True, False):
        target = open_sim(target_spec)
        target.machine.skip_idle = skip
        bench = Bench(target)
        bench.ready([(1, 1500, 10000)])
        bench.follow()
        results.append(([(r.seq, r.kind, r.steps, r.hash) for r in bench.records()], bench.truth()["shots"]))
    assert results[0] == results[1]
