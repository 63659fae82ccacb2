"""`sim:`, `sim:micropython` and `emu:` - the simulated injector inside this process, in target time.

The only module of the host that imports the simulator; it is imported when such a target is opened.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sit_sim import targets
from sit_sim.clock import TICK_US
from sit_sim.targets import errors as sim_errors

from sit_host.errors import LinkLost, PortError, SitError, UsageError
from sit_host.transport import SIMULATED, SimOptions
from sit_host.transport.url import TargetUrl, int_option, parse_url, take_option

_OPTIONS = ("seed", "hand", "scenario", "state", "realtime")
_PLACES = ("", "micropython")
_FIRMWARE_BUG = "This is a bug of the firmware; please report it."
_SEED_MAX = (1 << 31) - 1
# a wait ends on a whole tick; this much later, so that its deadline has passed whatever the rounding
_PAST_S = 0.51 * TICK_US * 1e-6


class SimTransport:
    """The simulated injector. Its clock is target time: it stands still while nobody waits."""

    def __init__(self, target: targets.SimTarget, name: str) -> None:
        """Talk to an open target; closing the transport closes it. `open_sim` opens one by its connection string."""
        self.target = target
        self.name = name

    @property
    def repro(self) -> str:
        """One line that runs the same again."""
        return str(self.target.repro)

    def now(self) -> float:
        return float(self.target.now())

    def send(self, data: bytes) -> None:
        with _link_errors(self.name):
            self.target.send(data)

    def wait(self, deadline_s: float) -> bytes:
        with _link_errors(self.name):
            return bytes(self.target.wait(deadline_s + _PAST_S if deadline_s > self.target.now() else deadline_s))

    def reopen(self, deadline_s: float) -> None:
        with _link_errors(self.name):
            self.target.reopen(deadline_s)

    def control(self, command: Mapping[str, Any]) -> dict[str, Any]:
        """Carry out a command of the control port: truth, fault, power, cable, hand, run ... Raises UsageError."""
        try:
            return dict(self.target.control(command))
        except sim_errors.ControlError as error:
            raise UsageError(_sentence(error)) from error

    def truth(self) -> dict[str, Any]:
        """Return what is really there."""
        return dict(self.target.truth())

    def close(self) -> None:
        self.target.close()


def open_sim(url: TargetUrl, options: SimOptions) -> SimTransport:
    """Open a simulated target. Raises UsageError for options that are none, PortError when it can't be opened."""
    if url.scheme not in SIMULATED or (url.scheme == "sim" and url.place not in _PLACES):
        raise UsageError(f"There is no simulated target {url}.", "Use sim:, sim:micropython or emu:PATH.")
    name = str(url)
    seed, arguments = _arguments(url, options)
    try:
        return SimTransport(targets.open_target(name, seed=seed, **arguments), name)
    except (sim_errors.TargetError, OSError, ValueError) as error:
        raise PortError(f"{name} can't be opened: {_sentence(error)}") from error


def open_empty_board(url: TargetUrl) -> SimTransport:
    """Open an emulated board that has MicroPython and nothing else, nobody holding it. Raises as `open_sim` does."""
    take_option(url, ())
    try:
        return SimTransport(targets.open_target(str(url), hand="none", empty=True), str(url))
    except (sim_errors.TargetError, OSError, ValueError) as error:
        raise PortError(f"{url} can't be opened: {_sentence(error)}") from error


def _arguments(url: TargetUrl, options: SimOptions) -> tuple[int, dict[str, Any]]:
    """Return the seed and the other arguments: an option given apart goes before one in the connection string."""
    given = take_option(url, _OPTIONS)
    seed = options.seed if options.seed is not None else int_option(url, "seed", 1, 0, _SEED_MAX)
    scenario = options.scenario or (Path(given["scenario"]) if "scenario" in given else None)
    state_dir = options.state_dir or (Path(given["state"]) if "state" in given else None)
    realtime = options.realtime if options.realtime is not None else bool(int_option(url, "realtime", 0, 0, 1))
    hand = options.hand or given.get("hand", "auto")
    if scenario is not None and not scenario.is_file():
        raise UsageError(f"There is no scenario file {scenario}.", "sim/scenarios/ holds some.")
    if hand not in ("auto", "none") and not Path(hand).is_file():
        raise UsageError(f"There is no hand file {hand}.", "Use auto, none or a script file.")
    return seed, {"hand": hand, "scenario": scenario, "state_dir": state_dir, "realtime": realtime}


@dataclass(frozen=True)
class ServeOptions:
    """How `sit sim` serves: pseudo-terminal and its link, TCP and control port (0: any), `speed` times real time."""

    pty: bool = True
    link: Path | None = None
    tcp_port: int = 0
    control_port: int = 0
    speed: float = 1.0


def serve(spec: str, options: SimOptions, how: ServeOptions, announce: Callable[[dict[str, str]], None]) -> None:
    """Serve the simulator until Ctrl-C; `announce` gets the ways in by name when clients may come.

    Raises UsageError and PortError as opening a target does.
    """
    from sit_sim import server

    def tell(served: server.Server) -> None:
        ways = {"tcp": "tcp:{}:{}".format(*served.tcp_address or ())}
        if served.pty_path is not None:
            ways["serial"] = f"serial:{served.pty_path}"
        ways["control"] = "{}:{}".format(*served.control_address or ())
        announce(ways)

    transport = open_sim(parse_url(spec), options)
    try:
        transport.control({"do": "run", "ms": 1.0})  # what is compiled at first use is compiled before clients wait
        server.serve(
            transport.target,
            pty=how.pty,
            link=how.link,
            tcp_port=how.tcp_port,
            control_port=how.control_port,
            speed=how.speed,
            announce=tell,
        )
    except sim_errors.FirmwareDied as error:
        raise SitError(_sentence(error), _FIRMWARE_BUG) from error
    except (sim_errors.TargetError, OSError) as error:
        raise PortError(f"The simulator can't be served: {_sentence(error)}", "Choose other ports.") from error
    finally:
        transport.close()


def run_on_simulator(argv: list[str], spec: str, options: SimOptions, speed: float) -> int:
    """Run a command against a simulator of its own, with SIT_TARGET set; return its exit code."""
    from sit_sim.run_command import run_command

    seed, arguments = _arguments(parse_url(spec), options)
    arguments.pop("realtime")
    try:
        return run_command(argv, spec=spec, seed=seed, speed=speed, **arguments)
    except (sim_errors.TargetError, OSError) as error:
        raise PortError(f"The simulator can't be started: {_sentence(error)}") from error


@contextlib.contextmanager
def _link_errors(name: str) -> Iterator[None]:
    try:
        yield
    except sim_errors.LinkLost as error:
        raise LinkLost(f"The connection to {name} was lost: {_sentence(error)}", "Connect again.") from error
    except sim_errors.FirmwareDied as error:
        raise SitError(_sentence(error), _FIRMWARE_BUG) from error


def _sentence(error: Exception) -> str:
    text = str(error) or type(error).__name__
    return text if text.endswith((".", "!", "?")) else f"{text}."
