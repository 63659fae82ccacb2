"""Opens a device: the port's lock, the transport, the session, and the relay for other processes."""

from __future__ import annotations

from pathlib import Path

from sit_host._gen import enums
from sit_host.client import Client
from sit_host.errors import PortBusy
from sit_host.relay import start_relay
from sit_host.share import PortLock, owner_of
from sit_host.transport import SIMULATED, SimOptions, TargetUrl, Transport, open_transport, parse_url
from sit_host.wirelog import WireLog


def open_client(
    url: str | TargetUrl,
    *,
    sim: SimOptions | None = None,
    wire_log: Path | None = None,
    acting: bool = True,
    shared: bool = False,
    hello: bool = True,
) -> Client:
    """Return a connected client; close it, or use it in a `with`.

    `acting`: also set the device's clock if needed, and refuse at once when host and device have different protocols.
    `shared`: when another process of this computer owns the port, reach the device through it; reads, STOP and
    DISARM only. `hello` off opens no session: enough for STOP and DISARM.
    Raises UsageError, PortError, PortBusy, LinkLost, NoAnswer, ProtocolError, RefusedError.
    """
    target = parse_url(url) if isinstance(url, str) else url
    lock, transport = _open(target, sim, shared)
    client = Client(transport)
    if lock is not None:
        client.on_close(lock.release)
    try:
        if wire_log is not None:
            log = WireLog(wire_log)
            client.exchange.tap = log
            client.on_close(log.close)
        if lock is not None:
            client.on_close(start_relay(client, lock))
        if hello:
            client.hello()
            if acting and not client.schema_matches:
                raise client.refuse_here("this command", enums.Refusal.SCHEMA).error()
            if client.schema_matches:
                client.start_events()
            if acting:
                client.set_clock_if_needed()
    except BaseException:
        client.close()
        raise
    return client


def _open(target: TargetUrl, sim: SimOptions | None, shared: bool) -> tuple[PortLock | None, Transport]:
    if target.scheme in SIMULATED:
        return None, open_transport(target, sim)  # it lives in this process alone
    name = str(target)
    try:
        lock = PortLock(name)
    except PortBusy:
        owner = owner_of(name)
        if not shared or owner is None or not owner.socket_path:
            raise
        from sit_host.transport.local import LocalTransport

        return None, LocalTransport(name, owner)
    try:
        return lock, open_transport(target, sim)
    except BaseException:
        lock.release()
        raise
