"""Values of the tick's machine code: expressions, conditions, loads and stores of one function.

An expression lives in r0 to r3, the addresses of the first four arrays in r4 to r7, those of two more in r8 and r9,
locals in r10 to r12 or on the stack; thumb.py compiles the statements around them.

A board's functions also use pointers: `p = ptr32(address)` makes a local one, `p = ptr32(NAME)` names an array anew.
"""

import ast
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field

from sit_build.armv6m import OPPOSITE, Code
from sit_build.thumb_source import depth, is_truth, number_of, places

NEAR = (4, 5, 6, 7)  # registers of the entry's first four arrays, in their order
FAR = (8, 9)  # of two more, which take an instruction to reach
_SCRATCH = 4  # r0..r3
_COMPARE = {ast.Eq: "eq", ast.NotEq: "ne", ast.Lt: "lt", ast.LtE: "le", ast.Gt: "gt", ast.GtE: "ge"}
_THREE = {ast.Add: "add", ast.Sub: "sub"}
_TWO = {ast.Mult: "mul", ast.BitAnd: "and", ast.BitOr: "or", ast.BitXor: "eor"}
_SHIFT = {ast.LShift: "lsl", ast.RShift: "asr"}
DIVIDE = "divide"


class ThumbError(Exception):
    """The source uses something that has no machine code here; the message names the function and the line."""


@dataclass
class Function:
    """A hot function with its constants inlined, and where the names it calls lead."""

    name: str
    node: ast.FunctionDef
    calls: Mapping[str, str]
    """Name in the source -> key of the function in the program."""


@dataclass(frozen=True)
class Layout:
    """Where an entry keeps its arrays: they have the same name and place in every function that it calls."""

    registers: Mapping[str, int]
    starts: Mapping[int, int]
    """Register -> the slot that it points to, where that isn't the first."""
    functions: Mapping[str, str] = field(default_factory=dict)
    """What the entry gets as functions: name -> key in the program."""


@dataclass(frozen=True)
class Base:
    """What an element counts from: an array's register, or the local that holds an address."""

    register: int = -1
    local: int = -1
    start: int = 0


