"""The chip forms' constants: they become literals, their names go, and what may be asked for stays."""

import pytest
from sit_build.slim import slim


def test_every_use_becomes_a_literal_and_the_name_goes():
    """RAM: a module's own, imported, re-exported and computed constants, numbers, texts and bytes."""
    texts = slim(
        {
            "a.py": "SIZE = 1 << 4\n_END = SIZE + 2\nFORM = '<I'\n\ndef f():\n    return (_END, FORM)\n",
            "b.py": "from pkg import a\nfrom pkg.a import SIZE\nROOM = 2 * a.SIZE + SIZE\n",
            "c/__init__.py": "",
            "c/d.py": "from ..b import ROOM\n",
            "c/e.py": "from pkg import b\nfrom pkg.b import ROOM, SIZE\nfrom .f import KEY\n"
            "x = [b.ROOM, ROOM + SIZE, KEY]\n",
            "c/f.py": "KEY = b'k'\nLOW = -3\nprint(2 - LOW)\n",
        },
        "pkg",
    )
    assert texts["a.py"] == "def f():\n    return (18, '<I')\n"
    assert texts["b.py"].strip() == ""
    assert texts["c/e.py"] == "x = [48, 48 + 16, b'k']\n"
    assert texts["c/f.py"] == "print(2 - -3)\n"


@pytest.mark.parametrize(
    ("user", "kept"),
    [
        ("def f(module):\n    return module.SIZE\n", "SIZE = 16"),  # looked up while it runs
        ("from pkg import a\n\ndef f(a):\n    return a.SIZE\n", "SIZE = 16"),  # `a` is two things
        ("from pkg.a import SIZE\n\ndef f(SIZE):\n    return SIZE\n", "SIZE = 16"),
        ("import other\nx = other.SIZE\n", "SIZE = 16"),
        ("from pkg.a import SIZE\nx = SIZE\n", ""),
    ],
)
def test_a_constant_that_may_be_looked_up_stays(user, kept):
    """RAM: nothing is dropped that the running firmware could ask for."""
    texts = slim({"a.py": "SIZE = 16\n", "b.py": user}, "pkg")
    assert texts["a.py"].strip() == kept


@pytest.mark.parametrize(
    "text",
    [
        "X = 1\nX = 2\nprint(X)\n",
        "X = 1\n\ndef f():\n    global X\n    X = 2\n",
        "X = f()\nprint(X)\n",
        "X = (1, 2)\nprint(X)\n",
        "def f(X):\n    return X\nX = 1\n",
    ],
)
def test_what_is_no_constant_stays(text):
    """RAM: a name that is set twice, or to no number, text or bytes, is left alone."""
    assert slim({"a.py": text}, "pkg")["a.py"].strip() == text.strip()
