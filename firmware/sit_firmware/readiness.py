"""Whether the device is ready: the READY bits of every reply, and why arming is refused.

Background only; reads the device and changes nothing.
"""

from sit_firmware import codes, image, limits, params_gen
from sit_firmware.settings import DAMAGED

# a missing bit -> the refusal that names it; every other missing bit is NOT_READY. First match wins.
_REFUSALS = (
    (codes.READY_KNOWN, codes.REFUSED_UNCERTAIN),
    (codes.READY_SETTINGS, codes.REFUSED_SETTINGS_BAD),
    (codes.READY_LEDGER, codes.REFUSED_LEDGER_FULL),
    (codes.READY_CLOCK, codes.REFUSED_CLOCK),
)
RECORDS_PER_SHOT = 2  # INTENT and its end
SPARE_RECORDS = 8  # for faults, changes and the boot after a power cut


def bits(dev):
    """codes.READY_* of now."""
    state = dev.state
    ready = 0
    if dev.session.tested:
        ready |= codes.READY_TESTED
    if state[image.ST_ZEROED]:
        ready |= codes.READY_ZEROED
    if dev.session.primed:
        ready |= codes.READY_PRIMED
    if dev.table.sealed and dev.table.left:
        ready |= codes.READY_LOADED
    if not dev.ledger.uncertain_seq:
        ready |= codes.READY_KNOWN
    if dev.booking.ok and ledger_room(dev):
        ready |= codes.READY_LEDGER
    if dev.settings.source != DAMAGED and dev.calibration.source != DAMAGED and not dev.service.written:
        ready |= codes.READY_SETTINGS
    if healthy(dev):
        ready |= codes.READY_HEALTHY
    if dev.wall.unix_s:
        ready |= codes.READY_CLOCK
    if state[image.ST_CONTACT_OK]:
        ready |= codes.READY_CONTACT
    return ready


def ledger_room(dev):
    """The ledger has room for the points that are left and for what may come between."""
    return dev.ledger.room() >= dev.table.left * RECORDS_PER_SHOT + SPARE_RECORDS


def supply_ok(dev):
    """The supply lies in its range, and well above its lower limit again after it was found too low."""
    if dev.alarms.bits & 1 << codes.ALARM_SUPPLY_LOW:
        return False
    return dev.params[image.P_SUPPLY_MIN_MV] <= dev.inputs[image.IN_SUPPLY_MV] <= dev.params[image.P_SUPPLY_MAX_MV]


def supply_above(dev, margin_mv):
    """The supply stands at least this far above its lower limit."""
    return dev.inputs[image.IN_SUPPLY_MV] >= dev.params[image.P_SUPPLY_MIN_MV] + margin_mv


def can_move(dev):
    """Something may move, with no skin in reach: no fault, e-stop, driver fault, supply in range, ticks on time."""
    inputs = dev.inputs
    return (
        dev.board_ok
        and not dev.state[image.ST_FAULT]
        and not inputs[image.IN_ESTOP]
        and not inputs[image.IN_DRIVER_FAULT]
        and supply_ok(dev)
    )


def healthy(dev):
    """Can move, and a syringe is present."""
    return can_move(dev) and dev.inputs[image.IN_CARTRIDGE] != 0


def touched(dev):
    """Something touches the nose-piece: debounced, or as the switch says now."""
    return dev.state[image.ST_CONTACT_OK] != 0 or dev.inputs[image.IN_CONTACT] != 0


def arm_refusal(dev):
    """Why the device may not be or stay armed, or 0."""
    if dev.state[image.ST_FAULT]:
        return codes.REFUSED_FAULTED
    if not dev.session.schema_ok:
        return codes.REFUSED_SCHEMA
    if not dev.board_ok:
        return codes.REFUSED_HARDWARE
    if not dev.booking.ok:
        return codes.REFUSED_STORE
    missing = codes.READY_NEED & ~bits(dev)
    for bit, refusal in _REFUSALS:
        if missing & bit:
            return refusal
    if missing:
        return codes.REFUSED_NOT_READY
    if dev.table.syringe_id != dev.plunger.syringe_id:
        return codes.REFUSED_WRONG_SYRINGE
    return limits.use_limit(dev.wall.unix_s, dev.table, dev.plunger, params_gen.NEEDLE_POINTS)
