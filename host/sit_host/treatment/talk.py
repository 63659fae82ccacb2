"""What a treatment says to the operator and asks: an interface, so that it runs without a terminal too."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Tally:
    """Where a treatment stands, for a progress bar. Volumes in nl; the total is an interval."""

    done: int
    tried: int
    points: int
    low_nl: int
    high_nl: int
    planned_nl: int


class Talk(Protocol):
    """The operator's side of a treatment."""

    @property
    def interrupts(self) -> int:
        """How often Ctrl-C was pressed: once disarms after the shot, twice stops at once."""
        ...

    def count_interrupts(self) -> AbstractContextManager[object]:
        """Within this, Ctrl-C is counted in `interrupts`; outside it raises KeyboardInterrupt."""
        ...

    @property
    def attended(self) -> bool:
        """Whether a person answers the questions. If not, only what is safe without one is done."""
        ...

    def say(self, text: str) -> None:
        """Tell something in one line."""
        ...

    def confirm(self, question: str) -> bool:
        """Ask a yes-or-no question; unattended the answer is yes."""
        ...

    def pause(self, text: str) -> None:
        """Ask the operator to do something, and wait until it is done; unattended go on at once."""
        ...

    def progress(self, tally: Tally) -> None:
        """Show where the treatment stands."""
        ...
