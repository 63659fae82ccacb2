"""What was given in the last `window_s` seconds, as an upper bound. No clock, no expiry.

The window is a run of records from `seq` to the head. A timed record that is older than the window takes itself and all
before it out, untimed ones included; nothing else takes anything out. So an unknown clock, or one set back, leaves the
window as full as it was. Background only.
"""

from .entry import ENDS, KIND, MAX_NL, UNIX_S
from .tally import UNKNOWN_NL


def volume_nl(fields):
    """What an unpacked record adds to the window: the upper bound of a shot's end, 0 for all others."""
    return fields[MAX_NL] if fields[KIND] in ENDS else 0


class Window:
    """The upper bound of the volume given in the window, `seq` being its first record."""

    def __init__(self):
        self.window_s = 0
        self.seq = 1
        self._nl = 0
        self._part = False  # records of the window have been written over

    def begin(self, window_s, tail):
        """Start at the oldest record kept; all records follow in order by `pass_by`."""
        self.window_s = window_s
        self.seq = tail
        self._nl = 0
        self._part = tail > 1

    def note(self, fields):
        """A record was written."""
        self._nl += volume_nl(fields)

    def pass_by(self, seq, fields, now_s):
        """Take record `seq` in, or at `now_s` (0: unknown) out with all before it."""
        unix_s = fields[UNIX_S]
        if now_s and unix_s and unix_s + self.window_s <= now_s:
            self.seq = seq + 1
            self._nl = 0
            self._part = False
        else:
            self._nl += volume_nl(fields)

    def expire(self, now_s, head, get):
        """Take out what is older than the window at `now_s` (0: unknown); `get(seq)` unpacks a record or gives None.

        Reads little: the records taken out and the next timed one.
        """
        if not now_s:
            return
        leaving_nl = 0
        seq = self.seq
        while seq < head:
            fields = get(seq)
            seq += 1
            if fields is None:
                continue
            leaving_nl += volume_nl(fields)
            if not fields[UNIX_S]:
                continue
            if fields[UNIX_S] + self.window_s > now_s:
                break
            self.seq = seq
            self._nl -= leaving_nl
            leaving_nl = 0
            if self._part:
                self._sum(head, get)

    def _sum(self, head, get):
        """Count anew from `seq` on, once all that was written over is out of the window for certain."""
        self._part = False
        self._nl = 0
        for seq in range(self.seq, head):
            fields = get(seq)
            if fields is not None:
                self._nl += volume_nl(fields)

    def overtaken(self, tail):
        """The ring has written over records below `tail`."""
        if self.seq < tail:
            self.seq = tail
            self._part = True

    def max_nl(self):
        """Upper bound of the volume in the window."""
        return UNKNOWN_NL if self._part else self._nl
