"""Rigs: each that comes with the project is whole; a wrong one, or one asked for wrongly, is refused in a sentence."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from sit_host._gen.enums import Fault
from sit_host.describe import INPUTS
from sit_host.outcome import Delivered

sys.path.insert(0, str(Path(__file__).parents[1] / "hil"))
import bench_rig
from bench_rig import RigError, choose, load

PORT = "serial:/dev/ttyACM0"
GOOD = (bench_rig.RIGS / "pico-bench.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", bench_rig.known())
def test_each_rig_of_the_project_is_whole(name):
    """Each file of tests/rigs is a rig, called like its file."""
    assert load(name).name == name


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("mechanical_stop = true", "", "bad.toml: mechanical_stop is missing in \\[fitted\\]"),
        (
            "mechanical_stop = true",
            "mechanical_stop = 1",
            "mechanical_stop in \\[fitted\\] is 1: it must be of type bool",
        ),
        ("syringe_id = 1", "syringe_id = true", "syringe_id in \\[fitted\\] is True: it must be of type int"),
        ('aims_at = "phantom"', 'aims_at = "arm"', "aims_at in \\[fitted\\] is 'arm': use nothing, collector, phantom"),
        ("[at_rest]", "[resting]", "the table \\[at_rest\\] is missing"),
        ("[at_rest]", "[notes]\na = 1\n[at_rest]", "\\[notes\\] isn't known"),
        ("needle_id = 1", "needle_id = 1\nneedel_id = 1", "needel_id in \\[fitted\\] isn't known"),
        ('"syringe present"', '"syringe"', "there is no input 'syringe'"),
        ("[11000, 12600]", "[12600, 11000]", "supply_mv must be two numbers"),
        ("[11000, 12600]", "[11000]", "supply_mv must be two numbers"),
        ('uid = ""', 'uid = "E66118C4"', "uid must be 16 hex digits"),
        ("max_depth_um = 1900", "max_depth_um = 2001", "max_depth_um is 2001"),
        ("max_depth_um = 1900", "max_depth_um =", "bad.toml: "),
    ],
)
def test_a_wrong_rig_is_refused(tmp_path, old, new, said):
    """A key that is missing, unknown, of the wrong kind or out of range is named with its file."""
    assert old in GOOD
    path = tmp_path / "bad.toml"
    path.write_text(GOOD.replace(old, new), encoding="utf-8")
    with pytest.raises(RigError, match=said):
        load(str(path))


@pytest.mark.parametrize(
    ("targets", "name", "motion", "workers", "said"),
    [
        ([PORT], None, False, None, "needs --rig"),
        ([PORT], "nowhere", False, None, "there is no rig nowhere: use bare-pico, pico-bench, sim"),
        ([PORT, "sim:"], "pico-bench", False, None, "run it alone"),
        ([PORT], "pico-bench", False, 2, "leave out -n"),
        ([PORT], "bare-pico", True, None, "nothing fitted that could move"),
        (["sim:"], "pico-bench", False, None, "belong to a bench"),
        ([], None, True, None, "belong to a bench"),
    ],
)
def test_a_rig_asked_for_wrongly_is_refused(targets, name, motion, workers, said):
    """A bench has one rig and one process; motion is asked for where something moves."""
    with pytest.raises(RigError, match=said):
        choose(targets, name, motion, workers)


def test_no_motion_without_the_mechanical_stop(tmp_path):
    """A bench whose rig has no 2.0 mm stop may be read, never moved."""
    path = tmp_path / "open.toml"
    path.write_text(GOOD.replace("mechanical_stop = true", "mechanical_stop = false"), encoding="utf-8")
    assert choose([PORT], str(path), False, None).name == "pico-bench"
    with pytest.raises(RigError, match=r"fit the 2\.0 mm stop"):
        choose([PORT], str(path), True, None)


def test_motion_is_offered_only_when_allowed():
    """Tests that move find what they need only on a run with --allow-motion."""
    rig = choose([PORT], "pico-bench", False, None)
    assert "motion" not in rig.offers(False) and "motion" in rig.offers(True)
    assert rig.offers(True) <= set(bench_rig.OFFERS)
    assert choose(["sim:"], None, False, 2) is None


def seen(**changes):
    """A device on which all is as pico-bench says, but for the changes."""
    found = dict(board="rp2040", uid=bytes(8), depth=1900, on=["syringe present"], fault=0, supply=12000) | changes
    bits = sum(1 << INPUTS.index(name) for name in found["on"])
    status = SimpleNamespace(inputs=bits, supply_mv=found["supply"], header=SimpleNamespace(fault=found["fault"]))
    device = SimpleNamespace(board=found["board"], uid=found["uid"], max_depth_um=found["depth"])
    return SimpleNamespace(device=device, status=lambda: Delivered(status))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"board": "esp32"}, "the board is esp32"),
        ({"depth": 1950}, "it takes depths to 1950 um"),
        ({"on": []}, "syringe present is off and should be on"),
        ({"on": ["syringe present", "e-stop"]}, "e-stop is on and should be off"),
        ({"fault": int(Fault.ESTOP)}, "the fault ESTOP is latched"),
        ({"supply": 9500}, "the supply reads 9500 mV"),
    ],
)
def test_wiring_that_is_not_the_rigs_is_named(changes, said):
    """Each thing that isn't as the rig says is one sentence; a device that is gives none."""
    rig = load("pico-bench")
    assert bench_rig.wiring_errors(seen(), rig) == []
    (sentence,) = bench_rig.wiring_errors(seen(**changes), rig)
    assert sentence.startswith(said)
