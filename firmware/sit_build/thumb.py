"""The tick as machine code of the RP2040: compiles the plain source of control and guard for ARMv6-M.

Viper is too slow for a 250 us tick: a call costs it 900 cycles, and the tick makes sixteen. The source is a small
subset (docs/architecture.md), so its compiler is small too: every function takes the same four arrays, which stay in
registers r4 to r7; a call is one instruction; an expression lives in r0 to r3; locals lie on the stack. What an entry
calls is compiled with it into one piece, which MicroPython carries as an `asm_thumb` function. An instruction reaches
32 slots, so the registers point to where that is cheapest for the entry.

Numbers are 32-bit and wrap; that equals Python as long as every intermediate stays below 2^30, which is a rule of the
tick (invariant 8). `//` and `%` round down as Python's do; a divisor that isn't positive gives 0 for both.
"""

import ast
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field

from sit_build.armv6m import OPPOSITE, Code, RangeError

ARRAYS = (4, 5, 6, 7)  # registers of the four arguments, in their order
_SCRATCH = 4  # r0..r3
_COMPARE = {ast.Eq: "eq", ast.NotEq: "ne", ast.Lt: "lt", ast.LtE: "le", ast.Gt: "gt", ast.GtE: "ge"}
_THREE = {ast.Add: "add", ast.Sub: "sub"}
_TWO = {ast.Mult: "mul", ast.BitAnd: "and", ast.BitOr: "or", ast.BitXor: "eor"}
_SHIFT = {ast.LShift: "lsl", ast.RShift: "asr"}
_DIVIDE = "divide"


class ThumbError(Exception):
    """The source uses something that has no machine code here; the message names the function and the line."""


@dataclass
class Function:
    """A hot function with its constants inlined, and where the names it calls lead."""

    name: str
    node: ast.FunctionDef
    calls: Mapping[str, str]
    """Name in the source -> key of the function in the program."""


@dataclass
class Program:
    """The functions by key, as `compile_entry` wants them."""

    functions: dict[str, Function] = field(default_factory=dict)


def compile_entry(program: Program, key: str) -> list[int]:
    """Halfwords of one entry function with all it calls, to be entered with the four arrays in r0 to r3.

    It ends by running on past its last halfword, r0 zero, r4 to r7 overwritten: the frame of `asm_thumb` saves them.
    """
    code = Code()
    starts = _starts(program, key)
    for register, array in enumerate(ARRAYS):
        code.copy(array, register)
    for array, start in zip(ARRAYS, starts, strict=True):
        if start:
            code.byte("mov", 0, start)
            code.shift("lsl", 0, 0, 2)
            code.three("add", array, array, 0)
    code.call(key)
    code.byte("mov", 0, 0)
    code.call("end")  # a jump: the return address is saved by asm_thumb
    done: set[str] = set()
    waiting = [key]
    while waiting:
        name = waiting.pop()
        if name in done:
            continue
        done.add(name)
        body = _Body(code, program.functions[name], name, starts)
        body.compile()
        waiting += body.called
    _divide(code)
    code.label("end")
    try:
        return code.words()
    except RangeError as error:
        raise ThumbError(f"{key}: {error}") from error


def _starts(program: Program, key: str) -> list[int]:
    """For each array the slot that its register points to: where all the entry's loads together are cheapest."""
    seen: set[str] = set()
    waiting = [key]
    uses: list[list[int]] = [[] for _ in ARRAYS]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        function = program.functions[name]
        order = [a.arg for a in function.node.args.args]
        for node in ast.walk(function.node):
            if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id in order:
                slot = _number(node.slice)
                if slot is not None:
                    uses[order.index(node.value.id)].append(slot)
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in function.calls:
                waiting.append(function.calls[node.func.id])
    return [min(range(225), key=lambda at: sum(_cycles(slot - at) for slot in each)) for each in uses]


def _cycles(distance: int) -> int:
    """What a load costs at that many slots from where the register points."""
    if distance < 0:
        return 5
    return 2 if distance < 32 else 4


