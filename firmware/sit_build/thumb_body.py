"""Statements of the tick's machine code: compiles one function of an entry; thumb.py puts the entry together."""

import ast
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from sit_build.armv6m import Code
from sit_build.thumb_values import Base, Function, Layout, Values


@dataclass
class Program:
    """The functions by key, as `compile_entry` wants them. `arrays`: a module's own array -> its name in the entry."""

    functions: dict[str, Function] = field(default_factory=dict)
    arrays: Mapping[str, str] = field(default_factory=dict)


class Body(Values):
    """Compiles one function of an entry."""

    def __init__(
        self, code: Code, program: Program, key: str, layout: Layout, entry: str, once: Collection[str]
    ) -> None:
        """`once`: keys of functions that are called at one place, where they stand themselves."""
        super().__init__(code, program.functions[key], key, layout)
        self.program = program
        self.layout = layout
        self.entry = entry
        self.once = once

    def compile(self) -> None:
        """Append the function's instructions, to be called."""
        self.code.label(self.key)
        self.code.push((), link=True)
        self.inline()
        self.code.pop((), back=True)

    def inline(self) -> None:
        """Append the function's instructions where it is called; its locals lie on top of the caller's."""
        self.code.frame(len(self.locals))
        self._block(self.function.node.body)
        self.code.label((self.key, "out"))
        self.code.frame(-len(self.locals))

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
        if call.func.id not in self.calls:
            raise self._wrong(node, f"{call.func.id} isn't a hot function")
        key = self.calls[call.func.id]
        wanted = self.program.functions[key].node.args.args
        if given != [a.arg for a in wanted] or any(name not in self.bases for name in given):
            raise self._wrong(node, f"{call.func.id} isn't called with the arrays by their names")
        if key in self.once:
            Body(self.code, self.program, key, self.layout, self.entry, self.once).inline()
        else:
            self.code.call(key)

    def _do_Assign(self, node: ast.Assign) -> None:
        if len(node.targets) != 1:
            raise self._wrong(node, "one target at a time")
        if self.key == self.entry and node is self.function.node.body[0] and isinstance(node.targets[0], ast.Tuple):
            return  # the entry has unpacked it
        if self._points(node):
            return
        self._value(node.value, 0)
        self._store(node.targets[0], 0)

    def _points(self, node: ast.Assign) -> bool:
        """Handle `p = ptr32(...)`; False for any other assignment."""
        call, target = node.value, node.targets[0]
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.func.id != "ptr32":
            return False
        if not isinstance(target, ast.Name) or target.id in self.arrays or len(call.args) != 1:
            raise self._wrong(node, "a pointer is a local of its own")
        (what,) = call.args
        if isinstance(what, ast.Name):
            array = self.program.arrays.get(what.id, "")
            if array not in self.bases:
                raise self._wrong(node, f"the entry has no array {what.id}")
            self.bases[target.id] = self.bases[array]
            return True
        self._value(what, 0)
        self._store(target, 0)
        self.bases[target.id] = Base(self.fast.get(target.id, -1), self.locals.get(target.id, -1))
        return True

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
