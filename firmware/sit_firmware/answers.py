"""Handlers of the requests that change nothing: HELLO, the reads and SUBSCRIBE.

Background only. See dispatch.py for what a handler is.
"""

import hashlib
import struct

from sit_firmware import codes, image, wire
from sit_firmware.treatment import MAX_POINTS
from sit_firmware.version import VERSION

# STATUS `inputs`, bit by bit
_INPUT_BITS = (
    image.IN_FLAG,
    image.IN_TRIGGER,
    image.IN_ESTOP,
    image.IN_CONTACT,
    image.IN_DRIVER_FAULT,
    image.IN_CARTRIDGE,
    image.IN_JUMPER,
    image.IN_PAIR,
)
_LEDGER_PAGE = 3  # records in one reply


def _hello(dev, payload, reply):
    """Opens a session; the device's nonce follows from the boot, the host's nonce and the number of the HELLO."""
    nonce, schema = struct.unpack(wire.FMT_HELLO, payload)
    dev.hellos += 1
    dev.session.hello(bytes(schema) == wire.SCHEMA_HASH)
    seed = struct.pack("<III", dev.boot_count, nonce, dev.hellos & 0xFFFFFFFF)
    device_nonce = hashlib.sha256(dev.board.uid + seed).digest()[:8]
    dev.service.hello()
    dev.access.hello(nonce, device_nonce)
    reply.put(
        wire.FMT_HELLO_REPLY,
        wire.PROTOCOL_MAJOR,
        wire.PROTOCOL_MINOR,
        wire.SCHEMA_HASH,
        VERSION.encode(),
        dev.board.name.encode(),
        dev.board.uid,
        dev.boot_count,
        device_nonce,
        dev.board.tick_us,
        dev.settings.max_depth_um,
        MAX_POINTS,
    )
    return 0


def _status(dev, payload, reply):
    """Everything a monitor shows."""
    inputs = dev.inputs
    state = dev.state
    session = dev.session
    ledger = dev.ledger
    bits = 0
    for i in range(len(_INPUT_BITS)):
        if inputs[_INPUT_BITS[i]]:
            bits |= 1 << i
    reply.put(
        wire.FMT_STATUS_REPLY,
        dev.now,
        dev.alarms.bits,
        session.limit,
        dev.shot.cause,
        state[image.ST_FAULT_TICK],
        state[image.ST_FAULT_VALUE],
        state[image.ST_DEPTH_UM],
        inputs[image.IN_CONTACT_MN],
        inputs[image.IN_LOAD_MN],
        inputs[image.IN_PRESS_PA],
        inputs[image.IN_SUPPLY_MV] & 0xFFFF,
        bits,
        session.zero_offset_um,
        dev.plunger.used_steps(),
        dev.plunger.capacity_steps,
        session.cursor,
        dev.table.count if dev.table.sealed else 0,
        dev.table.treatment,
        session.lease.left(dev.now) * dev.board.tick_us // 1000 & 0xFFFF,
        ledger.head,
        ledger.tail,
        ledger.saved,
        ledger.uncertain_seq,
        dev.events.head,
        dev.wall.unix_s,
    )
    return 0


def _settings_read(dev, payload, reply):
    """Settings and calibration in force."""
    settings = dev.settings
    calibration = dev.calibration
    reply.put(
        wire.FMT_SETTINGS_READ_REPLY,
        max(settings.source, calibration.source),
        settings.max_depth_um,
        settings.max_shot_nl,
        settings.max_window_nl,
        settings.window_s,
        settings.max_session_nl,
        settings.max_site_nl,
        settings.min_gap_ms,
        settings.lease_max_ms,
        calibration.syringe_id,
        calibration.bore_um,
        calibration.offset_nl,
        calibration.compliance_nl_per_mpa,
        calibration.calibrated_unix_s,
        calibration.area_e4,
    )
    return 0


def _ledger_read(dev, payload, reply):
    """Up to three records from the one asked for on, or from the oldest that is kept."""
    wanted = struct.unpack(wire.FMT_LEDGER_READ, payload)[0]
    ledger = dev.ledger
    if wanted >= ledger.head:
        return codes.REFUSED_NO_RECORD
    first = wanted if wanted > ledger.tail else ledger.tail
    reply.put(wire.FMT_LEDGER_READ_REPLY, first)
    record = bytearray(wire.RECORD_LEN)
    for seq in range(first, min(first + _LEDGER_PAGE, ledger.head)):
        if not ledger.read(seq, record):
            return 0 if seq > first else codes.REFUSED_STORE
        reply.add(record)
    return 0


def _recorder_read(dev, payload, reply):
    """A piece of the flight recorder's bytes."""
    offset = struct.unpack(wire.FMT_RECORDER_READ, payload)[0]
    recorder = dev.recorder
    reply.put(wire.FMT_RECORDER_READ_REPLY, recorder.seq, recorder.size, recorder.stride)
    piece = bytearray(reply.room())
    reply.add(memoryview(piece)[: recorder.read(offset, piece)])
    return 0


def _events_read(dev, payload, reply):
    """Kept events from the one asked for on, as many as fit."""
    events = dev.events
    seq = max(struct.unpack(wire.FMT_EVENTS_READ, payload)[0], events.tail)
    reply.put(wire.FMT_EVENTS_READ_REPLY, events.head)
    event = bytearray(wire.EVENT_LEN)
    while events.read(seq, event) and reply.add(event):
        seq += 1
    return 0


def _subscribe(dev, payload, reply):
    dev.telemetry.subscribe(struct.unpack(wire.FMT_SUBSCRIBE, payload)[0])
    return 0


HANDLERS = {
    codes.MSG_HELLO: _hello,
    codes.MSG_STATUS: _status,
    codes.MSG_SETTINGS_READ: _settings_read,
    codes.MSG_LEDGER_READ: _ledger_read,
    codes.MSG_RECORDER_READ: _recorder_read,
    codes.MSG_EVENTS_READ: _events_read,
    codes.MSG_SUBSCRIBE: _subscribe,
}
