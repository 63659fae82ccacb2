"""The operator at a terminal: progress on standard error, questions, and Ctrl-C counted while the device is armed."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from sit_host.cli.ui import Ui
from sit_host.treatment.talk import Tally


class ConsoleTalk:
    """A `Talk` over the command's `Ui`. Close it at the end, so that the progress bar leaves the terminal alone."""

    def __init__(self, ui: Ui) -> None:
        self._ui = ui
        self._console = ui.console()
        self._bar: Any = None
        self._task: Any = None
        self._last: Tally | None = None
        self.interrupts = 0

    @property
    def attended(self) -> bool:
        """Whether a person answers the questions."""
        return self._ui.interactive and not self._ui.yes

    @contextmanager
    def count_interrupts(self) -> Iterator[None]:
        """Count Ctrl-C within this; in a thread that isn't the main one signals go elsewhere."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = signal.signal(signal.SIGINT, self._count)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    def say(self, text: str) -> None:
        """Tell something, above the progress bar when there is one."""
        if self._bar is not None:
            self._bar.console.print(text)
        else:
            self._ui.note(text)

    def confirm(self, question: str) -> bool:
        """Ask; the bar makes room."""
        self.close()
        return self._ui.confirm(question)

    def pause(self, text: str) -> None:
        """Ask the operator to do something."""
        self.close()
        self._ui.pause(text)

    def progress(self, tally: Tally) -> None:
        """Show the points done and the running total, an interval."""
        if tally == self._last:
            return
        fresh = self._last is None or tally.tried > self._last.tried or tally.done > self._last.done
        self._last = tally
        text = (
            f"point {tally.done}/{tally.points}, "
            f"{tally.low_nl / 1000:.1f}-{tally.high_nl / 1000:.1f} of {tally.planned_nl / 1000:g} uL"
        )
        if not self._console.is_terminal:
            if fresh and tally.tried:
                self._ui.note(text)
            return
        if self._bar is None and tally.tried:
            self._open(tally)
        if self._bar is not None:
            self._bar.update(self._task, completed=tally.done, description=text, refresh=True)

    def close(self) -> None:
        """Take the progress bar away. May be called twice."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _open(self, tally: Tally) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        # no refreshing thread: the bar changes when a point is done, and nothing else competes for the terminal
        self._bar = Progress(
            BarColumn(),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            console=self._console,
            auto_refresh=False,
        )
        self._task = self._bar.add_task("", total=tally.points)
        self._bar.start()

    def _count(self, signum: int, frame: FrameType | None) -> None:
        self.interrupts += 1
