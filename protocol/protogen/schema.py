"""Loads protocol/schema.toml and checks it: one sentence per fault, nothing is generated until none is left."""

import hashlib
import json
import re
import struct
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HEADER_BYTES = 8  # seq u16, id u8, flags u8, session u32
MAC_BYTES = 8
CRC_BYTES = 4
COBS_BLOCK_BYTES = 254  # longest run that one COBS block carries
RECORD_BYTES = 64
REPLY_BIT = 0x80

STRUCT_CODES = {"u8": "B", "u16": "H", "u32": "I", "i16": "h", "i32": "i"}
TYPE_RANGES = {
    "u8": (0, 0xFF),
    "u16": (0, 0xFFFF),
    "u32": (0, 0xFFFFFFFF),
    "i16": (-0x8000, 0x7FFF),
    "i32": (-0x80000000, 0x7FFFFFFF),
}
STATUS_RANGES = {"refusal": (1, 31), "fault": (32, 95), "limit": (96, 127)}
PRIORITIES = {"low": 1, "medium": 2, "high": 3}
REQUEST_IDS = (0x01, 0x5F)
PUSH_IDS = (0x60, 0x7F)

NAME = re.compile(r"[A-Z][A-Z0-9_]*$")
FIELD_NAME = re.compile(r"[a-z][a-z0-9_]*$")


class SchemaError(Exception):
    """What is wrong with the schema, one sentence per line."""


@dataclass(frozen=True)
class Field:
    """One field of a message: `kind` is a type of the schema, `low` and `high` are inclusive or None."""

    name: str
    kind: str
    unit: str
    doc: str
    low: int | None = None
    high: int | None = None

    @property
    def code(self) -> str:
        """Code for `struct`; empty for `rest`."""
        if self.kind == "rest":
            return ""
        return STRUCT_CODES.get(self.kind) or f"{int(self.kind[5:])}s"

    @property
    def size(self) -> int:
        """Bytes on the wire; 0 for `rest`."""
        return struct.calcsize("<" + self.code)

    @property
    def is_int(self) -> bool:
        """True for the number types."""
        return self.kind in STRUCT_CODES

    @property
    def bounds(self) -> tuple[int, int]:
        """Inclusive range: the schema's, else the type's. Number types only."""
        low, high = TYPE_RANGES[self.kind]
        return (low if self.low is None else self.low, high if self.high is None else self.high)


@dataclass(frozen=True)
class Value:
    """One value of an enumeration, or one bit number."""

    name: str
    value: int
    doc: str
    need: bool = False
    hint: str = ""


@dataclass(frozen=True)
class Enum:
    """An enumeration; with `bits` each value is a bit number."""

    name: str
    doc: str
    values: tuple[Value, ...]
    bits: bool = False


@dataclass(frozen=True)
class Status:
    """A refusal, fault or limit."""

    kind: str
    name: str
    value: int
    doc: str
    hint: str


@dataclass(frozen=True)
class Alarm:
    """An alarm: what raises it, what the device does, what the operator does."""

    name: str
    value: int
    harm: str
    onset: str
    priority: str
    stops: bool
    when: str
    action: str
    hint: str


@dataclass(frozen=True)
class Message:
    """A request with its reply, or a push (no request fields, no states)."""

    name: str
    id: int
    doc: str
    states: tuple[str, ...] = ()
    changes: bool = False
    request: tuple[Field, ...] = ()
    reply: tuple[Field, ...] = ()


@dataclass
class Schema:
    """The whole schema, checked, with its hash."""

    name: str
    major: int
    minor: int
    max_payload: int
    enums: tuple[Enum, ...] = ()
    statuses: tuple[Status, ...] = ()
    alarms: tuple[Alarm, ...] = ()
    reply_header: tuple[Field, ...] = ()
    messages: tuple[Message, ...] = ()
    pushes: tuple[Message, ...] = ()
    record: tuple[Field, ...] = ()
    reserved: tuple[tuple[int, str, str], ...] = ()
    hash: bytes = field(default=b"", repr=False)

    def enum(self, name: str) -> Enum | None:
        """The enumeration of that name, or None."""
        return next((e for e in self.enums if e.name == name), None)


def fmt(fields: tuple[Field, ...]) -> str:
    """`struct` format of the fixed part of some fields, little-endian, no padding."""
    return "<" + "".join(f.code for f in fields)


