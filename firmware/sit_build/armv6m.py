"""A small assembler for ARMv6-M, the instruction set of the RP2040's cores: what the tick's compiler needs, no more.

Instructions are appended by the methods of `Code`; labels are any hashable. `words()` places them, widens conditional
branches that reach too far, and returns the halfwords. Encodings: ARMv6-M Architecture Reference Manual, chapter A6.
"""

from collections.abc import Hashable, Mapping

CONDITIONS = {"eq": 0, "ne": 1, "hs": 2, "lo": 3, "ge": 10, "lt": 11, "gt": 12, "le": 13}
OPPOSITE = {"eq": "ne", "ne": "eq", "hs": "lo", "lo": "hs", "ge": "lt", "lt": "ge", "gt": "le", "le": "gt"}
_REACH = 254  # bytes forward of a conditional branch, back a little more
_FAR_REACH = 2046
_TWO_REGISTERS = {"and": 0x4000, "eor": 0x4040, "adc": 0x4140, "neg": 0x4240, "cmp": 0x4280, "or": 0x4300}
_TWO_REGISTERS.update({"mul": 0x4340, "mvn": 0x43C0, "asr": 0x4100})
_THREE_REGISTERS = {"add": 0x1800, "sub": 0x1A00, "ldr": 0x5800, "str": 0x5000}
_SHIFTS = {"lsl": 0x0000, "lsr": 0x0800, "asr": 0x1000}
_BYTE = {"mov": 0x2000, "cmp": 0x2800, "add": 0x3000, "sub": 0x3800}


class RangeError(Exception):
    """An operand or a branch doesn't fit its field."""


def _field(value: int, bits: int, what: str) -> int:
    if not 0 <= value < 1 << bits:
        raise RangeError(f"{what} {value} doesn't fit {bits} bits")
    return value


class Code:
    """Instructions in order. An item is a halfword, a label, or a branch still to be placed."""

    def __init__(self) -> None:
        self._items: list[int | tuple[str, Hashable]] = []

    def byte(self, op: str, d: int, value: int) -> None:
        """mov, cmp, add or sub of register `d` and 0..255."""
        self._items.append(_BYTE[op] | _field(d, 3, "register") << 8 | _field(value, 8, op))

    def two(self, op: str, d: int, m: int) -> None:
        """`d` = `d` op `m`; for neg and mvn `d` = op `m`; cmp compares; asr shifts by `m`, 31 at most."""
        self._items.append(_TWO_REGISTERS[op] | m << 3 | d)

    def three(self, op: str, d: int, n: int, m: int) -> None:
        """`d` = `n` op `m`; ldr and str of `d` at the address `n` + `m`."""
        self._items.append(_THREE_REGISTERS[op] | m << 6 | n << 3 | d)

    def shift(self, op: str, d: int, m: int, count: int) -> None:
        """`d` = `m` shifted by 0..31; a count of 0 moves."""
        self._items.append(_SHIFTS[op] | _field(count, 5, "shift") << 6 | m << 3 | d)

    def word(self, op: str, d: int, base: int, slot: int) -> None:
        """ldr or str of `d` at word `slot` (0..31) from register `base`."""
        self._items.append((0x6800 if op == "ldr" else 0x6000) | _field(slot, 5, "slot") << 6 | base << 3 | d)

    def local(self, op: str, d: int, slot: int) -> None:
        """ldr or str of `d` at word `slot` (0..255) of the stack frame; a load of what was just stored is left out."""
        item = d << 8 | _field(slot, 8, "local")
        if op == "str":
            self._items.append(0x9000 | item)
        elif self._items[-1:] != [0x9000 | item]:
            self._items.append(0x9800 | item)

    def copy(self, d: int, m: int) -> None:
        """`d` = `m`, flags untouched; the one instruction here that reaches r8 and up."""
        self._items.append(0x4600 | d >> 3 << 7 | m << 3 | d & 7)

    def frame(self, words: int) -> None:
        """Make room for that many words on the stack; a negative number gives it back."""
        if words:
            self._items.append((0xB080 if words > 0 else 0xB000) | _field(abs(words), 7, "frame"))

    def push(self, registers: tuple[int, ...], link: bool = False) -> None:
        """Push low registers, and the return address."""
        self._items.append(0xB400 | link << 8 | sum(1 << r for r in registers))

    def pop(self, registers: tuple[int, ...], back: bool = False) -> None:
        """Pop low registers; `back` returns."""
        self._items.append(0xBC00 | back << 8 | sum(1 << r for r in registers))

    def label(self, name: Hashable) -> None:
        """The place of the next instruction."""
        self._items.append(("label", name))

    def branch(self, name: Hashable, condition: str = "") -> None:
        """Go to a label, under a condition when one is given. Far away it overwrites lr, which must be saved."""
        self._items.append((condition or "b", name))

    def call(self, name: Hashable) -> None:
        """Call a label; as a jump that reaches anywhere where the return address is saved."""
        self._items.append(("bl", name))

    def words(self) -> list[int]:
        """The halfwords; KeyError for a label that isn't there."""
        sizes = {index: 1 for index, item in enumerate(self._items) if isinstance(item, int) or item[0] != "label"}
        while True:
            places, out, grew = self._places(sizes), list[int](), False
            for index, item in enumerate(self._items):
                if isinstance(item, int):
                    out.append(item)
                elif index in sizes:
                    kind, name = item
                    way = places[name] - 2 * len(out) - 4
                    out += _branch(kind, way, sizes[index])
                    if sizes[index] < _halfwords(kind, way):
                        sizes[index] = _halfwords(kind, way)
                        grew = True
            if not grew:
                return out

    def _places(self, sizes: Mapping[int, int]) -> dict[Hashable, int]:
        """Where each label stands when the items have these sizes, in bytes."""
        places, at = {}, 0
        for index, item in enumerate(self._items):
            if not isinstance(item, int) and index not in sizes:
                places[item[1]] = at
            at += 2 * sizes.get(index, 0)
        return places


def _halfwords(kind: str, way: int) -> int:
    """What a branch over that many bytes takes: a conditional one that can't reach goes around another."""
    if kind == "bl":
        return 2
    if kind == "b":
        return 1 if abs(way) <= _FAR_REACH else 2
    if abs(way) <= _REACH:
        return 1
    return 1 + _halfwords("b", way - 2)


def _branch(kind: str, way: int, size: int) -> list[int]:
    """A branch in that many halfwords."""
    if kind not in ("b", "bl"):
        if size == 1:
            return [0xD000 | CONDITIONS[kind] << 8 | way >> 1 & 0xFF]
        return [0xD000 | CONDITIONS[OPPOSITE[kind]] << 8 | size - 2, *_branch("b", way - 2, size - 1)]
    if size == 1:
        return [0xE000 | way >> 1 & 0x7FF]
    return [0xF000 | way >> 12 & 0x7FF, 0xF800 | way >> 1 & 0x7FF]
