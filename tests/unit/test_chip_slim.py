"""The chip forms' constants: they become literals, their names go, and what may be asked for stays."""

import pytest
from sit_build import bundle, forms
from sit_build.slim import slim

MOST_NAMES = 1180  # of 1260; the loader's and those that are made while it runs come to some 50


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


def _number(data, at):
    """A number of an .mpy file and the place behind it."""
    value = 0
    while True:
        value = value << 7 | data[at] & 0x7F
        at += 1
        if not data[at - 1] & 0x80:
            return value, at


def names(data):
    """The names that an .mpy file brings along: those MicroPython doesn't have by number (py/persistentcode.c)."""
    count, at = _number(data, 4)
    _, at = _number(data, at)
    for _ in range(count):
        length, at = _number(data, at)
        if not length & 1:
            yield data[at : at + (length >> 1)]
            at += (length >> 1) + 1


def test_the_names_fit_their_room():
    """RAM: MicroPython's pools of names double, so that one name too many would take 7.7 KiB (docs/firmware.md)."""
    try:
        image = bundle.build(bundle.BOARDS["rp2040"])
    except forms.BuildError as error:
        pytest.skip(str(error))
    found = {name for file, data in image.files.items() if file.endswith(".mpy") for name in names(data)}
    assert b"sit_firmware.session" in found
    assert len(found) <= MOST_NAMES
