"""The dose ledger: what was given, kept so that no power cut loses it and no repeat gives it twice.

    ledger = Ledger(store, layout, params)
    ledger.open(window_s)          # finds head and tail, resolves an INTENT without an end to UNCERTAIN
    seq = ledger.append(codes.RECORD_INTENT, ...)   # before motion; raises and then nothing may move
    ledger.checkpoint(steps, press_pa)              # while the shot runs
    ledger.append(codes.RECORD_DONE, ..., ref=seq)  # after it

INTENT is refused while an UNCERTAIN record waits for an acknowledgement, when the identity was begun before, and when
the ring hasn't room for its end. Record kinds, intervals and the power-loss argument: docs/ledger.md.
Volumes in nl, plunger counts in microsteps, times in seconds since 1970 (0: unknown). Background only.
"""

import struct

from sit_firmware import codes, interval, wire
from sit_firmware.store.access import StoreError
from sit_firmware.store.layout import CHECKPOINT_ADDR
from sit_firmware.store.pair import Pair
from sit_firmware.store.ring import Ring
from sit_firmware.store.tally import (
    ATTEMPT,
    CAP_STEPS,
    ENDS,
    KIND,
    POINT,
    REF,
    SITE,
    TREATMENT,
    UNKNOWN_NL,
    Tally,
)
from sit_firmware.store.window import Window

NO_TREATMENT = bytes(8)
_ASKED_NL = 9
_DEPTH_UM = 8
_CHECKPOINT_TAG = 0x4B43
_CHECKPOINT = "<Iii"  # number of the INTENT, steps made, pressure in Pa
_MASK = 0xFFFFFFFF
# records of a shot that has begun may use the last room; all others leave these many slots to them
_RESERVE = 4
_INTENT_RESERVE = 8
_USES_RESERVE = (codes.RECORD_ACK,) + ENDS


class LedgerRefused(StoreError):
    """A record that must not be written now; `refusal` says why. Nothing was written."""

    def __init__(self, refusal, text):
        super().__init__(text)
        self.refusal = refusal


def _clamp(value, low, high):
    """A measure that goes into a field of limited size."""
    return low if value < low else high if value > high else value


