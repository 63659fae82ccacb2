"""A Pico with MicroPython in the emulator: run it for emulated time, talk to its raw REPL, count its cycles."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sit_sim.emu import shims

_STEP_S = 0.001
_OVER_NS = 1_000  # longer than any instruction
_RAM_START = 0x20000000
_WATCHDOG_CTRL = 0


class NoFirmware(Exception):
    """No MicroPython UF2 was given, or the file isn't there; the message says what to do."""


def uf2_path() -> Path:
    """Return the UF2 named by SIT_UF2; raise NoFirmware with the reason when there is none."""
    name = os.environ.get("SIT_UF2", "")
    if not name:
        raise NoFirmware("no MicroPython for RP2040: set SIT_UF2 to the path of a RPI_PICO UF2, 1.26 or newer")
    if not Path(name).is_file():
        raise NoFirmware(f"SIT_UF2 names {name}, which isn't a file")
    return Path(name)


class Runner:
    """Runs the emulator for spans of emulated time that add up."""

    def __init__(self, simulator: Any) -> None:
        self._simulator = simulator
        self._stop_alarm = simulator.clock.create_alarm(self._stop)
        self._end_ns = 0.0

    def _stop(self) -> None:
        self._simulator.stopped = True

    def run_for(self, seconds: float) -> None:
        """Run until the end of this span. The instruction under way is finished, and the next span begins at the end of
        this one all the same: a plant's ticks would fall behind the chip's by 4 ns each otherwise.
        """
        simulator, now_ns = self._simulator, self._simulator.clock.nanos
        if not 0 <= now_ns - self._end_ns < _OVER_NS:  # the first span, or the last one was cut short
            self._end_ns = now_ns
        self._end_ns += seconds * 1e9
        simulator.stopped = False
        self._stop_alarm.schedule(self._end_ns - now_ns)
        while not simulator.stopped:
            simulator._execute_batch()
        simulator.stopped = False


class Chip:
    """An emulated Pico, booted from a UF2. All times are emulated seconds; nothing here reads the wall clock."""

    def __init__(self, uf2: Path, file_system: Callable[[int, int], bytes] | None = None, start: bool = True) -> None:
        """Load a UF2 and the image that `file_system(block_bytes, blocks)` makes; with `start` run until USB is up.

        RuntimeError when USB doesn't come up.
        """
        shims.apply()
        from rp2040py.boards import BOARDS, resolve_firmware
        from rp2040py.device import MicroPythonDevice
        from rp2040py.memory_map import FLASH_START_ADDRESS

        self.device = MicroPythonDevice(
            board=resolve_firmware(BOARDS["pico"], "micropython", str(uf2)), filesystem=None
        )
        self.simulator = self.device.simulator
        self.mcu = self.device.mcu
        self.clock = self.simulator.clock
        if file_system is not None:
            layout = self.device.board.layout
            assert layout is not None
            image = file_system(layout.fs_blocksize, layout.fs_blockcount)
            self.mcu.flash[layout.fs_start : layout.fs_start + len(image)] = image
        self.received = bytearray()
        self._to_send = bytearray()
        self.connected = False
        """USB is up: the host has configured the device."""
        self.device.cdc.on_serial_data = self.received.extend
        self.device.cdc.on_device_connected = self._on_connected
        self.mcu.core.pc = FLASH_START_ADDRESS
        self.simulator.stopped = False
        self._pump_alarm = self.clock.create_alarm(self._pump)
        self._runner = Runner(self.simulator)
        if start and not self.run_until(lambda: self.connected, 20.0):
            raise RuntimeError(f"{uf2.name} didn't bring up its USB port within 20 emulated seconds")

    def _on_connected(self) -> None:
        self.connected = True

    def power_cycle(self) -> None:
        """Power was away: RAM and registers are lost, flash stays; the chip starts again when it next runs."""
        from rp2040py.device import ResetCause

        self.mcu.sram[:] = bytes(len(self.mcu.sram))
        self._forget_host()
        self.device.hard_reset(cause=ResetCause.POWER_ON)
        self._stop_watchdog()

    def on_watchdog(self, call: Callable[[], None]) -> None:
        """Have `call` called when the watchdog, or the firmware by it, resets the chip."""
        reset = self.mcu.watchdog.on_watchdog_trigger

        def triggered() -> None:
            self._forget_host()
            reset()
            self._stop_watchdog()
            call()

        self.mcu.watchdog.on_watchdog_trigger = triggered

    def _stop_watchdog(self) -> None:
        """A reset stops the chip's watchdog, as its boot ROM relies on; the emulator's would go on through it."""
        self.mcu.watchdog.write_uint32(_WATCHDOG_CTRL, 0)

    def _forget_host(self) -> None:
        self.connected = False
        self.received.clear()
        self._to_send.clear()

    @property
    def now_s(self) -> float:
        """Emulated time since power-up, s."""
        return self.clock.nanos * 1e-9

    @property
    def cycles(self) -> int:
        """CPU cycles since power-up."""
        return self.mcu.core.cycles

    def run_for(self, seconds: float) -> None:
        """Run exactly that much emulated time, as Runner.run_for."""
        self._runner.run_for(seconds)

    def run_until(self, condition: Callable[[], bool], limit_s: float) -> bool:
        """Run until the condition holds, looked at each emulated millisecond; False when limit_s passed first."""
        end = self.now_s + limit_s
        while not condition():
            if self.now_s > end:
                return False
            self.run_for(_STEP_S)
        return True

    def write(self, data: bytes) -> None:
        """Queue bytes for the chip's USB serial port."""
        self._to_send += data
        self._pump()

    def _pump(self) -> None:
        fifo = self.device.cdc.tx_fifo
        free = fifo.size - fifo.item_count
        chunk = self._to_send[:free]
        del self._to_send[:free]
        for byte in chunk:
            self.device.cdc.send_serial_byte(byte)
        if self._to_send:
            self._pump_alarm.schedule(200_000)

    def poke(self, address: int, data: bytes) -> None:
        """Write bytes into the chip's RAM from outside, in no time: test data needn't go through the USB port."""
        start = address - _RAM_START
        self.mcu.sram[start : start + len(data)] = data

    def execute(self, code: str, limit_s: float = 60.0) -> str:
        """Run code in the raw REPL and return what it printed; RuntimeError with the chip's words when it raised."""
        self.received.clear()
        self.write(b"\r\x03\x03\x01")
        if not self.run_until(lambda: self.received.endswith(b"raw REPL; CTRL-B to exit\r\n>"), 5.0):
            raise RuntimeError(f"no raw REPL: {bytes(self.received[-80:])!r}")
        self.received.clear()
        self.write(code.encode() + b"\x04")
        if not self.run_until(lambda: self.received.count(b"\x04") >= 2, limit_s):
            raise RuntimeError(
                f"the chip didn't finish within {limit_s} emulated seconds: {bytes(self.received[-200:])!r}"
            )
        output, error = bytes(self.received)[2:].split(b"\x04")[:2]
        if error:
            raise RuntimeError(error.decode(errors="replace"))
        return output.decode()
