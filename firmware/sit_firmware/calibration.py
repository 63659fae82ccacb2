"""What was measured on this device: syringe type, bore, dose offset and compliance, kept on the store. Background only.

A store that was never used gets the factory calibration: the reference design's stiff 1 mL set. With a damaged record
the factory numbers are in force too, so that all sums stay sane, but arming is refused.
"""

from sit_firmware.store.layout import CALIBRATION_ADDR
from sit_firmware.store.values import Values

_TAG = 0x4143
_VERSION = 1
_FORM = "<B1xHiIIH"
_SHORTER = (("<B1xHiII", 5),)
FACTORY_ID = 1  # the syringe type that the factory calibration is of
# name, factory value, value when damaged, lowest, highest (tests hold the factory values against reference.toml)
FIELDS = (
    ("syringe_id", FACTORY_ID, FACTORY_ID, 1, 255),
    ("bore_um", 4699, 4699, 500, 30000),
    ("offset_nl", 0, 0, -2000, 2000),
    # 4000 of tube, bubble and barrel + 3007 of the stopper: bore area squared over its stiffness
    ("compliance_nl_per_mpa", 7007, 7007, 0, 200000),
    ("calibrated_unix_s", 0, 0, 0, 0xFFFFFFFF),  # 0: nobody has weighed it
    ("area_e4", 0, 0, 0, 20000),
)


class Calibration(Values):
    """The calibration in force, by the names of SETTINGS_READ's fields."""

    syringe_id = 0
    calibrated_unix_s = 0

    def __init__(self, store):
        super().__init__(store, CALIBRATION_ADDR, _TAG, _VERSION, _FORM, FIELDS, _SHORTER)

    def usable(self):
        """True when people may be treated with it: it was weighed, or is the factory's."""
        return self.calibrated_unix_s != 0 or self.syringe_id == FACTORY_ID

    def load(self):
        """Take the record in force, or the factory's numbers for a damaged one. Raises StoreError."""
        self.take()
