"""A sample of what tools/campaign.py and tools/fuzz.py do at length: faults, power cuts, hostile bytes."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
import fuzz
from attack import cuts
from attack.cases import MOMENTS, case_of, names
from attack.run import run_seed

# every fault of F1 once, and some runs at moments that were hard before
SEEDS = (*range(1, 43), 110, 371, 1253)


def test_every_fault_once(figure):
    """Invariants 1, 4, 5: depth, once and accounting hold under each fault of F1, on the whole stack."""
    worst_um = 0.0
    for seed in SEEDS:
        verdict, _ = run_seed("sim:", "f1", seed)
        worst_um = max(worst_um, verdict["tip_um"])
        assert not verdict["wrong"], verdict
    figure(f"{len(SEEDS)} faults on the whole stack: deepest true tip {worst_um:.1f} um")
    assert {case_of(seed, "f1").fault for seed in SEEDS} == set(names("f1"))


def test_the_cases_reach_every_moment():
    """Invariant 1: the campaign's cases are spread over all moments, and a seed is the same case for ever."""
    assert {case_of(seed, "f1").moment for seed in range(1000)} == set(MOMENTS)
    assert case_of(7, "f1") == case_of(7, "f1")


@pytest.mark.parametrize("spec", ["sim:"])
def test_power_cut_at_some_ticks(spec):
    """Invariants 4 and 5: a power cut at ticks all over a session of five shots loses nothing and doubles nothing."""
    flock = cuts.Flock(1)
    cuts.every_tick(flock, 601)
    assert flock.wrong == []
    assert flock.cases >= 7


def test_some_hostile_frames():
    """Invariant 9: frames of any form and content: no exception, no restart, no motion."""
    for seed in (1, 2):
        found = fuzz.attack("sim:", False, 1500, seed)
        assert found["wrong"] == [] and found["replied"] > 300
    assert fuzz.attack("sim:", True, 300, 3)["wrong"] == []
