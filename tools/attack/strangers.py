"""Frames of somebody who isn't paired: replayed, altered, or with the MAC of another key. Each must be refused.

A paired device, made ready and with a table, has been listened to. The stranger then sends, in the open session and
with the CRC right, what was heard in an earlier session, what a true frame becomes when a bit or a field of it is
changed, and requests under keys of its own.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

from sit_firmware import codes, image
from sit_firmware.access_lockout import LOCK_MS
from sit_host import keys
from sit_host._gen import messages
from sit_host.codec import Decoder, Frame, encode_frame, signed_part
from sit_host.outcome import expect
from sit_sim.clock import s_of_ticks
from sit_sim.plant import nominal_unit

from attack.session import Bench, load, open_bench, prepare, records

KINDS = ("replayed", "altered", "wrong key")
_KEY = bytes(range(16))
_BURST = 8
_ANSWER_TICKS = 200
_REFUSALS = (codes.REFUSED_NEEDS_KEY, codes.LIMIT_LOCKOUT)
_CHANGING = [rule.request for rule in messages.RULES.values() if rule.changes and rule.request is not messages.Pair]
_CHANGING_IDS = {request.ID for request in _CHANGING}


class Stranger:
    """Makes frames of each of KINDS for the session that `bench` holds, from a seed."""

    def __init__(self, bench: Bench, heard: list[Frame], draw: random.Random) -> None:
        self.bench = bench
        self.heard = heard
        self.draw = draw
        self._make: tuple[Callable[[], bytes], ...] = (self._replayed, self._altered, self._wrong_key)

    def frame(self, kind: int) -> bytes:
        """One frame of a kind, for the wire."""
        return self._make[kind]()

    def _seq(self) -> int:
        return self.draw.randrange(1 << 16)

    @property
    def _session(self) -> int:
        return int(self.bench.client.exchange.session)

    def _replayed(self) -> bytes:
        """Heard under an older session: as it was but for the session's number, which the CRC doesn't guard."""
        old = self.draw.choice(self.heard)
        seq = self.draw.choice((old.seq, self._seq()))
        return encode_frame(seq, old.id, old.payload, session=self._session, flags=old.flags, mac=old.mac)

    def _true(self) -> Frame:
        old, seq, sign = self.draw.choice(self.heard), self._seq(), self.bench.client.exchange.sign
        assert sign is not None  # the host is paired
        mac = sign(signed_part(seq, old.id, old.payload, session=self._session))
        return Frame(seq, old.id, old.payload, self._session, 0, mac)

    def _altered(self) -> bytes:
        """True in this session but for one part: number, request, flags, a bit of the payload or of the MAC."""
        draw, true = self.draw, self._true()
        seq, id, flags, payload, mac = true.seq, true.id, 0, bytearray(true.payload), bytearray(true.mac)
        parts = ("seq", "id", "flags", "mac", *["payload"] * bool(payload))
        part = draw.choice(parts)
        if part == "seq":
            seq ^= 1 << draw.randrange(16)
        elif part == "id":
            other = draw.choice([request for request in _CHANGING if id != request.ID])
            id, payload = other.ID, bytearray(_some(other, draw))
        elif part == "flags":
            flags = draw.randrange(1, 256)
        else:
            changed = mac if part == "mac" else payload
            changed[draw.randrange(len(changed))] ^= 1 << draw.randrange(8)
        return encode_frame(seq, id, bytes(payload), session=true.session, flags=flags, mac=bytes(mac))

    def _wrong_key(self) -> bytes:
        """Any request that changes something, whole and in range, under a key made at random."""
        request, seq = self.draw.choice(_CHANGING), self._seq()
        payload = _some(request, self.draw)
        sign = keys.signer(self.draw.randbytes(keys.KEY_BYTES), self.bench.client.session_seed())
        mac = sign(signed_part(seq, request.ID, payload, session=self._session))
        return encode_frame(seq, request.ID, payload, session=self._session, mac=mac)


def _some(request: Any, draw: random.Random) -> bytes:
    """A payload of this request that its own checks let through."""
    sizes = {"u8": 1, "u16": 2, "u32": 4, "i8": 1, "i16": 2, "i32": 4}
    out = b""
    for field in request.FIELDS:
        if field.kind not in sizes:
            out += draw.randbytes(int(field.kind[5:]) if field.kind.startswith("bytes") else 0)
            continue
        low = field.low if field.low is not None else 0
        high = field.high if field.high is not None else low + 100
        out += int(draw.randint(int(low), int(high))).to_bytes(sizes[field.kind], "little", signed=field.kind[0] == "i")
    return out


def attack(spec: str, frames: int, seed: int) -> dict[str, Any]:
    """Send so many frames to a paired device; counts by kind and by refusal, `wrong` with what mustn't be."""
    draw = random.Random(f"{seed} strangers")
    found: dict[str, Any] = {"kinds": Counter(), "refusals": Counter(), "counted": 0, "wrong": []}
    bench = open_bench(spec, seed, nominal_unit())
    with bench.target:
        stranger = Stranger(bench, _heard(bench), draw)
        bench.client.hello()
        bench.client.use_key(_KEY)
        before = _state(bench)
        sent = 0
        while sent < frames:
            kinds = draw.choices(range(len(KINDS)), k=min(_BURST, frames - sent))
            sent += len(kinds)
            _burst(bench, [stranger.frame(kind) for kind in kinds], found)
            found["kinds"].update(KINDS[kind] for kind in kinds)
            if draw.random() < 0.5:
                bench.run_ms(LOCK_MS * 1.1)  # else nearly all would meet the lockout alone
                bench.client.hello()
                bench.client.use_key(_KEY)
        after = _state(bench)
        found["wrong"] += [
            f"{name} went from {before[name]} to {after[name]}" for name in before if before[name] != after[name]
        ]
    found["wrong"] = [f"seed {seed}: {text}" for text in found["wrong"]]
    return found


