"""What commands share: options, the connection, and how refusals become sentences.

A command is a file `cli/NOUN.py` holding `command`, made like this:

    @click.command(epilog="Example: sit zero --target serial:/dev/ttyACM0")
    @device_options
    def command(call: Call) -> int | None:
        with call.connect() as client:
            expect(client.zero())
            call.ui.result({...})

It returns its exit code (None is 0) or raises SitError; it never calls sys.exit.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sit_host.cli.ui import Ui
from sit_host.errors import UsageError
from sit_host.transport import SIMULATED, SimOptions, TargetUrl, parse_url

if TYPE_CHECKING:
    from sit_host.client import Client

Command = Callable[..., Any]
_TARGET_HELP = "serial:PATH, tcp:HOST:PORT, sim: or sim:micropython; default is $SIT_TARGET."


@dataclass(frozen=True)
class Call:
    """How one command was called: its output and its target."""

    ui: Ui
    target: str | None
    sim: SimOptions = field(default_factory=SimOptions)
    wire_log: Path | None = None

    @property
    def url(self) -> TargetUrl:
        """The target. Raises UsageError when none was named."""
        if not self.target:
            raise UsageError(
                "No target is named.",
                "Give --target or set SIT_TARGET: serial:/dev/ttyACM0, tcp:host:port, sim: or sim:micropython. "
                "`sit ports` lists serial ports.",
            )
        return parse_url(self.target)

    @property
    def simulated(self) -> bool:
        """Whether the target is a simulator inside this process."""
        return self.url.scheme in SIMULATED

    @contextmanager
    def connect(self, *, acting: bool = True, shared: bool = False) -> Iterator[Client]:
        """Connect, open a session and close it at the end.

        `acting`: the command changes something, so the clock is set and a schema mismatch is refused at once.
        `shared`: when another process owns the port, reach the device through it (reads, STOP and DISARM only).
        """
        from sit_host.connect import open_client

        client = open_client(self.url, sim=self.sim, wire_log=self.wire_log, acting=acting, shared=shared)
        try:
            self.ui.detail(f"Connected to {client.name}.")
            yield client
        finally:
            client.close()


def output_options(function: Command) -> Command:
    """Add --json, -v and --yes; the command gets `ui`."""

    @click.option("--json", "json_", is_flag=True, help="Print one JSON value on standard output.")
    @click.option("-v", "--verbose", is_flag=True, help="Tell more on standard error.")
    @click.option("-y", "--yes", is_flag=True, help="Answer every question with yes.")
    @functools.wraps(function)
    def wrapper(*args: Any, json_: bool, verbose: bool, yes: bool, **kwargs: Any) -> Any:
        # the error handler of the whole command line has the same one: it must know what was printed
        ui = click.get_current_context().find_root().obj or Ui()
        ui.json, ui.yes, ui.verbose = json_, yes, verbose
        return function(ui, *args, **kwargs)

    return wrapper


def device_options(function: Command) -> Command:
    """Add the target and simulator options and those of `output_options`; the command gets `call`."""

    @output_options
    @click.option(
        "-t",
        "--target",
        envvar="SIT_TARGET",
        metavar="URL",
        help="serial:PATH, tcp:HOST:PORT, sim: or sim:micropython.",
    )
    @click.option("--wire-log", type=click.Path(path_type=Path, dir_okay=False), help="Write each frame to this file.")
    @click.option("--seed", type=click.IntRange(0), help="Simulator: seed of noise, skin and delays.")
    @click.option("--hand", metavar="WHO", help="Simulator: who holds it: auto, none or a script file.")
    @click.option("--scenario", type=click.Path(path_type=Path), help="Simulator: scenario file (TOML).")
    @click.option("--state", type=click.Path(path_type=Path, file_okay=False), help="Simulator: folder of its store.")
    @click.option("--realtime", is_flag=True, help="Simulator: pace it to the wall clock.")
    @functools.wraps(function)
    def wrapper(
        ui: Ui,
        *args: Any,
        target: str | None,
        wire_log: Path | None,
        seed: int | None,
        hand: str | None,
        scenario: Path | None,
        state: Path | None,
        realtime: bool,
        **kwargs: Any,
    ) -> Any:
        sim = SimOptions(seed=seed, hand=hand, scenario=scenario, state_dir=state, realtime=realtime or None)
        call = Call(ui, target, sim, wire_log)
        if target and call.simulated and not ui.interactive:
            ui.yes = True  # nobody can answer, and nothing but this process's simulator moves
        return function(call, *args, **kwargs)

    return wrapper
