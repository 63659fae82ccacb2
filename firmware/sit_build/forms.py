"""Chip forms of the hot functions: one plain source, four ways to run it.

A hot function takes exactly the four arrays (state, inputs, outputs, params). On the chip it runs as viper machine
code, which wants literals and pointer types, and `const()` doesn't reach across modules. So the build rewrites the
syntax tree: `image.NAME`, `codes.NAME` and the module's own `_NAME = number` become literals; the decorator and the
`ptr32` types are set. The source itself stays plain. A board's functions that are viper in the source, since they touch
registers, get their constants inlined too, those of the pin modules among them. For chips slim.py then takes the
constants out of the rest as well.

    plain      as it stands in the tree, but for what is said above of a board's functions
    bytecode   constants inlined, no decorator: for the PC ports, whose viper is 64-bit
    native     constants inlined, @micropython.native
    viper      constants inlined, @micropython.viper, ptr32 arguments: for any 32-bit chip
    thumb      the tick compiled to one piece of machine code of the RP2040 (entries.py, thumb.py)
"""

import ast
from collections.abc import Collection, Mapping
from pathlib import Path

FORMS = ("plain", "bytecode", "native", "viper", "thumb")
CHIP_FORMS = ("native", "viper", "thumb")
HOT_ARGUMENTS = ["state", "inputs", "outputs", "params"]
CONSTANT_MODULES = ("image", "codes")


class BuildError(Exception):
    """The source uses something that the chip form can't carry; the message names file and line."""


def constants(source: str) -> dict[str, int]:
    """Return the module-level `NAME = integer` assignments of a source text (expressions of integers included)."""
    found: dict[str, int] = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            value = integer(node.value, found)
            if value is not None:
                found[node.targets[0].id] = value
    return found


def integer(node: ast.expr, known: Mapping[str, int]) -> int | None:
    """Evaluate an expression of integer literals and known names; None when it is anything else."""
    names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    plain = (
        ast.Expression,
        ast.BinOp,
        ast.UnaryOp,
        ast.Constant,
        ast.Name,
        ast.operator,
        ast.unaryop,
        ast.expr_context,
    )
    if not names <= set(known) or not all(isinstance(n, plain) for n in ast.walk(node)):
        return None
    value = eval(compile(ast.Expression(node), "<constant>", "eval"), {"__builtins__": {}}, dict(known))
    return value if type(value) is int else None


def is_hot(node: ast.AST) -> bool:
    """True for a function of exactly the four arrays."""
    return isinstance(node, ast.FunctionDef) and [a.arg for a in node.args.args] == HOT_ARGUMENTS


def is_viper(node: ast.AST) -> bool:
    """True for a function that is viper in the source."""
    return isinstance(node, ast.FunctionDef) and any(ast.unparse(d) == "micropython.viper" for d in node.decorator_list)


def aliases(tree: ast.Module, modules: Mapping[str, Mapping[str, int]]) -> dict[str, Mapping[str, int]]:
    """The constant modules that a module imports, by the names it gives them."""
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    return {a.asname or a.name: modules[a.name] for node in imports for a in node.names if a.name in modules}


class _Inline(ast.NodeTransformer):
    """Replaces constants inside one hot function."""

    def __init__(self, modules: Mapping[str, Mapping[str, int]], own: Mapping[str, int], path: str) -> None:
        self.modules, self.own, self.path = modules, own, path

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if isinstance(node.value, ast.Name) and node.value.id in self.modules:
            table = self.modules[node.value.id]
            if node.attr not in table:
                raise BuildError(f"{self.path}:{node.lineno}: {node.value.id}.{node.attr} isn't an integer constant")
            return ast.copy_location(_literal(table[node.attr]), node)
        return self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if isinstance(node.ctx, ast.Load) and node.id in self.own:
            return ast.copy_location(_literal(self.own[node.id]), node)
        return node


