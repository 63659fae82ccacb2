"""Reads the slots of the process image from the comments of image.py and writes them for the host's plots."""

import re
from pathlib import Path

from protogen.firmware import MARK
from protogen.schema import SchemaError

_SLOT = re.compile(r"^(IN|OUT|ST|P)_([A-Z0-9_]+) = (\d+)\s*(?:#\s*(.*))?$")
_COUNT = re.compile(r"^N_(INPUTS|OUTPUTS|STATE|PARAMS) = (\d+)\b")
_BLOCKS = {"IN": "INPUTS", "OUT": "OUTPUTS", "ST": "STATE", "P": "PARAMS"}


def parse(text: str, where: str) -> tuple[dict[str, list[tuple[str, int, str, str]]], dict[str, int]]:
    """Slots per block as (name, number, unit, meaning) by number, and the length of each block.

    Raises SchemaError for a slot without `unit: meaning`, a number used twice or outside its block.
    """
    blocks: dict[str, list[tuple[str, int, str, str]]] = {name: [] for name in _BLOCKS.values()}
    counts: dict[str, int] = {}
    wrong = []
    for number, line in enumerate(text.splitlines(), 1):
        if match := _COUNT.match(line):
            counts[match[1]] = int(match[2])
        if match := _SLOT.match(line):
            unit, colon, meaning = (match[4] or "").partition(": ")
            if not colon or not meaning.strip():
                wrong.append(f"{where}:{number}: {match[1]}_{match[2]} needs a comment `unit: meaning`.")
            slot = (f"{match[1]}_{match[2]}", int(match[3]), unit.strip(), meaning.strip())
            blocks[_BLOCKS[match[1]]].append(slot)
    for block, slots in blocks.items():
        slots.sort(key=lambda slot: slot[1])
        if block not in counts:
            wrong.append(f"{where}: N_{block} is missing.")
            continue
        for before, slot in zip([None, *slots], slots, strict=False):
            if before and before[1] == slot[1]:
                wrong.append(f"{where}: {before[0]} and {slot[0]} share the number {slot[1]}.")
            if slot[1] >= counts[block]:
                wrong.append(f"{where}: {slot[0]} is {slot[1]}, but N_{block} is {counts[block]}.")
    if wrong:
        raise SchemaError("\n".join(wrong))
    return blocks, counts


def slots(path: Path) -> str:
    """Text of host/sit_host/_gen/image_slots.py."""
    blocks, counts = parse(path.read_text(encoding="utf-8"), str(path))
    out = [
        f'"""Slots of the process image: block -> (name, number, unit, meaning).\n\n{MARK}\n"""',
        "",
        "from typing import NamedTuple",
        "",
        "",
        "class Slot(NamedTuple):",
        '    """One slot of the process image."""',
        "",
        "    name: str",
        "    number: int",
        "    unit: str",
        "    meaning: str",
        "",
        "",
    ]
    for block, items in blocks.items():
        out += [f"N_{block} = {counts[block]}", f"{block} = ("]
        for name, number, unit, meaning in items:
            out.append(f'    Slot("{name}", {number}, {_quoted(unit)}, {_quoted(meaning)}),')
        out += [")", ""]
    out += [
        "# every slot by its name",
        "SLOTS = {slot.name: slot for block in (INPUTS, OUTPUTS, STATE, PARAMS) for slot in block}",
    ]
    return "\n".join(out) + "\n"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