class Ledger:
    """The ledger on `store`. `params` gives step volume and compliance and is read when a shot is resolved."""

    def __init__(self, store, layout, params):
        self._ring = Ring(store, layout)
        self._tally = Tally(layout.records)
        self._window = Window()
        self._progress = Pair(store, CHECKPOINT_ADDR, _CHECKPOINT_TAG, 1, struct.calcsize(_CHECKPOINT))
        self._params = params
        self._record = bytearray(wire.RECORD_LEN)
        self._open = None  # the INTENT under way, unpacked
        self.open_seq = 0  # its number, 0 for none
        self.uncertain_seq = 0  # UNCERTAIN record that waits for an acknowledgement, 0 for none
        self.usable = False  # open() has read all of the store
        self._writable = False
        self.capacity = layout.records

    # --- boot ----------------------------------------------------------------------------------------

    def open(self, window_s, writable=True):
        """Read the ring; an INTENT without an end becomes UNCERTAIN. Raises StoreError when the store fails.

        window_s: length of the limit window. writable False: only look, as at a store that isn't ours.
        """
        self.usable = self._writable = False
        self._open = None
        self.open_seq = self.uncertain_seq = 0
        self._ring.scan(self._found)
        # the ring knows its tail and last clock only now, so the window is taken in a second, short look
        self._fill_window(window_s, self._ring.last_unix_s)
        self._progress.load()
        if self._progress_seq() >= self.head:
            self._ring.missed(self._progress_seq())
        self.usable = True
        self._writable = writable
        if writable:
            self.resolve()

    def _found(self, seq, view):
        fields = struct.unpack(wire.RECORD, view)
        self._tally.note(seq, fields)
        self._follow(seq, fields)

    def _follow(self, seq, fields):
        """What a record means for the ones to come."""
        kind = fields[KIND]
        if kind == codes.RECORD_INTENT:
            self._open = fields
            self.open_seq = seq
        elif kind in ENDS:
            self._open = None
            self.open_seq = 0
            if kind == codes.RECORD_UNCERTAIN:
                self.uncertain_seq = seq
        elif kind == codes.RECORD_ACK and fields[REF] == self.uncertain_seq:
            self.uncertain_seq = 0

    def _fill_window(self, window_s, now_s):
        self._window.begin(window_s, self.tail)
        for seq in range(self.tail, self.head):
            fields = self._get(seq)
            if fields is not None:
                self._window.pass_by(seq, fields, now_s)

    def resolve(self):
        """Give an INTENT without an end its UNCERTAIN record, with the bounds that INTENT and checkpoint allow."""
        if not self.open_seq:
            return
        intent = self._open
        steps, press_pa = self._progress_of(self.open_seq)
        low_nl, high_nl = interval.uncertain(intent[CAP_STEPS], self._params)
        self.append(
            codes.RECORD_UNCERTAIN,
            cause=codes.CAUSE_RESET,
            attempt=intent[ATTEMPT],
            site=intent[SITE],
            treatment=intent[TREATMENT],
            point=intent[POINT],
            depth_um=intent[_DEPTH_UM],
            asked_nl=intent[_ASKED_NL],
            steps=steps,
            cap_steps=intent[CAP_STEPS],
            tissue_min_nl=low_nl,
            tissue_max_nl=high_nl,
            needle_nl=interval.least_needle_nl(steps, press_pa, self._params),
            ref=self.open_seq,
        )

    # --- writing -------------------------------------------------------------------------------------

    def append(
        self,
        kind,
        cause=0,
        attempt=0,
        site=0,
        unix_s=0,
        treatment=NO_TREATMENT,
        point=0,
        depth_um=0,
        asked_nl=0,
        steps=0,
        cap_steps=0,
        tissue_min_nl=0,
        tissue_max_nl=0,
        needle_nl=0,
        ref=0,
    ):
        """Write one record of `kind` (codes.RECORD_*) and return its number.

        Raises LedgerRefused when it must not be written now, StoreError when the store fails; either way the ledger
        is as it was before.
        """
        if kind == codes.RECORD_INTENT:
            self.resolve()  # an end that was never written: the next shot waits for an acknowledgement
        refusal, text = self._refusal(kind, treatment, point, attempt)
        if refusal:
            raise LedgerRefused(refusal, text)
        struct.pack_into(
            wire.RECORD,
            self._ring.buf,
            0,
            0,
            kind,
            cause,
            attempt,
            site,
            unix_s & _MASK,
            treatment,
            point,
            _clamp(depth_um, -32768, 32767),
            _clamp(asked_nl, 0, _MASK),
            _clamp(steps, -0x80000000, 0x7FFFFFFF),
            _clamp(cap_steps, 0, _MASK),
            _clamp(tissue_min_nl, 0, _MASK),
            _clamp(tissue_max_nl, 0, _MASK),
            _clamp(needle_nl, -0x80000000, 0x7FFFFFFF),
            ref & _MASK,
            NO_TREATMENT,
            0,
        )
        seq = self._ring.append()
        fields = struct.unpack(wire.RECORD, self._ring.buf)
        self._window.overtaken(self.tail)
        self._window.note(fields)
        self._tally.note(seq, fields)
        self._follow(seq, fields)
        return seq

    def _refusal(self, kind, treatment, point, attempt):
        """(number, text) of why a record must not be written now, (0, "") when it may."""
        if not self._writable:
            return codes.REFUSED_STORE, "the ledger can't be written"
        if kind in ENDS and not self.open_seq:
            return codes.REFUSED_NO_RECORD, "an end without an INTENT"
        need = 1 if kind in _USES_RESERVE else 1 + _RESERVE
        if kind == codes.RECORD_INTENT:
            need = 1 + _INTENT_RESERVE
            if not self.whole():
                return codes.REFUSED_STORE, "record %d is damaged" % self._ring.damaged_seq
            if self.uncertain_seq:
                return codes.REFUSED_UNCERTAIN, "record %d waits for an acknowledgement" % self.uncertain_seq
            if treatment != NO_TREATMENT and self.has(treatment, point, attempt):
                return codes.REFUSED_DUPLICATE, "point %d attempt %d was begun before" % (point, attempt)
        if self._ring.room() < need:
            return codes.REFUSED_LEDGER_FULL, "no slot may be written over"
        return 0, ""

    def acknowledge(self, seq, unix_s=0):
        """An operator has looked at UNCERTAIN record `seq`; 0 or a refusal. Raises StoreError."""
        if not seq or seq != self.uncertain_seq:
            return codes.REFUSED_NO_RECORD
        self.append(codes.RECORD_ACK, unix_s=unix_s, ref=seq)
        return 0

    def release(self, seq):
        """A host has saved all records below `seq`; 0 or a refusal. Raises StoreError."""
        if seq > self.head:
            return codes.REFUSED_BAD_VALUE
        waiting = self.open_seq or self.uncertain_seq
        if waiting and seq > waiting:
            return codes.REFUSED_UNCERTAIN
        self._ring.release(seq)
        return 0

    def checkpoint(self, steps, press_pa):
        """Keep how far the shot under way is: net `steps` made, `press_pa` in line. Raises StoreError."""
        if self.open_seq:
            struct.pack_into(_CHECKPOINT, self._progress.payload, 0, self.open_seq, steps, press_pa)
            self._progress.save()

    def _progress_seq(self):
        return struct.unpack_from("<I", self._progress.payload, 0)[0]

    def _progress_of(self, intent_seq):
        """(steps, pressure in Pa) that the shot had certainly reached."""
        seq, steps, press_pa = struct.unpack_from(_CHECKPOINT, self._progress.payload, 0)
        return (steps, press_pa) if seq == intent_seq else (0, 0)

    # --- reading -------------------------------------------------------------------------------------

    @property
    def head(self):
        """Number of the next record."""
        return self._ring.head

    @property
    def tail(self):
        """Oldest record kept."""
        return self._ring.tail

    @property
    def saved(self):
        """Records below this were released by a host."""
        return self._ring.released

    def whole(self):
        """False when the ledger can't be used: unreadable, or damaged where no host has passed over it by a release."""
        return self.usable and self._ring.whole()

    def room(self):
        """Records that may be written before a host must release some; 0 while the ledger isn't whole."""
        return self._ring.room() if self.whole() else 0

    def read(self, seq, buf):
        """Fill `buf` (64 bytes) with record `seq`; False when there is none or it is damaged. Raises StoreError."""
        return self._ring.read(seq, buf)

    def next(self, seq, buf):
        """Fill `buf` with the first whole record from `seq` on; its number, 0 when there is none. Raises StoreError."""
        if seq < self.tail:
            seq = self.tail
        while seq < self.head:
            if self._ring.read(seq, buf):
                return seq
            seq += 1
        return 0

    def _get(self, seq):
        return struct.unpack(wire.RECORD, self._record) if self._ring.read(seq, self._record) else None

    def _tally_of(self, treatment):
        self._tally.take(treatment, self.tail, self.head, self._get)
        return self._tally

    def has(self, treatment, point, attempt):
        """True when this shot was begun before, or when the ledger can't tell."""
        return not self.usable or self._tally_of(treatment).has(point, attempt)

    def totals(self, treatment):
        """(lower, upper) bound in nl of the tissue volume given in a treatment."""
        return self._tally_of(treatment).totals() if self.usable else (0, UNKNOWN_NL)

    def misses(self, treatment):
        """Shots of a treatment that ended otherwise than DONE."""
        return self._tally_of(treatment).misses if self.usable else 0

    def site_max_nl(self, treatment, site):
        """Upper bound in nl of what a site has had in a treatment."""
        return self._tally_of(treatment).site_max_nl(site) if self.usable else UNKNOWN_NL

    def window_max_nl(self, now_s, window_s):
        """Upper bound in nl of what was given in the last `window_s` seconds; `now_s` 0: unknown, nothing expires."""
        if not self.usable:
            return UNKNOWN_NL
        if window_s != self._window.window_s:
            self._fill_window(window_s, now_s)
        self._window.expire(now_s, self.head, self._get)
        return self._window.max_nl()
