"""A handful of numbers kept as one A/B record on the store: settings and calibration are two of these.

A table names each number with its factory value, the value in force when the record is damaged, and its range. A record
that is damaged, of another version or outside a range is DAMAGED as a whole: no half of it is trusted. Background only.

A later firmware may add numbers at the end, never change or drop one. It takes a shorter record for what it says and
the factory's values for the rest; an earlier firmware takes the beginning of a longer one and leaves its end alone. So
nothing is rewritten when firmware is upgraded or rolled back, and each finds what it knows.
"""

import struct

from .pair import GOOD, Pair

# where the values in force come from (SETTINGS_READ `source`)
STORED = 0
FACTORY = 1
DAMAGED = 2

_ORIGIN = "<B3x"  # STORED or FACTORY, before the numbers
_ORIGIN_BYTES = 4


class Values:
    """The numbers in force as attributes by their names; `source` says where they come from.

    fields: (name, factory value, value when damaged, lowest, highest) each, packed in this order by `form`.
    shorter: (form, how many of the fields it has) of each record that an earlier firmware wrote.
    """

    def __init__(self, store, addr, tag, version, form, fields, shorter=()):
        self._form = form
        self._fields = fields
        self._shorter = shorter
        self._pair = Pair(store, addr, tag, version, _ORIGIN_BYTES + struct.calcsize(form), True)
        self._damaged()

    def _damaged(self):
        self.source = DAMAGED
        for name, _, value, _, _ in self._fields:
            setattr(self, name, value)

    def write_factory(self):
        """Put the factory values on the store. Raises StoreError."""
        self.save(FACTORY, [field[1] for field in self._fields])

    def save(self, origin, values):
        """Keep `values`, in the order of the fields; `origin` STORED or FACTORY. Raises StoreError, ValueError."""
        if not self.in_range(values):
            raise ValueError("a value is out of its range")
        struct.pack_into(_ORIGIN, self._pair.payload, 0, origin)
        struct.pack_into(self._form, self._pair.payload, _ORIGIN_BYTES, *values)
        self._pair.save()

    def take(self):
        """Take the record in force, or the values for a damaged one. Raises StoreError."""
        self._damaged()
        if self._pair.load() != GOOD:
            return
        origin = self._pair.payload[0]
        values = self._values()
        if origin not in (STORED, FACTORY) or not self.in_range(values):
            return
        for i in range(len(self._fields)):
            setattr(self, self._fields[i][0], values[i])
        self.source = origin

    def _values(self):
        """The values of the record in force, the factory's where it has none; () for a length nobody wrote."""
        length = self._pair.length - _ORIGIN_BYTES
        payload = self._pair.payload
        if length >= struct.calcsize(self._form):
            return struct.unpack_from(self._form, payload, _ORIGIN_BYTES)
        for form, n in self._shorter:
            if length == struct.calcsize(form):
                return struct.unpack_from(form, payload, _ORIGIN_BYTES) + tuple(
                    [field[1] for field in self._fields[n:]]
                )
        return ()

    def in_range(self, values):
        """True when each of `values`, in the order of the fields, lies in its range."""
        if len(values) != len(self._fields):
            return False
        for i in range(len(self._fields)):
            if not self._fields[i][3] <= values[i] <= self._fields[i][4]:
                return False
        return True
