"""A recording fake of `machine`, `rp2`, `esp32`, `micropython` and `uctypes`: pins, converter, chain, FRAM, counters.

    with chip_of("rp2040") as chip:
        board = chip.make_board()

The board modules are imported anew inside, and gone afterwards. `chip.events` lists what reached the pins, in order:
("bridge", 1), ("duty", 2048), ("steps", -3) ... What the world does goes into `chip.levels`, `chip.analog`,
`chip.frame_in`, `chip.move_needle`.
"""

import builtins
import importlib
import sys
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
import pinmap
from fake_rp2040 import Registers

PLATFORM = {"rp2040": ("rp2", "rpi_pico"), "esp32": ("esp32", "esp32")}
FRAM_ID = b"\x04\x7f\x48\x03"


class FakePin:
    """machine.Pin: reads the world's level, records what is driven."""

    IN, OUT, ALT, PULL_UP, PULL_DOWN, ALT_SPI = 0, 1, 3, 1, 2, 1
    chip = None

    def __init__(self, number, mode=-1, pull=-1, *, value=None, alt=-1):
        self.number = number
        if mode == FakePin.OUT:
            FakePin.chip.outputs.add(number)
        if value is not None:
            FakePin.chip.drive(number, value)

    def __call__(self, level=None):
        if level is None:
            return FakePin.chip.levels.get(self.number, 0)
        FakePin.chip.drive(self.number, level)
        return None

    value = __call__


