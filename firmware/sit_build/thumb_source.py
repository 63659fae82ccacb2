"""What the tick's compiler asks of the source itself: which numbers are known, how deep an expression is, which locals
a function has.
"""

import ast
import operator

FAST = (10, 11, 12)  # locals of a function that calls no other
_FOLDED = {ast.Add: operator.add, ast.Sub: operator.sub, ast.BitOr: operator.or_, ast.BitXor: operator.xor}
_FOLDED.update({ast.LShift: operator.lshift, ast.RShift: operator.rshift})


def places(function: ast.FunctionDef, taken: set[str]) -> tuple[dict[str, int], dict[str, int]]:
    """Where a function's locals lie: registers of the most used, stack slots of the others.

    Only a function that calls no other may use the registers: nobody else has anything in them then.
    """
    names = [n for n in ast.walk(function) if isinstance(n, ast.Name)]
    stored = sorted({n.id for n in names if isinstance(n.ctx, ast.Store)} - taken - _renamed(function))
    calls = {n.func.id for n in ast.walk(function) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
    uses = {name: sum(n.id == name for n in names) for name in stored}
    most = sorted(stored, key=lambda name: (-uses[name], name))[: 0 if calls - {"ptr32"} else len(FAST)]
    rest = [name for name in stored if name not in most]
    return dict(zip(most, FAST, strict=False)), {name: slot for slot, name in enumerate(rest)}


def _renamed(function: ast.FunctionDef) -> set[str]:
    """The names that are another name of an array: p in `p = ptr32(NAME)`."""
    assignments = (node for node in ast.walk(function) if isinstance(node, ast.Assign))
    calls = [(a.targets[0], a.value) for a in assignments if isinstance(a.value, ast.Call)]
    pointers = [(p, call.args[0]) for p, call in calls if ast.unparse(call.func) == "ptr32"]
    return {ast.unparse(p) for p, what in pointers if isinstance(what, ast.Name)}


def number_of(node: ast.expr) -> int | None:
    """The integer that an expression of literals stands for; None for any other."""
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = number_of(node.operand)
        return None if inner is None else -inner
    if isinstance(node, ast.BinOp) and type(node.op) in _FOLDED:
        left, right = number_of(node.left), number_of(node.right)
        return None if left is None or right is None else _FOLDED[type(node.op)](left, right)
    return None


def is_truth(node: ast.expr) -> bool:
    """True for an expression whose value is False or True, whatever the numbers in it."""
    if isinstance(node, ast.BoolOp):
        return all(is_truth(value) for value in node.values)
    return isinstance(node, ast.Compare) or (isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not))


def depth(node: ast.expr) -> int:
    """Registers that the evaluation needs."""
    if isinstance(node, ast.BinOp) and number_of(node.right) is None:
        left, right = depth(node.left), depth(node.right)
        return max(left, right) if left != right else left + 1
    if isinstance(node, ast.BinOp):
        # a constant that fits the instruction needs no register; a larger one does
        return max(depth(node.left), 2)
    if isinstance(node, ast.UnaryOp):
        return depth(node.operand)
    if isinstance(node, ast.Subscript):
        return depth(node.slice)
    return 1
