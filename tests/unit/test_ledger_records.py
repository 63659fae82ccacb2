"""The ledger: what may be written when, what it adds up to, what it refuses."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger_rig import CAP, OTHER, TREATMENT, Device, acknowledge, chain_faults, end, intent, record, records, shot
from sit_firmware import codes
from sit_firmware.ledger import LedgerRefused
from sit_firmware.store.access import StoreError
from sit_firmware.store.tally import UNKNOWN_NL, _tag
from store_fakes import MemoryStore

NOW = 1800000000


def opened(records=32):
    """(store, ledger) of a new device."""
    store = MemoryStore(records=records)
    return store, Device(store).ledger


def refusal(call, *args, **more):
    """The number a refused record carries."""
    with pytest.raises(LedgerRefused) as refused:
        call(*args, **more)
    return refused.value.refusal


def test_a_shot_is_two_chained_records():
    """Invariant 4: INTENT holds cap and start, the end its interval; both stand after a boot."""
    store, ledger = opened()
    assert shot(ledger, 5) == (1, 2)
    ledger = Device(store).ledger
    first, last = records(ledger)
    assert (first["kind"], first["cap_steps"], first["depth_um"], first["asked_nl"]) == (2, CAP, 1200, 5000)
    assert (last["kind"], last["ref"], last["steps"], last["tissue_min_nl"], last["tissue_max_nl"]) == (
        codes.RECORD_DONE,
        1,
        921,
        4900,
        5100,
    )
    assert chain_faults(ledger) == []
    assert (ledger.head, ledger.tail, ledger.saved, ledger.uncertain_seq) == (3, 1, 1, 0)


def test_an_identity_is_begun_once():
    """Invariant 5: treatment + point + attempt; refused at once, after a boot, and for an open shot."""
    store, ledger = opened()
    ref = intent(ledger, 1)
    assert ledger.has(TREATMENT, 1, 1)
    end(ledger, ref, 1, kind=codes.RECORD_ABORTED, low=0, high=0)
    for again in (ledger, Device(store).ledger):
        assert again.has(TREATMENT, 1, 1)
        assert not again.has(TREATMENT, 1, 2) and not again.has(TREATMENT, 2, 1) and not again.has(OTHER, 1, 1)
        assert refusal(intent, again, 1) == codes.REFUSED_DUPLICATE
    intent(ledger, 1, attempt=2)


def test_an_end_needs_its_intent():
    """Invariant 4: no volume is booked twice: a second end of one shot is refused."""
    _, ledger = opened()
    ref, _ = shot(ledger, 1)
    assert refusal(end, ledger, ref, 1) == codes.REFUSED_NO_RECORD
    assert ledger.totals(TREATMENT) == (4900, 5100)


def test_totals_are_intervals_per_treatment_and_site():
    """Invariant 4: sums of bounds, kept as they grow and found again after a boot; other treatments apart."""
    store, ledger = opened()
    shot(ledger, 1)
    shot(ledger, 2, treatment=OTHER, low=10, high=20)
    shot(ledger, 3, kind=codes.RECORD_PARTIAL, low=100, high=4000, site=2)
    for again in (ledger, Device(store).ledger):
        assert again.totals(TREATMENT) == (5000, 9100)
        assert again.totals(OTHER) == (10, 20)
        assert again.site_max_nl(TREATMENT, 1) == 5100
        assert again.site_max_nl(TREATMENT, 2) == 4000
        assert again.site_max_nl(OTHER, 2) == 0
        assert again.totals(bytes(8)) == (0, 0)


def test_uncertain_counts_with_its_cap():
    """Invariant 4: what nobody saw end counts with all it may have given."""
    store, ledger = opened()
    intent(ledger, 1)
    ledger.checkpoint(400, 50000)
    ledger = Device(store).ledger
    found = record(ledger, ledger.uncertain_seq)
    assert found["kind"] == codes.RECORD_UNCERTAIN and found["ref"] == 1 and found["steps"] == 400
    low, high = ledger.totals(TREATMENT)
    assert (low, high) == (found["tissue_min_nl"], found["tissue_max_nl"])
    assert low == 0 and high > CAP * 5549 // 1024
    assert 1000 < found["needle_nl"] < 2167
    assert ledger.window_max_nl(0, 600) == ledger.site_max_nl(TREATMENT, 1) == high


def test_progress_of_another_shot_counts_nothing():
    """Invariant 4: a checkpoint belongs to its INTENT alone."""
    store, ledger = opened()
    ref = intent(ledger, 1)
    ledger.checkpoint(400, 0)
    end(ledger, ref, 1)
    ledger.checkpoint(900, 0)  # nothing under way
    intent(ledger, 2)
    ledger = Device(store).ledger
    assert record(ledger, ledger.uncertain_seq)["steps"] == 0
    assert record(ledger, ledger.uncertain_seq)["needle_nl"] == 0


def test_the_window_empties_by_the_clock_only():
    """Invariant 10: no clock, no expiry; a clock set back takes nothing out either."""
    store, ledger = opened()
    for point, unix_s in ((1, NOW), (2, NOW + 100), (3, NOW + 599)):
        shot(ledger, point, unix_s=unix_s, high=1000 * point)
    assert ledger.window_max_nl(0, 600) == 6000
    assert ledger.window_max_nl(NOW - 5000, 600) == 6000
    assert ledger.window_max_nl(NOW + 599, 600) == 6000
    again = Device(store).ledger
    assert again.window_max_nl(0, 600) == 6000, "a boot with unknown time leaves it full"
    assert ledger.window_max_nl(NOW + 600, 600) == 5000
    assert ledger.window_max_nl(NOW + 699, 600) == 5000
    assert ledger.window_max_nl(NOW + 700, 600) == 3000
    assert ledger.window_max_nl(0, 600) == 3000, "what has left with a known clock stays out"
    assert ledger.window_max_nl(NOW + 1199, 600) == 0
    assert again.window_max_nl(NOW + 10000, 600) == 0


def test_untimed_volume_leaves_with_a_later_timed_record():
    """Invariant 10: a volume without a time stays until something later has left for certain."""
    store, ledger = opened()
    shot(ledger, 1, unix_s=0, high=700)
    assert ledger.window_max_nl(NOW + 9999, 600) == 700
    shot(ledger, 2, unix_s=NOW, high=50)
    assert ledger.window_max_nl(NOW + 599, 600) == 750
    assert Device(store).ledger.window_max_nl(0, 600) == 750
    assert ledger.window_max_nl(NOW + 600, 600) == 0


def test_another_window_length_is_counted_anew():
    """The window of the settings in force counts, however long the one before was."""
    _, ledger = opened()
    shot(ledger, 1, unix_s=NOW, high=1000)
    shot(ledger, 2, unix_s=NOW + 1000, high=10)
    assert ledger.window_max_nl(NOW + 1000, 600) == 10
    assert ledger.window_max_nl(NOW + 1000, 3600) == 1010
    assert ledger.window_max_nl(NOW + 1000, 1000) == 10


def give_and_release(ledger, count, unix_s=NOW, step_s=0, treatment=TREATMENT, first=1):
    """`count` shots, saved by a host when the room ends."""
    for i in range(count):
        if ledger.room() < 12:
            assert ledger.release(ledger.head) == 0
        shot(ledger, first + i, unix_s=unix_s + i * step_s, treatment=treatment)


def test_what_was_written_over_counts_as_unknown():
    """Invariant 10 and 4: where older records of the window or treatment may be gone, the bound lets nothing pass."""
    store, ledger = opened()
    give_and_release(ledger, 40)
    assert ledger.totals(TREATMENT)[1] == 40 * 5100, "kept while running"
    again = Device(store).ledger
    assert again.window_max_nl(NOW, 600) == UNKNOWN_NL
    assert again.totals(TREATMENT)[1] == UNKNOWN_NL
    assert again.site_max_nl(TREATMENT, 1) == UNKNOWN_NL
    assert again.window_max_nl(NOW + 600, 600) == 0, "but time passes all the same"
    assert again.totals(OTHER) == (0, 0)


def test_the_window_forgets_what_is_old_when_the_ring_goes_round():
    """A ring that has wrapped far behind the window counts exactly."""
    store, ledger = opened()
    give_and_release(ledger, 60, step_s=100)
    last = NOW + 59 * 100
    for again in (ledger, Device(store).ledger):
        assert again.window_max_nl(last, 600) == 6 * 5100
        assert again.window_max_nl(last + 100, 600) == 5 * 5100


def test_a_full_ring_refuses_the_next_shot_and_ends_the_one_under_way():
    """Invariant 4: LEDGER_FULL comes before motion, never between INTENT and its end."""
    store, ledger = opened(records=16)
    point = 0
    while True:
        point += 1
        try:
            ref = intent(ledger, point)
        except LedgerRefused as refused:
            assert refused.refusal == codes.REFUSED_LEDGER_FULL
            break
        end(ledger, ref, point)
    assert 5 <= ledger.room() < 9
    while ledger.room() > 4:
        ledger.append(codes.RECORD_CHANGE)
    assert refusal(ledger.append, codes.RECORD_CHANGE) == codes.REFUSED_LEDGER_FULL
    assert ledger.release(4) == 0
    assert ledger.room() == 7
    assert refusal(intent, ledger, 90) == codes.REFUSED_LEDGER_FULL
    assert ledger.release(ledger.head) == 0
    ref = intent(ledger, 91)
    for _ in range(7):
        ledger.append(codes.RECORD_FAULT)  # whatever comes between, the end has room
    Device(store)
    end(ledger, ref, 91)


def test_boots_and_faults_never_take_the_last_room():
    """Invariant 4: an UNCERTAIN and its acknowledgement fit however often the device boots."""
    store, ledger = opened(records=16)
    intent(ledger, 1)
    for _ in range(30):
        ledger = Device(store).ledger
        try:
            ledger.append(codes.RECORD_BOOT)
        except LedgerRefused as refused:
            assert refused.refusal == codes.REFUSED_LEDGER_FULL
    acknowledge(ledger, ledger.uncertain_seq)


def test_release_keeps_what_waits():
    """Invariant 4: a record that waits for an operator, or a shot under way, is never released."""
    store, ledger = opened()
    shot(ledger, 1)
    assert ledger.release(ledger.head + 1) == codes.REFUSED_BAD_VALUE
    intent(ledger, 2)
    assert ledger.release(4) == codes.REFUSED_UNCERTAIN
    ledger = Device(store).ledger
    assert ledger.release(ledger.head) == codes.REFUSED_UNCERTAIN
    assert ledger.release(ledger.uncertain_seq) == 0 and ledger.saved == 4
    acknowledge(ledger, 4)
    assert ledger.release(ledger.head) == 0


def test_a_failing_store_changes_nothing():
    """Invariant 4: an append that raises leaves totals, identities and numbers as they were."""
    store, ledger = opened()
    shot(ledger, 1)
    for accident in ("write", "flip"):
        store.fail, store.flip = (accident, False) if accident == "write" else ("", True)
        with pytest.raises(StoreError):
            intent(ledger, 2)
        store.fail, store.flip = "", False
        assert not ledger.has(TREATMENT, 2, 1) and ledger.open_seq == 0 and ledger.head == 3
    shot(ledger, 2)
    assert chain_faults(ledger) == []


def test_an_unreadable_store_refuses_everything():
    """Invariant 5: what can't be read may have been given."""
    store = MemoryStore()
    shot(Device(store).ledger, 1)
    store.fail = "read"
    device = Device(store)
    ledger = device.ledger
    assert not device.ok and not ledger.whole() and ledger.room() == 0
    assert ledger.has(TREATMENT, 9, 9)
    assert ledger.totals(TREATMENT) == (0, UNKNOWN_NL)
    assert ledger.window_max_nl(NOW, 600) == ledger.site_max_nl(TREATMENT, 1) == UNKNOWN_NL
    store.fail = ""
    assert refusal(ledger.append, codes.RECORD_BOOT) == codes.REFUSED_STORE