def size(fields: tuple[Field, ...]) -> int:
    """Bytes of the fixed part of some fields."""
    return struct.calcsize(fmt(fields))


def has_rest(fields: tuple[Field, ...]) -> bool:
    """True when the last field takes the remaining bytes."""
    return bool(fields) and fields[-1].kind == "rest"


def load(path: Path) -> Schema:
    """Read and check the schema. Raises SchemaError with one sentence per fault, naming the file."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SchemaError(f"{path}: {error}.") from error
    try:
        schema = _build(raw)
    except (KeyError, TypeError, AttributeError) as error:
        raise SchemaError(f"{path}: an entry is missing or misnamed: {error}.") from error
    wrong = check(schema)
    if wrong:
        raise SchemaError("\n".join(f"{path}: {sentence}" for sentence in wrong))
    schema.hash = hashlib.sha256(canonical(schema).encode()).digest()[:8]
    return schema


def _fields(rows: list[dict[str, Any]]) -> tuple[Field, ...]:
    return tuple(Field(r["name"], r["type"], r["unit"], r["doc"], r.get("min"), r.get("max")) for r in rows)


def _build(raw: dict[str, Any]) -> Schema:
    head = raw["protocol"]
    all_states = tuple(v["name"] for e in raw["enum"] if e["name"] == "STATE" for v in e["values"])
    return Schema(
        name=head["name"],
        major=head["major"],
        minor=head["minor"],
        max_payload=head["max_payload"],
        enums=tuple(
            Enum(e["name"], e["doc"], tuple(Value(**v) for v in e["values"]), e.get("bits", False)) for e in raw["enum"]
        ),
        statuses=tuple(
            Status(kind, s["name"], s["value"], s["doc"], s["hint"])
            for kind in STATUS_RANGES
            for s in raw.get(kind, [])
        ),
        alarms=tuple(Alarm(**a, priority=_priority(raw["alarm_priority"], a)) for a in raw["alarm"]),
        reply_header=_fields(raw["reply_header"]["fields"]),
        messages=tuple(
            Message(
                m["name"],
                m["id"],
                m["doc"],
                all_states if m["states"] == "any" else tuple(m["states"]),
                m["changes"],
                _fields(m["request"]),
                _fields(m["reply"]),
            )
            for m in raw["message"]
        ),
        pushes=tuple(Message(p["name"], p["id"], p["doc"], reply=_fields(p["fields"])) for p in raw["push"]),
        record=_fields(raw["record"]["fields"]),
        reserved=tuple((r["id"], r["what"], str(r.get("date", ""))) for r in raw.get("reserved", [])),
    )


def _priority(table: dict[str, dict[str, str]], alarm: dict[str, Any]) -> str:
    """The priority that harm and onset give; empty, which a rule finds, when the table has none."""
    return table.get(alarm["harm"], {}).get(alarm["onset"], "")


def canonical(schema: Schema) -> str:
    """The text that the schema hash covers: names, numbers, types, units, ranges and rules; no prose.

    JSON with sorted keys and no blanks, so a mended sentence doesn't lock a host out and any other change does.
    """

    def fields(items: tuple[Field, ...]) -> list[list[Any]]:
        return [[f.name, f.kind, f.unit, f.low, f.high] for f in items]

    return json.dumps(
        {
            "version": [schema.name, schema.major, schema.minor, schema.max_payload],
            "enums": {e.name: [e.bits, [[v.name, v.value, v.need] for v in e.values]] for e in schema.enums},
            "statuses": [[s.kind, s.name, s.value] for s in schema.statuses],
            "alarms": [[a.name, a.value, a.priority, a.stops] for a in schema.alarms],
            "reply_header": fields(schema.reply_header),
            "messages": [
                [m.name, m.id, list(m.states), m.changes, fields(m.request), fields(m.reply)] for m in schema.messages
            ],
            "pushes": [[p.name, p.id, fields(p.reply)] for p in schema.pushes],
            "record": fields(schema.record),
            "reserved": [[number, what] for number, what, _date in schema.reserved],
        },
        sort_keys=True,
        separators=(",", ":"),
    )


def check(schema: Schema) -> list[str]:
    """Everything that is wrong with a schema, one sentence each; empty when it is sound."""
    from protogen import rules

    return rules.check(schema)
