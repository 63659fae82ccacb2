"""Handlers of pairing, service mode and what it writes: PAIR, SERVICE, SETTINGS_WRITE, CALIBRATION_WRITE, ACCESS_READ.

Background only. See dispatch.py for what a handler is. None of them moves anything, none answers with a key.
"""

import hashlib
import struct

from sit_firmware import codes, params, wire
from sit_firmware.store.entry import NO_TREATMENT
from sit_firmware.store.values import STORED

_MS_US = 1000


def _pair(dev, payload, reply):
    return dev.access.pair(struct.unpack(wire.FMT_PAIR, payload)[0])


def _service(dev, payload, reply):
    action, proof = struct.unpack(wire.FMT_SERVICE, payload)
    if action == codes.SERVICE_OPEN:
        return dev.service.open(proof)
    if action == codes.SERVICE_SET_CODE:
        return dev.service.set_code(proof)
    dev.service.close()
    return 0


def _settings_write(dev, payload, reply):
    return _write(dev, codes.RECORD_SETTINGS, payload, dev.settings, struct.unpack(wire.FMT_SETTINGS_WRITE, payload))


def _calibration_write(dev, payload, reply):
    values = struct.unpack(wire.FMT_CALIBRATION_WRITE, payload)
    if not params.capacity_steps(values[0]):
        return codes.REFUSED_BAD_VALUE
    if not dev.wall.unix_s:
        return codes.REFUSED_CLOCK  # a calibration without a date can't be told from an old one
    date_s = dev.wall.unix_s if values[5] else 0
    return _write(dev, codes.RECORD_CALIBRATION, payload, dev.calibration, values[:4] + (date_s, values[4]))


def _write(dev, kind, payload, record, values):
    """Keeps the values, in the order of the record's fields. They come into force at the next start.

    The ledger has it first, as record `kind`: nothing is changed that it doesn't tell of.
    """
    refusal = dev.service.write_refusal()
    if refusal:
        return refusal
    if not record.in_range(values):
        return codes.REFUSED_BAD_VALUE
    digest = struct.unpack(">I", hashlib.sha256(payload).digest()[:4])[0]
    refusal = dev.booking.before(kind, treatment=NO_TREATMENT, cap_steps=dev.access.nonce, ref=digest)
    if refusal:
        return refusal
    record.save(STORED, values)
    dev.service.written = True
    return 0


def _access_read(dev, payload, reply):
    """What a host may know of it: no key, no code."""
    access = dev.access
    reply.put(
        wire.FMT_ACCESS_READ_REPLY,
        access.paired(),
        1 if any(access.keys.code) else 0,
        1 if dev.service.is_open() else 0,
        1 if dev.service.written else 0,
        access.refused & 0xFFFFFFFF,
        _left_ms(dev, access.macs),
        _left_ms(dev, access.codes),
    )
    return 0


def _left_ms(dev, lockout):
    """Time until the lockout ends; at least 1 while it holds."""
    return lockout.timer.left(dev.now) * dev.board.tick_us // _MS_US + 1 if lockout.locked() else 0


HANDLERS = {
    codes.MSG_PAIR: _pair,
    codes.MSG_SERVICE: _service,
    codes.MSG_SETTINGS_WRITE: _settings_write,
    codes.MSG_CALIBRATION_WRITE: _calibration_write,
    codes.MSG_ACCESS_READ: _access_read,
}
