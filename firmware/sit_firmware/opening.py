"""What happens once at power-up: the store is opened, limits and calibration come into force, an unfinished shot is
resolved. Background only, before the first tick.

Whatever fails here leaves a device that answers reads and refuses to arm; nothing is formatted but a blank store.
"""

from sit_firmware import image, params
from sit_firmware.settings import DAMAGED
from sit_firmware.store import superblock
from sit_firmware.store.access import StoreError


def open_store(dev, block):
    """Opens everything that is kept on the store; False when arming must be refused because of it."""
    writable = False
    try:
        found = block.open()
        writable = found in (superblock.READY, superblock.FRESH)
        if found == superblock.FRESH:
            dev.settings.write_factory()
            dev.calibration.write_factory()
            block.finish_format()
    except StoreError:
        writable = False
    highest_um = dev.params[image.P_MAX_DEPTH_UM]
    good = _tried(dev.settings.load, highest_um)
    good = _tried(dev.calibration.load) and good
    _use_calibration(dev)
    good = _tried(dev.ledger.open, dev.settings.window_s, writable) and good
    return good and writable


def _use_calibration(dev):
    """Lays settings and calibration over the parameters; a calibration of an unknown syringe counts as damaged."""
    if params.capacity_steps(dev.calibration.syringe_id):
        params.apply(dev.params, dev.settings, dev.calibration, dev.board.name)
    else:
        dev.calibration.source = DAMAGED


def _tried(call, *args):
    try:
        call(*args)
    except StoreError:
        return False
    return True
