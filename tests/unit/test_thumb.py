"""The tick as machine code: the processor gives the numbers that the source gives, or the build says no."""

import ast
import random
import sys
from array import array
from pathlib import Path

import pytest
import sit_firmware
from sit_build import forms
from sit_build.entries import function_code, machine_code
from sit_build.thumb import Function, Program, ThumbError, compile_entry
from sit_firmware import image
from sit_firmware.control.law import step
from sit_firmware.guard import check
from sit_firmware.recorder import FIRST, NEXT, RUN, WORDS, keep

pytest.importorskip("rp2040py", reason="the emulator isn't installed: run `make setup`")
sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))
from bench_parts.chip import record_tape
from sit_sim.emu.core import Core, address

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
    # branches over more than 2 KiB, forward and back
    "n = inputs[2] & 3\n    while n > 0:\n        n -= 1\n        if inputs[0] > 0:\n"
    + "            outputs[1] = inputs[1]\n" * 1200
    + "        else:\n            outputs[2] = n",
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


def test_functions_called_once_and_twice(seed):
    """INV-8 tick: a function that stands where it is called has its own locals and returns to its own end."""
    text = """
def f(state, inputs, outputs, params):
    x = inputs[0]
    y = inputs[1]
    if x > y:
        once(state, inputs, outputs, params)
        twice(state, inputs, outputs, params)
    twice(state, inputs, outputs, params)
    outputs[0] = x - y
def once(state, inputs, outputs, params):
    x = inputs[2] >> 1
    if x > 0:
        outputs[1] = x
        return
    twice_or_not = x + 3
    deeper(state, inputs, outputs, params)
    outputs[2] = twice_or_not
def deeper(state, inputs, outputs, params):
    a = inputs[3] & 7
    b = a + 1
    outputs[3] = b * a
def twice(state, inputs, outputs, params):
    outputs[4] += 1
"""
    tree = ast.parse(text)
    names = {node.name: node.name for node in tree.body}
    functions = {node.name: Function(node.name, node, names) for node in tree.body}
    core, space, rng = Core(compile_entry(Program(functions), "f")), {}, random.Random(seed)
    exec(text, space)
    for _ in range(60):
        arrays = [array("i", [rng.randrange(-1000, 1000) for _ in range(8)]) for _ in range(4)]
        for number, values in enumerate(arrays):
            core.write(number, values)
        core.call()
        space["f"](*arrays)
        assert core.read(2, 8) == arrays[2]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("outputs[0] = max(1, 2)", "line 2: Call isn't part"),
        ("outputs[0] = inputs[0] << inputs[1]", "a shift to the left is by a constant"),
        ("outputs[0] = 1.5", "isn't part"),
        ("for i in state:\n        pass", "For isn't part"),
        ("outputs[0] = other", "neither a local nor a constant"),
        ("inputs = ptr32(outputs[0])", "a pointer is a local of its own"),
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


PACKAGE = Path(sit_firmware.__file__).parent
MODULES = forms.constant_modules(PACKAGE)


def test_the_tick_is_one_entry():
    """INV-8 tick: control law, guard, recorder and the board's read and write go into one piece of machine code."""
    machine = machine_code(PACKAGE, MODULES)
    names = {"cycle.py": "cycle", "control/law.py": "step", "guard.py": "check", "recorder.py": "keep"}
    assert all(name in machine.taken[file] for file, name in names.items())
    assert machine.taken["boards/rp2_tick.py"] == {"read", "write"}


def test_what_went_into_the_entry_isnt_built_again(tmp_path):
    """Release: a chip carries each function of the tick once; its board's read and write are empty names."""
    files = {
        path.relative_to(tmp_path / "sit_firmware").as_posix(): path for path in forms.build(PACKAGE, tmp_path, "thumb")
    }
    assert not {"guard.py", "guard_rest.py", "control/law.py", "control/__init__.py"} & set(files)
    assert "asm_thumb" in files["cycle.py"].read_text()
    assert "read = None" in files["boards/rp2_tick.py"].read_text()
    assert "keep" not in files["recorder.py"].read_text().split("class Recorder")[0].split('"""')[2]


def test_an_entry_of_a_tuple_reaches_six_arrays_and_pointers():
    """INV-8 tick: arrays beyond the four, pointers, elements by a computed slot, a shift by a value."""
    text = """
def entry(images):
    state, inputs, outputs, params, log, _memory, part = images
    log[40] = inputs[1] + state[0]
    log[inputs[0]] = 7
    part(inputs)
def part(inputs):
    m = ptr32(MEMORY)
    p = ptr32(m[0])
    p[1] = p[0] >> (inputs[0] & 31)
    p[inputs[0]] += m[1] + (1 << 20 | 3)
    m[2] = -(1 << 4)
"""
    entry, part = ast.parse(text).body
    functions = {"entry": Function("entry", entry, {}), "p": Function("part", part, {})}
    core = Core(
        compile_entry(Program(functions, {"MEMORY": "_memory"}), "entry", {"part": "p"}), (0, 1, 2, 3, 5, 4), True
    )
    there = address(3) + 0x800
    core.write(0, [100])
    core.write(1, [5, 11])
    core.write(4, [there, 2])
    core.poke(there, [-64000])
    core.call()
    log = core.read(5, 41)
    assert (log[40], log[5]) == (111, 7)
    assert core.read(4, 3)[2] == -16
    core.poke(address(0), core.mcu.sram[there - 0x20000000 : there - 0x20000000 + 24].cast("i"))
    assert list(core.read(0, 6)) == [-64000, -2000, 0, 0, 0, 2 + (1 << 20 | 3)]


def test_whole_shot_gives_the_same_arrays():
    """INV-8 tick: over a whole shot every slot of state and outputs is the source's after each call."""
    tape = record_tape(1500, 1000)
    parts = (("control/law.py", "step"), ("guard.py", "check"))
    cores = [Core(function_code(PACKAGE, MODULES, file, name)) for file, name in parts]
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


def test_recorder_keeps_the_same_images():
    """INV-8 tick: the recorder's fourth array is its log."""
    core = Core(function_code(PACKAGE, MODULES, "recorder.py", "keep"))
    state, inputs, outputs, _ = image.new()
    log = array("i", [0] * (FIRST + 60))
    log[NEXT], log[RUN] = FIRST, 1
    draw = random.Random(1)
    for tick in range(20):
        for array_of in (state, inputs, outputs):
            for slot in range(len(array_of)):
                array_of[slot] = draw.randrange(-(1 << draw.randrange(30)), 1 << draw.randrange(30))
        state[image.ST_PHASE] = 1
        inputs[image.IN_TICK] = tick
        for number, values in enumerate((state, inputs, outputs, log)):
            core.write(number, values)
        core.call()
        keep(state, inputs, outputs, log)
        assert core.read(3, len(log)) == log
    assert log[NEXT] == FIRST + 10 * WORDS
