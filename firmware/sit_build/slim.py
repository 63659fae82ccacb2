"""Less RAM on a chip: constants become literals where they are used, and their names go.

A module's names live in RAM for ever: the constants of image.py and codes.py cost 15 KB, and each use a lookup. So in
the forms for chips `image.NAME` and `codes.NAME` become literals everywhere, as do a module's own `_NAME = number`; the
assignments behind them are dropped. What is no integer, and every other public name, stays.
"""

import ast
from collections.abc import Mapping

from sit_build.forms import BuildError, constants


def slim(source: str, modules: Mapping[str, Mapping[str, int]], path: str, drop_public: bool = False) -> str:
    """The source text with its constants put in; `drop_public` for a module whose every use is known: a key of modules.

    BuildError when a name of `modules` is used for something else as well.
    """
    tree = ast.parse(source, path)
    own = constants(source)
    stored = [n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
    arguments = {a.arg for a in ast.walk(tree) if isinstance(a, ast.arg)}
    taken = (arguments | set(stored)) & set(modules)
    if taken:
        raise BuildError(f"{path}: {sorted(taken)[0]} is a module of constants and can't be another name as well")
    once = {name: value for name, value in own.items() if stored.count(name) == 1 and name not in arguments}
    dropped = {name: value for name, value in once.items() if drop_public or name.startswith("_")}
    tree.body = [node for node in tree.body if not (isinstance(node, ast.Assign) and _target(node) in dropped)]
    _Literals(modules, dropped).visit(tree)
    used = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
    for node in list(tree.body):
        if isinstance(node, ast.ImportFrom):
            node.names = [a for a in node.names if a.name not in modules or (a.asname or a.name) in used]
            if not node.names:
                tree.body.remove(node)
    return ast.unparse(ast.fix_missing_locations(tree)) + "\n"


def _target(node: ast.Assign) -> str:
    """The name that an assignment sets, "" for anything more."""
    target = node.targets[0]
    return target.id if len(node.targets) == 1 and isinstance(target, ast.Name) else ""


class _Literals(ast.NodeTransformer):
    def __init__(self, modules: Mapping[str, Mapping[str, int]], own: Mapping[str, int]) -> None:
        self._modules, self._own = modules, own

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        """`image.NAME`."""
        if isinstance(node.value, ast.Name) and node.attr in self._modules.get(node.value.id, {}):
            return ast.copy_location(ast.Constant(self._modules[node.value.id][node.attr]), node)
        return self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """The module's own `_NAME`."""
        if isinstance(node.ctx, ast.Load) and node.id in self._own:
            return ast.copy_location(ast.Constant(self._own[node.id]), node)
        return node
