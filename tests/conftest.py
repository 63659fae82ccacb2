"""Which targets the tests run on, and what a failed test prints to be run again.

    pytest                              each stack test on sim: and on sim:micropython
    pytest --target sim:                on one target
    pytest --seed 7                     with other noise, skin and delays
    pytest tests/hil --target serial:/dev/ttyACM0 --rig pico-bench --allow-motion     on a bench, docs/bringup.md

A test asks for `open_sim` (opens simulated targets), `device` (an open one; tests/stack/conftest.py) or `target_spec`.
Marks: `targets(spec, ...)` says on which targets alone a test runs, `needs(what, reason)` what its target must offer.
"""

import inspect
import signal
import sys
import tempfile
from pathlib import Path

import hypothesis
import pytest
from sit_sim.targets import SPECS, open_target
from sit_sim.targets.pipe import find_micropython

sys.path.insert(0, str(Path(__file__).parent / "hil"))
import bench_rig

# the same examples in every run; `--hypothesis-seed` is for looking further
hypothesis.settings.register_profile("fixed", derandomize=True, deadline=None)
hypothesis.settings.register_profile("further", deadline=None)

MARKS = (
    "targets(*specs, reason): the test runs on these targets alone",
    "needs(what, reason): the target must offer this: heap, or what a rig has: " + ", ".join(bench_rig.OFFERS),
)
# what a target offers beyond the contract
OFFERS = {
    "sim:": set(bench_rig.OFFERS),
    "sim:micropython": {"heap", *bench_rig.OFFERS},
}
_NO_WORLD = "it looks at the simulated world's truth: tests/hil is what runs on a bench"
_NO_MICROPYTHON = "no MicroPython unix port for this platform beside this Python"
_again = pytest.StashKey[list]()


def pytest_addoption(parser):
    group = parser.getgroup("OpenSIT")
    group.addoption("--target", action="append", metavar="SPEC", help="run the stack tests on this target alone")
    group.addoption("--seed", type=int, default=1, metavar="N", help="seed of noise, skin and delays (default 1)")
    group.addoption("--rig", metavar="NAME", help="the bench of a serial: or tcp: target: a name or file of tests/rigs")
    group.addoption("--allow-motion", action="store_true", help="let tests move the device on that bench")


def pytest_configure(config):
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a run in the background: the tests of Ctrl-C need it
        signal.signal(signal.SIGINT, signal.default_int_handler)
    further = config.getoption("--hypothesis-seed", None) is not None
    hypothesis.settings.load_profile("further" if further else "fixed")
    for mark in MARKS:
        config.addinivalue_line("markers", mark)
    chosen = config.getoption("--target") or ()
    for spec in chosen:
        if spec not in SPECS and not bench_rig.is_bench(spec):
            raise pytest.UsageError(f"--target {spec}: the targets are {', '.join(SPECS)} and serial:PORT of a bench")
    motion, workers = config.getoption("--allow-motion"), config.getoption("numprocesses", None)
    try:
        config.bench_rig = bench_rig.choose(chosen, config.getoption("--rig"), motion, workers)
    except bench_rig.RigError as error:
        raise pytest.UsageError(str(error)) from error
    if config.bench_rig:
        OFFERS[chosen[0]] = config.bench_rig.offers(motion)


def pytest_report_header(config):
    """What a person has to set up on the bench before anything runs."""
    return [f"rig {config.bench_rig.name}: {line}" for line in config.bench_rig.set_up] if config.bench_rig else []


def pytest_generate_tests(metafunc):
    """Each test that uses a target runs once for each one chosen, unless its marks say otherwise."""
    if "target_spec" not in metafunc.fixturenames:
        return
    chosen = metafunc.config.getoption("--target") or list(SPECS)
    fitting = [spec for spec in chosen if _reason(metafunc.definition, spec) is None]
    parameters = [_parameter(metafunc, spec) for spec in fitting or chosen]
    metafunc.parametrize("target_spec", parameters, indirect=True)
    if not any(_reason(metafunc.definition, spec) is None for spec in SPECS):
        raise pytest.UsageError(f"{metafunc.definition.nodeid} can run on no target at all")


def _parameter(metafunc, spec):
    reason = _reason(metafunc.definition, spec)
    if reason is None and spec == "sim:micropython" and find_micropython() is None:
        reason = _NO_MICROPYTHON
    marks = [pytest.mark.skip(reason=reason)] if reason else []
    return pytest.param(spec, marks=marks, id=spec.rstrip(":").replace(":", "-"))


def _reason(definition, spec):
    """Why a test doesn't run on a target by its marks and fixtures; None when it does."""
    if bench_rig.is_bench(spec) and "wired" not in definition.fixturenames:
        return _NO_WORLD
    for mark in definition.iter_markers("targets"):
        if spec not in mark.args:
            return mark.kwargs["reason"]
    for mark in definition.iter_markers("needs"):
        if mark.args[0] not in OFFERS[spec]:
            return mark.kwargs["reason"]
    return None


@pytest.fixture
def target_spec(request):
    """The connection string of the target under test."""
    return request.param


@pytest.fixture
def seed(request):
    """The seed of this run."""
    return request.config.getoption("--seed")


@pytest.fixture
def open_sim(request, target_spec, seed):
    """A function that opens a target with the arguments of `open_target`; all are closed when the test ends."""
    opened = []
    again = request.node.stash.setdefault(_again, [])

    def open_one(spec=target_spec, **arguments):
        arguments.setdefault("seed", seed)
        target = open_target(spec, **arguments)
        opened.append(target)
        again.append(target.repro)
        return target

    yield open_one
    for target in opened:
        target.close()


@pytest.fixture
def runtime_dir():
    """A folder for locks and sockets: short, for a socket's path may have about 100 characters and tmp_path is long."""
    with tempfile.TemporaryDirectory(prefix="sit-") as folder:
        yield Path(folder) / "run"


@pytest.fixture
def note_repro(request):
    """A function that adds a line to what a failed test prints to be run again."""
    return request.node.stash.setdefault(_again, []).append


@pytest.fixture
def figure(record_property):
    """A function that keeps a measured figure for the end of the run: a line, and the depth margin where it is one."""

    def keep(line, margin_um=None):
        record_property("figure", line)
        if margin_um is not None:
            record_property("margin_um", float(margin_um))

    return keep


def pytest_terminal_summary(terminalreporter):
    """Print the figures that the tests measured, and the smallest margin of the true tip to its limit."""
    reports = [r for key in ("passed", "failed") for r in terminalreporter.stats.get(key, ()) if r.when == "call"]
    figures = [value for r in reports for name, value in r.user_properties if name == "figure"]
    margins = [(value, r.nodeid) for r in reports for name, value in r.user_properties if name == "margin_um"]
    if not figures:
        return
    terminalreporter.section("figures measured by the tests")
    for line in sorted(figures):
        terminalreporter.write_line(line)
    if margins:
        least, nodeid = min(margins)
        terminalreporter.write_line(
            f"smallest margin of the true tip to 2000 um, zero's uncertainty taken off: {least:.1f} um, in {nodeid}"
        )


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test says what it proves, and how its targets are run again."""
    report = (yield).get_result()
    if not report.failed:
        return
    proves = inspect.getdoc(getattr(item, "function", None)) or ""
    lines = [proves.splitlines()[0]] if proves else []
    lines += [f"again: pytest '{item.nodeid}' --seed {item.config.getoption('--seed')}"]
    lines += [f"world: {line}" for line in dict.fromkeys(item.stash.get(_again, []))]
    report.sections.append(("to run it again", "\n".join(lines)))
