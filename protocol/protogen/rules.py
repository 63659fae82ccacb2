"""The rules a schema must keep: numbers used once, ranges kept, sizes that fit, references that exist."""

from collections.abc import Iterable, Iterator

from protogen.schema import (
    COBS_BLOCK_BYTES,
    CRC_BYTES,
    FIELD_NAME,
    HEADER_BYTES,
    MAC_BYTES,
    NAME,
    PRIORITIES,
    PUSH_IDS,
    RECORD_BYTES,
    REQUEST_IDS,
    STATUS_RANGES,
    STRUCT_CODES,
    TYPE_RANGES,
    Field,
    Schema,
    has_rest,
    size,
)

ALARM_BITS = 32  # alarms stand in one u32 of STATUS
REPLY_HEADER = ("result:u8", "state:u8", "phase:u8", "fault:u8", "ready:u16", "total_min_nl:u32", "total_max_nl:u32")
HELLO_REQUEST = ("host_nonce:u32", "schema_hash:bytes8")
HELLO_REPLY = (
    "major:u8",
    "minor:u8",
    "schema_hash:bytes8",
    "firmware_version:bytes16",
    "board:bytes16",
    "uid:bytes8",
    "boot_count:u32",
    "device_nonce:bytes8",
    "tick_us:u16",
    "max_depth_um:u16",
    "max_points:u16",
)


def check(schema: Schema) -> list[str]:
    """All faults of the schema in a fixed order."""
    return [sentence for rule in RULES for sentence in rule(schema)]


def _twice(what: str, items: Iterable[object]) -> Iterator[str]:
    seen: set[object] = set()
    for item in items:
        if item in seen:
            yield f"{what} {item if not isinstance(item, int) else hex(item)} is used twice."
        seen.add(item)


def _enums(schema: Schema) -> Iterator[str]:
    yield from _twice("enum", (e.name for e in schema.enums))
    for e in schema.enums:
        yield from _twice(f"{e.name} value", (v.value for v in e.values))
        yield from _twice(f"{e.name} name", (v.name for v in e.values))
        top = 15 if e.bits else 255
        for v in e.values:
            if not 0 <= v.value <= top:
                yield f"{e.name}_{v.name} is {v.value}, outside 0..{top}."
            if not NAME.match(v.name) or not v.doc:
                yield f"{e.name}_{v.name} needs an upper-case name and a sentence."
    for needed in ("STATE", "READY", "PHASE"):
        if schema.enum(needed) is None:
            yield f"the enumeration {needed} is missing."


def _statuses(schema: Schema) -> Iterator[str]:
    yield from _twice("status number", (s.value for s in schema.statuses))
    yield from _twice("status", (f"{s.kind} {s.name}" for s in schema.statuses))
    for s in schema.statuses:
        low, high = STATUS_RANGES[s.kind]
        if not low <= s.value <= high:
            yield f"{s.kind} {s.name} is {s.value}, outside {low}..{high}."
        if not NAME.match(s.name) or not s.doc or not s.hint:
            yield f"{s.kind} {s.name} needs an upper-case name, a sentence and a hint."
    cause = schema.enum("CAUSE")
    low = STATUS_RANGES["fault"][0]
    for v in cause.values if cause else ():
        if v.value >= low:
            yield f"CAUSE_{v.name} is {v.value}: from {low} on a cause is a fault's number."


def _alarms(schema: Schema) -> Iterator[str]:
    yield from _twice("alarm number", (a.value for a in schema.alarms))
    yield from _twice("alarm", (a.name for a in schema.alarms))
    for a in schema.alarms:
        if a.priority not in PRIORITIES:
            yield f"alarm {a.name}: [alarm_priority] has no priority for harm {a.harm}, onset {a.onset}."
        if not 1 <= a.value < ALARM_BITS:
            yield f"alarm {a.name} is {a.value}: STATUS has bits 1..{ALARM_BITS - 1}."
        if not (NAME.match(a.name) and a.when and a.action and a.hint):
            yield f"alarm {a.name} needs an upper-case name, `when`, `action` and `hint`."


