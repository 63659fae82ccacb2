"""Transports: bytes to and from one device, chosen by a connection string."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sit_host.errors import UsageError
from sit_host.transport.base import Transport, Wakeable
from sit_host.transport.url import TargetUrl, parse_url

__all__ = ["SIMULATED", "SimOptions", "TargetUrl", "Transport", "Wakeable", "open_transport", "parse_url"]

SIMULATED = ("sim", "emu")
"""Schemes of the targets that run inside this process."""


@dataclass(frozen=True)
class SimOptions:
    """Options of a simulated target; None leaves each to the connection string or its default.

    `seed` picks noise, skin and delays; `hand` is auto, none or a script file; `scenario` a TOML
    file; `state_dir` keeps the device's store between runs; `realtime` paces the simulator to the wall clock.
    """

    seed: int | None = None
    hand: str | None = None
    scenario: Path | None = None
    state_dir: Path | None = None
    realtime: bool | None = None

    def given(self) -> dict[str, object]:
        """Return the options that were given, by name."""
        return {key: value for key, value in vars(self).items() if value is not None}


def open_transport(url: str | TargetUrl, sim: SimOptions | None = None) -> Transport:
    """Open the connection named by `url`.

    Raises UsageError for a string that is no connection string or options that do not fit, PortError when the
    connection cannot be opened. Nothing is sent to the device yet.
    """
    target = parse_url(url) if isinstance(url, str) else url
    options = sim or SimOptions()
    if target.scheme in SIMULATED:
        from sit_host.transport.sim import open_sim

        return open_sim(target, options)
    if options.given():
        named = ", ".join("--" + key.removesuffix("_dir").replace("_", "-") for key in options.given())
        raise UsageError(f"{named} belong to simulated targets, not to {target}.", "Leave them out.")
    if target.scheme == "serial":
        from sit_host.transport.serial import SerialTransport

        return SerialTransport(target)
    from sit_host.transport.tcp import TcpTransport

    return TcpTransport(target)
