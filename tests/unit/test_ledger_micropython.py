"""The records on real MicroPython: power cuts, heap, the recorder's tick under heap_lock, the boot with a full ring."""

import os
import subprocess
from pathlib import Path

import pytest
from sit_sim.targets.pipe import find_micropython

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
MICROPYTHON = find_micropython()


@pytest.fixture(scope="module")
def printed():
    """The script's lines, by their first two words."""
    if MICROPYTHON is None:
        pytest.skip("no MicroPython unix port on this platform")
    env = {**os.environ, "MICROPYPATH": os.pathsep.join([str(ROOT / "firmware"), str(HERE)])}
    run = subprocess.run(
        [str(MICROPYTHON), "-X", "heapsize=8M", str(HERE / "records_on_micropython.py")],
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    lines = [line.split() for line in run.stdout.splitlines()]
    return {" ".join(words[:2]): words[2:] for words in lines}


def test_power_cuts(printed):
    """Invariants 4 and 5 on the language that runs on the device: nothing double, nothing lost."""
    assert int(printed["power cuts"][0]) == 17 * 6


def test_heap_is_the_same_after_1000_records(printed):
    """The background may allocate, it doesn't grow: records, events and the window."""
    assert int(printed["heap grew"][1]) <= 0
    assert int(printed["points took"][0]) == 0


def test_the_recorder_allocates_nothing(printed):
    """Invariant 8: the recorder's part of the tick runs with the heap locked, ring going round included."""
    assert printed["tick images"] == ["768", "lost", "233"]


def test_a_full_ring_boots_within_a_second(printed):
    """4080 records are read, proved and summed up at boot in less than a second on the PC."""
    words = printed["full ring"]
    figures = dict(zip(words[1::2], words[2::2], strict=False))
    print(f"boot with {words[0]} records: {int(figures['boot_us']) / 1000:.0f} ms")
    assert int(words[0]) > 4060
    assert int(figures["boot_us"]) < 1_000_000
    assert printed["chain faults"] == ["[]"]
