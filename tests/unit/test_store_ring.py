"""The ring: numbers, chain, wrap, release and damage."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sit_firmware.store.access import StoreError
from sit_firmware.store.layout import Layout
from sit_firmware.store.ring import Ring
from store_fakes import MemoryStore, PowerCut

SLOTS = 16


def ring_on(store):
    """A ring, scanned; with the numbers visited."""
    ring = Ring(store, Layout(store.size))
    seen = []
    ring.find()
    ring.walk(lambda seq, view: seen.append(seq))
    return ring, seen


def put(ring, kind=1, unix_s=0):
    ring.buf[:] = bytes(64)
    ring.buf[4] = kind
    ring.buf[8:12] = unix_s.to_bytes(4, "little")
    return ring.append()


def filled(count, release_to=0):
    """A store with `count` records, released as needed."""
    store = MemoryStore(records=SLOTS)
    ring, _ = ring_on(store)
    for _ in range(count):
        if not ring.room():
            ring.release(ring.head - 4)
        put(ring)
    if release_to:
        ring.release(release_to)
    return store, ring


def same(a, b):
    return (a.head, a.tail, a.released, a.damaged_seq) == (b.head, b.tail, b.released, b.damaged_seq)


def test_an_unsaved_record_is_never_written_over():
    """Invariant 4: a slot is used again only below the released mark."""
    store, ring = filled(SLOTS)
    before = bytes(store.data)
    with pytest.raises(StoreError):
        put(ring)
    assert store.data == before
    ring.release(3)
    assert ring.room() == 2
    assert [put(ring), put(ring)] == [17, 18]
    with pytest.raises(StoreError):
        put(ring)
    assert (ring.tail, ring.head) == (3, 19)


def test_the_mark_survives_and_never_goes_back():
    """Invariant 4: what a host has saved is known after a boot; an older release changes nothing."""
    store, ring = filled(10, release_to=6)
    ring.release(2)
    assert ring_on(store)[0].released == 6
    ring.release(11)
    assert ring_on(store)[0].released == 11


def test_a_lost_mark_frees_nothing():
    """Invariant 4: with both copies of the mark damaged every kept record counts as unsaved."""
    store, _ = filled(20, release_to=15)
    store.data[0x180:0x200] = bytes([0x55]) * 128
    ring, _ = ring_on(store)
    assert ring.released == ring.tail == 5
    assert ring.room() == 0


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 30), min_size=1, max_size=12))
def test_any_run_of_appends_and_releases_is_found_again(plan):
    """Property: after any appends and releases, wrapped or not, a boot finds exactly what was there."""
    store = MemoryStore(records=SLOTS)
    ring, _ = ring_on(store)
    for amount in plan:
        for _ in range(amount):
            if not ring.room():
                ring.release(max(ring.tail, ring.head - amount % SLOTS))
            if ring.room():
                put(ring)
        again, seen = ring_on(store)
        assert same(again, ring)
        assert seen == list(range(ring.tail, ring.head))
        assert again.whole()


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 40), st.integers(0, 64), st.booleans())
def test_a_torn_record_never_was(count, kept, smear):
    """Property: a write torn after any byte, wrapped or not, leaves all others and is written again whole."""
    store, ring = filled(count)
    if ring.room() < 2:
        ring.release(ring.head - 4)
    store.cut_at, store.kept, store.smear = store.write_number + 1, kept, smear
    with pytest.raises(PowerCut):
        put(ring, kind=9)
    store.power_on()
    again, seen = ring_on(store)
    came = again.head - ring.head
    assert came == (1 if kept == 64 else 0)
    assert again.whole(), "a tear is no damage"
    assert seen[-1:] == list(range(ring.head - 1 + came, again.head))[-1:] or not seen
    assert put(again) == again.head - 1
    assert ring_on(store)[0].whole()


@settings(max_examples=120, deadline=None)
@given(st.integers(2, 40), st.data())
def test_one_wrong_bit_is_seen(count, data):
    """Invariant 4: a bit wrong anywhere in a record but the newest stops further use until a host passes over it."""
    store, ring = filled(count)
    seq = data.draw(st.integers(ring.tail, ring.head - 2))
    bit = data.draw(st.integers(0, 511))
    store.data[store.slot_addr(seq % SLOTS) + bit // 8] ^= 1 << bit % 8
    again, seen = ring_on(store)
    assert seq not in seen
    assert again.read(seq, bytearray(64)) is False
    if seq < again.released:
        return  # it was saved before it rotted
    assert not again.whole()
    again.release(again.head)
    assert again.whole()


def test_a_forged_record_breaks_the_chain():
    """Invariant 4: a record replaced by another whole one is seen by the hash of the next."""
    store = filled(6)[0]
    other = MemoryStore(records=SLOTS)
    forged, _ = ring_on(other)
    for kind in (1, 1, 7):
        put(forged, kind=kind)
    addr = store.slot_addr(3)
    store.data[addr : addr + 64] = other.data[addr : addr + 64]
    again, seen = ring_on(store)
    assert seen == [1, 2, 3, 4, 5, 6]
    assert again.damaged_seq == 4 and not again.whole()


def test_the_newest_records_gone_is_damage():
    """Invariant 4: when a host has saved records that the ring no longer has, nothing is given."""
    store = filled(9, release_to=10)[0]
    store.data[store.slot_addr(9) + 30] ^= 1
    again, _ = ring_on(store)
    assert again.head == 9 and not again.whole()


def test_a_failed_write_is_not_counted():
    """Invariant 4: what couldn't be proved was never written; the next record takes its number."""
    store, ring = filled(5)
    for accident in ("flip", "fail"):
        setattr(store, accident, True if accident == "flip" else "write")
        with pytest.raises(StoreError):
            put(ring)
        assert ring.head == 6
        store.flip, store.fail = False, ""
    assert put(ring) == 6
    assert ring_on(store)[0].whole()