class Values:
    """The expressions of one function."""

    def __init__(self, code: Code, function: Function, key: str, layout: Layout) -> None:
        self.code = code
        self.function = function
        self.key = key
        self.arrays = frozenset(layout.registers)
        self.calls = {**function.calls, **layout.functions}
        self.bases = {name: Base(r, -1, layout.starts.get(r, 0)) for name, r in layout.registers.items()}
        self.fast, self.locals = places(function.node, set(self.bases) | set(layout.functions))
        self._labels = 0
        self._loops: list[tuple[Hashable, Hashable]] = []

    def _wrong(self, node: ast.AST, what: str) -> ThumbError:
        return ThumbError(f"{self.function.name}, line {getattr(node, 'lineno', '?')}: {what}")

    def _label(self) -> Hashable:
        self._labels += 1
        return (self.key, self._labels)

    # --- stores and loads --------------------------------------------------------------------------

    def _store(self, target: ast.expr, r: int) -> None:
        """Store register `r`."""
        if isinstance(target, ast.Name):
            if target.id in self.fast:
                self.code.copy(self.fast[target.id], r)
            elif target.id in self.locals:
                self.code.local("str", r, self.locals[target.id])
            else:
                raise self._wrong(target, f"{target.id} is an array or a function here")
        else:
            self._access("str", r, target, r + 1)

    def _access(self, op: str, r: int, node: ast.expr, free: int) -> None:
        """ldr or str of `r` at an array's element; registers from `free` on may be used."""
        if not isinstance(node, ast.Subscript) or not isinstance(node.value, ast.Name):
            raise self._wrong(node, "no such target")
        base = self.bases.get(node.value.id)
        if base is None:
            raise self._wrong(node, f"{node.value.id} isn't one of the arrays")
        slot = number_of(node.slice)
        if slot is not None and 0 <= slot - base.start < 32:
            self.code.word(op, r, self._address(base, free, node), slot - base.start)
            return
        self._scratch(free, node)
        if slot is not None:
            self._constant(4 * (slot - base.start), free)
        else:
            self._value(node.slice, free)
            if base.start:
                self.code.byte("sub", free, base.start)
            self.code.shift("lsl", free, free, 2)
        self.code.three(op, r, self._address(base, free + 1, node), free)

    def _address(self, base: Base, r: int, node: ast.AST) -> int:
        """The register that holds where an array begins: its own, or `r` with the address put there."""
        if base.register in NEAR:
            return base.register
        self._scratch(r, node)
        if base.local >= 0:
            self.code.local("ldr", r, base.local)
        else:
            self.code.copy(r, base.register)
        return r

    def _scratch(self, r: int, node: ast.AST) -> None:
        if r >= _SCRATCH:
            raise self._wrong(node, "the expression is too deep: use a local")

    # --- expressions -------------------------------------------------------------------------------

    def _value(self, node: ast.expr, r: int) -> None:
        """Put the value into register `r`; registers above it are free."""
        self._scratch(r, node)
        number = number_of(node)
        if number is not None:
            self._constant(number, r)
        elif isinstance(node, ast.Name):
            if node.id in self.fast:
                self.code.copy(r, self.fast[node.id])
            elif node.id in self.locals:
                self.code.local("ldr", r, self.locals[node.id])
            else:
                raise self._wrong(node, f"{node.id} is neither a local nor a constant")
        elif isinstance(node, ast.Subscript):
            self._access("ldr", r, node, r)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            self._value(node.operand, r)
            self.code.two("neg", r, r)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Invert):
            self._value(node.operand, r)
            self.code.two("mvn", r, r)
        elif isinstance(node, ast.BinOp):
            self._operation(node, r)
        elif is_truth(node):
            no, end = self._label(), self._label()
            self._condition(node, no, False)
            self.code.byte("mov", r, 1)
            self.code.branch(end)
            self.code.label(no)
            self.code.byte("mov", r, 0)
            self.code.label(end)
        else:
            raise self._wrong(node, f"{type(node).__name__} isn't part of the tick's subset")

    def _constant(self, value: int, r: int) -> None:
        code = self.code
        if value < 0:
            short = -value // (value & -value) < 256
            self._constant(-value if short else ~value, r)
            code.two("neg" if short else "mvn", r, r)
            return
        low = value & -value
        zeros = low.bit_length() - 1 if value else 0
        if value < 256:
            code.byte("mov", r, value)
        elif value >> zeros < 256:
            code.byte("mov", r, value >> zeros)
            code.shift("lsl", r, r, zeros)
        else:
            self._constant(value >> 8, r)
            code.shift("lsl", r, r, 8)
            if value & 0xFF:
                code.byte("add", r, value & 0xFF)

    def _operation(self, node: ast.BinOp, r: int) -> None:
        code, kind = self.code, type(node.op)
        number = number_of(node.right)
        if kind in _SHIFT:
            if number is None and kind is ast.RShift:
                left, right = self._pair(node, r)
                code.two("asr", left, right)
                if left != r:
                    code.copy(r, left)
                return
            if number is None or not 0 <= number < 32:
                raise self._wrong(node, "a shift to the left is by a constant")
            self._value(node.left, r)
            if number:  # asr by 0 would mean 32
                code.shift(_SHIFT[kind], r, r, number)
        elif kind in (ast.FloorDiv, ast.Mod):
            if r:
                raise self._wrong(node, "a division stands first in its expression")
            self._pair(node, r)
            code.call(DIVIDE)
            if kind is ast.Mod:
                code.copy(0, 1)
        elif number is not None and kind in _THREE and 0 <= number < 256:
            self._value(node.left, r)
            code.byte(_THREE[kind], r, number)
        elif number and kind is ast.BitAnd and number > 0 and number & number + 1 == 0:
            self._low_bits(node.left, number.bit_length(), r)
        elif kind in _THREE:
            left, right = self._pair(node, r)
            code.three(_THREE[kind], r, left, right)
        elif kind in _TWO:
            self._pair(node, r)
            code.two(_TWO[kind], r, r + 1)
        else:
            raise self._wrong(node, f"{kind.__name__} isn't part of the tick's subset")

    def _low_bits(self, node: ast.expr, count: int, r: int) -> None:
        """The low bits of a value; a shift before it costs nothing."""
        right = 0
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.RShift):
            number = number_of(node.right)
            if number is not None and 0 <= number <= 32 - count:
                right, node = number, node.left
        self._value(node, r)
        if count + right < 32:
            self.code.shift("lsl", r, r, 32 - count - right)
        if count < 32:
            self.code.shift("lsr", r, r, 32 - count)

    def _pair(self, node: ast.BinOp, r: int) -> tuple[int, int]:
        """Evaluate both sides into `r` and `r` + 1, the deeper one first where the order is free."""
        ordered = isinstance(node.op, (ast.FloorDiv, ast.Mod))
        if depth(node.right) > depth(node.left) and not ordered:
            self._value(node.right, r)
            self._value(node.left, r + 1)
            return r + 1, r
        self._value(node.left, r)
        self._value(node.right, r + 1)
        return r, r + 1

    # --- conditions --------------------------------------------------------------------------------

    def _condition(self, node: ast.expr, to: Hashable, when: bool) -> None:
        """Branch to `to` when the condition is `when`, else run on."""
        code = self.code
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            self._condition(node.operand, to, not when)
        elif isinstance(node, ast.BoolOp):
            # `and` jumps out at the first false one, `or` at the first true one
            early = isinstance(node.op, ast.Or)
            skip = to if early == when else self._label()
            for value in node.values[:-1]:
                self._condition(value, skip, early)
            self._condition(node.values[-1], to, when)
            if skip is not to:
                code.label(skip)
        elif isinstance(node, ast.Compare):
            if len(node.ops) != 1 or type(node.ops[0]) not in _COMPARE:
                raise self._wrong(node, "one comparison of two numbers at a time")
            test = _COMPARE[type(node.ops[0])]
            number = number_of(node.comparators[0])
            self._value(node.left, 0)
            if number is not None and 0 <= number < 256:
                code.byte("cmp", 0, number)
            else:
                self._value(node.comparators[0], 1)
                code.two("cmp", 0, 1)
            code.branch(to, test if when else OPPOSITE[test])
        else:
            self._value(node, 0)
            code.byte("cmp", 0, 0)
            code.branch(to, "ne" if when else "eq")
