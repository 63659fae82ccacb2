"""All that the device keeps: opened once at boot, in the one order that is safe.

    records = Records(board.store)                                 # settings and calibration; never raises
    params.apply(block, records.settings, records.calibration)     # the caller's
    records.settings.cut_depth(block[image.P_MAX_DEPTH_UM])
    records.open_ledger(block)                                     # an open INTENT becomes UNCERTAIN; never raises

A store that was never used is formatted here. One that fails, is damaged or foreign leaves `ok()` False: everything can
be read as far as it goes, nothing can be armed. Background only.
"""

from sit_firmware.calibration import Calibration
from sit_firmware.ledger import Ledger
from sit_firmware.settings import Settings

from .access import StoreError
from .layout import Layout
from .superblock import FRESH, READY, Superblock


class Records:
    """Settings, calibration and ledger of the store; `boot_count` from 1, 0 while unknown."""

    def __init__(self, store):
        self.settings = Settings(store)
        self.calibration = Calibration(store)
        self.boot_count = 0
        self.error = ""  # what the store failed at, for the log
        self.ledger = None
        self._store = store
        self._layout = Layout(store.size)
        self._ours = False
        try:
            self._open()
        except StoreError as e:
            self.error = str(e)

    def _open(self):
        superblock = Superblock(self._store, self._layout)
        found = superblock.open()
        if found == FRESH:
            self.settings.write_factory()
            self.calibration.write_factory()
            superblock.finish_format()
        self.settings.load()
        self.calibration.load()
        self.boot_count = superblock.boot_count
        self._ours = found in (READY, FRESH)

    def open_ledger(self, params):
        """Open the ledger; `params` is the sealed parameter block. Afterwards `ledger` is there, usable or not."""
        self.ledger = Ledger(self._store, self._layout, params)
        try:
            self.ledger.open(self.settings.window_s, self._ours)
        except StoreError as e:
            self.error = str(e)

    def ok(self):
        """True when the store is ours and the ledger is whole: what arming needs."""
        return self._ours and self.ledger is not None and self.ledger.whole() and not self.ledger.open_seq
