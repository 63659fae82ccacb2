"""A treatment of three points that loses power in any store write, and what must hold when power is back.

Runs on CPython and MicroPython. The world keeps what truly happened apart from the ledger: which shots moved the
plunger and how far. Motion begins only after INTENT has been written, as in shot.py.
"""

from ledger_rig import CAP, TREATMENT, Device, acknowledge, chain_faults, end, intent, record, records
from sit_firmware import codes, image
from sit_firmware.ledger import LedgerRefused
from store_fakes import MemoryStore, PowerCut

POINTS = (1, 2, 3)
PRESS_PA = 100000
ENDS = (codes.RECORD_DONE, codes.RECORD_PARTIAL, codes.RECORD_ABORTED, codes.RECORD_UNCERTAIN)


class World:
    """The truth: `starts` and `steps` per point, `saved` progress per point, `booked` what append has confirmed."""

    def __init__(self):
        self.starts = {point: 0 for point in POINTS}
        self.steps = {point: 0 for point in POINTS}
        self.saved = {point: 0 for point in POINTS}
        self.booked = []

    def booked_now(self, seq, kind, point):
        """append has returned: from now on the record must stand."""
        self.booked.append((seq, kind, point))
        return seq


def boot(store):
    """Power is on: the firmware opens its store and books the boot."""
    device = Device(store)
    assert device.ok, "the store must open after any power cut"
    device.ledger.append(codes.RECORD_BOOT)
    return device


def treat(ledger, world):
    """Gives every point that was never begun, as a resumed treatment does."""
    for point in POINTS:
        if ledger.has(TREATMENT, point, 1):
            continue
        ref = world.booked_now(intent(ledger, point), codes.RECORD_INTENT, point)
        world.starts[point] += 1
        for steps in (300, 700):
            world.steps[point] = steps + 40  # motion goes on between two checkpoints
            ledger.checkpoint(steps, PRESS_PA)
            world.saved[point] = steps
        world.steps[point] = 921
        world.booked_now(end(ledger, ref, point), codes.RECORD_DONE, point)


def session(store, world):
    """Boot and treat; an UNCERTAIN record is looked at by the operator before anything else can be given."""
    device = boot(store)
    ledger = device.ledger
    if ledger.uncertain_seq:
        assert not may_begin(ledger), "nothing may be given before the acknowledgement"
        acknowledge(ledger, ledger.uncertain_seq)
        assert not ledger.uncertain_seq
    treat(ledger, world)
    return device


def may_begin(ledger):
    """True when a new shot could be begun now; nothing is left on the store when it couldn't."""
    try:
        intent(ledger, 99)
    except LedgerRefused:
        return False
    return True


def check(device, world):
    """Nothing lost, nothing double, every interval true."""
    ledger = device.ledger
    assert chain_faults(ledger) == [], "the chain must hold"
    for seq, kind, point in world.booked:
        found = record(ledger, seq)
        assert found and found["kind"] == kind and found["point"] == point, f"record {seq} is lost"
    for point in POINTS:
        mine = [r for r in records(ledger) if r["point"] == point and r["treatment"] == TREATMENT]
        intents = [r for r in mine if r["kind"] == codes.RECORD_INTENT]
        ends = [r for r in mine if r["kind"] in ENDS]
        assert world.starts[point] <= 1, f"point {point} was given twice"
        assert len(intents) == 1 and len(ends) == 1, f"one INTENT, one end: point {point}"
        assert ends[0]["ref"] == intents[0]["seq"]
        if ends[0]["kind"] == codes.RECORD_UNCERTAIN:
            check_bounds(device, ends[0], world.steps[point], world.saved[point])
    low, high = ledger.totals(TREATMENT)
    step_q10 = device.params[image.P_STEP_NL_Q10]
    most = sum(world.steps[point] * step_q10 >> 10 for point in POINTS)
    assert low <= most <= high, "the total must hold what was pushed"


def check_bounds(device, found, steps, saved):
    """UNCERTAIN holds all that the shot can have given, up to the whole cap; what was saved of it counts."""
    step_q10 = device.params[image.P_STEP_NL_Q10]
    stored = PRESS_PA // 1000 * device.params[image.P_COMPL_NL_PER_MPA] // 1000
    assert found["cause"] == codes.CAUSE_RESET
    assert found["tissue_min_nl"] == 0, "nobody saw whether the tip was in tissue"
    assert found["tissue_max_nl"] >= CAP * step_q10 >> 10
    assert found["tissue_max_nl"] <= (CAP * step_q10 >> 10) * 103 // 100 + 700, "no wider than the cap explains"
    assert found["needle_nl"] <= max(0, (steps * step_q10 >> 10) - stored), "the least that has passed the tip"
    assert found["steps"] >= saved, "progress that was saved must count"
    if saved:
        assert found["needle_nl"] > 0, "progress that was saved must count"


def writes_of_a_session():
    """Store writes of an uncut session on a new store."""
    store = MemoryStore()
    session(store, World())
    return store.write_number


def cut(store, world, cut_at, kept, smear):
    """One session that loses power in write `cut_at`; True when it did."""
    store.cut_at, store.kept, store.smear = store.write_number + cut_at, kept, smear
    try:
        session(store, world)
    except PowerCut:
        return True
    return False


def finish(store, world):
    """Power is back for good: the treatment ends and everything is checked."""
    store.power_on()
    device = session(store, world)
    check(device, world)
    return device


def every_cut(kept_values, smear=False):
    """Cut each write of a session after each number of bytes; returns how many cuts were made."""
    made = 0
    for cut_at in range(1, writes_of_a_session() + 1):
        for kept in kept_values:
            store, world = MemoryStore(), World()
            assert cut(store, world, cut_at, kept, smear)
            finish(store, world)
            made += 1
    return made


def every_second_cut(kept_values):
    """After a cut in each write of a session, one more in each of the next four writes; returns how many were made."""
    made = 0
    for first in range(1, writes_of_a_session() + 1):
        for second in (1, 2, 3, 4):
            for kept in kept_values:
                store, world = MemoryStore(), World()
                assert cut(store, world, first, 64, False)
                store.power_on()
                if cut(store, world, second, kept, False):
                    made += 1
                finish(store, world)
    return made