def test_a_large_ring_is_read_in_few_operations():
    """A boot reads the whole ring in chunks: the number of store reads bounds its time on a slow bus."""
    store = MemoryStore(records=4080)
    ring, _ = ring_on(store)
    for _ in range(200):
        put(ring, unix_s=1800000000)
    reads = []
    plain = store.readinto
    store.readinto = lambda addr, buf: (reads.append(addr), plain(addr, buf))
    again, seen = ring_on(store)
    assert seen == list(range(1, 201))
    assert again.last_unix_s == 1800000000
    assert len(reads) < 300


def test_looking_again_believes_nothing_it_saw_before():
    """Invariant 4: a second look at the store tells what is on it now: damage that was mended, a clock, new records."""
    store, ring = filled(6)
    sound = bytes(store.data)
    put(ring, unix_s=1_800_000_000)
    later = bytes(store.data)
    at = Layout(store.size).record_addr(4)
    store.data[at] ^= 1
    ring, seen = ring_on(store)

    def look(seq, view):
        seen.append(seq)

    assert (ring.damaged_seq, ring.last_unix_s, seen) == (4, 1_800_000_000, [1, 2, 3, 5, 6, 7])
    for data, seqs, unix_s in ((sound, 6, 0), (later, 7, 1_800_000_000)):
        store.data[:] = data
        seen.clear()
        ring.find()
        ring.walk(look)
        assert (ring.damaged_seq, ring.last_unix_s, ring.head) == (0, unix_s, seqs + 1)
        assert seen == list(range(1, seqs + 1))
        assert put(ring) == seqs + 1


def test_the_clock_of_the_first_record_counts():
    """Invariant 10: a clock that only record 1 had is the ring's last clock, whatever was written without one since."""
    store = MemoryStore(records=SLOTS)
    ring, _ = ring_on(store)
    put(ring, unix_s=1_800_000_000)
    put(ring)
    assert ring_on(store)[0].last_unix_s == 1_800_000_000


def test_a_ring_of_any_length_is_read_to_its_end():
    """Invariant 4: the last piece of the ring is as long as the ring goes on, and nothing beyond the store is read."""
    store = MemoryStore(records=SLOTS + 5)
    ring, _ = ring_on(store)
    for _ in range(SLOTS + 3):
        put(ring)
    assert ring_on(store)[1] == list(range(1, SLOTS + 4))
