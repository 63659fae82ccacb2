"""The device's limits, kept on the store. Volumes in nl, times in ms or s, depth in um. Background only.

A store that was never used gets the factory limits. With a damaged record nothing may be given: its limits are zero,
and arming is refused besides.
"""

from sit_firmware.store.layout import SETTINGS_ADDR
from sit_firmware.store.values import DAMAGED, Values

__all__ = ("DAMAGED", "FIELDS", "Settings")

_TAG = 0x4553
_VERSION = 1
_FORM = "<HHIIIIHH"
# name, factory value, value when damaged, lowest, highest (tests hold the factory values against reference.toml)
FIELDS = (
    ("max_depth_um", 2000, 0, 0, 2000),  # what the device derives for itself lies below and goes before
    ("window_s", 600, 0xFFFF, 1, 0xFFFF),
    ("max_shot_nl", 100000, 0, 0, 100000),
    ("max_window_nl", 3000000, 0, 0, 20000000),
    ("max_session_nl", 5000000, 0, 0, 20000000),
    ("max_site_nl", 2000000, 0, 0, 20000000),
    ("min_gap_ms", 100, 1000, 50, 60000),
    ("lease_max_ms", 2000, 500, 500, 2000),
)


class Settings(Values):
    """The limits in force, by the names of SETTINGS_READ's fields."""

    max_depth_um = 0

    def __init__(self, store):
        super().__init__(store, SETTINGS_ADDR, _TAG, _VERSION, _FORM, FIELDS)

    def load(self, highest_um):
        """Take the record in force, or zeros for a damaged one. Raises StoreError.

        highest_um: the depth that the device derives for itself; no record goes beyond it.
        """
        self.take()
        if self.max_depth_um > highest_um:
            self.max_depth_um = highest_um
