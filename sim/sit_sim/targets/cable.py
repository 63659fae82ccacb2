"""The cable: two lanes that carry bytes while it is plugged in and the device behind it has power."""

from __future__ import annotations

from .link import Lane, LinkFault

MOST_UNREAD = 4096
"""Bytes waiting for a host that doesn't read, beyond which the device can send no more."""


class Cable:
    """Both lanes and whether anything passes. Each loss of the connection counts up `losses`."""

    def __init__(self, seed: int) -> None:
        self.to_device = Lane(seed, "to_device")
        self.to_host = Lane(seed, "to_host")
        self.losses = 0
        self.up = False
        self._plugged = True
        self.powered = False

    def plug(self, plugged: bool) -> None:
        """Pull the cable or put it back."""
        self._plugged = plugged
        self._settle()

    def power(self, powered: bool) -> None:
        """The device at the end starts or loses power."""
        self.powered = powered
        self._settle()

    def set_faults(self, faults: list[LinkFault]) -> None:
        """Replace the damage done to frames."""
        self.to_device.set_faults(faults)
        self.to_host.set_faults(faults)

    def blocked(self) -> bool:
        """True when the device can send nothing: no host, or one that doesn't read."""
        return not self.up or self.to_host.waiting > MOST_UNREAD

    def _settle(self) -> None:
        up = self._plugged and self.powered
        if self.up and not up:
            self.losses += 1
            self.to_device.clear()
            self.to_host.clear()
        self.up = up