def inline_constants(
    node: ast.FunctionDef, modules: Mapping[str, Mapping[str, int]], own: Mapping[str, int], path: str
) -> None:
    """Replace the constants in a hot function by literals and drop its docstring; BuildError for an unknown one."""
    _Inline(modules, own, path).visit(node)
    if ast.get_docstring(node) is not None:
        del node.body[0]


def _literal(value: int) -> ast.expr:
    return ast.Constant(value) if value >= 0 else ast.UnaryOp(ast.USub(), ast.Constant(-value))


def transform(source: str, form: str, modules: Mapping[str, Mapping[str, int]], path: str = "<source>") -> str:
    """Return the source text of a module in the wanted form.

    modules: the integer constants of the modules in CONSTANT_MODULES. Raises BuildError for a constant that isn't there
    and ValueError for an unknown form. A module without hot functions comes back unchanged. In the form `thumb` this is
    what becomes of a module that has no part in the tick.
    """
    if form not in FORMS:
        raise ValueError(f"unknown form {form!r}: one of {', '.join(FORMS)}")
    tree = ast.parse(source, path)
    if not any(is_viper(node) or (is_hot(node) and form != "plain") for node in tree.body):
        return source
    own = constants(source)
    named = {**modules, **aliases(tree, modules)}
    hot = False
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and is_viper(node):
            inline_constants(node, named, own, path)
        if not is_hot(node) or form == "plain":
            continue
        hot = True
        assert isinstance(node, ast.FunctionDef)
        inline_constants(node, modules, own, path)
        node.returns = None
        for argument in node.args.args:
            argument.annotation = ast.Name("ptr32", ast.Load()) if form == "viper" else None
        if form in ("native", "viper"):
            decorator = ast.Attribute(ast.Name("micropython", ast.Load()), form, ast.Load())
            node.decorator_list = [decorator]
    if hot and form in ("native", "viper"):
        tree.body.insert(_first_statement(tree), ast.Import([ast.alias("micropython")]))
    return ast.unparse(ast.fix_missing_locations(tree)) + "\n"


def _first_statement(tree: ast.Module) -> int:
    """Index after the docstring and any __future__ import."""
    index = 1 if ast.get_docstring(tree) is not None else 0
    for node in tree.body[index:]:
        if not (isinstance(node, ast.ImportFrom) and node.module == "__future__"):
            break
        index += 1
    return index


def constant_modules(package: Path) -> dict[str, dict[str, int]]:
    """The integer constants of a package's constant modules and of its boards' pin modules, by their names."""
    paths = [package / f"{name}.py" for name in CONSTANT_MODULES] + sorted(package.glob("boards/pins_*.py"))
    return {path.stem: constants(path.read_text()) for path in paths}


def build(package: Path, out: Path, form: str, without: Collection[str] = ()) -> list[Path]:
    """Write the modules of the package `package` into `out/<package name>` in the wanted form; return the paths.

    `without`: patterns of files, relative to the package, that are left out. BuildError names file and line of a
    source that the form can't carry.
    """
    from sit_build import entries, slim  # they build on this module

    modules = constant_modules(package)
    machine = entries.machine_code(package, modules) if form == "thumb" else None
    left_out = {path for pattern in without for path in package.glob(pattern)}
    texts, gone = {}, set()
    for path in sorted(set(package.rglob("*.py")) - left_out):
        file = path.relative_to(package).as_posix()
        source = path.read_text()
        text = entries.module_text(source, file, package.name, machine) if machine else source
        if source and not text:
            gone.add(file)  # its constants may be asked for all the same
        if text in ("", source):
            text = transform(source, form, modules, str(path.relative_to(package.parent)))
        texts[file] = text
    if form in CHIP_FORMS:
        texts = slim.slim(texts, package.name)
    written = []
    for file in sorted(set(texts) - gone):
        written.append(out / package.name / file)
        written[-1].parent.mkdir(parents=True, exist_ok=True)
        written[-1].write_text(texts[file])
    return written
