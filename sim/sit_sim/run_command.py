"""`sit sim -- CMD`: runs a command against a served simulator and hands back its exit code.

    run_command(argv, *, spec="sim:micropython", seed=1, hand="auto", scenario=None, state_dir=None, speed=1.0,
                log_path=None) -> exit code

CMD finds the connection string in SIT_TARGET and the control port in SIT_CONTROL. The device's store lies in a
temporary folder unless `state_dir` is given. Raises TargetError with one sentence when the simulator can't be started.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from .server import Server
from .targets import open_target

_NOT_FOUND, _NOT_RUNNABLE = 127, 126


def run_command(
    argv: list[str],
    *,
    spec: str = "sim:micropython",
    seed: int = 1,
    hand: str = "auto",
    scenario: Path | None = None,
    state_dir: Path | None = None,
    speed: float = 1.0,
    log_path: Path | None = None,
) -> int:
    """Run `argv` against a simulator of its own; its exit code, or 1 when the simulator failed under it."""
    with tempfile.TemporaryDirectory(prefix="opensit-") as folder:
        state = state_dir or Path(folder)
        log = log_path or Path(tempfile.gettempdir()) / f"opensit-sim-{os.getpid()}.log"
        with log.open("w", encoding="utf-8") as file:
            started = time.monotonic()

            def note(line: str) -> None:
                print(f"{time.monotonic() - started:9.3f} {line}", file=file, flush=True)

            served = _Served(spec, seed, hand, scenario, state, speed, note)
            try:
                code = _run(argv, served.environment())
            finally:
                served.close()
            note(f"{argv[0]} ended with exit code {code}")
        if served.failure:
            print(f"sit sim: {served.failure}", file=sys.stderr)
            code = code or 1
        if code:
            print(f"sit sim: the simulator's log is {log}", file=sys.stderr)
        elif log_path is None:
            log.unlink(missing_ok=True)
        return code


class _Served:
    """A server with its target in a thread of its own."""

    def __init__(self, spec, seed, hand, scenario, state, speed, note) -> None:
        self.failure = ""
        self._ready = threading.Event()
        self._server: Server | None = None
        self._error: BaseException | None = None
        self._args = (spec, seed, hand, scenario, state, speed, note)
        self._thread = threading.Thread(target=self._run, name="simulator")
        self._thread.start()
        self._ready.wait()
        if self._error is not None:
            self._thread.join()
            raise self._error

    def environment(self) -> dict[str, str]:
        """The environment of the command."""
        assert self._server is not None
        tcp, control = self._server.tcp_address, self._server.control_address
        assert tcp is not None and control is not None
        return {**os.environ, "SIT_TARGET": "tcp:{}:{}".format(*tcp), "SIT_CONTROL": "{}:{}".format(*control)}

    def close(self) -> None:
        """End the simulator."""
        assert self._server is not None
        self._server.stop()
        self._thread.join()

    def _run(self) -> None:
        spec, seed, hand, scenario, state, speed, note = self._args
        try:
            with open_target(spec, seed=seed, hand=hand, scenario=scenario, state_dir=state) as target:
                note(target.repro)
                self._server = Server(target, pty=False, speed=speed)
                self._server.log = note
                self._ready.set()
                try:
                    self._server.run()
                finally:
                    self._server.close()
        except BaseException as exc:
            if self._ready.is_set():
                self.failure = str(exc)
                note(f"the simulator failed: {exc}")
            else:
                self._error = exc
                self._ready.set()


def _run(argv: list[str], environment: dict[str, str]) -> int:
    """The command's exit code; Ctrl-C is the command's to handle."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        # the child must not inherit the ignored signal
        child = subprocess.Popen(argv, env=environment, preexec_fn=lambda: signal.signal(signal.SIGINT, before))
        code = child.wait()
    except FileNotFoundError:
        print(f"sit sim: there is no command {argv[0]!r}", file=sys.stderr)
        return _NOT_FOUND
    except PermissionError:
        print(f"sit sim: {argv[0]!r} can't be run", file=sys.stderr)
        return _NOT_RUNNABLE
    finally:
        signal.signal(signal.SIGINT, before)
    return code if code >= 0 else 128 - code
