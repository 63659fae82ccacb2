"""The needle's wires: encoder A and B and the comb, edge by edge.

An edge comes when the needle is at its place, at any moment of a tick: the firmware samples some us early or late and
reckons with the way that the needle makes meanwhile. Edges that came in lumps would be a needle that jumps.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from typing import Any

from sit_firmware import image

_QUADRATURE = ((False, False), (True, False), (True, True), (False, True))  # A, B of count & 3; A leads into the skin


class NeedleWires:
    """What an encoder and a comb put on three pins; `drive` gives a pin its level by name."""

    def __init__(self, clock: Any, drive: Callable[[str, bool], None], seen: array[int]) -> None:
        """Stands where the input image `seen` has the needle."""
        self._drive = drive
        self._count = seen[image.IN_ENC_UM]
        self._comb = False
        self._comb_n = seen[image.IN_COMB_N]
        self._edges: list[tuple[str, int]] = []
        self._gap_ns = 0.0
        self._next = clock.create_alarm(self._emit)
        self._set_encoder()
        drive("comb", False)

    def go(self, seen: array[int], span_ns: float) -> None:
        """Go evenly from here to what the input image `seen` has, in `span_ns` from now; edges still due go."""
        end, combs = seen[image.IN_ENC_UM], seen[image.IN_COMB_N] - self._comb_n
        way = 1 if end >= self._count else -1
        counts = list(range(self._count, end + way, way))
        comb_at = min(counts, key=lambda count: abs(count - seen[image.IN_COMB_ENC_UM]))
        # each edge of the comb comes after the count that its place has; of several, all but the last come first
        self._edges = [("comb", 0)] * max(0, combs - 1)
        for count in counts:
            if count != self._count:
                self._edges.append(("count", count))
            if combs > 0 and count == comb_at:
                self._edges.append(("comb", 0))
        self._edges.reverse()
        self._gap_ns = span_ns / (len(self._edges) + 1)
        self._next.cancel()
        self._wait()

    def finish(self) -> None:
        """Every edge still due comes now."""
        self._next.cancel()
        while self._edges:
            self._put(*self._edges.pop())

    def _emit(self) -> None:
        self._put(*self._edges.pop())
        self._wait()

    def _wait(self) -> None:
        if self._edges:
            self._next.schedule(self._gap_ns)

    def _put(self, kind: str, count: int) -> None:
        if kind == "comb":
            self._comb = not self._comb
            self._comb_n += 1
            self._drive("comb", self._comb)
        else:
            self._count = count
            self._set_encoder()

    def _set_encoder(self) -> None:
        a, b = _QUADRATURE[self._count & 3]
        self._drive("enc_a", a)
        self._drive("enc_b", b)
