"""Small records kept twice: a torn, failed or rotted copy never takes the other with it."""

import pytest
from sit_firmware.store import superblock
from sit_firmware.store.access import StoreError, is_blank, proved_write, read
from sit_firmware.store.layout import Layout
from sit_firmware.store.pair import BLANK, DAMAGED, GOOD, Pair, newer
from store_fakes import MemoryStore, PowerCut

ADDR = 0x80
TAG = 0x1234


def pair(store, version=1, length=4):
    return Pair(store, ADDR, TAG, version, length)


def save(kept, value):
    kept.payload[:4] = bytes([value] * 4)
    kept.save()


def loaded(store):
    """(what was found, first byte in force)."""
    kept = pair(store)
    return kept.load(), kept.payload[0]


def test_blank_then_saved():
    """Invariant 4: a record is there or it isn't; a store never written is blank, in both kinds of erased."""
    for fill in (0x00, 0xFF):
        store = MemoryStore(fill=fill)
        assert pair(store).load() == BLANK
        save(pair(store), 7)
        assert loaded(store) == (GOOD, 7)


def test_a_torn_write_leaves_the_copy_in_force():
    """Invariant 4: a write torn after any byte leaves the old record or the new one, never a mixture."""
    for kept in range(65):
        store = MemoryStore()
        first = pair(store)
        save(first, 1)
        save(first, 2)
        store.cut_at, store.kept = store.write_number + 1, kept
        with pytest.raises(PowerCut):
            save(first, 3)
        store.power_on()
        # the last four bytes are spare: without them the copy is whole
        assert loaded(store) == (GOOD, 3 if kept >= 60 else 2), kept


def test_the_newer_copy_is_in_force_and_the_older_stands_in():
    """Invariant 4: A/B - one rotted copy falls back to the other, two are damage."""
    store = MemoryStore()
    kept = pair(store)
    save(kept, 1)
    save(kept, 2)
    store.data[ADDR + 64 + 10] ^= 1
    assert loaded(store) == (GOOD, 1)
    store.data[ADDR + 10] ^= 1
    assert pair(store).load() == DAMAGED


def test_another_tag_version_or_length_is_not_taken():
    """A record of another kind or version is damage, never read as ours."""
    store = MemoryStore()
    save(pair(store), 1)
    assert pair(store, version=2).load() == DAMAGED
    assert pair(store, length=5).load() == DAMAGED
    assert Pair(store, ADDR, TAG + 1, 1, 4).load() == DAMAGED


def test_numbers_wrap():
    """The count of writes may wrap at 2^32."""
    assert newer(1, 0) and newer(0, 0xFFFFFFFF) and newer(5, 0xFFFFFFF0)
    assert not newer(0, 1) and not newer(7, 7) and not newer(0xFFFFFFFF, 0)


def test_every_write_is_proved():
    """Invariant 4: a store that takes something else than was written, or fails, says so."""
    store = MemoryStore()
    store.flip = True
    with pytest.raises(StoreError, match="differs"):
        proved_write(store, 0, b"abcd", bytearray(4))
    store.flip = False
    store.fail = "write"
    with pytest.raises(StoreError, match="write at 0"):
        proved_write(store, 0, b"abcd", bytearray(4))
    store.fail = "read"
    with pytest.raises(StoreError, match="read at 3"):
        read(store, 3, bytearray(4))


def test_blank():
    """All one of the two erased values, nothing mixed."""
    assert is_blank(bytes(9)) and is_blank(b"\xff" * 9)
    assert not is_blank(b"\xff\x00") and not is_blank(b"\x00\xff") and not is_blank(b"\x01\x01")


def opened(store):
    block = superblock.Superblock(store, Layout(store.size))
    return block.open(), block


def test_a_format_cut_short_is_finished():
    """A power cut while a new store is formatted is no damage."""
    store = MemoryStore()
    assert opened(store)[0] == superblock.FRESH
    found, block = opened(store)
    assert found == superblock.FRESH
    block.finish_format()
    assert block.boot_count == 1
    found, block = opened(store)
    assert (found, block.boot_count) == (superblock.READY, 2)


def test_a_lost_superblock_is_never_formatted_over():
    """Invariant 4: with anything else on the store, two bad superblocks are damage and nothing is written."""
    store = MemoryStore()
    opened(store)[1].finish_format()
    store.data[0x400] = 1
    store.data[:128] = bytes(128)
    before = bytes(store.data)
    assert opened(store)[0] == superblock.DAMAGED
    assert store.data == before


def test_another_map_is_foreign():
    """A store of a later map is read at most, never written."""
    store = MemoryStore()
    block = opened(store)[1]
    block._pair.payload[4] = 99  # the map's version
    block._pair.save()
    before = bytes(store.data)
    assert opened(store)[0] == superblock.FOREIGN
    assert store.data == before


def test_a_store_too_small():
    """Fewer than 16 records make no ledger."""
    with pytest.raises(ValueError, match="too small"):
        Layout(0x400 + 15 * 64)
    assert Layout(262144).records == 4080
