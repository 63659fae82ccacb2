"""For tests of a treatment: ledger records, shots by point, attempt and end; and the person who is asked."""

from sit_host._gen.enums import Cause
from sit_host._gen.enums import Record as Kind
from sit_host._gen.records import Record
from sit_host.testing import make

TREATMENT = b"treated1"


class Person:
    """A `Talk`: the operator, who is there or not and answers every question alike."""

    def __init__(self, attended=True, answer=True):
        self.attended = attended
        self.answer = answer
        self.said = []

    def say(self, text):
        self.said.append(text)

    def confirm(self, question):
        return self.answer


class Ledger:
    """Records in order, numbered from `first`."""

    def __init__(self, treatment=TREATMENT, first=1):
        self.treatment = treatment
        self.next_seq = first
        self.records = []

    def add(self, kind, **values):
        """One record."""
        values.setdefault("treatment", self.treatment)
        record = make(Record, seq=self.next_seq, kind=kind, hash=self.next_seq.to_bytes(8, "little"), **values)
        self.next_seq += 1
        self.records.append(record)
        return record

    def shot(self, point, end, *, attempt=1, asked_nl=10_000, low_nl=9_900, high_nl=10_100, depth_um=1500, steps=1800):
        """INTENT and its end; `end` None leaves the shot without one."""
        same = {"point": point, "attempt": attempt, "asked_nl": asked_nl}
        self.add(Kind.INTENT, depth_um=depth_um, cap_steps=2000, **same)
        if end is not None:
            cause = Cause.NONE if end == Kind.DONE else Cause.CONTACT
            bounds = {"tissue_min_nl": low_nl, "tissue_max_nl": high_nl, "needle_nl": high_nl}
            self.add(end, depth_um=depth_um, steps=steps, cause=cause, **bounds, **same)
        return self
