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
from collections.abc import Callable
from dataclasses import dataclass, field

from sit_build.armv6m import Code, RangeError
from sit_build.thumb_values import ARRAYS, DIVIDE, Function, ThumbError, Values, number_of

__all__ = ("Function", "Program", "ThumbError", "compile_entry")


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
                slot = number_of(node.slice)
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


class _Body(Values):
    """Compiles one function."""

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


def _divide(code: Code) -> None:
    """r0, r1 = r0 // r1, r0 % r1, rounded down; zeros when r1 isn't positive. Bit by bit, 16 bits at once if they fit.

    A negative number n is divided as ~n: then n // d = ~(~n // d) and n % d = d - 1 - ~n % d.
    """
    code.label(DIVIDE)
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