def _ids(schema: Schema) -> Iterator[str]:
    reserved = {number: what for number, what, _date in schema.reserved}
    yield from _twice("reserved id", (number for number, _what, _date in schema.reserved))
    yield from _twice("message id", (m.id for m in schema.messages + schema.pushes))
    yield from _twice("message name", (m.name for m in schema.messages + schema.pushes))
    states = {v.name for v in e.values} if (e := schema.enum("STATE")) else set()
    for group, (low, high) in ((schema.messages, REQUEST_IDS), (schema.pushes, PUSH_IDS)):
        for m in group:
            if not low <= m.id <= high:
                yield f"{m.name} has the id {m.id:#04x}, outside {low:#04x}..{high:#04x}."
            if m.id in reserved:
                yield f"{m.name} has the id {m.id:#04x}, which is reserved for {reserved[m.id]}."
            if not NAME.match(m.name) or not m.doc:
                yield f"message {m.name} needs an upper-case name and a sentence."
            for state in m.states:
                if state not in states:
                    yield f"{m.name} names the state {state}, which doesn't exist."
    for m in schema.messages:
        if not m.states:
            yield f"{m.name} is allowed in no state."


def _field(where: str, f: Field) -> Iterator[str]:
    if f.kind != "rest" and f.kind not in STRUCT_CODES and not (f.kind.startswith("bytes") and f.kind[5:].isdigit()):
        yield f"{where}.{f.name} has the unknown type {f.kind}."
        return
    if not FIELD_NAME.match(f.name) or not f.doc:
        yield f"{where}.{f.name} needs a lower-case name and a sentence."
    if not f.is_int:
        if f.low is not None or f.high is not None:
            yield f"{where}.{f.name} has a range but is no number."
        return
    low, high = TYPE_RANGES[f.kind]
    if not low <= f.bounds[0] <= f.bounds[1] <= high:
        yield f"{where}.{f.name} has the range {f.bounds[0]}..{f.bounds[1]}, which {f.kind} can't hold."


def _fields(schema: Schema) -> Iterator[str]:
    groups = [("reply_header", schema.reply_header), ("record", schema.record)]
    groups += [(m.name, m.request) for m in schema.messages]
    groups += [(m.name + " reply", m.reply) for m in schema.messages + schema.pushes]
    for where, fields in groups:
        yield from _twice(f"{where} field", (f.name for f in fields))
        for f in fields:
            yield from _field(where, f)
        if any(f.kind == "rest" for f in fields[:-1]):
            yield f"{where} has a field after `rest`."


def _sizes(schema: Schema) -> Iterator[str]:
    frame = HEADER_BYTES + schema.max_payload + MAC_BYTES + CRC_BYTES
    if frame > COBS_BLOCK_BYTES:
        yield f"a frame has {frame} bytes before COBS: {COBS_BLOCK_BYTES} fit one block."
    known = [f for m in schema.messages for f in m.request + m.reply] + list(schema.record + schema.reply_header)
    if any(list(_field("", f)) for f in known):
        return
    head = size(schema.reply_header)
    for m in schema.messages:
        for what, total in (("request", size(m.request)), ("reply", head + size(m.reply))):
            if total > schema.max_payload:
                yield f"the {what} of {m.name} has {total} bytes: {schema.max_payload} fit."
    for p in schema.pushes:
        if size(p.reply) > schema.max_payload:
            yield f"{p.name} has {size(p.reply)} bytes: {schema.max_payload} fit."
    if has_rest(schema.record) or size(schema.record) != RECORD_BYTES:
        yield f"the ledger record has {size(schema.record)} bytes, not {RECORD_BYTES}."
    if [f.name for f in schema.record[-2:]] != ["hash", "crc"]:
        yield "the ledger record must end with hash and crc."


def _hello(schema: Schema) -> Iterator[str]:
    hello = next((m for m in schema.messages if m.name == "HELLO"), None)
    if hello is None or hello.id != 1 or hello.changes:
        yield "HELLO must have the id 0x01 and change nothing."
        return
    fixed = ((schema.reply_header, REPLY_HEADER), (hello.request, HELLO_REQUEST), (hello.reply, HELLO_REPLY))
    if any(tuple(f"{f.name}:{f.kind}" for f in fields) != layout for fields, layout in fixed):
        yield "the layout of HELLO and of the reply header never changes between versions, and it has changed."
    for name in ("STOP", "DISARM"):
        m = next((m for m in schema.messages if m.name == name), None)
        states = schema.enum("STATE")
        if m is None or m.changes or m.request or not states or len(m.states) != len(states.values):
            yield f"{name} must always work: any state, no fields, changes = false."


RULES = (_enums, _statuses, _alarms, _ids, _fields, _sizes, _hello)
