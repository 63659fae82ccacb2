"""Vectors for each function of the tick: arrays drawn from a seed, and the digest of what the function makes of them.

A slot holds 0 or 1, a small or a large number, a code, or a parameter and the numbers beside it, so that comparisons
are met on both sides and at the border. What the functions should do is proved elsewhere; these say whether any of
them does anything otherwise than when tests/golden/tick_vectors.txt was written (`make bless`).
"""

import importlib
import random
import re
from pathlib import Path
from zlib import crc32

from sit_firmware import image

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "tick_vectors.txt"
_FIRMWARE = Path(__file__).resolve().parents[2] / "firmware" / "sit_firmware"
_DRAWS = 3000
_SLOT = re.compile(r"image\.((?:ST|IN|OUT|P)_\w+)")
_FUNCTION = re.compile(r"^def (\w+)\(state, inputs, outputs, params\)", re.M)
_LARGE, _SMALL, _FEW = 1 << 17, 500, 24
_KINDS = ("ST", "IN", "OUT", "P")


def functions():
    """(name, function, slots that its module names) of everything that the tick may run."""
    for path in sorted([*_FIRMWARE.glob("control/[a-z]*.py"), *_FIRMWARE.glob("guard*.py")]):
        text = path.read_text(encoding="utf-8")
        name = ".".join(path.relative_to(_FIRMWARE).with_suffix("").parts)
        module = importlib.import_module(f"sit_firmware.{name}")
        slots = sorted(set(_SLOT.findall(text)))
        for function in _FUNCTION.findall(text):
            yield f"{name}.{function}", getattr(module, function), slots


def digest(name, function, slots):
    """Eight hexadecimal digits of what a function does to its vectors."""
    draw = random.Random(name).random  # the one method whose numbers are the same for ever
    total = 0
    for number in range(_DRAWS):
        # every second vector holds small numbers alone, so that differences, too, meet their borders
        largest = (_FEW, _SMALL)[number & 1]
        block = {slot: 2 + crc32(slot.encode()) % largest for slot in slots if slot[0] == "P"}
        near = [value + int(draw() * 3) - 1 for value in block.values()] or [0]
        arrays = image.new()
        for slot in slots:
            kind = slot.partition("_")[0]
            value = block[slot] if kind == "P" else _value(draw, near, largest)
            arrays[_KINDS.index(kind)][getattr(image, slot)] = value
        try:
            function(*arrays)
            told = ""
        except (ArithmeticError, IndexError) as error:
            told = type(error).__name__
        after = [arrays[_KINDS.index(slot.partition("_")[0])][getattr(image, slot)] for slot in slots]
        total = crc32(f"{after}{told}".encode(), total)
    return f"{total:08x}"


def _value(draw, near, largest):
    sort = draw()
    if sort < 0.35:
        return int(draw() * 2)
    if sort < 0.5:
        return int(draw() * 12) - 1
    if sort < 0.7:
        return near[int(draw() * len(near))]
    if sort < 0.9 or largest == _FEW:
        return int((draw() * 2 - 1) * largest)
    return int((draw() * 2 - 1) * _LARGE)


def lines():
    """The file's lines."""
    return [f"{name:32} {digest(name, function, slots)}" for name, function, slots in functions()]


def text():
    """What tests/golden/tick_vectors.txt should hold."""
    return "# each function of the tick and the digest of what it makes of its vectors\n" + "\n".join(lines()) + "\n"
