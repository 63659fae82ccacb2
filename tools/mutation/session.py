"""The tests, collected once; each question about them is asked in a copy of the process (fork).

tests = Tests()
tests.collect(folders, work)               pytest collects, nothing runs; then work() is called, and in it:
Copy(lambda: tests.run(nodeids), 60)       some tests in a copy of the process; result(): the one that went red
"""

from __future__ import annotations

import os
import pickle
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from typing import Any

import pytest

_MEMORY_BYTES = 6 << 30
_OPTIONS = ("-o", "addopts=", "-s", "-p", "no:terminal", "-p", "no:cacheprovider", "-p", "no:xdist", "--target", "sim:")


class Tests:
    """Everything pytest finds, and how to run some of it."""

    def __init__(self) -> None:
        self.items: dict[str, Any] = {}
        self._work: Callable[[], None] = lambda: None
        self._failed = ""

    def collect(self, arguments: Iterable[str], work: Callable[[], None]) -> int:
        """Collect, then call `work` with `items` filled; pytest's exit code."""
        self._work = work
        return int(pytest.main([*_OPTIONS, *arguments], plugins=[self]))

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """In place of running the tests."""
        if session.testsfailed:
            raise session.Interrupted("the tests can't be collected")
        self.items = {item.nodeid: item for item in session.items}
        self._work()
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the first failure."""
        if report.failed and not self._failed:
            self._failed = report.nodeid

    def run(self, nodeids: Iterable[str], after: Callable[[str, float], None] = lambda nodeid, s: None) -> str:
        """Run tests until one fails, and give its name, or ""; `after` each comes its name and how long it took."""
        wanted = [self.items[nodeid] for nodeid in nodeids]
        for item, following in zip(wanted, [*wanted[1:], None], strict=True):
            started = time.perf_counter()
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            after(item.nodeid, time.perf_counter() - started)
            if self._failed:
                break
        return self._failed


class Copy:
    """A copy of this process that does some work and is gone; its answer is what the work gave, or None."""

    def __init__(self, work: Callable[[], Any], longest_s: float) -> None:
        self.ends = time.monotonic() + longest_s
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - a pipe would fill up
        self.pid = os.fork()
        if self.pid == 0:
            code = 1
            try:
                os.setsid()
                resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
                sink = os.open(os.devnull, os.O_RDWR)
                for stream in (0, 1, 2):
                    os.dup2(sink, stream)
                self._file.write(pickle.dumps(work()))
                self._file.flush()
                code = 0
            finally:
                os._exit(code)

    def over(self) -> bool:
        """True once it has ended; a copy past its time is ended here."""
        if time.monotonic() > self.ends:
            os.killpg(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            return True
        return os.waitpid(self.pid, os.WNOHANG)[0] != 0

    def answer(self) -> Any:
        """What its work gave; None when it died or took too long. Only once, when it is over."""
        with self._file as file:
            file.seek(0)
            data = file.read()
        return pickle.loads(data) if data else None

    def result(self) -> Any:
        """Wait for the end, and the answer."""
        while not self.over():
            time.sleep(0.01)
        return self.answer()


def say(text: str) -> None:
    """A line of progress."""
    print(text, file=sys.stderr, flush=True)