def _heard(bench: Bench) -> list[Frame]:
    """Pair, then use the device; every frame of it that changes something."""
    bench.hand("pair")
    bench.run_ms(20)
    expect(bench.client.pair(_KEY))
    bench.hand("pair_release")
    bench.run_ms(20)
    bench.client.use_key(_KEY)
    return [frame for frame in heard(bench, _KEY) if frame.id in _CHANGING_IDS]


def heard(bench: Bench, key: bytes | None = None) -> list[Frame]:
    """Make a device ready, load, arm, disarm and read: every frame that the host, paired by `key`, sent for it."""
    client, sent = bench.client, list[bytes]()
    send = bench.target.send

    def spied(data: bytes) -> None:
        sent.append(bytes(data))
        send(data)

    bench.target.send = spied
    client.hello()
    client.use_key(key)
    client.set_clock_if_needed()
    prepare(bench)
    load(bench, [(1, 1500, 5000), (2, 1500, 5000)])
    expect(bench.arm(count=2))
    expect(client.renew(2000))
    expect(client.disarm())
    records(bench)
    expect(client.settings_read())
    expect(client.ledger_release(1))
    del bench.target.send
    return [item for data in sent for item in Decoder().feed(data) if isinstance(item, Frame)]


def _state(bench: Bench) -> dict[str, Any]:
    """What no stranger may change."""
    truth, status = bench.truth(), bench.status()
    return {
        "plunger_steps": truth["plunger_steps"],
        "tip_max_um": truth["tip_max_um"],
        "points": status.points,
        "ledger_head": status.ledger_head,
        "device state": status.header.state,
        "settings": expect(bench.client.settings_read()).pack()[messages.REPLY_HEADER_BYTES :],
    }


def _burst(bench: Bench, frames: list[bytes], found: dict[str, Any]) -> None:
    """Send, read the answers: each is a refusal, and the device has counted each."""
    target = bench.target
    refused = expect(bench.client.access_read()).refused
    for data in frames:
        target.send(data)
    decoder, results, until = Decoder(), [], target.machine.tick + _ANSWER_TICKS
    while target.machine.tick < until:
        for item in decoder.feed(target.wait(s_of_ticks(until))):
            if (
                isinstance(item, Frame)
                and item.id & messages.REPLY_BIT
                and item.id ^ messages.REPLY_BIT in _CHANGING_IDS
            ):
                results.append(messages.ReplyHeader.unpack(item.payload).result)
    counted = expect(bench.client.access_read()).refused - refused
    found["refusals"].update(results)
    found["counted"] += counted
    if len(results) != len(frames):
        found["wrong"].append(f"{len(results)} answers to {len(frames)} frames")
    if 0 in results:
        found["wrong"].append("a frame of a stranger was taken")
    if counted != sum(result in _REFUSALS for result in results):
        found["wrong"].append(f"{counted} counted of {results}")
    state = target.process.state
    if state is not None and state[image.ST_ARMED]:
        found["wrong"].append("armed by a stranger")
