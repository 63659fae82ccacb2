"""The cable between host and device in target time: delay, bandwidth, and the damage a link fault does.

A fault works on whole frames (bytes up to and with a zero), so that its odds don't depend on how the bytes
were cut into pieces. Randomness comes from the seed and the count of frames, so a run repeats.
"""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass

from ..clock import NEVER, ticks_of_ms

LATENCY_TICKS = 2
"""Each way: half a millisecond, what USB full speed makes of a short frame."""
BYTES_PER_TICK = 256
"""Most bytes the device receives in a tick: about 1 MB/s."""
MAX_PENDING = 1 << 16


@dataclass(frozen=True)
class LinkFault:
    """Damage done to frames in one direction. Probabilities are per frame."""

    direction: str = "both"
    """to_device, to_host or both."""
    drop: float = 0.0
    duplicate: float = 0.0
    corrupt: float = 0.0
    """One byte of the frame is changed."""
    truncate: float = 0.0
    """The frame loses its second half, its end included."""
    delay_ms: float = 0.0
    """Frames come up to this much later, drawn anew for each; without `reorder` they keep their order."""
    reorder: bool = False
    skip: int = 0
    """Frames that pass unharmed first."""
    count: int = -1
    """Frames that may be harmed in all, -1 for no end."""

    def __post_init__(self) -> None:
        if self.direction not in ("to_device", "to_host", "both"):
            raise ValueError(f"direction is {self.direction!r}; it must be to_device, to_host or both")
        for name in ("drop", "duplicate", "corrupt", "truncate"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"{name} is {getattr(self, name)}; a probability lies between 0 and 1")
        if not 0 <= self.delay_ms <= 60_000:
            raise ValueError(f"delay_ms is {self.delay_ms}; it must lie between 0 and 60000")


class Lane:
    """One direction of the cable."""

    def __init__(self, seed: int, name: str) -> None:
        self.name = name
        self.due_tick = NEVER
        """When the first waiting bytes arrive, NEVER for none."""
        self.waiting = 0
        """Bytes under way or not taken yet."""
        self._queue: deque[tuple[int, bytes]] = deque()
        self._partial = bytearray()
        self._random = random.Random(f"{seed} link {name}")
        self._faults: list[LinkFault] = []
        self._seen: list[int] = []
        self._harmed: list[int] = []

    def set_faults(self, faults: list[LinkFault]) -> None:
        """Replace the faults in force; counts start anew."""
        self._faults = [fault for fault in faults if fault.direction in ("both", self.name)]
        self._seen = [0] * len(self._faults)
        self._harmed = [0] * len(self._faults)

    def put(self, tick: int, data: bytes) -> None:
        """Bytes leave one end at `tick`."""
        if not data:
            return
        if not self._faults:
            if self._partial:
                data = bytes(self._partial) + data
                self._partial.clear()
            self._arrive(tick + LATENCY_TICKS, data, keep_order=True)
            return
        self._partial += data
        while True:
            end = self._partial.find(0)
            if end < 0:
                return
            frame = bytes(self._partial[: end + 1])
            del self._partial[: end + 1]
            self._harm(tick, frame)

    def _harm(self, tick: int, frame: bytes) -> None:
        copies = [frame]
        late, keep_order = 0, True
        draw = self._random.random
        for index, fault in enumerate(self._faults):
            self._seen[index] += 1
            # the draws are made whatever they decide, so that one frame's fate doesn't move the next one's
            lost, twice, bad, short, wait = draw(), draw(), draw(), draw(), draw()
            place, bit = self._random.randrange(max(1, len(frame) - 1)), self._random.randrange(8)
            if self._seen[index] <= fault.skip or self._harmed[index] == fault.count:
                continue
            harmed = True
            if lost < fault.drop:
                copies = []
            elif twice < fault.duplicate:
                copies = copies * 2
            elif bad < fault.corrupt:
                copies = [_flip(copy, place, bit) for copy in copies]
            elif short < fault.truncate:
                copies = [copy[: len(copy) // 2] for copy in copies]
            else:
                harmed = False
            if fault.delay_ms:
                late += int(wait * (ticks_of_ms(fault.delay_ms) + 1))
                keep_order = keep_order and not fault.reorder
                harmed = True
            self._harmed[index] += harmed
        for copy in copies:
            self._arrive(tick + LATENCY_TICKS + late, copy, keep_order)

    def _arrive(self, due: int, data: bytes, keep_order: bool) -> None:
        if self.waiting > MAX_PENDING:
            return  # a host that floods loses what no buffer holds
        self.waiting += len(data)
        if keep_order and self._queue:
            due = max(due, self._queue[-1][0])
        self._queue.append((due, data))
        if not keep_order:
            self._queue = deque(sorted(self._queue, key=lambda item: item[0]))
        self.due_tick = self._queue[0][0]

    def take(self, tick: int, most: int) -> bytes:
        """Bytes that have arrived at `tick`, at most `most` of them."""
        parts = []
        while self._queue and self._queue[0][0] <= tick and most > 0:
            due, data = self._queue.popleft()
            if len(data) > most:
                self._queue.appendleft((due, data[most:]))
                data = data[:most]
            parts.append(data)
            most -= len(data)
            self.waiting -= len(data)
        self.due_tick = self._queue[0][0] if self._queue else NEVER
        return b"".join(parts)

    def clear(self) -> None:
        """The cable was pulled: what was under way is lost."""
        self._queue.clear()
        self._partial.clear()
        self.waiting = 0
        self.due_tick = NEVER


def _flip(frame: bytes, place: int, bit: int) -> bytes:
    changed = bytearray(frame)
    if changed:
        place = min(place, len(changed) - 1)
        changed[place] ^= 1 << bit
    return bytes(changed)
