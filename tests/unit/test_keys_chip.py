"""What a MAC costs on the RP2040: the device's own code on real MicroPython in the emulator, cycles counted as time."""

from pathlib import Path

import pytest
from sit_sim.emu.chip import Chip, NoFirmware, uf2_path

HMAC = Path(__file__).resolve().parents[2] / "firmware" / "sit_firmware" / "hmac.py"
MEASURE = """
import time
at = pads(bytes(range(32)))
mac = bytes(8)
for n in (10, 232):
    signed = memoryview(bytes(n))
    began = time.ticks_us()
    for _ in range(20):
        same(digest(at, signed)[:8], mac)
    print(time.ticks_diff(time.ticks_us(), began) // 20)
began = time.ticks_us()
pads(digest(pads(bytes(16)), b"OpenSIT session", bytes(24)))
print(time.ticks_diff(time.ticks_us(), began))
"""


def test_a_mac_costs_little_on_the_chip():
    """Start: a MAC on each frame that changes something takes a few ms of the background, far from a lease."""
    try:
        chip = Chip(uf2_path())
    except NoFirmware as reason:
        pytest.skip(str(reason))
    chip.execute(HMAC.read_text().split('"""', 2)[2])
    renew_us, longest_us, session_us = (int(word) for word in chip.execute(MEASURE).split())
    print(f"RP2040, 125 MHz: {renew_us} us for RENEW, {longest_us} us for the longest frame, {session_us} us a session")
    assert longest_us < 10_000
