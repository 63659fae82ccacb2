"""Fixtures of the tests on the emulated RP2040; without a UF2 all of them skip with that reason.

The emulated chip is slow: a second of it takes half a minute. One board is shared where a test doesn't break it.
"""

import os
import sys
from pathlib import Path

import pytest
from sit_sim.emu.chip import NoFirmware, uf2_path
from sit_sim.targets import TargetError, open_target
from sit_sim.targets.emu import EmuProcess

sys.path.insert(0, str(Path(__file__).parents[1] / "stack"))


def pytest_collection_modifyitems(items):
    """Skip, with the reason, where no MicroPython for the chip is given."""
    try:
        uf2_path()
    except NoFirmware as reason:
        for item in items:
            if Path(__file__).parent in item.path.parents:
                item.add_marker(pytest.mark.skip(reason=str(reason)))


@pytest.fixture(scope="session")
def formatted(tmp_path_factory):
    """The content of a store that a device has formatted."""
    folder = tmp_path_factory.mktemp("formatted")
    with open_target("sim:", hand="none", state_dir=folder) as target:
        target.control({"do": "run", "ms": 50})
    return (folder / "store.bin").read_bytes()


@pytest.fixture(scope="session")
def open_board(formatted):
    """A function that opens a board with nobody holding it; `main` replaces its main.py. All are closed at the end."""
    opened = []

    def open_one(main=None):
        instead = {"main.py": main} if main else None

        def process(fram):
            fram.data[:] = formatted
            return EmuProcess(os.environ["SIT_UF2"], instead=instead)

        try:
            target = open_target("emu:", hand="none", process=process)
        except TargetError as error:
            if "mpy-cross" in str(error) or "micropython" in str(error):
                pytest.skip(str(error))
            raise
        opened.append(target)
        return target

    yield open_one
    for target in opened:
        target.close()
