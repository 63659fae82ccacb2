"""Packing and unpacking of typed messages: fields with type, unit and range. The generated classes build on this.

Ranges are checked when packing; a wrong value raises RangeError with the field, the value, the range and the unit.
Bytes from the wire that are too short raise ShortPayload; longer ones pass, since a later minor version may append.
"""

import struct
from enum import IntEnum, IntFlag
from typing import Any, ClassVar, NamedTuple, Self

STRUCT_CODES = {"u8": "B", "u16": "H", "u32": "I", "i16": "h", "i32": "i"}


class RangeError(ValueError):
    """A field holds a value that the schema doesn't allow; the text names field, value, range and unit."""


class ShortPayload(ValueError):
    """A payload from the wire is shorter than its layout."""


class DocEnum(IntEnum):
    """An enumeration whose members carry a sentence, `doc`."""

    doc: str

    def __new__(cls, value: int, doc: str = "") -> Self:
        member = int.__new__(cls, value)
        member._value_ = value
        member.doc = doc
        return member


class Field(NamedTuple):
    """One field: `kind` is a schema type, `low` and `high` are the inclusive range of a number."""

    name: str
    kind: str
    unit: str
    low: int
    high: int
    doc: str
    enum: type[IntEnum] | type[IntFlag] | None = None

    @property
    def code(self) -> str:
        """Code for `struct`; empty for `rest`."""
        if self.kind == "rest":
            return ""
        return STRUCT_CODES.get(self.kind) or self.kind[5:] + "s"


def layout(fields: tuple[Field, ...]) -> struct.Struct:
    """The fixed part of some fields: little-endian, no padding."""
    return struct.Struct("<" + "".join(field.code for field in fields))


def pack_fields(owner: str, fields: tuple[Field, ...], values: Any, check: bool = True) -> bytes:
    """Bytes of the attributes of `values` named by `fields`.

    With `check` off only what the wire can't carry is refused: for tests of the device's own checks.
    """
    items: list[Any] = []
    tail = b""
    for field in fields:
        value = getattr(values, field.name)
        if field.kind == "rest":
            tail = bytes(value)
        elif field.kind in STRUCT_CODES:
            items.append(_number(owner, field, value, check))
        else:
            items.append(_octets(owner, field, value))
    return layout(fields).pack(*items) + tail


def _number(owner: str, field: Field, value: Any, check: bool) -> int:
    unit = f" {field.unit}" if field.unit else ""
    if isinstance(value, bool) or not isinstance(value, int):
        raise RangeError(f"{owner}.{field.name} must be a whole number{unit and ' of' + unit}, not {value!r}.")
    if check and not field.low <= value <= field.high:
        raise RangeError(f"{owner}.{field.name} is {int(value)}{unit}: it must be {field.low} to {field.high}{unit}.")
    try:
        struct.pack("<" + field.code, value)
    except struct.error:
        raise RangeError(f"{owner}.{field.name} is {int(value)}{unit}: {field.kind} can't hold it.") from None
    return value


def _octets(owner: str, field: Field, value: Any) -> bytes:
    size = int(field.kind[5:])
    if field.unit == "text":
        data = str(value).encode()
        if len(data) > size:
            raise RangeError(f"{owner}.{field.name} is {value!r}: at most {size} bytes of text fit.")
        return data
    data = bytes(value)
    if len(data) != size:
        raise RangeError(f"{owner}.{field.name} has {len(data)} bytes: it must have {size}.")
    return data


def unpack_fields(owner: str, fields: tuple[Field, ...], data: bytes) -> dict[str, Any]:
    """Attribute values by name from the start of `data`. Values of an enumeration that are new to us stay numbers."""
    shape = layout(fields)
    if len(data) < shape.size:
        raise ShortPayload(f"{owner} has {len(data)} bytes: at least {shape.size} are needed.")
    items = iter(shape.unpack_from(data))
    return {
        field.name: bytes(data[shape.size :]) if field.kind == "rest" else _value(field, next(items))
        for field in fields
    }


def _value(field: Field, raw: Any) -> Any:
    if field.unit == "text":
        return raw.rstrip(b"\0").decode(errors="replace")
    if field.enum is None:
        return raw
    try:
        return field.enum(raw)
    except ValueError:
        return raw


class Message:
    """Base of all generated messages: `pack()` gives the payload, `unpack(payload)` the message."""

    NAME: ClassVar[str]
    ID: ClassVar[int]
    FIELDS: ClassVar[tuple[Field, ...]]

    def pack(self, check: bool = True) -> bytes:
        """The payload. Raises RangeError; `check` off lets a value outside its range through (tests of the device)."""
        return pack_fields(self.NAME, self.FIELDS, self, check)

    @classmethod
    def unpack(cls, payload: bytes) -> Self:
        """The message in a payload. Raises ShortPayload; bytes after the known fields are ignored."""
        return cls(**unpack_fields(cls.NAME, cls.FIELDS, payload))


class StatusInfo(NamedTuple):
    """A refusal, fault or limit: its number, `kind`, name, what it means and what to do."""

    number: int
    kind: str
    name: str
    doc: str
    hint: str


class AlarmInfo(NamedTuple):
    """An alarm: number, name, `priority` (low, medium, high), when it rises, what the device does, what to do."""

    number: int
    name: str
    priority: str
    when: str
    action: str
    hint: str
