"""Values of the tick's machine code: expressions, conditions, loads and stores of one function.

An expression lives in r0 to r3, the arrays' addresses in r4 to r7, locals on the stack; thumb.py compiles the
statements around them.
"""

import ast
from collections.abc import Hashable, Mapping
from dataclasses import dataclass

from sit_build.armv6m import OPPOSITE, Code

ARRAYS = (4, 5, 6, 7)  # registers of the four arguments, in their order
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


class Values:
    """The expressions of one function. `starts`: the slots that the arrays' registers point to."""

    def __init__(self, code: Code, function: Function, key: str, starts: list[int]) -> None:
        self.code = code
        self.function = function
        self.key = key
        self.called: list[str] = []
        arguments = [a.arg for a in function.node.args.args]
        self.arrays = dict(zip(arguments, ARRAYS, strict=True))
        self.starts = dict(zip(ARRAYS, starts, strict=True))
        names = {n.id for n in ast.walk(function.node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        self.locals = {name: slot for slot, name in enumerate(sorted(names))}
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
            self.code.local("str", r, self.locals[target.id])
            return
        array, slot = self._element(target)
        near = self._near(array, slot)
        if near is not None:
            self.code.word("str", r, array, near)
        else:
            self._offset(array, slot, r + 1, target)
            self.code.three("str", r, array, r + 1)

    def _element(self, node: ast.expr) -> tuple[int, int | ast.expr]:
        """The array's register, and the slot as a number or an expression."""
        if not isinstance(node, ast.Subscript) or not isinstance(node.value, ast.Name):
            raise self._wrong(node, "no such target")
        if node.value.id not in self.arrays:
            raise self._wrong(node, f"{node.value.id} isn't one of the four arrays")
        slot = number_of(node.slice)
        return self.arrays[node.value.id], node.slice if slot is None else slot

    def _near(self, array: int, slot: int | ast.expr) -> int | None:
        """The slot counted from where the register points, when one instruction reaches it."""
        if isinstance(slot, int) and 0 <= slot - self.starts[array] < 32:
            return slot - self.starts[array]
        return None

    def _offset(self, array: int, slot: int | ast.expr, r: int, node: ast.AST) -> None:
        """Put the byte offset of a slot from where the register points into `r`."""
        if r >= _SCRATCH:
            raise self._wrong(node, "the expression is too deep: use a local")
        start = self.starts[array]
        if isinstance(slot, int):
            self._constant(slot - start, r)
        else:
            self._value(slot, r)
            if start:
                self.code.byte("sub", r, start)
        self.code.shift("lsl", r, r, 2)

    # --- expressions -------------------------------------------------------------------------------

    def _value(self, node: ast.expr, r: int) -> None:
        """Put the value into register `r`; registers above it are free."""
        if r >= _SCRATCH:
            raise self._wrong(node, "the expression is too deep: use a local")
        number = number_of(node)
        if number is not None:
            self._constant(number, r)
        elif isinstance(node, ast.Name):
            if node.id not in self.locals:
                raise self._wrong(node, f"{node.id} is neither a local nor a constant")
            self.code.local("ldr", r, self.locals[node.id])
        elif isinstance(node, ast.Subscript):
            array, slot = self._element(node)
            near = self._near(array, slot)
            if near is not None:
                self.code.word("ldr", r, array, near)
            else:
                self._offset(array, slot, r, node)
                self.code.three("ldr", r, array, r)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            self._value(node.operand, r)
            self.code.two("neg", r, r)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Invert):
            self._value(node.operand, r)
            self.code.two("mvn", r, r)
        elif isinstance(node, ast.BinOp):
            self._operation(node, r)
        elif _is_truth(node):
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
            self._constant(-value if value > -256 else ~value, r)
            code.two("neg" if value > -256 else "mvn", r, r)
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
            if number is None or not 0 <= number < 32:
                raise self._wrong(node, "a shift is by a constant")
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
        elif number is not None and kind is ast.BitAnd and number > 255 and number & number + 1 == 0:
            self._value(node.left, r)
            code.shift("lsl", r, r, 32 - number.bit_length())
            code.shift("lsr", r, r, 32 - number.bit_length())
        elif kind in _THREE:
            left, right = self._pair(node, r)
            code.three(_THREE[kind], r, left, right)
        elif kind in _TWO:
            self._pair(node, r)
            code.two(_TWO[kind], r, r + 1)
        else:
            raise self._wrong(node, f"{kind.__name__} isn't part of the tick's subset")

    def _pair(self, node: ast.BinOp, r: int) -> tuple[int, int]:
        """Evaluate both sides into `r` and `r` + 1, the deeper one first where the order is free."""
        ordered = isinstance(node.op, (ast.FloorDiv, ast.Mod))
        if _depth(node.right) > _depth(node.left) and not ordered:
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


def number_of(node: ast.expr) -> int | None:
    """The integer that a literal, signed or not, stands for."""
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = number_of(node.operand)
        return None if inner is None else -inner
    return None


def _is_truth(node: ast.expr) -> bool:
    """True for an expression whose value is False or True, whatever the numbers in it."""
    if isinstance(node, ast.BoolOp):
        return all(_is_truth(value) for value in node.values)
    return isinstance(node, ast.Compare) or (isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not))


def _depth(node: ast.expr) -> int:
    """Registers that the evaluation needs."""
    if isinstance(node, ast.BinOp) and number_of(node.right) is None:
        left, right = _depth(node.left), _depth(node.right)
        return max(left, right) if left != right else left + 1
    if isinstance(node, ast.BinOp):
        # a constant that fits the instruction needs no register; a larger one does
        return max(_depth(node.left), 2)
    if isinstance(node, ast.UnaryOp):
        return _depth(node.operand)
    if isinstance(node, ast.Subscript):
        return _depth(node.slice)
    return 1
