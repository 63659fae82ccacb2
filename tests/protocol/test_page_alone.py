"""Wire: PROTOCOL.md is enough. A decoder written from the page alone, tables included, reads every vector.

Nothing of OpenSIT is imported here: the page's text is the only source.
"""

import json
import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "protocol"
PAGE = (FOLDER / "PROTOCOL.md").read_text()
DATA = json.loads((FOLDER / "vectors.json").read_text())


def limit(what: str) -> int:
    return int(re.search(rf"\| {what}[^|]*\| (\d+) \|", PAGE)[1])


def crc32(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xEDB88320 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def frame(wire: bytes) -> dict | None:
    """What is in the bytes before a zero, or None when they must be dropped."""
    data, at = bytearray(wire), 0
    if len(data) > limit("longest frame on the wire") - 1:
        return None
    while at < len(data):
        data[at], at = 0, at + data[at]
    data = data[1:]
    if (
        at != len(wire)
        or len(data) < limit("shortest frame")
        or crc32(data[:-4]) != int.from_bytes(data[-4:], "little")
    ):
        return None
    return {"seq": number(data[:2]), "id": data[2], "flags": data[3], "session": number(data[4:8]),
            "payload": bytes(data[8:-12])}  # fmt: skip


def number(data: bytes, signed: bool = False) -> int:
    return int.from_bytes(data, "little", signed=signed)


def table(text: str) -> list[tuple[str, str, str]]:
    """(field, type, unit) of each row of the first table in some text of the page."""
    rows = re.findall(r"^\| \d+ \| (\w+) \| (\w+) \| ([^|]*) \|", text, re.MULTILINE)
    return [(name, kind, unit.strip()) for name, kind, unit in rows]


def fields(rows: list[tuple[str, str, str]], payload: bytes) -> tuple[dict, bytes]:
    """The values of the fields as vectors.json writes them, and the bytes after them."""
    found = {}
    for name, kind, unit in rows:
        if kind == "rest":
            found[name], payload = payload.hex(), b""
            continue
        size = int(kind[5:]) if kind.startswith("bytes") else int(kind[1:]) // 8
        data, payload = payload[:size], payload[size:]
        if not kind.startswith("bytes"):
            found[name] = number(data, kind[0] == "i")
        else:
            found[name] = data.rstrip(b"\0").decode() if unit == "text" else data.hex()
    return found, payload


def section(title: str) -> str:
    """The page's text under a heading."""
    return re.split(r"^##+ ", PAGE.split(f"# {title}", 1)[1], flags=re.MULTILINE)[0]


def decode(wire: bytes) -> dict | None:
    got = frame(wire)
    if got is None:
        return None
    request = got["id"] & 0x7F
    message = re.search(rf"^### (\w+) `{request:#04x}`", PAGE, re.MULTILINE)[1]
    asked, _, answered = section(f"{message} `{request:#04x}`").partition("Reply `")
    if got["id"] & 0x80:
        head, rest = fields(table(section("Reply header")), got.pop("payload"))
        own = ({}, rest) if head["result"] else fields(table(answered), rest)
        return got | {"message": message, "fields": head | own[0], "left": own[1]}
    values, left = fields(table(asked), got.pop("payload"))
    return got | {"message": message, "fields": values, "left": left}


@pytest.mark.parametrize("v", [pytest.param(v, id=v["name"]) for v in DATA["frames"]])
def test_good_frames(v):
    """Wire: the page says what every vector holds."""
    got = decode(bytes.fromhex(v["wire"])[:-1])
    assert got.pop("left") == b""
    assert got == {key: v[key] for key in ("seq", "id", "flags", "session", "message", "fields")}


@pytest.mark.parametrize("v", [pytest.param(v, id=v["name"]) for v in DATA["bad"]])
def test_bad_frames(v):
    """Wire: by the page's rules every bad vector is dropped."""
    assert bytes.fromhex(v["wire"]).endswith(b"\0")
    assert frame(bytes.fromhex(v["wire"])[:-1]) is None


@pytest.mark.parametrize("v", [pytest.param(v, id=v["name"]) for v in DATA["streams"]])
def test_streams(v):
    """Wire: cut at the zeros, each stream gives the frames that the vector names."""
    wires = {row["name"]: row["wire"] for row in DATA["frames"]}
    found = [piece for piece in bytes.fromhex(v["wire"]).split(b"\0")[:-1] if piece and frame(piece)]
    assert [(piece + b"\0").hex() for piece in found] == [wires[name] for name in v["frames"]]


def test_the_crc_of_the_page():
    """Wire: the check value that the page gives for its CRC."""
    assert f"0x{crc32(b'123456789'):X}" == "0xCBF43926"
    assert "0xCBF43926" in PAGE


def test_the_worked_example_is_a_frame():
    """Wire: the bytes shown in the page decode to what is shown beside them."""
    shown = re.findall(r"on the wire:\n([0-9a-f \n]+)```", PAGE)
    assert len(shown) == 2
    for text in shown:
        wire = bytes.fromhex("".join(text.split()))
        assert wire.hex() in [v["wire"] for v in DATA["frames"]]


def test_the_refusals_of_the_page_are_those_of_the_vectors():
    """Wire: a client that reads the page can name every result that the exchanges expect."""
    names = dict(re.findall(r"^\| (\d+) \| ([A-Z_]+) \|", section("Refusals"), re.MULTILINE))
    results = {v["result"] for v in DATA["exchanges"] if v.get("result")}
    assert {names[str(result)] for result in results} == {
        "BAD_LENGTH", "BAD_VALUE", "UNKNOWN_MESSAGE", "NO_SESSION", "SEQUENCE",
    }  # fmt: skip
