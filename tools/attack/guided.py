"""Fuzzing that looks where it has been: bursts that reached something new are kept, changed and sent again.

`Reached` notes each statement of decoder, dispatcher and what they call, and the one that ran before it (an edge).
`Corpus` changes frames below CRC and COBS, so that what comes out still passes the decoder. Nothing here is measured
on MicroPython: there the corpus of a run under CPython is sent.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from pathlib import Path

from mutation.graft import graft
from mutation.places import noting, statements
from sit_host.codec import Frame, decode_frame, encode_frame

from attack.noise import BURST, Source

_FIRMWARE = Path(__file__).resolve().parents[2] / "firmware" / "sit_firmware"
_HIT = "_fuzz_hit"
_EACH = 10_000
"""Statements are numbered by line, this much apart from module to module."""
MODULES = (
    "cobs", "link", "once", "wire", "dispatch", "answers", "commands", "access", "access_commands", "access_lockout",
    "treatment", "limits", "events", "readiness", "clock", "settings", "service", "leaving",
)  # fmt: skip
"""Where bytes from the wire are decoded, judged and answered."""
_MOST_KEPT = 512
_PIECE = 6
"""Frames that are taken together from a burst that was kept."""
_EDGES = (0, 1, 0x7F, 0x80, 0xFF)


class Reached:
    """Statements and edges that have run in this process since `begin`; to be ended by `end`."""

    def __init__(self) -> None:
        self.trees = {name: ast.parse((_FIRMWARE / f"{name}.py").read_text()) for name in MODULES}
        self.edges: set[int] = set()
        self._last = 0
        self._seen = 0

    def begin(self) -> None:
        """Have the modules note what they run."""
        for number, (name, tree) in enumerate(self.trees.items()):
            graft(f"sit_firmware.{name}", noting(tree, _HIT), **{_HIT: self._hit(number * _EACH)})

    def end(self) -> None:
        """Give the modules their own code back."""
        for name, tree in self.trees.items():
            graft(f"sit_firmware.{name}", tree)

    def _hit(self, base: int) -> Callable[[int], None]:
        edges = self.edges

        def hit(line: int) -> None:
            here = base + line
            edges.add(self._last << 20 | here)
            self._last = here

        return hit

    def news(self) -> bool:
        """True when something was reached for the first time since the last question."""
        before, self._seen = self._seen, len(self.edges)
        return self._seen > before

    def statements(self) -> set[int]:
        """Each statement that ran, as a number."""
        return {edge & 0xFFFFF for edge in self.edges}

    def missed(self, ran: set[int]) -> dict[str, list[int]]:
        """Lines of the statements that are not in `ran`, by module."""
        found = {}
        for number, (name, tree) in enumerate(self.trees.items()):
            lines = [line for line in statements(tree) if number * _EACH + line not in ran]
            if lines:
                found[name] = lines
        return found

    @property
    def total(self) -> int:
        """How many statements there are."""
        return sum(len(statements(tree)) for tree in self.trees.values())


class Corpus:
    """Bursts that reached something new, and what is made of them for the session that `source` has open."""

    def __init__(self, source: Source, kept: Sequence[Sequence[bytes]] = ()) -> None:
        self.source = source
        self.draw = source.draw
        self.kept = [list(burst) for burst in kept]

    def keep(self, burst: list[bytes]) -> None:
        """This burst reached something new."""
        if len(self.kept) < _MOST_KEPT:
            self.kept.append(burst)
        else:
            self.kept[self.draw.randrange(_MOST_KEPT)] = burst

    def burst(self) -> list[bytes]:
        """Pieces of kept bursts, changed."""
        made: list[bytes] = []
        while len(made) < BURST:
            kept = self.draw.choice(self.kept)
            at = self.draw.randrange(max(1, len(kept) - _PIECE + 1))
            made += [self._changed(frame) for frame in kept[at : at + _PIECE]]
        return made[:BURST]

    def _changed(self, data: bytes) -> bytes:
        """A frame as it was or with a part changed, for the open session and with its CRC right; of noise, one byte."""
        draw, source = self.draw, self.source
        frame = decode_frame(data[:-1])
        if not isinstance(frame, Frame):
            at = draw.randrange(len(data))
            return data[:at] + bytes([draw.randrange(256)]) + data[at + 1 :]
        id, payload = frame.id, bytearray(frame.payload)
        if draw.random() < 0.05:
            id = draw.randrange(256)
        if not source.allowed(id):
            id = frame.id
        if payload and draw.random() < 0.4:
            for _ in range(draw.randrange(1, 4)):
                payload[draw.randrange(len(payload))] = draw.choice((*_EDGES, draw.randrange(256)))
        elif draw.random() < 0.1:
            del payload[draw.randrange(len(payload) + 1) :]
        return encode_frame(
            source.seq(),
            id,
            bytes(payload),
            session=source.session if draw.random() < 0.9 else frame.session,
            flags=frame.flags,
            mac=frame.mac,
        )
