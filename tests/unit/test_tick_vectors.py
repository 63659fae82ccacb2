"""Control law and guard do on their vectors what they did when these were blessed."""

import pytest
from tick_vectors import GOLDEN, digest, functions

BLESSED = dict(line.split() for line in GOLDEN.read_text(encoding="utf-8").splitlines()[1:])


@pytest.mark.parametrize(
    ("name", "function", "slots"), list(functions()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_same_as_blessed(name, function, slots):
    """Invariant 8: no number, sign or comparison of the tick changes unseen; a change that is meant: `make bless`."""
    assert digest(name, function, slots) == BLESSED.get(name), f"{name} acts otherwise than its vectors say: make bless"


def test_no_function_is_gone():
    """Invariant 8: the vectors name the functions that there are."""
    assert sorted(BLESSED) == sorted(name for name, _, _ in functions())
