"""Firmware inside this process, under CPython: fast to start, open to a debugger and to coverage."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from typing import Any

from sit_firmware.boards.sim import Exchange, SimBoard

from .errors import FirmwareDied, PowerCut
from .fram import Fram


class DirectExchange(Exchange):
    """An exchange whose other side shares its arrays."""

    def __init__(self, fram: Fram) -> None:
        super().__init__()
        self._fram = fram
        self.idle_until = 0
        self.phase = 0

    def begin(self) -> None:
        """The arrays are filled already."""
        self.fed = 0

    def end(self, idle_until: int, phase: int, state: array[int]) -> None:
        """Keep what the lockstep looks at."""
        self.idle_until = idle_until
        self.phase = phase

    def store_readinto(self, addr: int, buf: bytearray) -> None:
        """Read the FRAM."""
        self._fram.readinto(addr, buf)

    def store_write(self, addr: int, buf: bytes) -> None:
        """Write the FRAM."""
        self._fram.write(addr, buf)


def firmware_app(board: SimBoard) -> Any:
    """The firmware's own App on `board`."""
    from sit_firmware.app import App  # not needed by a target that runs another App

    return App(board)


class InProcess:
    """Runs the firmware's App; `boot` drops the old one and starts anew with empty memory."""

    kind = "sim:"

    def __init__(self, fram: Fram, app_factory: Callable[[Any], Any] | None = None) -> None:
        self._fram = fram
        self._factory = app_factory
        self._exchange: DirectExchange | None = None
        self._board: SimBoard | None = None
        self.app: Any = None
        self.phase = 0
        self.idle_until = 0
        self.fed = False
        self.rx_room = 0
        self.state: array[int] | None = None
        self.want_state = True
        """It costs nothing here: `state` is the firmware's own."""

    def boot(self) -> None:
        """Start the firmware; FirmwareDied when it raises, PowerCut when power goes meanwhile."""
        factory: Callable[[Any], Any] = self._factory or firmware_app
        self._exchange = DirectExchange(self._fram)
        self._board = SimBoard(self._exchange)
        try:
            self.app = factory(self._board)
        except Exception as exc:
            raise FirmwareDied(f"The firmware raised {type(exc).__name__} while starting: {exc}.") from exc
        self.state = self.app.state
        self.rx_room = self._exchange.rx_room()

    def cycle(
        self, inputs: array[int], outputs: array[int], poll: bool, fail_read: bool, blocked: bool, rx: bytes
    ) -> bytes:
        """One tick and, if `poll`, one poll; fills `outputs`, returns the bytes sent."""
        ex, board = self._exchange, self._board
        assert ex is not None and board is not None
        ex.inputs[:] = inputs
        ex.poll = poll
        ex.fail_read = fail_read
        ex.tx_blocked = blocked
        if rx:
            ex.put_rx(rx)
        try:
            board.cycle(self.app)
        except PowerCut:
            raise
        except Exception as exc:
            raise FirmwareDied(f"The firmware raised {type(exc).__name__} in its background: {exc}.") from exc
        finally:
            outputs[:] = ex.outputs
        self.phase = ex.phase
        self.idle_until = ex.idle_until
        self.fed = bool(ex.fed)
        self.rx_room = ex.rx_room()
        if ex.tx_len:
            sent = bytes(ex.tx[: ex.tx_len])
            ex.tx_len = 0
            return sent
        return b""

    def heap_free(self) -> int | None:
        """Free bytes of the firmware's heap: not known under CPython."""
        return None

    def kill(self) -> None:
        """Power is gone: memory is lost."""
        self.app = None
        self.state = None
        self._exchange = self._board = None

    def close(self) -> None:
        """Let go of the firmware."""
        self.kill()
