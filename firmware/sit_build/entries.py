"""The modules of the tick's entries in machine code: each entry and all it calls as one `asm_thumb` function.

    control/law.py step, guard.py check, recorder.py keep

What those modules hold besides hot functions stays as it is. The other modules of hot functions are copied with their
constants inlined; on the chip nothing imports them.
"""

import ast
from collections.abc import Mapping
from pathlib import Path

from sit_build.forms import HOT_ARGUMENTS, BuildError, constants, inline_constants
from sit_build.thumb import Function, Program, ThumbError, compile_entry

ENTRIES = {"control/law.py": "step", "guard.py": "check", "recorder.py": "keep"}
_PER_LINE = 12


def program(package: Path, modules: Mapping[str, Mapping[str, int]]) -> Program:
    """Every hot function of a package with its constants inlined; BuildError says what doesn't fit."""
    found = Program()
    for path in sorted(package.rglob("*.py")):
        relative = path.relative_to(package)
        tree = ast.parse(path.read_text(), str(relative))
        dotted = _dotted(package, relative)
        own = constants(path.read_text())
        hot = [node for node in tree.body if isinstance(node, ast.FunctionDef) and _hot(node, relative.as_posix())]
        calls = {node.name: f"{dotted}.{node.name}" for node in hot}
        for node in tree.body:
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(package.name):
                calls.update({a.asname or a.name: f"{node.module}.{a.name}" for a in node.names})
        for function in hot:
            inline_constants(function, modules, own, str(relative))
            found.functions[f"{dotted}.{function.name}"] = Function(function.name, function, calls)
    for each in found.functions.values():
        each.calls = {name: key for name, key in each.calls.items() if key in found.functions}
    return found


def machine_code(package: Path, modules: Mapping[str, Mapping[str, int]]) -> dict[str, list[int]]:
    """The halfwords of each entry by its file, relative to the package."""
    whole = program(package, modules)
    code = {}
    for file, name in ENTRIES.items():
        if not (package / file).exists():
            continue
        try:
            code[file] = compile_entry(whole, f"{_dotted(package, Path(file))}.{name}")
        except ThumbError as error:
            raise BuildError(f"{file}: {error}") from error
    return code


def module_text(source: str, file: str, package: str, words: list[int]) -> str:
    """The source text of an entry's module with the entry as machine code in place of its hot functions."""
    tree = ast.parse(source, file)
    body: list[ast.stmt] = []
    for node in tree.body:
        if _hot(node, file):
            if isinstance(node, ast.FunctionDef) and node.name == ENTRIES[file]:
                body += ast.parse(_assembler(node.name, words)).body
        else:
            body.append(node)
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


def _assembler(name: str, words: list[int]) -> str:
    lines = ["import micropython", "@micropython.asm_thumb", f"def {name}(r0, r1, r2, r3):"]
    for at in range(0, len(words), _PER_LINE):
        lines.append("    data(2, " + ", ".join(str(word) for word in words[at : at + _PER_LINE]) + ")")
    return "\n".join(lines) + "\n"


def _hot(node: ast.AST, file: str) -> bool:
    """A function of the four arrays; an entry's last one may have another name."""
    if not isinstance(node, ast.FunctionDef):
        return False
    names = [a.arg for a in node.args.args]
    return names == HOT_ARGUMENTS or (node.name == ENTRIES.get(file) and len(names) == len(HOT_ARGUMENTS))


def _dotted(package: Path, relative: Path) -> str:
    return ".".join((package.name, *relative.with_suffix("").parts))
