"""What one treatment has had: identities, totals as intervals, volume per site.

Taken from the ledger when a treatment is first asked for, then kept with each record. Every slot of the ring has one
byte here that tells most other treatments' records apart without reading them. Background only.
"""

from array import array
from binascii import crc32

from sit_firmware import codes

from .entry import ATTEMPT, ENDS, KIND, MAX_NL, MIN_NL, NO_TREATMENT, POINT, SITE, TREATMENT

SITES = 256
_ROOM = 512  # shots of a treatment, as many as a full table has: below, none of them makes the heap smaller
UNKNOWN_NL = 0xFFFFFFFF  # nl: an upper bound where records may be missing


def _tag(treatment):
    """1..255 for a treatment, 0 for none."""
    if treatment == NO_TREATMENT:
        return 0
    return crc32(treatment) % 255 + 1


class Tally:
    """The running sums of `treatment`."""

    def __init__(self, slots):
        self._tags = bytearray(slots)
        self._slots = slots
        self._site_nl = array("I", [0] * SITES)
        self._given = set(range(_ROOM))
        self._clear(NO_TREATMENT)

    def _clear(self, treatment):
        self.treatment = treatment
        self.min_nl = 0
        self.max_nl = 0
        while self._given:
            self._given.pop()  # one by one: `clear` would give the room away
        for site in range(SITES):
            self._site_nl[site] = 0

    def note(self, seq, fields):
        """A record was written, or found at boot."""
        treatment = fields[TREATMENT]
        self._tags[seq % self._slots] = _tag(treatment)
        if treatment == self.treatment:
            self._add(fields)

    def _add(self, fields):
        kind = fields[KIND]
        if kind == codes.RECORD_INTENT or kind in ENDS:
            self._given.add(fields[POINT] << 8 | fields[ATTEMPT])
        if kind in ENDS:
            self.min_nl += fields[MIN_NL]
            self.max_nl += fields[MAX_NL]
            self._site_nl[fields[SITE]] += fields[MAX_NL]

    def take(self, treatment, tail, head, get):
        """Make this the tally of `treatment`; `get(seq)` gives an unpacked record or None.

        When the oldest kept record that has a treatment is of this one, older ones of it may have been written over:
        the upper bounds are then UNKNOWN_NL, which no limit lets pass.
        """
        if treatment == self.treatment:
            self.treatment = treatment  # the caller's: one object instead of two
            return
        self._clear(treatment)
        if treatment == NO_TREATMENT:
            return
        tag = _tag(treatment)
        first = True
        for seq in range(tail, head):
            found = self._tags[seq % self._slots]
            if not found:
                continue
            fields = get(seq) if found == tag else None
            if fields is not None and fields[TREATMENT] == treatment:
                if first and tail > 1:
                    self.max_nl = UNKNOWN_NL
                self._add(fields)
            first = False

    def has(self, point, attempt):
        """True when this point and attempt was begun."""
        return point << 8 | attempt in self._given

    def site_max_nl(self, site):
        """Upper bound of what a site has had."""
        return UNKNOWN_NL if self.max_nl >= UNKNOWN_NL else self._site_nl[site]

    def totals(self):
        """(lower, upper) bound of the tissue volume, at most what a reply can hold."""
        low = self.min_nl if self.min_nl < UNKNOWN_NL else UNKNOWN_NL
        return low, self.max_nl if self.max_nl < UNKNOWN_NL else UNKNOWN_NL