def test_a_foreign_or_damaged_store_is_only_read():
    """Invariant 4: a store that isn't ours is read as far as it goes and never written."""
    store, ledger = opened()
    intent(ledger, 1)
    store.data[:128] = bytes(128)
    before = bytes(store.data)
    device = Device(store)
    assert not device.ok
    assert device.ledger.open_seq == 1 and record(device.ledger, 1)["kind"] == codes.RECORD_INTENT
    assert refusal(device.ledger.append, codes.RECORD_BOOT) == codes.REFUSED_STORE
    assert store.data == before


def test_damage_is_passed_over_by_a_release():
    """Invariant 4: with a damaged record nothing is given until a host has saved what can be read."""
    store, ledger = opened()
    for point in (1, 2, 3):
        shot(ledger, point)
    store.data[store.slot_addr(3) + 9] ^= 2
    ledger = Device(store).ledger
    assert not ledger.whole() and ledger.room() == 0
    assert refusal(intent, ledger, 4) == codes.REFUSED_STORE
    assert ledger.has(TREATMENT, 2, 1), "its end still tells that it was begun"
    assert record(ledger, 3) is None and record(ledger, 4)["point"] == 2
    assert ledger.release(ledger.head) == 0
    intent(ledger, 4)


@settings(max_examples=40, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(
            [
                "depth_um",
                "asked_nl",
                "steps",
                "cap_steps",
                "tissue_min_nl",
                "tissue_max_nl",
                "needle_nl",
                "ref",
                "unix_s",
            ]
        ),
        st.integers(-(2**40), 2**40),
    )
)
def test_no_measure_is_too_large_to_book(values):
    """Invariant 4: a measure beyond its field is cut to it; booking the end of a shot never fails by a number."""
    _, ledger = opened()
    intent(ledger, 1)
    seq = ledger.append(codes.RECORD_PARTIAL, treatment=TREATMENT, point=1, attempt=1, **values)
    assert record(ledger, seq)["kind"] == codes.RECORD_PARTIAL


def test_each_treatment_has_a_mark_that_is_not_nones():
    """Invariant 5: a byte marks whose shot a slot holds; no treatment looks like a free slot."""
    tags = {_tag(f"{n:08d}".encode()) for n in range(4000)}
    assert tags == set(range(1, 256))