class FakePwm:
    """machine.PWM; the duty is told in 1/4096."""

    def __init__(self, pin, *, freq, duty_u16):
        self.pin = pin
        self.duty_u16(duty_u16)

    def duty_u16(self, duty):
        FakePin.chip.events.append(("duty", duty * 4096 // 65536))


class FakeAdc:
    """machine.ADC."""

    ATTN_11DB = 3

    def __init__(self, pin, atten=None):
        self.pin = pin.number

    def read_u16(self):
        return FakePin.chip.convert(self.pin) << 4


class FakeSpi:
    """machine.SPI: the FRAM, or on the ESP32 the panel chain."""

    def __init__(self, bus, **_):
        self.bus = bus

    def write(self, data):
        FakePin.chip.fram.write(data)

    def readinto(self, buf):
        FakePin.chip.fram.readinto(buf)

    def write_readinto(self, out, buf):
        word = FakePin.chip.exchange(out[0] << 8 | out[1])
        buf[0], buf[1] = word >> 8, word & 0xFF


class FakeFram:
    """The MB85RS2MT behind its chip select."""

    def __init__(self):
        self.memory = bytearray(262144)
        self.fitted = True
        self.enabled = False
        self.opcode = None
        self.at = 0
        self.head = b""

    def select(self, level):
        if level:
            if self.opcode == 0x02:
                self.enabled = False
        else:
            self.opcode, self.head = None, b""

    def write(self, data):
        for byte in bytes(data):
            if self.opcode is None:
                self.opcode = byte
                self.enabled = self.enabled or byte == 0x06
            elif len(self.head) < 3:
                self.head += bytes([byte])
                self.at = int.from_bytes(self.head, "big")
            elif self.opcode == 0x02 and self.enabled:
                self.memory[self.at] = byte
                self.at += 1

    def readinto(self, buf):
        answers = {0x05: bytes([2 if self.enabled else 0]), 0x9F: FRAM_ID}
        data = answers.get(self.opcode) or self.memory[self.at : self.at + len(buf)]
        buf[:] = data[: len(buf)] if self.fitted else b"\xff" * len(buf)


class FakeRmt:
    """esp32.RMT: counts the pulses of a chunk."""

    def __init__(self, channel, *, pin, clock_div, idle_level):
        pass

    def wait_done(self, timeout=0):
        return not FakePin.chip.steps_busy

    def write_pulses(self, durations, level):
        assert level == 1 and len(durations) % 2 == 0 and sum(durations) <= 250, "a chunk must end within its tick"
        way = FakePin.chip.level_of("dir")
        FakePin.chip.step(len(durations) // 2 if way else -(len(durations) // 2))


class FakePcnt:
    """esp32.PCNT with its 16 bits: back to 0 at either limit."""

    INCREMENT, DECREMENT, REVERSE, IGNORE = 1, 2, 1, 0

    def __init__(self, unit, *, min, max):
        self.range = max
        self.count = 0
        FakePin.chip.counters[unit] = self

    def init(self, **_):
        pass

    def start(self):
        pass

    def value(self):
        return self.count

    def add(self, n):
        for _ in range(abs(n)):
            self.count += 1 if n > 0 else -1
            if abs(self.count) == self.range:
                self.count = 0


class FakeTimer:
    """machine.Timer: keeps its callback."""

    PERIODIC = 1

    def __init__(self, *args, **how):
        FakePin.chip.timer = how
        FakePin.chip.events.append(("timer", 1))

    def deinit(self):
        FakePin.chip.events.append(("timer", 0))


class FakeDog:
    """machine.WDT."""

    def __init__(self, timeout):
        FakePin.chip.events.append(("watchdog", timeout))

    def feed(self):
        FakePin.chip.events.append(("fed", 1))


class FakeStream:
    """A standard stream of the chip, itself its own buffer: `data` waits to be read or was written."""

    def __init__(self):
        self.data = bytearray()
        self.room = 0
        self.buffer = self

    def readinto(self, buf):
        assert self.data, "the firmware would block here"
        buf[:] = self.data[: len(buf)]
        del self.data[: len(buf)]
        return len(buf)

    def write(self, data):
        assert len(data) <= self.room, "the firmware would block here"
        self.room -= len(data)
        self.data += data


class FakePoll:
    """select.poll of one such stream."""

    def register(self, stream, flag):
        self.ready = {1: lambda: stream.data, 4: lambda: stream.room}[flag]

    def poll(self, timeout):
        assert timeout == 0
        return [1] if self.ready() else []


class Chip:
    """What the fakes share: one chip and its world."""

    def __init__(self, kind):
        self.kind = kind
        self.map = pinmap.load(PLATFORM[kind][1])
        self.names = {s.pin: s.name for s in self.map.signals}
        # the world at rest: what pulls and closed contacts give
        self.levels = {s.pin: int(s.active == "low") for s in self.map.signals if s.direction == "in"}
        chain = self.map.chain["input"]
        self.frame_in = sum(1 << e["bit"] for e in chain.values() if e["active"] == "low") | 1 << chain["high"]["bit"]
        self.analog = {"load": 1000, "pressure": 600, "contact": 400, "supply": 2900}
        self.outputs, self.events, self.counters = set(), [], {}
        self.fram = FakeFram()
        self.chain_out = 0
        self.chain_dead = False
        self.steps_busy = False
        self.us = 0
        self.timer = None
        self.registers = Registers(self)
        self.board = None
        self.needle_um = 0
        self.stdin, self.stdout = FakeStream(), FakeStream()

    # --- pins --------------------------------------------------------------------------------------

    def level_of(self, name):
        """The level on a signal's pin."""
        return self.levels.get(self.map.where(name).pin, 0)

    def drive(self, number, level):
        """The firmware drives a pin."""
        name = self.names[number]
        if name == "fram_cs":
            self.fram.select(level)
        if self.levels.get(number) != level or name in ("bridge", "switch", "token"):
            self.events.append((name, level))
        self.levels[number] = level

    def press(self, name, on=1):
        """A signal's sensor says `on`, on its pin or in the chain."""
        chain = self.map.chain["input"]
        if name in chain:
            level = on ^ (chain[name]["active"] == "low")
            self.frame_in = self.frame_in & ~(1 << chain[name]["bit"]) | level << chain[name]["bit"]
        else:
            self.levels[self.map.where(name).pin] = on ^ (self.map.where(name).active == "low")

    def convert(self, pin):
        """A conversion of the analog pin."""
        name = self.names[pin]
        if name == "shared":
            select = self.chain_out >> self.map.chain["output"]["adc_select"]["bit"] & 1
            name = "supply" if select else "contact"
        return self.analog[name]

    def exchange(self, word):
        """A frame of the panel chain: the outputs change at its end."""
        chain = self.map.chain
        echo = self.chain_out >> chain["output"]["echo"]["bit"] & 1
        self.chain_out = word
        return 0xFFFF if self.chain_dead else self.frame_in | echo << chain["input"]["echo"]["bit"]

    # --- motion ------------------------------------------------------------------------------------

    def step(self, n):
        """The hardware emits steps."""
        self.events.append(("steps", n))
        if self.kind == "rp2040":
            self.board._capture.steps[0] += n
        else:
            self.counters[2].add(n)

    def move_needle(self, um, comb=False):
        """The needle moves by `um`, passing a comb edge at the end of it."""
        self.needle_um += um
        if self.kind == "rp2040":
            self.board._capture.needle[0] += um
            if comb:
                self.registers.capture(self.board._capture)
        else:
            self.counters[0].add(um)
            if comb:
                self.counters[1].add(1)

    def tick(self, inputs, outputs, us=250):
        """One tick of the board."""
        self.us += us
        self.board.read(inputs)
        self.board.write(outputs)

    def make_board(self):
        """The board module's own make_board."""
        module = importlib.import_module(f"sit_firmware.boards.{self.kind}")
        streams = sys.stdin, sys.stdout
        sys.stdin, sys.stdout = self.stdin, self.stdout
        try:
            self.board = module.make_board()
        finally:
            sys.stdin, sys.stdout = streams
        return self.board


def _module(name, **names):
    module = ModuleType(name)
    module.__dict__.update(names)
    return module


def _modules(chip):
    registers = chip.registers
    machine = _module(
        "machine",
        Pin=FakePin,
        PWM=FakePwm,
        ADC=FakeAdc,
        SPI=FakeSpi,
        WDT=FakeDog,
        Timer=FakeTimer,
        mem32=registers,
        unique_id=lambda: bytes(range(8 if chip.kind == "rp2040" else 6)),
    )
    time = _module("time", ticks_us=lambda: chip.us & 0x3FFFFFFF, ticks_diff=lambda a, b: a - b)
    return {
        "machine": machine,
        "micropython": _module(
            "micropython", viper=lambda f: f, const=lambda x: x, kbd_intr=lambda c: chip.events.append(("ctrl-c", c))
        ),
        "rp2": _module("rp2", **registers.rp2()),
        "esp32": _module("esp32", RMT=FakeRmt, PCNT=FakePcnt),
        "uctypes": _module("uctypes", addressof=registers.addressof),
        "select": _module("select", poll=FakePoll, POLLIN=1, POLLOUT=4),
        **({"time": time} if chip.kind == "esp32" else {}),
    }


@contextmanager
def chip_of(kind):
    """A fresh chip whose modules stand in sys.modules while the block runs."""
    chip = Chip(kind)
    FakePin.chip = chip
    kept, platform = dict(sys.modules), sys.platform
    for name in [n for n in sys.modules if n.startswith("sit_firmware.boards")]:
        del sys.modules[name]
    fakes = _modules(chip)
    sys.modules.update(fakes)
    builtins.ptr32 = chip.registers.ptr32
    sys.platform = PLATFORM[kind][0]
    try:
        yield chip
    finally:
        sys.platform = platform
        del builtins.ptr32
        # what was imported meanwhile and isn't of the chip stays: numba's modules can't be imported twice
        for name in set(sys.modules) - set(kept):
            if name in fakes or name.startswith("sit_firmware."):
                del sys.modules[name]
        sys.modules.update(kept)
