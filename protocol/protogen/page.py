"""The tables of PROTOCOL.md, written between its markers; the prose around them is written by hand."""

import re
from collections.abc import Callable

from protogen.framing import cobs, raw
from protogen.schema import (
    CRC_BYTES,
    HEADER_BYTES,
    MAC_BYTES,
    Field,
    Schema,
    SchemaError,
    Status,
    has_rest,
    size,
)
from protogen.vectors import Vector, find

MARKED = re.compile(r"(<!-- generated: ([a-z]+) -->\n).*?(<!-- end -->)", re.DOTALL)
KINDS = {"refusals": "refusal", "faults": "fault", "limits": "limit"}


def fill(schema: Schema, text: str) -> str:
    """The page with every marked part made anew. Raises SchemaError when a part is missing or unknown."""
    parts = [match[2] for match in MARKED.finditer(text)]
    if sorted(parts) != sorted(PARTS):
        raise SchemaError(f"PROTOCOL.md has the marked parts {', '.join(parts)}: each of {', '.join(PARTS)} once.")
    return MARKED.sub(lambda match: f"{match[1]}\n{PARTS[match[2]](schema).strip()}\n\n{match[3]}", text)


def _table(head: tuple[str, ...], rows: list[tuple[object, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines) + "\n"


def _sizes(schema: Schema) -> str:
    overhead = HEADER_BYTES + MAC_BYTES + CRC_BYTES
    longest = overhead + schema.max_payload
    return _table(
        ("what", "value"),
        [
            ("protocol version", f"{schema.major}.{schema.minor}"),
            ("schema hash", f"`{schema.hash.hex()}`"),
            ("shortest frame before COBS, in bytes", overhead),
            ("longest payload, in bytes", schema.max_payload),
            ("longest frame before COBS, in bytes", longest),
            ("longest frame on the wire with its zero, in bytes", longest + 2),
        ],
    )


def _example(schema: Schema) -> str:
    out = []
    for name in ("HELLO pattern", "STATUS refused"):
        v = find(schema, name)
        frame = raw(v.seq, v.id, v.session, v.payload)
        out += [f"{name} (vector of that name):\n", "```", *_dissected(schema, v, frame), "```\n"]
    return "\n".join(out)


def _dissected(schema: Schema, v: Vector, frame: bytes) -> list[str]:
    def line(label: str, data: bytes, value: object = "") -> str:
        return f"{label:14} {data.hex(' '):24} {value}".rstrip()

    m = next(m for m in schema.messages if m.name == v.message)
    lines = [
        line("seq", frame[:2], v.seq),
        line("id", frame[2:3], f"{v.id:#04x}"),
        line("flags", frame[3:4]),
        line("session", frame[4:8], v.session),
    ]
    at = HEADER_BYTES
    for f in schema.reply_header if v.kind == "reply" else m.request:
        lines.append(line(f.name, frame[at : at + f.size], v.fields[f.name] if f.is_int else ""))
        at += f.size
    lines.append(line("mac", frame[at : at + MAC_BYTES]))
    lines.append(line("crc", frame[-CRC_BYTES:], f"{int.from_bytes(frame[-CRC_BYTES:], 'little'):#010x}"))
    wire = (cobs(frame) + b"\0").hex(" ")
    lines += ["on the wire:", *(wire[i : i + 96].strip() for i in range(0, len(wire), 96))]
    return lines


def _enums(schema: Schema) -> str:
    out = []
    for e in schema.enums:
        out.append(f"### {e.name}\n\n{e.doc}\n")
        head = ("bit" if e.bits else "value", "name", "meaning")
        if e.bits:
            rows = [(v.value, v.name, v.doc, "yes" if v.need else "no", v.hint) for v in e.values]
            out.append(_table((*head, "needed to arm", "what to do"), list(rows)))
        else:
            out.append(_table(head, [(v.value, v.name, v.doc) for v in e.values]))
    return "\n".join(out)


def _statuses(kind: str) -> Callable[[Schema], str]:
    def part(schema: Schema) -> str:
        found: list[Status] = [s for s in schema.statuses if s.kind == kind]
        return _table(("number", "name", "meaning", "hint"), [(s.value, s.name, s.doc, s.hint) for s in found])

    return part


def _alarms(schema: Schema) -> str:
    rows: list[tuple[object, ...]] = [
        (a.value, a.name, f"{a.harm}, {a.onset}", a.priority, "yes" if a.stops else "no", a.when, a.action, a.hint)
        for a in schema.alarms
    ]
    return _table(
        ("number", "name", "harm, onset", "priority", "three stop", "when", "the device", "the operator"), rows
    )


def _fields(fields: tuple[Field, ...]) -> str:
    rows: list[tuple[object, ...]] = []
    at = 0
    for f in fields:
        low, high = f.bounds if f.is_int else (0, 0)
        span = f"{low} to {high}" if f.low is not None or f.high is not None else ""
        rows.append((at, f.name, f.kind, f.unit, span, f.doc))
        at += f.size
    return _table(("at", "field", "type", "unit", "range", "meaning"), rows)


def _header(schema: Schema) -> str:
    return _fields(schema.reply_header)


def _messages(schema: Schema) -> str:
    every = len(schema.enum("STATE").values)  # type: ignore[union-attr]
    index = [
        (f"`{m.id:#04x}`", m.name, "any" if len(m.states) == every else ", ".join(m.states),
         "yes" if m.changes else "no", m.doc)
        for m in schema.messages
    ]  # fmt: skip
    out = [_table(("id", "request", "allowed in", "changes", "meaning"), list(index))]
    for m in schema.messages:
        out.append(f"### {m.name} `{m.id:#04x}`\n\n{m.doc}\n")
        out.append(f"Request: {_length(m.request)}\n")
        if m.request:
            out.append(_fields(m.request))
        out.append(f"Reply `{m.id | 0x80:#04x}`, after the reply header: {_length(m.reply)}\n")
        if m.reply:
            out.append(_fields(m.reply))
    return "\n".join(out)


def _length(fields: tuple[Field, ...]) -> str:
    if not fields:
        return "no fields."
    return f"{size(fields)} bytes{' or more' if has_rest(fields) else ''}."


def _pushes(schema: Schema) -> str:
    out = []
    for p in schema.pushes:
        out.append(f"### {p.name} `{p.id:#04x}`\n\n{p.doc} {_length(p.reply)}\n")
        out.append(_fields(p.reply))
    return "\n".join(out)


def _record(schema: Schema) -> str:
    return _fields(schema.record)


def _reserved(schema: Schema) -> str:
    return _table(("id", "for", "since"), [(f"`{number:#04x}`", what, date) for number, what, date in schema.reserved])


PARTS: dict[str, Callable[[Schema], str]] = {
    "sizes": _sizes,
    "example": _example,
    "header": _header,
    "messages": _messages,
    "pushes": _pushes,
    "record": _record,
    "enums": _enums,
    **{part: _statuses(kind) for part, kind in KINDS.items()},
    "alarms": _alarms,
    "reserved": _reserved,
}
