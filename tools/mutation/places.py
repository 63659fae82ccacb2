"""The small changes that are tried on a source: an operator swapped, a number one higher, a condition turned, a store
left out. A mutant is (number of a node in walking order, what is done to it)."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Sequence
from typing import Any

_SWAPS: dict[type, tuple[type, ...]] = {
    ast.Lt: (ast.LtE, ast.GtE), ast.LtE: (ast.Lt, ast.Gt), ast.Gt: (ast.GtE, ast.LtE), ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.In: (ast.NotIn,), ast.NotIn: (ast.In,), ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,), ast.Add: (ast.Sub,), ast.Sub: (ast.Add,), ast.Mult: (ast.FloorDiv,),
    ast.FloorDiv: (ast.Mult,), ast.LShift: (ast.RShift,), ast.RShift: (ast.LShift,), ast.And: (ast.Or,),
    ast.Or: (ast.And,), ast.BitAnd: (ast.BitOr,), ast.BitOr: (ast.BitAnd,), ast.USub: (ast.UAdd,),
}  # fmt: skip


def places(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """(number of a node in walking order, what is done to it) for each mutant of a file."""
    for number, node in enumerate(ast.walk(tree)):
        operator = _operator(node)
        if operator is not None:
            for other in _SWAPS.get(type(operator), ()):
                yield number, other.__name__
        if isinstance(node, ast.Constant) and isinstance(node.value, int) and not isinstance(node.value, bool):
            yield number, "+1"
        if isinstance(node, (ast.If, ast.While)):
            yield number, "not"
        if isinstance(node, (ast.Assign, ast.AugAssign)) and isinstance(_target(node), (ast.Subscript, ast.Attribute)):
            yield number, "drop"


def _operator(node: ast.AST) -> ast.AST | None:
    if isinstance(node, ast.Compare):
        return node.ops[0]
    return getattr(node, "op", None)


def _target(node: ast.AST) -> ast.AST:
    return node.targets[0] if isinstance(node, ast.Assign) else node.target  # type: ignore[attr-defined]


def mutated(tree: ast.Module, number: int, what: str) -> tuple[ast.Module, str]:
    """The tree with one change, and the change in words."""
    tree = copy.deepcopy(tree)
    nodes = list(ast.walk(tree))
    node: Any = nodes[number]
    before = ast.unparse(node).splitlines()[0]
    if what == "+1":
        node.value += 1
    elif what == "not":
        node.test = ast.UnaryOp(ast.Not(), node.test)
    elif what == "drop":
        _replace(nodes, node, ast.copy_location(ast.Pass(), node))
    elif isinstance(node, ast.Compare):
        node.ops[0] = getattr(ast, what)()
    else:
        node.op = getattr(ast, what)()
    ast.fix_missing_locations(tree)
    after = "pass" if what == "drop" else ast.unparse(node).splitlines()[0]
    return tree, f"line {node.lineno}: {before}  ->  {after}"


def _replace(nodes: Sequence[ast.AST], old: ast.AST, new: ast.AST) -> None:
    for parent in nodes:
        for _, block in ast.iter_fields(parent):
            if isinstance(block, list) and old in block:
                block[block.index(old)] = new


def lines_of(tree: ast.Module) -> dict[int, int]:
    """Node number -> first line of the innermost statement of a function that holds it; others are left out."""
    numbers = {id(node): number for number, node in enumerate(ast.walk(tree))}
    found: dict[int, int] = {}

    def visit(node: ast.AST, line: int) -> None:
        if isinstance(node, ast.stmt) and line:
            line = node.lineno
        if line:
            found[numbers[id(node)]] = line
        inside = isinstance(node, ast.FunctionDef)
        for name, value in ast.iter_fields(node):
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    # a default value or a decorator belongs to no statement of the function
                    visit(child, node.lineno if inside and name == "body" else 0 if inside else line)  # type: ignore[attr-defined]

    visit(tree, 0)
    return found


def noting(tree: ast.Module, hit: str) -> ast.Module:
    """The tree with a call `hit(line)` before each statement of its functions."""
    tree = copy.deepcopy(tree)
    for block in _blocks(tree):
        block[:] = [new for old in block for new in (_call(hit, old.lineno), old)]
    return ast.fix_missing_locations(tree)


def statements(tree: ast.Module) -> list[int]:
    """First lines of the statements that `noting` notes."""
    return sorted({statement.lineno for block in _blocks(tree) for statement in block})


def _blocks(tree: ast.Module) -> list[list[ast.stmt]]:
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    found = {
        id(block): block
        for function in functions
        for node in ast.walk(function)
        for _, block in ast.iter_fields(node)
        if isinstance(block, list) and block and isinstance(block[0], ast.stmt)
    }
    return list(found.values())


def _call(name: str, line: int) -> ast.stmt:
    return ast.Expr(ast.Call(ast.Name(name, ast.Load()), [ast.Constant(line)], []))
