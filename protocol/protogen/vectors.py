"""vectors.json: golden frames that tie both codecs, and any third one, to PROTOCOL.md.

Values are fixed by the schema: lowest, highest and a counting pattern, so the file changes only with the schema.
"""

import json
import struct
from dataclasses import dataclass
from typing import Any

from protogen.conduct import HOST_NONCE, bad, exchanges, streams
from protogen.framing import raw, wire
from protogen.schema import REPLY_BIT, Field, Message, Schema, fmt, has_rest, size

ROW_BYTES = 10  # of LOAD_PAGE
ABOUT = (
    "Golden frames of the OpenSIT protocol, see PROTOCOL.md. frames: whole valid frames and what is in them. "
    "bad: bytes up to and with a zero that a receiver drops, and why. streams: bytes as they may come, and the names "
    "of the frames that a receiver finds in them. exchanges: what a device, fresh from boot, does with one frame after "
    "another; result is what the frame alone earns (0: it is handed on to be done), repeat means that the reply sent "
    "for the same frame before is sent again and nothing is done. Bytes are hexadecimal."
)


@dataclass(frozen=True)
class Vector:
    """One whole frame and its contents."""

    name: str
    message: str
    kind: str  # request, reply or push
    seq: int
    id: int
    session: int
    fields: dict[str, Any]
    payload: bytes

    @property
    def wire(self) -> bytes:
        """The bytes on the wire."""
        return wire(raw(self.seq, self.id, self.session, self.payload))


def vectors(schema: Schema) -> str:
    """Text of protocol/vectors.json."""
    frames = _frames(schema)
    data: list[tuple[str, list[dict[str, Any]]]] = [
        ("frames", [_shown(v) for v in frames]),
        ("bad", [{"name": name, "why": why, "wire": data.hex()} for name, why, data in bad(schema)]),
        ("streams", streams({v.name: v.wire for v in frames})),
        ("exchanges", exchanges(schema)),
    ]
    lines = ["{", f'"about": {json.dumps(ABOUT)},', f'"schema_hash": "{schema.hash.hex()}",']
    for key, rows in data:
        lines += [f'"{key}": [', ",\n".join(json.dumps(row) for row in rows), "],"]
    return "\n".join(lines)[:-1] + "\n}\n"


def find(schema: Schema, name: str) -> Vector:
    """One of the frames by its name."""
    return next(v for v in _frames(schema) if v.name == name)


def _shown(v: Vector) -> dict[str, Any]:
    fields = {name: value.hex() if isinstance(value, bytes) else value for name, value in v.fields.items()}
    return {
        "name": v.name,
        "kind": v.kind,
        "message": v.message,
        "seq": v.seq,
        "id": v.id,
        "flags": 0,
        "session": v.session,
        "fields": fields,
        "wire": v.wire.hex(),
    }


def _frames(schema: Schema) -> list[Vector]:
    found = []
    for m in schema.messages:
        session = 0 if m.name == "HELLO" else HOST_NONCE
        for level, seq in (("lowest", 1), ("pattern", 0x1234), ("highest", 0xFFFF)):
            if not m.request and level != "pattern":
                continue
            fields, payload = _filled(schema, m.name, m.request, level, schema.max_payload)
            found.append(Vector(f"{m.name} {level}", m.name, "request", seq, m.id, session, fields, payload))
        for level, seq in (("lowest", 1), ("highest", 0xFFFF)):
            found.append(_reply(schema, m, level, seq, session))
        refused = {f.name: 0 for f in schema.reply_header} | {"result": 1, "state": 5, "fault": 32}
        payload = struct.pack(fmt(schema.reply_header), *refused.values())
        found.append(Vector(f"{m.name} refused", m.name, "reply", 0x1234, m.id | REPLY_BIT, session, refused, payload))
    for p in schema.pushes:
        for level in ("lowest", "pattern", "highest"):
            fields, payload = _filled(schema, p.name, p.reply, level, schema.max_payload)
            found.append(Vector(f"{p.name} {level}", p.name, "push", 0, p.id, HOST_NONCE, fields, payload))
    return found


def _reply(schema: Schema, m: Message, level: str, seq: int, session: int) -> Vector:
    head, payload = _filled(schema, "", schema.reply_header, level, schema.max_payload)
    # a reply with fields of its own has the result 0
    head["result"] = 0
    payload = b"\0" + payload[1:]
    fields, rest = _filled(schema, m.name, m.reply, level, schema.max_payload - len(payload))
    return Vector(
        f"{m.name} reply {level}", m.name, "reply", seq, m.id | REPLY_BIT, session, head | fields, payload + rest
    )


def _filled(
    schema: Schema, owner: str, fields: tuple[Field, ...], level: str, room: int
) -> tuple[dict[str, Any], bytes]:
    """Values of all fields at one level, and their bytes; `rest` fills the room with whole rows at the highest."""
    values = {f.name: _value(schema, owner, f, level, room - size(fields)) for f in fields}
    flat = [v.encode() if isinstance(v, str) else v for v in values.values()]
    tail = flat.pop() if has_rest(fields) else b""
    return values, struct.pack(fmt(fields), *flat) + tail


def _value(schema: Schema, owner: str, f: Field, level: str, room: int) -> Any:
    if f.is_int:
        low, high = f.bounds
        return {"lowest": low, "highest": high, "pattern": low + (high - low) // 3}[level]
    if f.kind == "rest":
        row = _row_bytes(schema, owner)
        count = {"lowest": 0, "highest": room // row, "pattern": 1}[level] * row
        return bytes([0xFF] * count) if level == "highest" else bytes(i & 0xFF for i in range(count))
    count = f.size
    if f.unit == "text":
        return {"lowest": "", "highest": "x" * count, "pattern": "OpenSIT 1.0"[:count]}[level]
    return {"lowest": bytes(count), "highest": b"\xff" * count, "pattern": bytes(range(count))}[level]


def _row_bytes(schema: Schema, owner: str) -> int:
    """Length of what a `rest` field repeats."""
    event = next(p for p in schema.pushes if p.name == "EVENT")
    return {"LOAD_PAGE": ROW_BYTES, "LEDGER_READ": size(schema.record), "EVENTS_READ": size(event.reply)}.get(owner, 1)
