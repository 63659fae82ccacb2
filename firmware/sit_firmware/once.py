"""Each request once: the replies to the last requests, kept for a host that asks again.

A host that gets no reply sends the very same frame again. The kept reply is then sent again and nothing is done.
Covered are HELLO and the requests that change something; a read that comes twice is read twice, STOP and DISARM never
get here. Within a session the sequence numbers of covered requests rise (serial arithmetic on 16 bits): an older one
whose reply is no longer kept, or the same number on other bytes, is refused with SEQUENCE.
Fixed size, made at boot; background only.
"""

import struct
from array import array

from sit_firmware import codes, wire

_KEPT = 8  # replies; a host has at most a few requests open
_AHEAD = 1 << 15


class Once:
    """The session's nonce, its last covered sequence number and its last replies."""

    def __init__(self):
        self.session = 0
        self._last = 0
        self._next = 0
        self._seq = [0] * _KEPT
        self._crc = array("I", [0] * _KEPT)  # a list would hold an object for each from 2^30 on
        self._len = [0] * _KEPT  # 0: nothing kept here
        self._replies = [bytearray(wire.MAX_PAYLOAD) for _ in range(_KEPT)]

    def covers(self, request):
        """True for a request that must not be done twice."""
        return request.id == codes.MSG_HELLO or wire.REQUESTS[request.id][1]

    def look(self, request, crc):
        """The kept reply (a memoryview), a refusal (a number), or None for a request to be done now.

        A HELLO with a new nonce begins a session: the replies of the one before are forgotten.
        """
        session = request.session
        if request.id == codes.MSG_HELLO:
            session = struct.unpack_from("<I", request.payload)[0]
            if session != self.session:
                self._begin(session, request.seq)
                return None
        if not self.session or session != self.session:
            return codes.REFUSED_NO_SESSION
        for i in range(_KEPT):
            if self._len[i] and self._seq[i] == request.seq:
                if self._crc[i] != crc:
                    return codes.REFUSED_SEQUENCE
                return memoryview(self._replies[i])[: self._len[i]]
        if not 0 < (request.seq - self._last) & 0xFFFF < _AHEAD:
            return codes.REFUSED_SEQUENCE
        self._last = request.seq
        return None

    def keep(self, request, crc, reply):
        """Keeps the reply to a request that `look` let through; the oldest one makes room."""
        i = self._next
        self._next = (i + 1) % _KEPT
        self._replies[i][: len(reply)] = reply
        self._seq[i] = request.seq
        self._crc[i] = crc
        self._len[i] = len(reply)

    def _begin(self, session, seq):
        self.session = session
        self._last = seq
        self._next = 0
        for i in range(_KEPT):
            self._len[i] = 0
