"""`sit sim`: serves the simulated injector to any client, or runs a command on it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from sit_host.cli.common import output_options
from sit_host.cli.ui import Ui
from sit_host.errors import EXIT_OK, UsageError
from sit_host.transport import SimOptions

_EPILOG = (
    "Examples: `sit sim --link /tmp/sit` in one terminal, `sit info --target serial:/tmp/sit` in another. "
    "`sit sim -- sit info` does both in one line."
)


@click.command(epilog=_EPILOG)
@click.option("--target", "spec", default="sim:micropython", show_default=True, help="sim: or sim:micropython.")
@click.option("--hand", metavar="WHO", default="auto", show_default=True, help="Who holds it: auto, none or a script.")
@click.option("--seed", type=click.IntRange(0), help="Seed of noise, skin and delays.")
@click.option("--scenario", type=click.Path(path_type=Path), help="Scenario file (TOML).")
@click.option("--state", type=click.Path(path_type=Path, file_okay=False), help="Folder that keeps its store.")
@click.option("--speed", type=click.FloatRange(0.01, 1000), default=1.0, show_default=True, help="Times real time.")
@click.option("--pty/--no-pty", default=os.name != "nt", help="Serve a pseudo-terminal (the default).")
@click.option("--link", type=click.Path(path_type=Path), help="Name the pseudo-terminal by a link here.")
@click.option("--tcp", "tcp_port", type=click.IntRange(0, 65535), default=0, help="TCP port, 0 for any.")
@click.option("--control", "control_port", type=click.IntRange(0, 65535), default=0, help="Control port, 0 for any.")
@click.argument("argv", metavar="[-- COMMAND...]", nargs=-1, type=click.UNPROCESSED)
@output_options
def command(
    ui: Ui,
    spec: str,
    hand: str,
    seed: int | None,
    scenario: Path | None,
    state: Path | None,
    speed: float,
    pty: bool,
    link: Path | None,
    tcp_port: int,
    control_port: int,
    argv: tuple[str, ...],
) -> int:
    """Serve the simulated injector on a pseudo-terminal and a TCP port, paced to real time, until Ctrl-C.

    A control port takes JSON lines for its world: truth, faults, power, cable, hand (docs/simulator.md).
    With a COMMAND, run that with SIT_TARGET set to a simulator of its own, and hand back its exit code.
    """
    from sit_host.transport import sim

    options = SimOptions(seed=seed, hand=hand, scenario=scenario, state_dir=state)
    if argv:
        if ui.json:
            raise UsageError("--json belongs to serving, not to running a command.", "Put it behind the command.")
        return sim.run_on_simulator(_same_sit(argv), spec, options, speed)
    how = sim.ServeOptions(pty, link, tcp_port, control_port, speed)
    sim.serve(spec, options, how, lambda ways: _announce(ui, ways))
    return EXIT_OK


def _announce(ui: Ui, ways: dict[str, str]) -> None:
    """Tell the ways in: the two connection strings first, since a script may read them from the top."""
    ui.result(ways)
    for name in ("serial", "tcp"):
        if name in ways:
            ui.say(ways[name])
    ui.say(f"control port {ways['control']} (JSON lines)")
    ui.note("Serving. Ctrl-C ends it.")


def _same_sit(argv: tuple[str, ...]) -> list[str]:
    """Return the command, with `sit` being this very one: it may not stand in the search path."""
    mine = Path(sys.argv[0])
    if argv[0] == "sit" and mine.name == "sit" and mine.is_file():
        return [str(mine.resolve()), *argv[1:]]
    return list(argv)
