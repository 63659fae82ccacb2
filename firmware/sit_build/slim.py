"""Less RAM on a chip: constants become literals where they are used, and their names go.

A module's names live in RAM for ever, some 25 bytes each, and each use of one is a lookup. So in the forms for chips a
`NAME = number` (text or bytes alike) at the top of a module becomes a literal wherever the package uses it: by its own
name, as `module.NAME`, or imported. The assignments behind it are dropped, and the imports that nothing needs any more.

A name that is set twice, or anything else in the module as well, is no constant. One that something may look up while
it runs, as an attribute of what isn't plainly a module, keeps its assignment; so does what main.py and boot.py import,
which is no constant.
"""

import ast
from collections import Counter
from collections.abc import Iterator, Mapping

from sit_build.forms import integer

Value = int | str | bytes


def slim(texts: Mapping[str, str], package: str) -> dict[str, str]:
    """The source texts of a package, by their paths in it, with all constants put in."""
    modules = {path: _Module(path, text, package) for path, text in texts.items()}
    by_name = {module.name: module for module in modules.values()}
    while any([module.learn(by_name) for module in modules.values()]):
        pass
    kept = {attribute for module in modules.values() for attribute in module.unknown_attributes(by_name)}
    return {path: module.text(by_name, kept) for path, module in modules.items()}


class _Module:
    """A source text. `values` holds its constants as far as they are known, imported ones included."""

    def __init__(self, path: str, text: str, package: str) -> None:
        parts = [package, *path.removesuffix(".py").split("/")]
        self.name = ".".join(parts).removesuffix(".__init__")
        self._folder = ".".join(parts[:-1])
        self._tree = ast.parse(text, path)
        self.values: dict[str, Value] = {}
        bound = Counter(_bound(self._tree))
        self.once = {name for name, times in bound.items() if times == 1}

    def _from(self, node: ast.ImportFrom) -> str:
        """The module that an import takes its names from; "" for one outside the package."""
        return f"{self._folder}.{node.module}" if node.level else node.module or ""

    def _imports(self) -> Iterator[tuple[ast.ImportFrom, ast.alias]]:
        for node in self._tree.body:
            if isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    yield node, alias

    def modules(self, by_name: "Mapping[str, _Module]") -> "dict[str, _Module]":
        """The modules of the package that this one imports, by the names it gives them."""
        found = {}
        for node, alias in self._imports():
            name = alias.asname or alias.name
            module = by_name.get(f"{self._from(node)}.{alias.name}")
            if module and name in self.once:
                found[name] = module
        return found

    def learn(self, by_name: "Mapping[str, _Module]") -> bool:
        """Take in the constants that can be known by now; False when there was none."""
        before = len(self.values)
        for node, alias in self._imports():
            name, origin = alias.asname or alias.name, by_name.get(self._from(node))
            if origin and name in self.once and alias.name in origin.values:
                self.values[name] = origin.values[alias.name]
        literals = _Literals(self.values, self.modules(by_name))
        for statement in self._tree.body:
            name = _target(statement)
            if isinstance(statement, ast.Assign) and name in self.once and name not in self.values:
                statement.value = literals.visit(statement.value)
                value = _value(statement.value)
                if value is not None:
                    self.values[name] = value
        return len(self.values) > before

    def unknown_attributes(self, by_name: "Mapping[str, _Module]") -> Iterator[str]:
        """The names of attributes of what isn't plainly a module, and of names that another module takes from here but
        has bound to something else as well."""
        modules = self.modules(by_name)
        for node in ast.walk(self._tree):
            if isinstance(node, ast.Attribute) and not (isinstance(node.value, ast.Name) and node.value.id in modules):
                yield node.attr
        for _, alias in self._imports():
            if (alias.asname or alias.name) not in self.once:
                yield alias.name

    def text(self, by_name: "Mapping[str, _Module]", kept: set[str]) -> str:
        """The text with its constants put in; those in `kept` keep their assignments."""
        tree = self._tree
        gone = {name for name in self.values if name not in kept}
        tree.body = [node for node in tree.body if _target(node) not in gone and _target(node) != "__all__"]
        _Literals(self.values, self.modules(by_name)).visit(tree)
        used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        inside = self.name.split(".")[0]
        for node in list(tree.body):
            if isinstance(node, ast.ImportFrom) and self._from(node).split(".")[0] == inside:
                node.names = [a for a in node.names if (a.asname or a.name) in used or a.name in kept]
                if not node.names:
                    tree.body.remove(node)
        return ast.unparse(ast.fix_missing_locations(tree)) + "\n"


def _bound(tree: ast.AST) -> Iterator[str]:
    """Every name that a module gives a meaning, each time it does."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.alias):
            yield node.asname or node.name.split(".")[0]
        elif isinstance(node, ast.FunctionDef | ast.ClassDef | ast.ExceptHandler) and node.name:
            yield node.name


def _target(node: ast.stmt) -> str:
    """The name that an assignment sets, "" for anything else."""
    if not isinstance(node, ast.Assign) or len(node.targets) != 1 or not isinstance(node.targets[0], ast.Name):
        return ""
    return node.targets[0].id


def _value(node: ast.expr) -> Value | None:
    """What an expression of literals is worth; None when it is no number, text or bytes."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
        return node.value
    return integer(node, {})


class _Literals(ast.NodeTransformer):
    def __init__(self, values: Mapping[str, Value], modules: Mapping[str, _Module]) -> None:
        self._values, self._modules = values, modules

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        """`module.NAME`."""
        if isinstance(node.value, ast.Name) and node.value.id in self._modules:
            value = self._modules[node.value.id].values.get(node.attr)
            return node if value is None else ast.copy_location(ast.Constant(value), node)
        return self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """`NAME`, the module's own or imported."""
        if isinstance(node.ctx, ast.Load) and node.id in self._values:
            return ast.copy_location(ast.Constant(self._values[node.id]), node)
        return node
