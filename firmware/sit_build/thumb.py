"""The tick as machine code of the RP2040: compiles the plain source of control and guard for ARMv6-M.

Viper is too slow for a 250 us tick: a call costs it 900 cycles, and the tick makes sixteen. The source is a small
subset (docs/architecture.md), so its compiler is small too: the arrays keep their names through all functions of an
entry, so they stay in registers; a function that is called at one place stands there, the call of another is one
instruction; an expression lives in r0 to r3; locals lie on the stack. What an entry calls is compiled with it into one
piece, which MicroPython carries as an `asm_thumb` function. An instruction reaches 32 slots, so the registers point to
where that is cheapest for the entry.

Numbers are 32-bit and wrap; that equals Python as long as every intermediate stays below 2^30, which is a rule of the
tick (invariant 8). `//` and `%` round down as Python's do; a divisor that isn't positive gives 0 for both.
"""

import ast
from collections.abc import Mapping
from dataclasses import replace

from sit_build.armv6m import Code, RangeError
from sit_build.thumb_body import Body, Program
from sit_build.thumb_source import number_of
from sit_build.thumb_values import DIVIDE, FAR, NEAR, Function, Layout, ThumbError

_KEPT = (8, 9, 10, 11)

__all__ = ("Function", "Program", "ThumbError", "compile_entry", "reach")


def compile_entry(program: Program, key: str, functions: Mapping[str, str] | None = None) -> list[int]:
    """Halfwords of one entry function with all it calls, as the body of an `asm_thumb` function.

    `functions` is given for an entry that takes one tuple, which it unpacks in its first statement into arrays and
    functions: it says which functions of the program the latter are. Any other takes its arrays in r0 to r3, those of
    `program.arrays` that it uses after its own. It ends by running on past its last halfword, r0 zero, r4 to r7
    overwritten: the frame of `asm_thumb` saves them.
    """
    code = Code()
    entry = program.functions[key]
    called = reach(program, key, functions or {})
    keys = list(called)
    if functions is None:
        names = [a.arg for a in entry.node.args.args] + _memory(program, keys)
        layout = Layout(dict(zip(names, NEAR, strict=False)), {})
    else:
        names = _unpacked(entry)
        layout = Layout(dict(zip([n for n in names if n not in functions], NEAR + FAR, strict=False)), {}, functions)
    if len(names) > len(layout.registers) + len(layout.functions):
        raise ThumbError(f"{entry.name}: too many arrays for an entry")
    layout = replace(layout, starts=_starts(program, keys, layout))
    _save(code)
    for index, name in enumerate(names):
        if name not in layout.registers:
            continue
        if functions is None:
            code.copy(layout.registers[name], index)
        else:
            # the item is an array object: type, typecode, length, address of its numbers
            code.word("ldr", 1, 0, index)
            code.word("ldr", 1, 1, 3)
            code.copy(layout.registers[name], 1)
    for register, start in layout.starts.items():
        code.byte("mov", 0, start)
        code.shift("lsl", 0, 0, 2)
        code.three("add", register, register, 0)
    code.call(key)
    _restore(code)
    code.byte("mov", 0, 0)
    code.call("end")  # a jump: the return address is saved by asm_thumb
    once = [name for name, count in called.items() if count == 1 and name != key]
    for name in called:
        if name not in once:
            Body(code, program, name, layout, key, once).compile()
    _divide(code)
    code.label("end")
    try:
        return code.words()
    except RangeError as error:
        raise ThumbError(f"{key}: {error}") from error


def _memory(program: Program, keys: list[str]) -> list[str]:
    """The arrays of `program.arrays` that these functions name."""
    nodes = (node for key in keys for node in ast.walk(program.functions[key].node))
    used = {node.id for node in nodes if isinstance(node, ast.Name)}
    return [array for name, array in program.arrays.items() if name in used]


def _unpacked(function: Function) -> list[str]:
    """The names that an entry's first statement unpacks its tuple into."""
    first = function.node.body[0]
    if isinstance(first, ast.Assign) and isinstance(first.targets[0], ast.Tuple):
        names = [n.id for n in first.targets[0].elts if isinstance(n, ast.Name)]
        if isinstance(first.value, ast.Name) and len(names) == len(first.targets[0].elts):
            return names
    raise ThumbError(f"{function.name}: an entry of one argument begins by unpacking it")


def _save(code: Code) -> None:
    """High registers belong to the caller, and the frame of `asm_thumb` leaves them to us; r0 to r3 hold arguments."""
    for index, register in enumerate(_KEPT):
        code.copy(NEAR[index], register)
    code.push(NEAR)


def _restore(code: Code) -> None:
    code.pop(NEAR)
    for index, register in enumerate(_KEPT):
        code.copy(register, NEAR[index])


def reach(program: Program, key: str, functions: Mapping[str, str]) -> dict[str, int]:
    """The keys of all functions that are called from one, itself first, and at how many places each is called.

    `functions` as in `compile_entry`.
    """
    found: dict[str, int] = {}
    waiting = [key]
    while waiting:
        name = waiting.pop()
        found[name] = found.get(name, 0) + 1
        if found[name] > 1:
            continue
        function = program.functions[name]
        calls = {**function.calls, **functions}
        for node in ast.walk(function.node):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in calls:
                waiting.append(calls[node.func.id])
    return found


def _starts(program: Program, keys: list[str], layout: Layout) -> dict[int, int]:
    """Register of a near array -> the slot that it points to: where all the entry's loads together are cheapest."""
    uses: dict[int, list[int]] = {r: [] for r in layout.registers.values() if r in NEAR}
    for node in (n for key in keys for n in ast.walk(program.functions[key].node)):
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
            slot, register = number_of(node.slice), layout.registers.get(node.value.id)
            if slot is not None and register in uses:
                uses[register].append(slot)
    best = {r: min(range(225), key=lambda at: sum(_cycles(slot - at) for slot in each)) for r, each in uses.items()}
    return {register: start for register, start in best.items() if start}


def _cycles(distance: int) -> int:
    """What a load costs at that many slots from where the register points."""
    if 0 <= distance < 32:
        return 2
    return 3 + (distance < 0) + (abs(distance) >= 64)


def _divide(code: Code) -> None:
    """r0, r1 = r0 // r1, r0 % r1, rounded down; zeros when r1 isn't positive. Bit by bit, no more than it needs.

    A negative number n is divided as ~n: then n // d = ~(~n // d) and n % d = d - 1 - ~n % d.
    """
    code.label(DIVIDE)
    code.push((4, 5), link=True)
    code.byte("cmp", 1, 0)
    code.branch("divide none", "le")
    code.shift("asr", 4, 0, 31)
    code.two("eor", 0, 4)
    for bits in (8, 16):
        # the quotient has no more bits than that when what stands above them is less than the divisor
        code.byte("mov", 3, bits)
        code.shift("lsr", 2, 0, bits)
        code.shift("lsl", 5, 0, 32 - bits)
        code.two("cmp", 2, 1)
        code.branch("divide few", "lo")
    code.byte("mov", 3, 32)
    code.byte("mov", 2, 0)
    code.copy(5, 0)
    code.label("divide few")
    code.copy(0, 5)
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
