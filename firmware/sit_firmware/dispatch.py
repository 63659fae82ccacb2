"""Requests to handlers: the checks that depend on the device, the handler, the reply's header.

Background only. The link has checked the frame, its length, the ranges of its fields and its session. Here: the schema
and the state, by both of which STOP and DISARM are always allowed. A handler is `f(dev, payload, reply)`; it returns 0
or a refusal and puts the fields of its reply into `reply`.
"""

import struct

from sit_firmware import access_commands, answers, codes, commands, image, readiness, wire
from sit_firmware.store.access import StoreError

_UNKNOWN_NL = 0xFFFFFFFF
HANDLERS = {}
HANDLERS.update(answers.HANDLERS)
HANDLERS.update(commands.HANDLERS)
HANDLERS.update(access_commands.HANDLERS)


class Reply:
    """The fields after the header, put one after the other."""

    def __init__(self):
        self._out = memoryview(bytearray(0))
        self.length = 0

    def begin(self, out):
        """Starts a reply in `out`, a memoryview of MAX_PAYLOAD bytes, behind the header."""
        self._out = out
        self.length = wire.REPLY_HEADER_LEN

    def put(self, form, *values):
        """Adds packed numbers."""
        struct.pack_into(form, self._out, self.length, *values)
        self.length += struct.calcsize(form)

    def add(self, data):
        """Adds bytes; False when they don't fit, and then none is added."""
        end = self.length + len(data)
        if end > wire.MAX_PAYLOAD:
            return False
        self._out[self.length : end] = data
        self.length = end
        return True

    def room(self):
        """Bytes that still fit."""
        return wire.MAX_PAYLOAD - self.length


def device_refusal(dev, message):
    """Why the device doesn't take this message now, or 0."""
    _, changes, states, _, _, _ = wire.REQUESTS[message]
    # UPDATE mends a mismatch, so it can't ask for a match
    if changes and not dev.session.schema_ok and message != codes.MSG_UPDATE:
        return codes.REFUSED_SCHEMA
    if not states & 1 << dev.session.state:
        return codes.REFUSED_FAULTED if dev.session.state == codes.STATE_FAULT else codes.REFUSED_BAD_STATE
    return 0


class Dispatch:
    """The link's handler."""

    def __init__(self, dev):
        self._dev = dev
        self._reply = Reply()

    def handle(self, request, refusal, out):
        """Serves one request: fills `out`, returns the length. `refusal` is what the frame itself earned, or 0."""
        dev = self._dev
        reply = self._reply
        reply.begin(out)
        result = refusal or device_refusal(dev, request.id)
        low_nl, high_nl = 0, _UNKNOWN_NL
        try:
            if not result:
                result = HANDLERS[request.id](dev, request.payload, reply)
            low_nl, high_nl = dev.ledger.totals(dev.table.treatment)
        except StoreError:
            result = result or dev.booking.unreadable()
        if result:
            reply.begin(out)
        state = dev.state
        struct.pack_into(
            wire.REPLY_HEADER,
            out,
            0,
            result,
            dev.session.state,
            state[image.ST_PHASE],
            state[image.ST_FAULT],
            readiness.bits(dev),
            low_nl,
            high_nl,
        )
        return reply.length
