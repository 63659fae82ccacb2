"""What can go wrong with a simulated target, each with one sentence for the reader."""

from __future__ import annotations


class TargetError(Exception):
    """The target can't be opened or can't go on."""


class FirmwareDied(TargetError):
    """The firmware ended by itself: an exception left its background, or its process died."""


class LinkLost(TargetError):
    """The cable is out, or the device at its other end is without power or restarting."""


class ControlError(TargetError, ValueError):
    """A command of the control port is wrong; nothing was changed."""


class PowerCut(BaseException):
    """Power is gone in the middle of a store operation; never seen outside the lockstep.

    Not an Exception, so that no handler of the firmware takes it for one of its own.
    """
