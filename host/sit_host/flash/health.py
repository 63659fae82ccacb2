"""A running firmware: which one it is, what it keeps, and whether it is well enough to be confirmed."""

from __future__ import annotations

from dataclasses import dataclass

from sit_host._gen import enums
from sit_host._gen.messages import Selftest, StatusReply
from sit_host.client import Client
from sit_host.describe import status_info
from sit_host.errors import LinkLost, NoAnswer, PortError, ProtocolError, SitError
from sit_host.flash.port import Port
from sit_host.outcome import Refused, expect

_SELFTEST_S = 60.0
# what must not get worse by an update: these say whether the store is read and understood
_KEPT = enums.Ready.SETTINGS | enums.Ready.LEDGER | enums.Ready.KNOWN
# faults of the firmware itself; the others can be the hardware's
_OWN_FAULTS = (
    enums.Fault.TICK_LATE,
    enums.Fault.TICK_EXCEPTION,
    enums.Fault.BACKGROUND,
    enums.Fault.PARAMS,
    enums.Fault.STORE,
    enums.Fault.REGISTER,
)


class Unhealthy(SitError):
    """The new firmware isn't well."""


@dataclass(frozen=True)
class Kept:
    """What a firmware says of itself and of its store; what must be there again after an update."""

    version: str
    uid: bytes
    boot_count: int
    ready: int
    ledger_head: int
    schema_matches: bool


def connect(port: Port, timeout_s: float) -> Client:
    """A session with the firmware that comes up on a port within `timeout_s`; raises the last error of trying."""
    end_s = port.now() + timeout_s
    while True:
        try:
            return port.client()
        except (NoAnswer, LinkLost, PortError, ProtocolError):
            # the board is starting: its port may be gone, or still show the prompt
            if port.now() >= end_s:
                raise
            port.pause()


def kept(client: Client) -> Kept:
    """What the firmware says."""
    device = client.device
    assert device is not None  # open_client has said HELLO
    status = expect(client.status()) if client.schema_matches else None
    return Kept(
        device.firmware_version,
        device.uid,
        device.boot_count,
        status.header.ready if status else 0,
        status.ledger_head if status else 0,
        client.schema_matches,
    )


def check(client: Client, version: str, before: Kept | None, *, selftest: bool) -> None:
    """Raise Unhealthy unless this is the firmware that was written, its store is as it was, and it passes its tests."""
    now = kept(client)
    if now.version != version:
        raise Unhealthy(f"Firmware {now.version} answers, {version} was written.", "The board fell back by itself.")
    if not now.schema_matches:
        raise Unhealthy("The new firmware has another protocol than this host.", "Build both from the same source.")
    status: StatusReply = expect(client.status())
    fault = status.header.fault
    if fault in _OWN_FAULTS or (fault and selftest):
        info = status_info(fault)
        raise Unhealthy(f"The new firmware has latched {info.name}: {info.doc}", info.hint)
    if before is not None and before.schema_matches:
        _same_store(before, now)
    if selftest:
        _selftest(client)


def _same_store(before: Kept, now: Kept) -> None:
    lost = enums.Ready(before.ready & ~now.ready & _KEPT)
    if now.uid != before.uid:
        raise Unhealthy("Another board answers than before the update.", "Connect one board only.")
    if lost:
        raise Unhealthy(f"The new firmware doesn't find what the old one kept: {lost.name}.")
    if now.boot_count <= before.boot_count or now.ledger_head < before.ledger_head:
        raise Unhealthy(
            f"The ledger had {before.ledger_head} records after {before.boot_count} starts,"
            f" now {now.ledger_head} after {now.boot_count}."
        )


def _selftest(client: Client) -> None:
    client.start_events()
    outcome = client.run(Selftest(), _SELFTEST_S)
    if isinstance(outcome, Refused):
        raise Unhealthy(
            f"The self-test can't run: {outcome.doc}",
            f"{outcome.error().do} On a board with no injector around it use --no-selftest.",
        )
    end = expect(outcome)
    if not end.done:
        info = status_info(end.result)
        raise Unhealthy(f"The self-test failed in step {end.cause}: {info.doc}", info.hint)
