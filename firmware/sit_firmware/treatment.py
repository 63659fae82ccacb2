"""The point table of a treatment: loaded in pages, sealed by count and hash, then given row by row.

Background only. The rows stay packed as they came (10 bytes each) in one buffer made at boot, so a full table costs
5 KiB and no row costs an object. Nothing here moves anything: the session asks which row is next.
"""

import hashlib
import struct
from array import array

from sit_firmware import codes, limits, wire

MAX_POINTS = 512
ROW = "<HBBHI"  # point, attempt, site, depth_um, volume_nl
ROW_BYTES = struct.calcsize(ROW)
HEAD_BYTES = struct.calcsize(wire.FMT_LOAD_BEGIN)  # its payload is part of the sealed hash
NO_RUN = (codes.RUN_NONE, 0, 0, 0, 0, 0)  # the fields of LOAD_RUN
_SITES = 256

# marks of a row
OPEN = 0  # not given yet
GIVEN = 1  # it has a DONE record
MISSED = 2  # tried without a DONE record; a host offers it again as a new attempt


class Table:
    """One point table. `count` rows; `sealed` before any may be given."""

    def __init__(self):
        self._rows = bytearray(MAX_POINTS * ROW_BYTES)
        self._head = bytearray(HEAD_BYTES)
        self._come = bytearray(MAX_POINTS)
        self._marks = bytearray(MAX_POINTS)
        self._site_nl = array("I", [0] * _SITES)
        self.treatment = bytes(8)
        self.clear()

    def clear(self):
        """No table."""
        self.sealed = False
        self.count = 0
        self.received = 0
        self.left = 0  # rows of the sealed table that haven't been tried
        self.sum_nl = 0
        self.treatment = bytes(8)
        self.syringe_id = 0
        self.needle_id = 0
        self.viscosity_upas = 0
        self.flow_nl_per_s = 0
        self.dwell_ms = 0
        self.expiry_s = 0  # the product must not be used from this time on
        self.bevel_um = 0
        self._run = b""
        self.run, self.period_ms, self.skin_ms, self.place_nl, self.run_flow_nl_per_s, self.flight_us = NO_RUN

    def begin(self, payload, bevel_um):
        """Starts a table from LOAD_BEGIN's payload, dropping the one before. `bevel_um`: least depth of its needle."""
        self.clear()
        self._head[:] = payload
        self._come[:] = bytes(MAX_POINTS)
        self._marks[:] = bytes(MAX_POINTS)
        fields = struct.unpack(wire.FMT_LOAD_BEGIN, payload)
        self.treatment = bytes(fields[0])
        self.count, self.syringe_id, self.needle_id = fields[1:4]
        self.viscosity_upas, self.flow_nl_per_s, self.dwell_ms, self.expiry_s = fields[4:]
        self.bevel_um = bevel_um

    def declare(self, payload, settings):
        """Makes it the table of a run from LOAD_RUN's payload; 0 or a refusal."""
        if not self.count or self.sealed:
            return codes.REFUSED_BAD_STATE
        fields = struct.unpack(wire.FMT_LOAD_RUN, payload)
        if fields[1] < settings.min_gap_ms or fields[3] > settings.max_shot_nl:
            return codes.REFUSED_BAD_VALUE
        self._run = bytes(payload)
        self.run, self.period_ms, self.skin_ms, self.place_nl, self.run_flow_nl_per_s, self.flight_us = fields
        return 0

    def page(self, first, rows, settings):
        """Takes whole rows from index `first` on; 0 or a refusal, and then none of them is kept."""
        if not self.count or self.sealed:
            return codes.REFUSED_BAD_STATE
        if not len(rows) or len(rows) % ROW_BYTES:
            return codes.REFUSED_BAD_LENGTH
        n = len(rows) // ROW_BYTES
        if first + n > self.count:
            return codes.REFUSED_TOO_MANY
        for i in range(n):
            _, attempt, _, depth_um, volume_nl = struct.unpack_from(ROW, rows, i * ROW_BYTES)
            refusal = limits.row_refusal(depth_um, volume_nl, self.bevel_um, settings)
            if not attempt:
                refusal = codes.REFUSED_BAD_VALUE
            if refusal:
                return refusal
        self._rows[first * ROW_BYTES : (first + n) * ROW_BYTES] = rows
        for i in range(first, first + n):
            if not self._come[i]:
                self._come[i] = 1
                self.received += 1
        return 0

    def seal(self, count, digest, settings, ledger):
        """Makes the table one that can be armed; 0 or a refusal.

        BAD_SEAL: count or hash differ. DUPLICATE: a row's identity is in the ledger or twice in the table. TOO_MUCH:
        with what the ledger holds of this treatment the table would pass a session or site limit.
        """
        if not self.count or self.sealed:
            return codes.REFUSED_BAD_STATE
        if count != self.count or self.received != self.count:
            return codes.REFUSED_BAD_SEAL
        sha = hashlib.sha256(self._head)
        sha.update(self._run)
        sha.update(memoryview(self._rows)[: self.count * ROW_BYTES])
        if sha.digest()[:8] != bytes(digest):
            return codes.REFUSED_BAD_SEAL
        seen = set()
        for i in range(_SITES):
            self._site_nl[i] = 0
        total_nl = 0
        for i in range(count):
            point, attempt, site, _, volume_nl = self.row(i)
            if point << 8 | attempt in seen or ledger.has(self.treatment, point, attempt):
                return codes.REFUSED_DUPLICATE
            seen.add(point << 8 | attempt)
            total_nl += volume_nl
            self._site_nl[site] += volume_nl
            too_much = self.run == codes.RUN_GLIDE and volume_nl > self.place_nl
            if too_much or self._site_nl[site] > settings.max_site_nl:
                return codes.REFUSED_TOO_MUCH
        if ledger.totals(self.treatment)[1] + total_nl > settings.max_session_nl:
            return codes.REFUSED_TOO_MUCH
        self.sum_nl = total_nl
        self.left = count
        self.sealed = True
        return 0

    def row(self, index):
        """(point, attempt, site, depth_um, volume_nl) of a row."""
        return struct.unpack_from(ROW, self._rows, index * ROW_BYTES)

    def mark(self, index, mark):
        """Notes how a row ended: GIVEN or MISSED."""
        if self._marks[index] == OPEN:
            self.left -= 1
        self._marks[index] = mark

    def next_open(self, index):
        """The first row from `index` on that hasn't been tried, or `count`."""
        while index < self.count and self._marks[index] != OPEN:
            index += 1
        return index
