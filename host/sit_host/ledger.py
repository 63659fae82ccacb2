"""Reading the device's ledger and flight recorder over the link, and proving that records are whole.

A record carries a CRC over itself and a hash over the record before it and itself, so that a damaged, missing or
changed one shows.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sit_host._gen.enums import Refusal
from sit_host._gen.records import RECORD_BYTES, RECORD_CRC_AT, RECORD_HASHED_BYTES, Record
from sit_host.client import Client
from sit_host.errors import ProtocolError
from sit_host.outcome import Refused, expect

_HASH_BYTES = 8


@dataclass(frozen=True)
class Entry:
    """One record as it was read: `raw` its 64 bytes, `whole` whether the device could read it and its CRC is right."""

    record: Record
    raw: bytes
    whole: bool


@dataclass(frozen=True)
class Recording:
    """The flight recorder's content: `data` holds images of `stride` bytes, belonging to ledger record `id`."""

    id: int
    stride: int
    data: bytes


def read_records(client: Client, first: int = 0, end: int | None = None) -> list[Entry]:
    """Return the records from number `first` (0: the oldest) up to, not with, `end` (None: all there are).

    A record that the device can't read stands here as an empty one that isn't whole. Raises as `expect` does, and
    ProtocolError when the device gives other records than those asked for.
    """
    status = expect(client.status())
    end = status.ledger_head if end is None else min(end, status.ledger_head)
    seq = max(first, status.ledger_tail)
    found: list[Entry] = []
    while seq < end:
        page = _page(client, seq)
        if [entry.record.seq for entry in page if entry.whole] != _numbers(seq, page):
            raise ProtocolError(
                f"Asked for the records from {seq} on, the device gave others.", "Have its store looked at."
            )
        found += page[: end - seq]
        seq += len(page)
    return found


def _page(client: Client, seq: int) -> list[Entry]:
    outcome = client.ledger_read(seq)
    if isinstance(outcome, Refused) and outcome.number == Refusal.STORE:
        return [_unreadable(seq)]
    return list(_entries(expect(outcome).records)) or [_unreadable(seq)]


def _numbers(first: int, page: Sequence[Entry]) -> list[int]:
    """Return the numbers that the whole records of a page must have."""
    return [first + index for index, entry in enumerate(page) if entry.whole]


def _unreadable(seq: int) -> Entry:
    raw = struct.pack("<I", seq).ljust(RECORD_BYTES, b"\0")
    return Entry(Record.unpack(raw), raw, whole=False)


def _entries(data: bytes) -> Iterator[Entry]:
    for at in range(0, len(data) - RECORD_BYTES + 1, RECORD_BYTES):
        yield entry_of(data[at : at + RECORD_BYTES])


def entry_of(raw: bytes) -> Entry:
    """Return the record in 64 bytes, with whether its CRC is right."""
    record = Record.unpack(raw)
    return Entry(record, raw, record.crc == zlib.crc32(raw[:RECORD_CRC_AT]))


@dataclass(frozen=True)
class Break:
    """A record that the chain doesn't hold: its number, and why, as the end of a sentence."""

    seq: int
    why: str


def breaks(entries: Sequence[Entry]) -> list[Break]:
    """Return the records that are damaged, changed, out of place or can't be proved, in their order.

    The first of `entries` is chained to zeros when it is record 1; otherwise only its CRC can be checked.
    """
    found = []
    before = Entry(Record.unpack(bytes(RECORD_BYTES)), bytes(RECORD_BYTES), whole=True)
    for index, entry in enumerate(entries):
        why = _break(before, entry, known=index > 0 or entry.record.seq == 1)
        if why:
            found.append(Break(entry.record.seq, why))
        before = entry
    return found


def _break(before: Entry, entry: Entry, *, known: bool) -> str:
    """Return why `entry` isn't the whole record that follows `before`, "" when it is. `known`: `before` is there."""
    seq, last = entry.record.seq, before.record.seq
    if not entry.whole:
        return "it is damaged: its CRC doesn't fit"
    if not known:
        return ""
    if seq != last + 1:
        return f"it stands after record {last}: what was between is missing"
    if not before.whole:
        return f"it can't be proved: record {last} before it is damaged"
    if entry.record.hash != hashlib.sha256(before.raw + entry.raw[:RECORD_HASHED_BYTES]).digest()[:_HASH_BYTES]:
        return f"it doesn't follow from record {last}: one of the two was changed" if last else "it isn't the first"
    return ""


def broken_links(entries: Sequence[Entry]) -> list[int]:
    """Return the numbers of `breaks`."""
    return [item.seq for item in breaks(entries)]


def read_recorder(client: Client) -> Recording:
    """Return the flight recorder of the last shot or fault. Raises as `expect` does."""
    first = expect(client.recorder_read(0))
    data = bytearray(first.data)
    while len(data) < first.size:
        reply = expect(client.recorder_read(len(data)))
        if reply.id != first.id or not reply.data:
            raise ProtocolError("The recording changed while it was read.", "Read it again when nothing moves.")
        data += reply.data
    return Recording(first.id, first.stride, bytes(data[: first.size]))
