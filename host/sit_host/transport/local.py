"""The way to a device that another process of this computer owns: that process relays frames (see `relay`)."""

from __future__ import annotations

import socket

from sit_host.share import Owner, connect_owner
from sit_host.transport.tcp import StreamTransport


class LocalTransport(StreamTransport):
    """A local socket to the owner of a port."""

    def __init__(self, port_name: str, owner: Owner) -> None:
        """Connect. Raises PortBusy when the owner can't be reached."""
        self._port_name = port_name
        super().__init__(f"{port_name} (through process {owner.pid}: {owner.command})")

    def _connect(self, timeout_s: float) -> socket.socket:
        return connect_owner(self._port_name, timeout_s)
