"""Reading the ledger and the flight recorder over the link; damage, gaps and changes show."""

from __future__ import annotations

import hashlib
import itertools
import zlib

import pytest
from sit_host._gen import messages
from sit_host._gen.enums import Record as Kind
from sit_host._gen.enums import Refusal
from sit_host._gen.records import RECORD_BYTES, RECORD_CRC_AT, RECORD_HASHED_BYTES, Record
from sit_host.errors import ProtocolError
from sit_host.ledger import broken_links, entry_of, read_recorder, read_records
from sit_host.testing import ScriptedDevice, make


def _chain(count: int) -> list[bytes]:
    """Records 1 to `count`, chained as protocol/schema.toml says."""
    before, found = bytes(RECORD_BYTES), []
    for seq in range(1, count + 1):
        body = make(Record, seq=seq, kind=Kind.DONE, point=seq).pack()[:RECORD_HASHED_BYTES]
        body += hashlib.sha256(before + body).digest()[:8]
        before = body + zlib.crc32(body).to_bytes(4, "little")
        found.append(before)
    return found


def _device(raw: list[bytes], tail: int = 1) -> ScriptedDevice:
    device = ScriptedDevice()
    device.answer(messages.Status, lambda request: device.status(ledger_head=len(raw) + 1, ledger_tail=tail))

    def read(request: messages.LedgerRead) -> messages.LedgerReadReply:
        first = max(request.seq, tail)
        page = b"".join(raw[first - 1 : first + 2])
        return make(messages.LedgerReadReply, header=device.header, first=first, records=page)

    device.answer(messages.LedgerRead, read)
    return device


def test_all_records_are_read_page_by_page() -> None:
    """Invariant 4: every record comes over, oldest first, each once, as the very bytes of the device."""
    raw = _chain(10)
    entries = read_records(_device(raw).client())
    assert [entry.raw for entry in entries] == raw
    assert all(entry.whole for entry in entries) and broken_links(entries) == []


def test_a_part_of_the_ledger() -> None:
    """A range is read as it is asked for; what the device no longer keeps is passed over."""
    raw = _chain(10)
    assert [entry.record.seq for entry in read_records(_device(raw).client(), 4, 6)] == [4, 5]
    assert [entry.record.seq for entry in read_records(_device(raw, tail=8).client())] == [8, 9, 10]
    assert read_records(_device(raw).client(), 11) == []


@pytest.mark.parametrize("at", range(0, RECORD_BYTES, 7))
def test_a_changed_byte_shows(at: int) -> None:
    """Invariant 4: one changed byte anywhere in a record breaks its CRC."""
    raw = _chain(3)
    raw[1] = raw[1][:at] + bytes([raw[1][at] ^ 0x40]) + raw[1][at + 1 :]
    entries = [entry_of(data) for data in raw]
    assert 2 in broken_links(entries) or not entries[1].whole


def test_a_record_made_up_shows_in_the_chain() -> None:
    """Invariant 4: a record with a good CRC but other content breaks the chain behind it; a missing one too."""
    raw = _chain(5)
    body = raw[2][:20] + b"\xff" + raw[2][21:RECORD_CRC_AT]
    raw[2] = body + zlib.crc32(body).to_bytes(4, "little")
    assert broken_links([entry_of(data) for data in raw]) == [3, 4]
    raw = _chain(5)
    del raw[2]
    assert broken_links([entry_of(data) for data in raw]) == [4]


def test_a_record_that_the_device_cant_read_shows() -> None:
    """Invariant 4: a damaged record leaves a mark where it stood, also at the end, and the others come over."""
    raw = _chain(6)
    device = _device(raw)

    def read(request: messages.LedgerRead) -> messages.LedgerReadReply | Refusal:
        if request.seq == 3:
            return Refusal.STORE
        page = b"".join(itertools.takewhile(lambda data: data[0] not in (3, 6), raw[request.seq - 1 :][:3]))
        return make(messages.LedgerReadReply, header=device.header, first=request.seq, records=page)

    device.answer(messages.LedgerRead, read)
    entries = read_records(device.client())
    assert [entry.record.seq for entry in entries] == [1, 2, 3, 4, 5, 6]
    assert [entry.whole for entry in entries] == [True, True, False, True, True, False]
    assert set(broken_links(entries)) >= {3, 6}


def test_other_records_than_asked_for_are_refused() -> None:
    """A device that gives other records than those asked for ends in one sentence, not in a wrong list."""
    raw = _chain(3)
    device = _device(raw)
    device.answer(messages.LedgerRead, make(messages.LedgerReadReply, header=device.header, first=1, records=raw[1]))
    with pytest.raises(ProtocolError, match="gave others"):
        read_records(device.client())


def test_the_recorder_is_read_whole() -> None:
    """The recording is put together from its pages; one that changes meanwhile is refused."""
    data = bytes(range(256)) * 3
    device = ScriptedDevice()
    ids = [5]

    def read(request: messages.RecorderRead) -> messages.RecorderReadReply:
        page = data[request.offset : request.offset + 200]
        values = {"id": ids[-1], "size": len(data), "stride": 24, "data": page}
        return make(messages.RecorderReadReply, header=device.header, **values)

    device.answer(messages.RecorderRead, read)
    client = device.client()
    recording = read_recorder(client)
    assert (recording.id, recording.stride, recording.data) == (5, 24, data)
    replies = iter((5, 6))
    device.answer(messages.RecorderRead, lambda request: ids.append(next(replies)) or read(request))
    with pytest.raises(ProtocolError, match="changed"):
        read_recorder(client)
