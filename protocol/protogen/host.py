"""The host's generated modules: enumerations, status sentences, typed messages, the ledger record."""

import textwrap

from protogen.firmware import MARK, WIDTH
from protogen.image import _quoted
from protogen.schema import Enum, Field, Schema, size

LITERAL = 96  # longest string literal: ruff lays out everything else
KINDS = (("refusal", "Refusal"), ("fault", "Fault"), ("limit", "Limit"))


def camel(name: str) -> str:
    """LOAD_BEGIN -> LoadBegin."""
    return "".join(part.capitalize() for part in name.split("_"))


def _docstring(text: str, indent: int = 4) -> list[str]:
    pad = " " * indent
    lines: list[str] = []
    for paragraph in text.split("\n"):
        lines += textwrap.wrap(paragraph, WIDTH - indent - 6, subsequent_indent="    " if lines else "") or [""]
    if len(lines) == 1:
        return [f'{pad}"""{lines[0]}"""']
    return [f'{pad}"""{lines[0]}', *(pad + line if line else "" for line in lines[1:]), f'{pad}"""']


def _member(name: str, value: str, doc: str) -> str:
    return f"    {name} = {value}, {_text(doc)}"


def _text(text: str) -> str:
    """A string literal, cut into several in a row where it is too long for a line."""
    return " ".join(_quoted(part) for part in textwrap.wrap(text, LITERAL, drop_whitespace=False) or [""])


def _module(text: str) -> str:
    return f'"""{text}\n\n{MARK}\n"""'


def enums(schema: Schema) -> str:
    """Text of _gen/enums.py."""
    out = [
        _module("Enumerations of the protocol."),
        "",
        "from enum import IntFlag",
        "",
        "from sit_host.wire import DocEnum",
    ]
    for e in schema.enums:
        out += ["", "", *(_flags(e) if e.bits else _plain(e))]
    groups = [
        ("Msg", "Ids of requests; a reply has REPLY_BIT set too.", schema.messages),
        ("Push", "Ids of what the device sends unasked.", schema.pushes),
    ]
    for name, doc, messages in groups:
        out += ["", "", f"class {name}(DocEnum):", *_docstring(doc), ""]
        out += [_member(m.name, f"{m.id:#04x}", m.doc) for m in messages]
    for kind, name in KINDS:
        out += ["", "", f"class {name}(DocEnum):", *_docstring(f"Numbers of {kind}s; hints are in statuses.py."), ""]
        out += [_member(s.name, str(s.value), s.doc) for s in schema.statuses if s.kind == kind]
    out += ["", "", "class Alarm(DocEnum):", *_docstring("Numbers of the alarms; the sentence says when."), ""]
    out += [_member(a.name, str(a.value), a.when) for a in schema.alarms]
    return "\n".join(out) + "\n"


def _plain(e: Enum) -> list[str]:
    out = [f"class {camel(e.name)}(DocEnum):", *_docstring(e.doc), ""]
    return out + [_member(v.name, str(v.value), v.doc) for v in e.values]


def _flags(e: Enum) -> list[str]:
    name = camel(e.name)
    out = [f"class {name}(IntFlag):", *_docstring(e.doc), ""]
    out += [f"    {v.name} = 1 << {v.value}" for v in e.values]
    need = " | ".join(f"{name}.{v.name}" for v in e.values if v.need) or f"{name}(0)"
    out += ["", "", "# all of these are needed to arm", f"{e.name}_NEED = {need}"]
    out += ["# bit -> (sentence, what to do when it is missing)", f"{e.name}_DOCS = {{"]
    out += [f"    {name}.{v.name}: ({_text(v.doc)}, {_text(v.hint)})," for v in e.values]
    return [*out, "}"]


def statuses(schema: Schema) -> str:
    """Text of _gen/statuses.py: sentences and hints by number."""
    out = [
        _module("What each status and alarm number means and what to do."),
        "",
        "from sit_host.wire import AlarmInfo, StatusInfo",
        "",
        "STATUSES: dict[int, StatusInfo] = {",
    ]
    for s in schema.statuses:
        out.append(f'    {s.value}: StatusInfo({s.value}, "{s.kind}", "{s.name}", {_text(s.doc)}, {_text(s.hint)}),')
    out += ["}", "", "ALARMS: dict[int, AlarmInfo] = {"]
    for a in schema.alarms:
        texts = ", ".join(_text(text) for text in (a.when, a.action, a.hint))
        out.append(f'    {a.value}: AlarmInfo({a.value}, "{a.name}", "{a.priority}", {texts}),')
    return "\n".join([*out, "}"]) + "\n"


def _type(f: Field, schema: Schema) -> str:
    if not f.is_int:
        return "str" if f.unit == "text" else "bytes"
    return f"enums.{camel(f.unit)} | int" if schema.enum(f.unit) else "int"


def _table(fields: tuple[Field, ...], schema: Schema) -> str:
    rows = []
    for f in fields:
        low, high = f.bounds if f.is_int else (0, 0)
        e = f", enums.{camel(f.unit)}" if schema.enum(f.unit) else ""
        rows.append(f'Field("{f.name}", "{f.kind}", "{f.unit}", {low}, {high}, {_text(f.doc)}{e}),')
    return f"    FIELDS: ClassVar[tuple[Field, ...]] = ({' '.join(rows)})"