class _Body:
    """Compiles one function. `starts`: the slots that the arrays' registers point to."""

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

    def compile(self) -> None:
        """Append the function's instructions."""
        code = self.code
        code.label(self.key)
        code.push((), link=True)
        code.frame(len(self.locals))
        self._block(self.function.node.body)
        code.label((self.key, "out"))
        code.frame(-len(self.locals))
        code.pop((), back=True)

    def _wrong(self, node: ast.AST, what: str) -> ThumbError:
        return ThumbError(f"{self.function.name}, line {getattr(node, 'lineno', '?')}: {what}")

    def _label(self) -> Hashable:
        self._labels += 1
        return (self.key, self._labels)

    # --- statements --------------------------------------------------------------------------------

    def _block(self, statements: list[ast.stmt]) -> None:
        for statement in statements:
            handler: Callable[[ast.Module], None] | None = getattr(self, f"_do_{type(statement).__name__}", None)
            if handler is None:
                raise self._wrong(statement, f"{type(statement).__name__} isn't part of the tick's subset")
            handler(statement)  # type: ignore[arg-type]

    def _do_Pass(self, node: ast.Pass) -> None:
        pass

    def _do_Return(self, node: ast.Return) -> None:
        if node.value is not None:
            raise self._wrong(node, "a hot function returns nothing")
        self.code.branch((self.key, "out"))

    def _do_Expr(self, node: ast.Expr) -> None:
        call = node.value
        if isinstance(call, ast.Constant):
            return
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
            raise self._wrong(node, "only a call of another hot function stands alone")
        given = [a.id if isinstance(a, ast.Name) else "" for a in call.args]
        if given != list(self.arrays) or call.func.id not in self.function.calls:
            raise self._wrong(node, f"{call.func.id} isn't a hot function called with the four arrays")
        key = self.function.calls[call.func.id]
        self.called.append(key)
        self.code.call(key)

    def _do_Assign(self, node: ast.Assign) -> None:
        if len(node.targets) != 1:
            raise self._wrong(node, "one target at a time")
        self._value(node.value, 0)
        self._store(node.targets[0], 0)

    def _do_AugAssign(self, node: ast.AugAssign) -> None:
        target = node.target
        load: ast.expr
        if isinstance(target, ast.Name):
            load = ast.Name(target.id, ast.Load())
        elif isinstance(target, ast.Subscript):
            load = ast.Subscript(target.value, target.slice, ast.Load())
        else:
            raise self._wrong(node, "no such target")
        both = ast.copy_location(ast.BinOp(ast.copy_location(load, node), node.op, node.value), node)
        self._value(both, 0)
        self._store(target, 0)

    def _do_If(self, node: ast.If) -> None:
        other, end = self._label(), self._label()
        self._condition(node.test, other, False)
        self._block(node.body)
        if node.orelse:
            self.code.branch(end)
        self.code.label(other)
        self._block(node.orelse)
        self.code.label(end)

    def _do_While(self, node: ast.While) -> None:
        if node.orelse:
            raise self._wrong(node, "while has no else here")
        again, end = self._label(), self._label()
        self._loops.append((again, end))
        self.code.label(again)
        self._condition(node.test, end, False)
        self._block(node.body)
        self.code.branch(again)
        self.code.label(end)
        self._loops.pop()

    def _do_Break(self, node: ast.Break) -> None:
        self.code.branch(self._loops[-1][1])

    def _do_Continue(self, node: ast.Continue) -> None:
        self.code.branch(self._loops[-1][0])

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
        slot = _number(node.slice)
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
        number = _number(node)
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
        number = _number(node.right)
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
            code.call(_DIVIDE)
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
            number = _number(node.comparators[0])
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


def _number(node: ast.expr) -> int | None:
    """The integer that a literal, signed or not, stands for."""
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = _number(node.operand)
        return None if inner is None else -inner
    return None


def _is_truth(node: ast.expr) -> bool:
    """True for an expression whose value is False or True, whatever the numbers in it."""
    if isinstance(node, ast.BoolOp):
        return all(_is_truth(value) for value in node.values)
    return isinstance(node, ast.Compare) or (isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not))


def _depth(node: ast.expr) -> int:
    """Registers that the evaluation needs."""
    if isinstance(node, ast.BinOp) and _number(node.right) is None:
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


def _divide(code: Code) -> None:
    """r0, r1 = r0 // r1, r0 % r1, rounded down; zeros when r1 isn't positive. Bit by bit, 16 bits at once if they fit.

    A negative number n is divided as ~n: then n // d = ~(~n // d) and n % d = d - 1 - ~n % d.
    """
    code.label(_DIVIDE)
    code.push((4, 5), link=True)
    code.byte("cmp", 1, 0)
    code.branch("divide none", "le")
    code.shift("asr", 4, 0, 31)
    code.two("eor", 0, 4)
    code.byte("mov", 2, 0)
    code.byte("mov", 3, 32)
    code.shift("lsr", 5, 0, 16)
    code.two("cmp", 5, 1)
    code.branch("divide bit", "hs")
    code.copy(2, 5)
    code.shift("lsl", 0, 0, 16)
    code.byte("mov", 3, 16)
    code.label("divide bit")
    code.shift("lsl", 0, 0, 1)
    code.two("adc", 2, 2)
    code.two("cmp", 2, 1)
    code.branch("divide next", "lo")
    code.three("sub", 2, 2, 1)
    code.byte("add", 0, 1)
    code.label("divide next")
    code.byte("sub", 3, 1)
    code.branch("divide bit", "ne")
    code.two("eor", 0, 4)
    code.byte("cmp", 4, 0)
    code.branch("divide out", "eq")
    code.three("sub", 2, 1, 2)
    code.byte("sub", 2, 1)
    code.label("divide out")
    code.copy(1, 2)
    code.pop((4, 5), back=True)
    code.label("divide none")
    code.byte("mov", 0, 0)
    code.byte("mov", 1, 0)
    code.pop((4, 5), back=True)
