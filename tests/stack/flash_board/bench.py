"""A board on MicroPython's unix port: the link on standard input and output, the store in a file, a needle on a spring.

Laid into a copy of the firmware as boards/bench.py. It ticks as fast as it gets through; time is the number of ticks.
"""

from array import array

from sit_firmware import image
from sit_firmware.boards.usb_link import UsbLink

_STORE = "fram.bin"
_SIZE = 65536
_TICK_S = 0.00025


class Store:
    """The store in a file, made on its first use."""

    size = _SIZE

    def __init__(self):
        try:
            open(_STORE, "rb").close()
        except OSError:
            with open(_STORE, "wb") as file:
                file.write(b"\xff" * _SIZE)
        self._file = open(_STORE, "r+b")  # noqa: SIM115  (open as long as the board)

    def readinto(self, addr, buf):
        """Fill `buf`."""
        self._file.seek(addr)
        self._file.readinto(buf)

    def write(self, addr, buf):
        """Write `buf`, past every cache."""
        self._file.seek(addr)
        self._file.write(buf)
        self._file.flush()


class Needle:
    """Voice coil, back-EMF, spring, comb: the plant's figures, as far as a self-test needs them."""

    def __init__(self):
        self.x_m = 0.0
        self.v = 0.0
        self.held = 0  # ticks that the dead-man still holds
        self.edges = 0
        self.edge_um = 0
        self.next_um = 100
        self.bridge = self.switch = 0

    def move(self, outputs):
        """One tick."""
        self.held = 2 if outputs[image.OUT_TOKEN] else max(0, self.held - 1)
        self.bridge = outputs[image.OUT_BRIDGE] if self.held else 0
        self.switch = outputs[image.OUT_SWITCH] if self.held else 0
        for _ in range(10):
            amps = 0.0
            if self.bridge and self.switch:
                amps = (12.0 * outputs[image.OUT_DUTY] / 4096 - 5.0 * self.v) / 8.0
                amps = max(-0.76, min(0.76, amps))
            force = 5.0 * amps - 1.2 - 500.0 * self.x_m - 0.2 * self.v
            self.v += force / 0.035 * _TICK_S / 10
            self.x_m += self.v * _TICK_S / 10
            if self.x_m < 0:
                self.x_m = self.v = 0.0
            self._comb(self.x_m * 1e6)

    def _comb(self, at_um):
        """An edge every 100 um, 4 um later on the way back."""
        if at_um >= self.next_um:
            self.edges += 1
            self.edge_um = self.next_um
            self.next_um += 100
        elif self.next_um > 100 and at_um <= self.next_um - 104:
            self.edges += 1
            self.next_um -= 100
            self.edge_um = self.next_um - 4


class Bench:
    """The board contract."""

    name = "rp2040"
    uid = b"BENCH001"
    tick_us = 250
    repetitive = 0
    updates = 1
    work = None

    def __init__(self):
        self.store = Store()
        self.link = UsbLink()
        self._needle = Needle()
        self._outputs = array("i", [0] * image.N_OUTPUTS)
        self._tick = 0

    def read(self, inputs):
        """Fill the input image."""
        needle = self._needle
        self._tick += 1
        inputs[image.IN_TICK] = self._tick
        inputs[image.IN_PERIOD_US] = 250
        inputs[image.IN_ENC_UM] = int(needle.x_m * 1e6)
        inputs[image.IN_COMB_N] = needle.edges
        inputs[image.IN_COMB_ENC_UM] = needle.edge_um
        inputs[image.IN_SUPPLY_MV] = 12000
        inputs[image.IN_CARTRIDGE] = 1
        inputs[image.IN_BRIDGE_ON] = needle.bridge
        inputs[image.IN_SWITCH_ON] = needle.switch

    def write(self, outputs):
        """Apply the output image."""
        self._outputs[:] = outputs

    def off(self):
        """Drive off."""
        for slot in range(image.N_OUTPUTS):
            self._outputs[slot] = 0

    def feed(self):
        """No watchdog here."""

    def run(self, app):
        """Tick, move, poll."""
        import micropython

        micropython.kbd_intr(-1)
        try:
            while True:
                app.tick()
                self._needle.move(self._outputs)
                app.poll()
        finally:
            self.off()
            micropython.kbd_intr(3)


def make_board():
    """The board of this process."""
    return Bench()
