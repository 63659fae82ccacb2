"""Fixtures of the bench tests: a client on whatever the target is, once the wiring is proved."""

import inspect
import sys
from pathlib import Path

import pytest
from sit_host.connect import open_client
from sit_host.errors import LinkLost
from sit_host.outcome import expect
from sit_host.transport import SimOptions

sys.path.insert(0, str(Path(__file__).parents[1] / "stack"))
import bench_rig
import hands

_proved = pytest.StashKey[bool]()


def pytest_collection_modifyitems(items):
    """On a bench the wiring is proved before anything else: its tests come first."""
    items.sort(key=lambda item: item.path.name != "test_wiring.py")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A lost link to a bench ends the run: nobody knows what is there, and no further test may move it."""
    yield
    spec = getattr(item, "callspec", None)
    target = spec.params.get("target_spec", "") if spec else ""
    if bench_rig.is_bench(target) and call.excinfo is not None and call.excinfo.errisinstance(LinkLost):
        item.session.shouldstop = f"the link to {target} was lost: look at the device before the next run"


@pytest.fixture
def rig(request):
    """The bench's description; that of the simulated bench on simulated targets."""
    return request.config.bench_rig or bench_rig.load(bench_rig.SIMULATED)


@pytest.fixture
def wired(target_spec, seed, note_repro):
    """A client on the device, its wiring not proved yet. On a bench nothing is armed when the test ends."""
    bench = bench_rig.is_bench(target_spec)
    client = open_client(target_spec, sim=None if bench else SimOptions(seed=seed))
    if not bench:
        note_repro(client.transport.repro)
    try:
        yield client
        if bench:
            expect(client.disarm())
    finally:
        client.close()


@pytest.fixture
def bench(request, wired, rig):
    """A client on a device whose wiring is the rig's. On a bench the run ends when it isn't: nothing may move then."""
    stash = request.session.stash
    if request.config.bench_rig and not stash.get(_proved, False):
        wrong = bench_rig.wiring_errors(wired, rig)
        if wrong:
            pytest.exit(f"the wiring isn't that of {rig.name}: {'; '.join(wrong)}", returncode=1)
        stash[_proved] = True
    return wired


@pytest.fixture
def ask(request, wired):
    """A function that has somebody act on the device: the simulated hand, or on a bench a person who reads it."""
    control = getattr(wired.transport, "control", None)
    if control is not None:
        return hands.simulated(control)
    reporter = request.config.pluginmanager.getplugin("terminalreporter")
    proves = (inspect.getdoc(request.function) or "").splitlines()[0]
    return hands.person(reporter, proves)
