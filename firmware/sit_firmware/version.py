"""The firmware's version and what it asks of the interpreter it runs on."""

VERSION = "0.1.0"

_HARD_TIMERS = (1, 26)  # the first MicroPython whose RP2040 timers can run in the hard interrupt


def board_ok(platform, version):
    """True when ticks are on time there: sys.platform and sys.implementation.version. A board that fails never arms."""
    return platform != "rp2" or tuple(version[:2]) >= _HARD_TIMERS
