"""The tick in machine code: cycle.py's `cycle` with all it calls, the board's read and write too, as one piece.

It stands in cycle.py as an `asm_thumb` function. A module that holds nothing else but what went into it isn't built at
all; from the others it is taken out.
"""

import ast
from collections.abc import Mapping, Set
from dataclasses import dataclass
from pathlib import Path

from sit_build.forms import BuildError, aliases, constants, inline_constants, is_hot, is_viper
from sit_build.thumb import Function, Program, ThumbError, compile_entry, reach

FILE, ENTRY = "cycle.py", "cycle"
# the entry's functions that a board gives, and where they stand: the form is that of one board
PARTS = {"read": "boards/rp2_tick.py", "write": "boards/rp2_tick.py"}
# the array of that module which its functions use, and its name in the entry
MEMORY = {"WORK": "_work"}
# a hot function whose arrays aren't the four
_HOT_TOO = {(FILE, ENTRY), ("recorder.py", "keep")}
_PER_LINE = 12


@dataclass(frozen=True)
class Machine:
    """The entry's halfwords, and the functions that went into it: file -> names."""

    words: list[int]
    taken: Mapping[str, Set[str]]


def program(package: Path, modules: Mapping[str, Mapping[str, int]]) -> Program:
    """Every hot function of a package with its constants inlined; BuildError says what doesn't fit."""
    found = Program(arrays=MEMORY)
    for path in sorted(package.rglob("*.py")):
        file = path.relative_to(package).as_posix()
        tree = ast.parse(path.read_text(), file)
        own, named = constants(path.read_text()), {**modules, **aliases(tree, modules)}
        hot = [node for node in tree.body if isinstance(node, ast.FunctionDef) and _hot(node, file)]
        calls = {node.name: _key(package, file, node.name) for node in hot}
        for node in tree.body:
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(package.name):
                calls.update({a.asname or a.name: f"{node.module}.{a.name}" for a in node.names})
        for function in hot:
            inline_constants(function, named, own, file)
            found.functions[_key(package, file, function.name)] = Function(function.name, function, calls)
    for each in found.functions.values():
        each.calls = {name: key for name, key in each.calls.items() if key in found.functions}
    return found


def function_code(package: Path, modules: Mapping[str, Mapping[str, int]], file: str, name: str) -> list[int]:
    """The halfwords of one hot function by itself, entered with its arrays: for tests and for counting its cycles."""
    return compile_entry(program(package, modules), _key(package, file, name))


def machine_code(package: Path, modules: Mapping[str, Mapping[str, int]]) -> Machine | None:
    """The entry of a package; None where there is none."""
    whole = program(package, modules)
    key = _key(package, FILE, ENTRY)
    if key not in whole.functions:
        return None
    parts = {name: _key(package, file, name) for name, file in PARTS.items()}
    taken: dict[str, set[str]] = {}
    try:
        for each in reach(whole, key, parts):
            module, _, name = each.removeprefix(f"{package.name}.").rpartition(".")
            taken.setdefault(module.replace(".", "/") + ".py", set()).add(name)
        return Machine(compile_entry(whole, key, parts), taken)
    except ThumbError as error:
        raise BuildError(f"{FILE}: {error}") from error


def module_text(source: str, file: str, package: str, machine: Machine) -> str:
    """The source text of a module without what went into the entry; "" when nothing is left that anybody asks for."""
    tree = ast.parse(source, file)
    taken = machine.taken.get(file, set())
    gone = {f"{package}.{Path(each).with_suffix('').as_posix().replace('/', '.')}" for each in machine.taken}
    if not taken and not any(isinstance(node, ast.ImportFrom) and node.module in gone for node in tree.body):
        return source
    body = [node for node in tree.body if not (isinstance(node, ast.FunctionDef) and node.name in taken)]
    if file == FILE:
        body += ast.parse(assembler(ENTRY, machine.words, 1)).body
    body += [node for name in sorted(PARTS) if PARTS[name] == file for node in ast.parse(f"{name} = None").body]
    numbers = constants(source)
    if all(_is_frame(node, numbers) for node in body):
        return ""
    used = {n.id for node in body for n in ast.walk(node) if isinstance(n, ast.Name)}
    kept: list[ast.stmt] = []
    for node in body:
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == package:
            node.names = [a for a in node.names if (a.asname or a.name) in used]
            if not node.names:
                continue
        kept.append(node)
    tree.body = kept
    return ast.unparse(ast.fix_missing_locations(tree)) + "\n"


def _is_frame(node: ast.stmt, numbers: Mapping[str, int]) -> bool:
    """What a module of hot functions has besides them: docstring, imports, constants."""
    if isinstance(node, ast.Assign):
        return all(isinstance(n, ast.Name) and (n.id in numbers or n.id == "__all__") for n in node.targets)
    return isinstance(node, (ast.Import, ast.ImportFrom, ast.Expr))


def assembler(name: str, words: list[int], arguments: int) -> str:
    """The source text of a module that holds machine code as a function."""
    registers = ", ".join(f"r{n}" for n in range(arguments))
    lines = ["import micropython", "@micropython.asm_thumb", f"def {name}({registers}):"]
    for at in range(0, len(words), _PER_LINE):
        lines.append("    data(2, " + ", ".join(str(word) for word in words[at : at + _PER_LINE]) + ")")
    return "\n".join(lines) + "\n"


def _hot(node: ast.FunctionDef, file: str) -> bool:
    return is_hot(node) or is_viper(node) or (file, node.name) in _HOT_TOO


def _key(package: Path, file: str, name: str) -> str:
    return ".".join((package.name, *Path(file).with_suffix("").parts, name))
