"""Constants for functions that are viper in the source already: the boards' register code.

They exist for one chip only, so every form of the build holds them as they are, but for their constants: viper wants
numbers, and they stand in other modules. `image.NAME`, `codes.NAME`, `pins.NAME` and the module's own `_NAME`, `NAME`
become literals; `pins` is whatever pin module the source imports under that name.
"""

import ast
from collections.abc import Mapping
from pathlib import Path

from sit_build import forms


def is_viper(node: ast.AST) -> bool:
    """True for a function that stands under @micropython.viper in the source."""
    return isinstance(node, ast.FunctionDef) and any(
        ast.unparse(decorator) == "micropython.viper" for decorator in node.decorator_list
    )


def inline(path: Path, modules: Mapping[str, Mapping[str, int]]) -> str:
    """The text of a module with the constants of its viper functions put in; BuildError for one that isn't there.

    modules: the constants of `image` and `codes`. A module without such a function comes back unchanged.
    """
    source = path.read_text()
    tree = ast.parse(source, str(path))
    if not any(is_viper(node) for node in tree.body):
        return source
    known = dict(modules)
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if alias.asname == "pins":
                    known["pins"] = forms.constants((path.parent / f"{alias.name}.py").read_text())
    own = forms.constants(source)
    for node in tree.body:
        if is_viper(node):
            assert isinstance(node, ast.FunctionDef)
            forms.inline_constants(node, known, own, path.name)
    return ast.unparse(ast.fix_missing_locations(tree)) + "\n"
