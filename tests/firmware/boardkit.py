"""What the tests of boards share: each board on its fake, images with outputs, the events that a fake tells."""

import tomllib
from contextlib import contextmanager
from pathlib import Path

from fake_chip import chip_of
from sit_firmware import image
from sit_firmware.boards.sim import Exchange, SimBoard

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = tomllib.loads((ROOT / "hardware" / "reference.toml").read_text())
CHIPS = ("rp2040", "esp32")
DRIVE = {image.OUT_BRIDGE: 1, image.OUT_SWITCH: 1, image.OUT_TOKEN: 1}


class Store(Exchange):
    """The simulator's exchange with a store of its own."""

    def __init__(self):
        super().__init__()
        self.memory = bytearray(262144)

    def store_readinto(self, addr, buf):
        buf[:] = self.memory[addr : addr + len(buf)]

    def store_write(self, addr, buf):
        self.memory[addr : addr + len(buf)] = buf


@contextmanager
def board_of(kind):
    """A board of that kind; a chip's fake is at board.chip."""
    if kind == "sim":
        yield SimBoard(Store())
        return
    with chip_of(kind) as chip:
        board = chip.make_board()
        board.chip = chip
        yield board


def images(**outputs):
    """Input and output image; outputs by name without OUT_."""
    _, inputs, outs, _ = image.new()
    for name, value in outputs.items():
        outs[getattr(image, "OUT_" + name)] = value
    return inputs, outs


def driven(duty=0, steps=0):
    """The images with the drive on."""
    return images(DUTY=duty, BRIDGE=1, SWITCH=1, TOKEN=1, STEPS=steps)


def told(chip, *names):
    """The events of these names, in order."""
    return [event for event in chip.events if event[0] in names]