def _class(
    name: str,
    base: str,
    doc: str,
    shown: str,
    number: int | None,
    fields: tuple[Field, ...],
    schema: Schema,
    extra: tuple[str, ...] = (),
) -> list[str]:
    lines = [doc, ""] if fields else [doc]
    for f in fields:
        limits = (
            f" {f.low if f.low is not None else f.bounds[0]} to {f.high if f.high is not None else f.bounds[1]}"
            if f.low is not None or f.high is not None
            else ""
        )
        unit = f" [{(limits + ' ' + f.unit).strip()}]" if limits or f.unit else ""
        lines.append(f"{f.name}: {f.doc}{unit}")
    out = [
        "",
        "",
        "@dataclass(frozen=True)",
        f"class {name}({base}):",
        *_docstring("\n".join(lines)),
        "",
        f'    NAME: ClassVar[str] = "{shown}"',
    ]
    if number is not None:
        out.append(f"    ID: ClassVar[int] = {number:#04x}")
    out += [_table(fields, schema), *extra, *([""] if fields or base == "Reply" else [])]
    if base == "Reply":
        out.append("    header: ReplyHeader")
    out += [f"    {f.name}: {_type(f, schema)}" for f in fields]
    return out


_REPLY = '''

@dataclass(frozen=True)
class Reply(Message):
    """Base of all replies: the header, then the reply's own fields. A refused request's reply is the header alone."""

    header: ReplyHeader

    def pack(self, check: bool = True) -> bytes:
        """Header and fields."""
        return self.header.pack(check) + super().pack(check)

    @classmethod
    def unpack(cls, payload: bytes) -> Self:
        """The reply in a payload. Raises ShortPayload for a refused one: it is the header alone."""
        fields = unpack_fields(cls.NAME, cls.FIELDS, payload[REPLY_HEADER_BYTES:])
        return cls(header=ReplyHeader.unpack(payload), **fields)'''


def messages(schema: Schema) -> str:
    """Text of _gen/messages.py."""
    out = [
        _module("The messages as frozen dataclasses."),
        "",
        "from dataclasses import dataclass",
        "from typing import ClassVar, NamedTuple, Self",
        "",
        "from sit_host._gen import enums",
        "from sit_host.wire import Field, Message, unpack_fields",
        "",
        f"PROTOCOL_MAJOR = {schema.major}",
        f"PROTOCOL_MINOR = {schema.minor}",
        f'SCHEMA_HASH = bytes.fromhex("{schema.hash.hex()}")',
        f"MAX_PAYLOAD = {schema.max_payload}",
        f"REPLY_HEADER_BYTES = {size(schema.reply_header)}",
        "REPLY_BIT = 0x80",
    ]
    out += _class(
        "ReplyHeader",
        "Message",
        "Begins every reply: how it went and the state after it.",
        "reply header",
        None,
        schema.reply_header,
        schema,
    )
    out += _REPLY.split("\n")
    for m in schema.messages:
        out += _class(
            camel(m.name) + "Reply", "Reply", f"Reply to {m.name}.", m.name + " reply", m.id | 0x80, m.reply, schema
        )
        out += _class(camel(m.name), "Message", m.doc, m.name, m.id, m.request, schema)
    for p in schema.pushes:
        out += _class(
            camel(p.name),
            "Message",
            p.doc,
            p.name,
            p.id,
            p.reply,
            schema,
            (f"    SIZE: ClassVar[int] = {size(p.reply)}",),
        )
    out += [
        "",
        "",
        "class Rule(NamedTuple):",
        '    """What a request may do: its reply, whether it changes, and where."""',
        "",
        "    request: type[Message]",
        "    reply: type[Reply]",
        "    changes: bool",
        "    states: frozenset[enums.State]",
        "",
        "",
        "RULES: dict[int, Rule] = {",
    ]
    for m in schema.messages:
        states = ", ".join(f"enums.State.{s}" for s in m.states)
        every = len(m.states) == len(next(e for e in schema.enums if e.name == "STATE").values)
        group = "frozenset(enums.State)" if every else f"frozenset({{{states}}})"
        out.append(f"    {m.id:#04x}: Rule({camel(m.name)}, {camel(m.name)}Reply, {m.changes}, {group}),")
    out += ["}", "PUSHES: dict[int, type[Message]] = {"]
    out += [f"    {p.id:#04x}: {camel(p.name)}," for p in schema.pushes]
    return "\n".join([*out, "}"]) + "\n"


def records(schema: Schema) -> str:
    """Text of _gen/records.py."""
    out = [
        _module("The ledger record."),
        "",
        "from dataclasses import dataclass",
        "from typing import ClassVar",
        "",
        "from sit_host._gen import enums",
        "from sit_host.wire import Field, Message",
        "",
        f"RECORD_BYTES = {size(schema.record)}",
        f"RECORD_HASHED_BYTES = {size(schema.record[:-2])}  # what the record's own hash covers",
        f"RECORD_CRC_AT = {size(schema.record[:-1])}",
    ]
    out += _class("Record", "Message", "One ledger record of 64 bytes.", "ledger record", None, schema.record, schema)
    return "\n".join(out) + "\n"
