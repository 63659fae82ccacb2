"""Connection strings: `sim:`, `sim:micropython`, `emu:`, `serial:/dev/ttyACM0`, `tcp:host:port` and their `?key=value`.

A bare path (`/dev/ttyACM0`) or Windows port name (`COM3`) means `serial:`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from sit_host.errors import UsageError

SCHEMES = ("sim", "emu", "serial", "tcp")
_FORMS = "sim:, sim:micropython, emu:, serial:/dev/ttyACM0, tcp:host:port"


@dataclass(frozen=True)
class TargetUrl:
    """A parsed connection string: `scheme`, `place` (what follows the colon) and `options`."""

    scheme: str
    place: str
    options: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.scheme}:{self.place}"


def parse_url(text: str) -> TargetUrl:
    """Parse a connection string. Raises UsageError with the known forms when it is none."""
    text = text.strip()
    if not text:
        raise UsageError("The target is empty.", f"Use one of: {_FORMS}.")
    if text.startswith("/") or re.fullmatch(r"COM\d+", text, re.IGNORECASE):
        text = "serial:" + text
    scheme, colon, rest = text.partition(":")
    if not colon or scheme not in SCHEMES:
        raise UsageError(f"The target {text!r} isn't a connection string.", f"Use one of: {_FORMS}.")
    place, _, query = rest.partition("?")
    pairs = parse_qsl(query, keep_blank_values=True)
    if query and not pairs:
        raise UsageError(f"The options of the target {text!r} can't be read.", "Write them as ?key=value&key=value.")
    return TargetUrl(scheme, place, dict(pairs))


def take_option(url: TargetUrl, allowed: tuple[str, ...]) -> dict[str, str]:
    """Return the options of `url`. Raises UsageError when one is not in `allowed`."""
    for key in url.options:
        if key not in allowed:
            known = ", ".join(allowed) if allowed else "none"
            raise UsageError(f"The target {url} doesn't know the option {key!r}.", f"Its options are: {known}.")
    return url.options


def int_option(url: TargetUrl, key: str, default: int, low: int, high: int) -> int:
    """Return option `key` as an integer in [low, high]. Raises UsageError when it is none."""
    text = url.options.get(key)
    if text is None:
        return default
    try:
        value = int(text, 10)
    except ValueError:
        value = low - 1
    if not low <= value <= high:
        raise UsageError(f"The option {key}={text} of the target {url} isn't a whole number from {low} to {high}.")
    return value
