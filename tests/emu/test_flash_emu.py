"""`sit flash` on the emulated RP2040: the whole firmware onto an empty board, over its USB port, started and looked after.

One board is flashed once; each test goes on with a copy of it.
"""

import contextlib
import json
import shutil

import pytest
from branches import branch
from sit_build import bundle
from sit_firmware.store.layout import CALIBRATION_ADDR, KEYS_ADDR, SETTINGS_ADDR
from sit_host.cli import flash as command
from sit_host.cli import run
from sit_host.errors import EXIT_FAILED, EXIT_OK
from sit_host.flash import flow, health, repl
from sit_host.flash.flow import Flasher, RolledBack
from sit_host.flash.port import SimPort
from sit_host.ledger import read_records
from sit_host.outcome import expect
from sit_host.transport.sim import SimTransport
from sit_sim.targets import open_target
from sit_sim.targets.emu import EmuProcess

BOARD = bundle.BOARDS["rp2040"]
START_S = 30
