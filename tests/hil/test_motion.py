"""What moves: self-test, zero, prime and one shot, on any target that allows it. On a bench: --allow-motion."""

import secrets

import pytest
import steps
from sit_host._gen.enums import Cause, Change, Record
from sit_host.ledger import read_records
from sit_host.outcome import Refused, expect

PERSON_S = 90.0
PRIME_NL = 60_000
DEPTH_UM, VOLUME_NL = 1000, 10_000
AGAIN_UM = 20  # [zero] uncertainty_um of hardware/reference.toml

moves = pytest.mark.needs("motion", reason="it moves the device: give --allow-motion")
needle = pytest.mark.needs("needle", reason="the rig has no needle axis")
plunger = pytest.mark.needs("plunger", reason="the rig has no plunger axis")
tool = pytest.mark.needs("zero_tool", reason="nobody fits the zero tool")
phantom = pytest.mark.needs("phantom", reason="a shot needs a phantom in the ring")
hand = pytest.mark.needs("hand", reason="nobody presses and pulls the trigger")


@moves
@needle
def test_selftest(bench):
    """Store, trigger, sensors, both cut-offs, dead-man and spring pass the session self-test."""
    steps.work(bench, steps.messages.Selftest())


@moves
@needle
@tool
def test_zero(bench, figure):
    """The tip is found at the zero tool within the window, and a second time at the same place."""
    steps.work(bench, steps.messages.Selftest())
    found_um = []
    for _ in range(2):
        steps.work(bench, steps.messages.Zero(), PERSON_S)
        found_um.append(expect(bench.status()).zero_um)
        bench.sleep(3.0)  # the tool comes off
    figure(f"zero, {bench.name}: {found_um[0]:+d} and {found_um[1]:+d} um from nominal")
    assert abs(found_um[1] - found_um[0]) <= AGAIN_UM


@moves
@needle
@plunger
@tool
def test_prime_turns_the_screw_by_its_steps(bench):
    """Priming is booked in the ledger with the steps that the screw has turned."""
    steps.work(bench, steps.messages.Selftest())
    steps.work(bench, steps.messages.Zero(), PERSON_S)
    bench.sleep(3.0)
    before = expect(bench.status()).plunger_steps
    steps.work(bench, steps.messages.Prime(PRIME_NL), PERSON_S)
    record = [entry.record for entry in read_records(bench) if entry.record.kind == Record.PURGE][-1]
    assert record.steps == expect(bench.status()).plunger_steps - before > 0


@moves
@needle
@plunger
@tool
@phantom
@hand
def test_one_shot(bench, rig, figure):
    """Invariants 2, 4, 5: one shot, begun by the trigger, is DONE in the ledger once, in a narrow interval."""
    steps.make_ready(bench, PRIME_NL)
    treatment, attempt = _next_shot(bench)
    fluid = dict(syringe_id=rig.syringe_id, needle_id=rig.needle_id)
    row = steps.rows(1, depth_um=DEPTH_UM, volume_nl=VOLUME_NL, attempt=attempt)
    steps.load(bench, row, treatment, **fluid)
    shots = steps.give(bench, 1, PERSON_S)
    assert len(shots) == 1
    found = [entry.record for entry in read_records(bench) if entry.record.treatment == treatment]
    ours = [record for record in found if record.attempt == attempt]
    assert sum(record.kind == Record.INTENT for record in ours) == 1
    ends = [record for record in ours if record.kind in (Record.DONE, Record.PARTIAL, Record.ABORTED)]
    assert [record.kind for record in ends] == [Record.DONE], Cause(ends[0].cause).name if ends else "no end"
    low_nl, high_nl = ends[0].tissue_min_nl, ends[0].tissue_max_nl
    figure(f"one shot of {VOLUME_NL} nl at {DEPTH_UM} um, {bench.name}: {low_nl} to {high_nl} nl in tissue")
    assert low_nl <= VOLUME_NL <= high_nl and high_nl - low_nl <= 0.05 * VOLUME_NL + 50
    again = bench.load_table(
        steps.messages.LoadBegin(treatment=treatment, count=1, **{**steps.SALINE, **fluid}),
        row,
    )
    assert isinstance(again, Refused) and again.reply is not None


def _next_shot(bench):
    """(treatment, attempt): a bench keeps its ledger and its syringe, which goes on in the treatment it was used in."""
    treatment, attempt = secrets.token_bytes(8), 0
    for record in (entry.record for entry in read_records(bench)):
        if record.kind == Record.INTENT:
            treatment, attempt = record.treatment, record.attempt
        elif record.kind == Record.CHANGE and record.attempt == Change.SYRINGE:
            treatment, attempt = secrets.token_bytes(8), 0
    return treatment, attempt + 1
