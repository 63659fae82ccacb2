"""Handlers of the requests that change something, and of STOP and DISARM.

Background only. See dispatch.py for what a handler is. None of them moves the needle: they load, arm and begin work
whose motions have their own conditions; a shot is begun by the trigger alone (session.py).
"""

import struct

from sit_firmware import codes, params, wire
from sit_firmware.changing import Changing
from sit_firmware.priming import Priming
from sit_firmware.selftest import SelfTest
from sit_firmware.zeroing import Zeroing

_SERIES = b"CALI"  # a treatment id that begins so is a series into a vial: what a new syringe type is weighed with


def _load_begin(dev, payload, reply):
    treatment, _, syringe_id, needle_id, _, _, _, expiry_s = struct.unpack(wire.FMT_LOAD_BEGIN, payload)
    bevel_um = params.bevel_um(needle_id)
    if not any(treatment) or not bevel_um:
        return codes.REFUSED_BAD_VALUE
    if syringe_id != dev.calibration.syringe_id:
        return codes.REFUSED_WRONG_SYRINGE
    if not dev.calibration.usable() and treatment[:4] != _SERIES:
        return codes.REFUSED_WRONG_SYRINGE
    if dev.wall.unix_s >= expiry_s:
        return codes.LIMIT_EXPIRED
    dev.table.begin(payload, bevel_um)
    params.use_needle(dev.params, needle_id, dev.table.viscosity_upas)
    return 0


def _load_run(dev, payload, reply):
    if not dev.board.repetitive:
        return codes.REFUSED_HARDWARE
    refusal = dev.table.declare(payload, dev.settings)
    if not refusal and not params.use_look(dev.params, dev.table.needle_id, dev.table.viscosity_upas):
        dev.table.clear()
        return codes.REFUSED_BAD_VALUE
    return refusal


def _load_page(dev, payload, reply):
    head = struct.calcsize(wire.FMT_LOAD_PAGE)
    first = struct.unpack_from(wire.FMT_LOAD_PAGE, payload, 0)[0]
    refusal = dev.table.page(first, payload[head:], dev.settings)
    reply.put(wire.FMT_LOAD_PAGE_REPLY, dev.table.received)
    return refusal


def _load_seal(dev, payload, reply):
    count, digest = struct.unpack(wire.FMT_LOAD_SEAL, payload)
    table = dev.table
    refusal = table.seal(count, digest, dev.settings, dev.ledger)
    if refusal:
        return refusal
    refusal = dev.booking.before(codes.RECORD_LOAD, point=count, asked_nl=table.sum_nl)
    if refusal:
        table.clear()
        return refusal
    reply.put(wire.FMT_LOAD_SEAL_REPLY, table.sum_nl)
    return 0


def _zero(dev, payload, reply):
    return dev.work.begin(codes.MSG_ZERO, Zeroing())


def _prime(dev, payload, reply):
    return dev.work.begin(codes.MSG_PRIME, Priming(struct.unpack(wire.FMT_PRIME, payload)[0]))


def _selftest(dev, payload, reply):
    return dev.work.begin(codes.MSG_SELFTEST, SelfTest())


def _change(dev, payload, reply):
    what, syringe_id, done = struct.unpack(wire.FMT_CHANGE, payload)
    under_way = dev.work.current if dev.work.message == codes.MSG_CHANGE else None
    if done:
        return codes.REFUSED_BAD_STATE if under_way is None else under_way.finish(dev, what)
    if dev.session.state != codes.STATE_IDLE:
        return codes.REFUSED_BAD_STATE
    return dev.work.begin(codes.MSG_CHANGE, Changing(what, syringe_id))


def _arm(dev, payload, reply):
    return dev.session.arm(*struct.unpack(wire.FMT_ARM, payload))


def _renew(dev, payload, reply):
    return dev.session.renew(struct.unpack(wire.FMT_RENEW, payload)[0])


def _disarm(dev, payload, reply):
    dev.session.disarm()
    return 0


def _stop(dev, payload, reply):
    dev.session.stop()
    return 0


def _clear_fault(dev, payload, reply):
    return dev.faults.clear(struct.unpack(wire.FMT_CLEAR_FAULT, payload)[0])


def _ack_uncertain(dev, payload, reply):
    seq = struct.unpack(wire.FMT_ACK_UNCERTAIN, payload)[0]
    if not seq or seq != dev.ledger.uncertain_seq:
        return codes.REFUSED_NO_RECORD
    return dev.booking.before(codes.RECORD_ACK, ref=seq)


def _ledger_release(dev, payload, reply):
    seq = struct.unpack(wire.FMT_LEDGER_RELEASE, payload)[0]
    return dev.ledger.release(seq)


def _update(dev, payload, reply):
    return dev.leaving.begin()


def _set_clock(dev, payload, reply):
    dev.wall.set(struct.unpack(wire.FMT_SET_CLOCK, payload)[0], dev.now)
    return 0


HANDLERS = {
    codes.MSG_LOAD_BEGIN: _load_begin,
    codes.MSG_LOAD_RUN: _load_run,
    codes.MSG_LOAD_PAGE: _load_page,
    codes.MSG_LOAD_SEAL: _load_seal,
    codes.MSG_ZERO: _zero,
    codes.MSG_PRIME: _prime,
    codes.MSG_SELFTEST: _selftest,
    codes.MSG_CHANGE: _change,
    codes.MSG_ARM: _arm,
    codes.MSG_RENEW: _renew,
    codes.MSG_DISARM: _disarm,
    codes.MSG_STOP: _stop,
    codes.MSG_CLEAR_FAULT: _clear_fault,
    codes.MSG_ACK_UNCERTAIN: _ack_uncertain,
    codes.MSG_LEDGER_RELEASE: _ledger_release,
    codes.MSG_SET_CLOCK: _set_clock,
    codes.MSG_UPDATE: _update,
}
