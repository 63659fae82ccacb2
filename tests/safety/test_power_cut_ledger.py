"""Power cut in every store write of a treatment: nothing double, nothing lost, what is unknown bounded."""

import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "unit"))

import power_cut_rig as rig
from ledger_rig import TREATMENT, Device, acknowledge, end, intent
from sit_firmware import codes
from sit_firmware.ledger import LedgerRefused
from store_fakes import MemoryStore, PowerCut


@pytest.mark.parametrize("smear", [False, True], ids=["torn", "torn-and-wrong"])
def test_every_write_torn_at_every_byte(smear):
    """Invariants 4 and 5: INTENT before motion, UNCERTAIN after a reset, an identity never given twice."""
    made = rig.every_cut(range(65), smear)
    print(f"{made} power cuts, each write of a three-point treatment torn at every byte")
    assert made == 65 * rig.writes_of_a_session()


def test_power_lost_again_while_recovering():
    """Invariant 4: a cut while UNCERTAIN or its acknowledgement is written changes nothing of what holds."""
    made = rig.every_second_cut((0, 1, 32, 63, 64))
    print(f"{made} second power cuts")
    assert made > 300


def test_many_cuts_in_one_treatment():
    """Invariants 4 and 5: up to six cuts at random places in one treatment."""
    for seed in range(400):
        draw = random.Random(seed)
        store, world = MemoryStore(records=128), rig.World()
        for _ in range(draw.randrange(1, 7)):
            rig.cut(store, world, draw.randrange(1, 24), draw.randrange(65), draw.random() < 0.3)
            store.power_on()
        try:
            rig.finish(store, world)
        except AssertionError as wrong:
            pytest.fail(f"seed {seed}: {wrong}")


def test_uncertain_blocks_the_next_shot_over_boots():
    """Invariant 4: the next shot waits for an acknowledgement, also after more boots."""
    store = MemoryStore()
    ledger = Device(store).ledger
    intent(ledger, 1)
    for _ in range(3):
        ledger = Device(store).ledger
        assert ledger.uncertain_seq == 2
        with pytest.raises(LedgerRefused) as refused:
            intent(ledger, 2)
        assert refused.value.refusal == codes.REFUSED_UNCERTAIN
    with pytest.raises(LedgerRefused):
        acknowledge(ledger, 1)
    acknowledge(ledger, 2)
    assert Device(store).ledger.uncertain_seq == 0
    intent(Device(store).ledger, 2)


def test_an_end_that_was_never_written_blocks_the_next_shot():
    """Invariant 4: with the store failing at the end of a shot, the next INTENT finds an UNCERTAIN first."""
    store = MemoryStore()
    ledger = Device(store).ledger
    ref = intent(ledger, 1)
    store.fail = "write"
    with pytest.raises(Exception, match="write"):
        end(ledger, ref, 1)
    store.fail = ""
    with pytest.raises(LedgerRefused) as refused:
        intent(ledger, 2)
    assert refused.value.refusal == codes.REFUSED_UNCERTAIN
    assert ledger.uncertain_seq == 2
    assert ledger.totals(TREATMENT)[1] > 5900, "it counts with its cap"


def test_an_intent_lost_after_motion_is_damage():
    """Invariant 4: a checkpoint whose INTENT can't be read any more stops further arming."""
    store = MemoryStore()
    device = Device(store)
    ref = intent(device.ledger, 1)
    device.ledger.checkpoint(500, 0)
    store.data[store.slot_addr(ref) + 20] ^= 4
    device = Device(store)
    assert not device.ledger.whole() and device.ledger.room() == 0
    with pytest.raises(LedgerRefused):
        intent(device.ledger, 2)


def test_a_cut_is_a_cut():
    """The rig's own proof: after a cut the store is dead until power is back."""
    store = MemoryStore()
    store.cut_at, store.kept = 1, 3
    with pytest.raises(PowerCut):
        store.write(0, b"abcdef")
    assert store.data[:6] == b"abc\xff\xff\xff"
    with pytest.raises(PowerCut):
        store.readinto(0, bytearray(1))
    store.power_on()
    store.write(0, b"abcdef")
    assert store.data[:6] == b"abcdef"
