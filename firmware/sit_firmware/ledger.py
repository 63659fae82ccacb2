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
from sit_firmware.store.entry import (
    ASKED_NL,
    ATTEMPT,
    CAP_STEPS,
    DEPTH_UM,
    ENDS,
    KIND,
    NO_TREATMENT,
    POINT,
    REF,
    SITE,
    TREATMENT,
    pack,
)
from sit_firmware.store.progress import Progress
from sit_firmware.store.ring import Ring
from sit_firmware.store.tally import UNKNOWN_NL, Tally
from sit_firmware.store.window import Window

# records of a shot that has begun may use the last room; all others leave these many slots to them
_RESERVE = 4
_INTENT_RESERVE = 8
_USES_RESERVE = (codes.RECORD_ACK,) + ENDS


class LedgerRefused(StoreError):
    """A record that must not be written now; `refusal` says why. Nothing was written."""

    def __init__(self, refusal, text):
        super().__init__(text)
        self.refusal = refusal


class Ledger:
    """The ledger on `store`. `params` gives step volume and compliance and is read when a shot is resolved."""

    def __init__(self, store, layout, params):
        self._ring = Ring(store, layout)
        self._tally = Tally(layout.records)
        self._window = Window()
        self._progress = Progress(store)
        self._params = params
        self._record = bytearray(wire.RECORD_LEN)
        self._open = ()  # the INTENT under way, unpacked
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
        self._open = ()
        self.open_seq = self.uncertain_seq = 0
        self._ring.find()
        self._window.begin(window_s, self.tail)
        self._ring.walk(self._found)
        self._progress.load()
        if self._progress.seq >= self.head:
            self._ring.missed(self._progress.seq)
        self.usable = True
        self._writable = writable
        if writable:
            self.resolve()

    def _found(self, seq, view):
        fields = struct.unpack(wire.RECORD, view)
        self._tally.note(seq, fields)
        self._window.pass_by(seq, fields, self._ring.last_unix_s)
        self._follow(seq, fields)

    def _follow(self, seq, fields):
        """What a record means for the ones to come."""
        kind = fields[KIND]
        if kind == codes.RECORD_INTENT:
            self._open = fields
            self.open_seq = seq
        elif kind in ENDS:
            self._open = ()
            self.open_seq = 0
            if kind == codes.RECORD_UNCERTAIN:
                self.uncertain_seq = seq
        elif kind == codes.RECORD_ACK and fields[REF] == self.uncertain_seq:
            self.uncertain_seq = 0

    def resolve(self):
        """Give an INTENT without an end its UNCERTAIN record, with the bounds that INTENT and checkpoint allow."""
        if not self.open_seq:
            return
        intent = self._open
        steps, press_pa = self._progress.of(self.open_seq)
        low_nl, high_nl = interval.uncertain(intent[CAP_STEPS], self._params)
        self.append(
            codes.RECORD_UNCERTAIN,
            cause=codes.CAUSE_RESET,
            attempt=intent[ATTEMPT],
            site=intent[SITE],
            treatment=intent[TREATMENT],
            point=intent[POINT],
            depth_um=intent[DEPTH_UM],
            asked_nl=intent[ASKED_NL],
            steps=steps,
            cap_steps=intent[CAP_STEPS],
            tissue_min_nl=low_nl,
            tissue_max_nl=high_nl,
            needle_nl=interval.least_needle_nl(steps, press_pa, self._params),
            ref=self.open_seq,
        )

    # --- writing -------------------------------------------------------------------------------------

    def append(self, kind, treatment=NO_TREATMENT, point=0, attempt=0, ref=0, **fields):
        """Write one record of `kind` (codes.RECORD_*) with the fields of store/entry.py; returns its number.

        Raises LedgerRefused when it must not be written now, StoreError when the store fails; either way the ledger
        is as it was before.
        """
        if kind == codes.RECORD_INTENT:
            self.resolve()  # an end that was never written: the next shot waits for an acknowledgement
        refusal, text = self._refusal(kind, treatment, point, attempt, ref)
        if refusal:
            raise LedgerRefused(refusal, text)
        pack(self._ring.buf, kind, treatment=treatment, point=point, attempt=attempt, ref=ref, **fields)
        seq = self._ring.append()
        written = struct.unpack(wire.RECORD, self._ring.buf)
        self._window.overtaken(self.tail)
        self._window.note(written)
        self._tally.note(seq, written)
        self._follow(seq, written)
        return seq

    def _refusal(self, kind, treatment, point, attempt, ref):
        """(number, text) of why a record must not be written now, (0, "") when it may."""
        if not self._writable:
            return codes.REFUSED_STORE, "the ledger can't be written"
        if kind in ENDS and not self.open_seq:
            return codes.REFUSED_NO_RECORD, "an end without an INTENT"
        if kind == codes.RECORD_ACK and (not ref or ref != self.uncertain_seq):
            return codes.REFUSED_NO_RECORD, "record %d doesn't wait for an acknowledgement" % ref
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
            self._progress.save(self.open_seq, steps, press_pa)

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

    def site_max_nl(self, treatment, site):
        """Upper bound in nl of what a site has had in a treatment."""
        return self._tally_of(treatment).site_max_nl(site) if self.usable else UNKNOWN_NL

    def window_max_nl(self, now_s, window_s):
        """Upper bound in nl of what was given in the last `window_s` seconds; `now_s` 0: unknown, nothing expires."""
        if not self.usable:
            return UNKNOWN_NL
        if window_s != self._window.window_s:
            self._window.begin(window_s, self.tail)
            for seq in range(self.tail, self.head):
                fields = self._get(seq)
                if fields is not None:
                    self._window.pass_by(seq, fields, now_s)
        self._window.expire(now_s, self.head, self._get)
        return self._window.max_nl()
