"""The device's events, each once and in order, although the wire may lose or double them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from sit_host._gen.messages import Event

_KEEP = 4096


class EventLog:
    """Collects events by number. A number that is missing makes `gap` true until `fill` has been called."""

    def __init__(self) -> None:
        self.next_seq: int | None = None  # number of the next event wanted, None until the device was asked
        self.lost = 0  # events the device had dropped before they could be read
        self.on_event: Callable[[Event], None] | None = None
        self._ahead: dict[int, Event] = {}
        self._fresh: deque[Event] = deque(maxlen=_KEEP)
        self._history: deque[Event] = deque(maxlen=_KEEP)
        self._head = 0

    @property
    def gap(self) -> bool:
        """True when the device has events that are not here."""
        return self.next_seq is not None and self._head > self.next_seq

    def begin(self, head: int) -> None:
        """Start at event `head`: what was before it belongs to somebody else's session."""
        self.next_seq = self._head = head
        self._ahead.clear()
        self._history.clear()

    def push(self, event: Event) -> None:
        """Take an event that was sent unasked, in any order, perhaps for the second time."""
        if self.next_seq is None or not self.next_seq <= event.seq < self.next_seq + _KEEP:
            return  # old, or so far ahead that only the device's own answer to EVENTS_READ is to be believed
        self._head = max(self._head, event.seq + 1)
        self._ahead[event.seq] = event
        self._advance()

    def seen_head(self, head: int) -> None:
        """The device says that the number of its next event is `head`."""
        self._head = max(self._head, head)

    def fill(self, events: list[Event], head: int) -> None:
        """Take the answer to a reading from `next_seq` on; what it lacks the device doesn't have any more."""
        self.seen_head(head)
        if self.next_seq is None:
            return
        for event in events:
            if event.seq >= self.next_seq:
                self._ahead[event.seq] = event
        oldest = min(self._ahead, default=head)
        if oldest > self.next_seq:
            self.lost += oldest - self.next_seq
            self.next_seq = oldest
        self._advance()

    def take(self) -> list[Event]:
        """Return the events since the last call."""
        taken = list(self._fresh)
        self._fresh.clear()
        return taken

    def since(self, seq: int) -> list[Event]:
        """Return the events numbered `seq` and above that are known, taken or not."""
        return [event for event in self._history if event.seq >= seq]

    def _advance(self) -> None:
        while self.next_seq is not None and self.next_seq in self._ahead:
            event = self._ahead.pop(self.next_seq)
            self.next_seq += 1
            self._fresh.append(event)
            self._history.append(event)
            if self.on_event is not None:
                self.on_event(event)
