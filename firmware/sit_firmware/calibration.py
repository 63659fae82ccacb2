"""What was measured on this device: syringe type, bore, dose offset and compliance, kept on the store. Background only.

A store that was never used gets the factory calibration: the reference design's stiff 1 mL set. With a damaged record
the factory numbers are in force too, so that all sums stay sane, but arming is refused.
"""

from sit_firmware.store.layout import CALIBRATION_ADDR
from sit_firmware.store.values import Values

_TAG = 0x4143
_VERSION = 1
_FORM = "<B1xHiII"
# name, factory value, value when damaged, lowest, highest (tests hold the factory values against reference.toml)
FIELDS = (
    ("syringe_id", 1, 1, 1, 255),
    ("bore_um", 4699, 4699, 500, 30000),
    ("offset_nl", 0, 0, -2000, 2000),
    # 4000 of tube, bubble and barrel + 3007 of the stopper: bore area squared over its stiffness
    ("compliance_nl_per_mpa", 7007, 7007, 0, 200000),
    ("calibrated_unix_s", 0, 0, 0, 0xFFFFFFFF),
)


class Calibration(Values):
    """The calibration in force, by the names of SETTINGS_READ's fields."""

    def __init__(self, store):
        super().__init__(store, CALIBRATION_ADDR, _TAG, _VERSION, _FORM, FIELDS)

    def load(self):
        """Take the record in force, or the factory's numbers for a damaged one. Raises StoreError."""
        self.take()
