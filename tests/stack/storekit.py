"""A store with a history, written by the firmware's own code before the device starts: `open_sim(state_dir=folder)`.

make_store(folder, fill=lambda ledger: ..., max_session_nl=20_000)
"""

from sit_firmware import codes, image, opening, params
from sit_firmware.boards.sim import STORE_BYTES
from sit_firmware.calibration import Calibration
from sit_firmware.ledger import Ledger
from sit_firmware.settings import FIELDS, Settings
from sit_firmware.store.layout import Layout
from sit_firmware.store.superblock import Superblock
from sit_firmware.store.values import STORED
from sit_sim.targets.fram import Fram


class _Device:
    """What opening a store needs of the firmware."""

    class board:
        name = "sim"

    def __init__(self, store):
        self.params = image.new()[3]
        params.defaults(self.params, self.board.name)
        self.settings = Settings(store)
        self.calibration = Calibration(store)
        layout = Layout(store.size)
        self.ledger = Ledger(store, layout, self.params)
        assert opening.open_store(self, Superblock(store, layout))


def make_store(folder, fill=lambda ledger: None, **limits):
    """Writes folder/store.bin: a formatted store with these limits, and what `fill` puts into its ledger."""
    fram = Fram()
    fram.size = STORE_BYTES
    device = _Device(fram)
    if limits:
        known = {field[0]: field[1] for field in FIELDS}
        assert limits.keys() <= known.keys()
        device.settings.save(STORED, list({**known, **limits}.values()))
    fill(device.ledger)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "store.bin").write_bytes(fram.data)


def fill_to(free):
    """A `fill` that leaves this many slots of the ring free, and no shot in them."""

    def fill(ledger):
        while ledger.room() > free:
            ledger.append(codes.RECORD_BOOT)

    return fill
