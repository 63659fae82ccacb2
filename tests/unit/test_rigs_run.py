"""A run of the bench tests on a device that isn't what the rig says: it ends before anything is asked to move."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from sit_host._gen import messages
from sit_host._gen.enums import Refusal
from sit_host.testing import ScriptedDevice, served

ROOT = Path(__file__).resolve().parents[2]
ASKING = (messages.Selftest, messages.Zero, messages.Prime, messages.Arm, messages.LoadBegin, messages.ClearFault)


def run(target, *options):
    """Run the bench tests in a process of its own; exit code and output."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "tests/hil"]
    env = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    done = subprocess.run(
        [*command, "--target", target, *options], cwd=ROOT, env=env, capture_output=True, text=True, timeout=60
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("chosen", [(), ("-k", "selftest")], ids=["all", "motion_alone"])
def test_a_run_ends_at_the_wrong_wiring(chosen):
    """Invariant 2: with the wrong board on the port nothing is asked to move, whichever tests were chosen."""
    device = ScriptedDevice()
    for kind in ASKING:
        device.answer(kind, Refusal.NOT_READY)
    with served(device) as target:
        code, said = run(target, "--rig", "pico-bench", "--allow-motion", *chosen)
    assert code == 1 and "the wiring isn't that of pico-bench" in said and "the rig pico-bench has rp2040" in said
    assert device.seen
    assert [kind.NAME for kind in ASKING if device.sent(kind)] == []


def test_a_bench_without_a_rig_is_refused():
    """A bench that nobody has described is not touched: the run ends with a sentence before the port is opened."""
    code, said = run("serial:/dev/nowhere")
    assert code == 4 and "needs --rig" in said
