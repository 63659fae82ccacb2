"""The ledger on MicroPython for RP2040, in the emulator: what a record costs at boot and when it is written.

About 45 s, so only where SIT_UF2 names a UF2. The store is memory there: the bus of a real FRAM comes on top
(a 64-byte record and its read-back at 20 MHz: 60 us).
"""

import ast
from pathlib import Path

import pytest
from sit_sim.emu.chip import Chip, NoFirmware, uf2_path

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware" / "sit_firmware"
MODULES = (
    "codes",
    "wire",
    "image",
    "store.access",
    "store.layout",
    "store.pair",
    "store.entry",
    "store.progress",
    "store.ring",
    "store.tally",
    "store.window",
    "params_gen",
    "params",
    "interval",
    "ledger",
)
LOADER = """
import sys, gc
class Module: pass
def put(name, text):
    space = {"__name__": name}
    exec(text, space)
    module = Module()
    for key in space:
        if not key.startswith("__"):
            setattr(module, key, space[key])
    sys.modules[name] = module
    above, own = name.rsplit(".", 1)
    setattr(sys.modules[above], own, module)
    gc.collect()
for name in ("sit_firmware", "sit_firmware.store"):
    sys.modules[name] = Module()
sys.modules["sit_firmware"].store = sys.modules["sit_firmware.store"]
"""
MEASURE = """
import time
from sit_firmware import codes, image, params
from sit_firmware.ledger import Ledger
from sit_firmware.store.layout import Layout
class Store:
    size = 1024 + 64 * 64
    def __init__(self):
        self.data = bytearray(b"\\xff" * self.size)
    def readinto(self, addr, buf):
        buf[:] = memoryview(self.data)[addr : addr + len(buf)]
    def write(self, addr, buf):
        self.data[addr : addr + len(buf)] = buf
block = image.new()[3]
params.defaults(block)
store = Store()
ledger = Ledger(store, Layout(store.size), block)
ledger.open(600)
began = time.ticks_us()
for i in range(20):
    seq = ledger.append(codes.RECORD_INTENT, treatment=b"ABCDEFGH", point=i, attempt=1, unix_s=1800000000)
    ledger.append(codes.RECORD_DONE, treatment=b"ABCDEFGH", point=i, attempt=1, unix_s=1800000000, ref=seq)
append_us = time.ticks_diff(time.ticks_us(), began) // 40
ledger = Ledger(store, Layout(store.size), block)
began = time.ticks_us()
ledger.open(600)
print(append_us, time.ticks_diff(time.ticks_us(), began) // 40, ledger.head)
"""


def without_docs(path):
    """A module's source as the chip gets it: no docstrings, imports by their full names."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.Module)) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
        if isinstance(node, ast.ImportFrom) and node.level:
            node.module, node.level = f"sit_firmware.store.{node.module}", 0
    return ast.unparse(tree)


def test_a_record_costs_milliseconds_on_the_chip():
    """A full ring is read at boot within ten seconds, and INTENT delays a shot by some milliseconds."""
    try:
        chip = Chip(uf2_path())
    except NoFirmware as reason:
        pytest.skip(str(reason))
    chip.execute(LOADER)
    for name in MODULES:
        text = without_docs(FIRMWARE / f"{name.replace('.', '/')}.py")
        chip.execute(f"put({'sit_firmware.' + name!r}, {text!r})")
    append_us, boot_us, head = (int(word) for word in chip.execute(MEASURE).split())
    print(f"RP2040, 125 MHz: {append_us} us to write a record, {boot_us} us a record at boot")
    assert head == 41
    assert append_us < 5000
    assert boot_us * 4080 < 10_000_000
