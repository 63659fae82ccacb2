"""The pin maps of hardware/pins: what the checker refuses, and that the generated files follow from them."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
import gen_pins  # noqa: E402
import pinmap  # noqa: E402


@pytest.fixture
def folder(tmp_path):
    """A copy of hardware/pins to spoil."""
    return shutil.copytree(pinmap.PINS, tmp_path / "pins")


def spoil(folder, board, signal, **fields):
    """Change fields of one signal in a map's text."""
    path = folder / f"{board}.toml"
    head, mark, rest = path.read_text().partition(f"[signal.{signal}]\n")
    assert mark
    entry, gap, others = rest.partition("\n[signal.")
    lines = [line for line in entry.splitlines() if line.split(" = ")[0] not in fields]
    lines += [f"{key} = {value}" for key, value in fields.items() if value is not None]
    path.write_text(head + mark + "\n".join(lines) + gap + others)
    return pinmap.load


REFUSED = [
    ("rpi_pico", "flag", {"pin": 14}, "signal trigger: GPIO 14 belongs to flag already"),
    ("esp32", "flag", {"pin": 17}, "signal trigger: GPIO 17 belongs to flag already"),
    ("rpi_pico", "load", {"pin": 20}, "GPIO 20 of the rp2040 has no analog channel; the analog pins are 26, 27, 28"),
    ("esp32", "load", {"pin": 25}, "signal load: GPIO 25 belongs to switch already"),
    ("esp32", "switch", {"pin": 34}, "GPIO 34 of the esp32 is input-only; an output needs another pin"),
    ("esp32", "bridge", {"note": '""'}, "GPIO 12 is a strapping pin (low at reset, or the flash gets 1.8 V"),
    ("rpi_pico", "flag", {"direction": '"out"', "safe": '"low"', "use": '"pwm"', "pin": 13}, "PWM slice 6 belongs to"),
    ("rpi_pico", "trigger", {"pin": 23}, "GPIO 23 isn't a pin that a board of the rp2040 offers"),
    ("rpi_pico", "fram_sck", {"pin": 21}, "GPIO 21 of the rp2040 can't be spi0.sck"),
    ("rpi_pico", "step", {"use": '"pio2"'}, "the rp2040 has no block pio2"),
    ("rpi_pico", "step", {"safe": '"input"'}, "an output needs a safe level in reset"),
    ("esp32", "enc_a", {"pull": '"up"'}, "GPIO 36 of the esp32 has no pull resistor"),
    ("rpi_pico", "enc_b", {"pin": 20}, "the decoder reads it as the pin after enc_a (1)"),
    ("rpi_pico", "flag", {"pull": '"strong"'}, "pull is 'strong', use one of up, down, none"),
    ("rpi_pico", "flag", {"to": None}, "signal flag lacks to"),
    ("rpi_pico", "flag", {"volts": 3}, "signal flag has the unknown field volts"),
]


@pytest.mark.parametrize(("board", "signal", "fields", "words"), REFUSED)
def test_the_checker_refuses(folder, board, signal, fields, words):
    """Pin maps: what a chip can't do, or a builder couldn't follow, is refused with signal and reason."""
    spoil(folder, board, signal, **fields)
    with pytest.raises(pinmap.PinError) as refused:
        pinmap.load(board, folder)
    assert words in str(refused.value)
    assert str(refused.value).startswith(board)


def test_an_adc_signal_needs_an_adc_pin_on_the_esp32_too(folder):
    """Pin maps: an analog signal on a pin without a converter is refused, also where the pin itself is free."""
    spoil(folder, "esp32", "switch", pin=33)
    spoil(folder, "esp32", "estop", pin=25)
    assert pinmap.load("esp32", folder)
    spoil(folder, "esp32", "flag", pin=34)
    spoil(folder, "esp32", "load", pin=16)
    spoil(folder, "esp32", "flag", pin=34, pull='"none"')
    with pytest.raises(pinmap.PinError, match="signal load: GPIO 16 of the esp32 has no analog channel"):
        pinmap.load("esp32", folder)


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        ("chain.toml", "bit = 1\n", "bit = 0\n", "input gate: bit 0 belongs to contact already"),
        ("chain.toml", "bit = 6\nto", "bit = 16\nto", "output echo: bit 16 isn't one of 16"),
        ("chain.toml", "[input.echo]", "[input.reply]", "the input echo is missing"),
        ("sensors.toml", "span = 12000", "span = 12001", "contact: span 12001 must be a multiple of 16"),
        ("sensors.toml", "broken = 100000", "broken = 60000", "load: broken 60000 lies inside the range"),
    ],
)
def test_chain_and_sensors_are_checked(folder, file, old, new, words):
    """Pin maps: a bit used twice, a chain that can't be proved alive, a broken wire that would look like a reading."""
    path = folder / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(pinmap.PinError) as refused:
        pinmap.load("rpi_pico", folder)
    assert words in str(refused.value)


def test_every_output_is_safe_in_reset():
    """Invariant 6: in reset no cut-off is closed, no token given, no step made, and the FRAM is deaf."""
    for board in pinmap.load_all():
        held = {s.name: s.safe for s in board.signals if s.direction == "out"}
        assert {held[name] for name in ("bridge", "switch", "token", "step")} == {"low"}
        assert held["fram_cs"] == "high"


def test_the_generated_files_follow_from_the_maps():
    """Source of truth: pin modules, wiring tables and drawings are what the maps give now; a drawing names each pin."""
    made = gen_pins.files(pinmap.load_all())
    assert all(path.read_text() == text for path, text in made.items())
    for board in pinmap.load_all():
        drawing = made[ROOT / "hardware" / f"wiring-{board.name}.svg"]
        assert all(f"GP{s.pin} {s.name}" in drawing for s in board.signals)


def test_the_command_says_what_is_wrong(tmp_path):
    """Bad input: one sentence, exit code 1, nothing written."""
    code = (
        "import sys, pathlib; sys.path.insert(0, sys.argv[1]); import gen_pins, pinmap;"
        "pinmap.load_all = lambda: [pinmap.load('rpi_pico', pathlib.Path(sys.argv[2]))]; sys.exit(gen_pins.main([]))"
    )
    folder = shutil.copytree(pinmap.PINS, tmp_path / "pins")
    spoil(folder, "rpi_pico", "flag", pin=14)
    run = subprocess.run([sys.executable, "-c", code, ROOT / "tools", folder], capture_output=True, text=True)
    assert run.returncode == 1
    assert run.stderr.count("\n") == 1 and "GPIO 14 belongs to flag already" in run.stderr
