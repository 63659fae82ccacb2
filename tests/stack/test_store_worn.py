"""A worn store on the whole stack: a cell of the ring that no longer keeps what is written."""

import pytest
from shotkit import Bench, refusal
from sit_firmware import codes
from sit_firmware.boards.sim import STORE_BYTES
from sit_firmware.store.layout import Layout
from sit_host._gen import enums
from sit_host.outcome import expect

POINTS = [(1, 1500, 2000), (2, 1500, 2000)]


@pytest.fixture
def bench(open_sim):
    return Bench(open_sim(hand="none"))


def wear(bench, monkeypatch, seq):
    """From now on a bit in the slot of record `seq` is always wrong."""
    fram = bench.target.machine.fram
    at = Layout(STORE_BYTES).record_addr(seq)
    whole = fram.write

    def worn(addr, buf):
        whole(addr, buf)
        if addr == at:
            fram.data[at + 20] ^= 1

    monkeypatch.setattr(fram, "write", worn)


def test_a_worn_cell_under_the_intent_starts_nothing(bench, monkeypatch):
    """Invariant 4: an INTENT that doesn't read back as written never was: nothing moves, nothing arms any more."""
    bench.ready(POINTS)
    wear(bench, monkeypatch, bench.status().ledger_head)
    bench.press_and_trigger()
    bench.run_ms(300)
    assert bench.events(enums.Event.TRIGGER)[-1].a == codes.REFUSED_STORE
    assert bench.target.machine.shots_begun == 0
    assert not bench.records(enums.Record.INTENT)
    expect(bench.client.disarm())
    assert refusal(bench.arm()) == codes.REFUSED_STORE
    bench.check_depth()


def test_a_worn_cell_under_the_end_is_a_fault_and_the_shot_stays_known(bench, monkeypatch):
    """Invariant 4: an end that can't be kept is the fault STORE; the next start has it as UNCERTAIN, not as none."""
    bench.ready(POINTS)
    wear(bench, monkeypatch, bench.status().ledger_head + 1)
    bench.press_and_trigger()
    bench.run_to_phase(codes.PHASE_DISPENSE)
    bench.run_to_phase(codes.PHASE_FAULT)
    bench.run_ms(300)
    assert bench.status().header.fault == codes.FAULT_STORE
    assert len(bench.records(enums.Record.INTENT)) == 1 and not bench.ends()
    assert refusal(bench.client.clear_fault(codes.FAULT_STORE)) == codes.REFUSED_CAUSE_REMAINS
    bench.lift()
    monkeypatch.undo()  # the store is replaced by a good copy of it
    bench.target.control({"do": "power", "off_ms": 100})
    bench.run_ms(300)
    bench.client.reconnect(5)
    (end,) = bench.ends()
    assert end.kind == enums.Record.UNCERTAIN
    assert end.tissue_min_nl <= bench.truth()["tissue_nl"] <= end.tissue_max_nl
    assert not bench.status().header.ready & codes.READY_KNOWN
    bench.check_depth()
