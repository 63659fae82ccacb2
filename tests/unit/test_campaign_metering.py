"""The bare loop's measures of the dose: repeatable, in their limits, and better than what a pump does."""

import sys
from pathlib import Path

import pytest
from sit_sim.campaign.metering import Setup, percentiles, unit_error
from sit_sim.campaign.pumps import Pump

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
import campaign_bare

SALINE = Setup("30G saline")
UNITS = (1, 5, 12, 18, 25)
# DESIGN's figures, of the size of ISO 8655-2 type A: systematic and random, percent
LIMITS = {1000: (5.0, 5.0), 2000: (4.0, 2.0), 5000: (2.5, 1.5), 10000: (1.2, 0.8)}


@pytest.mark.parametrize("volume_nl", LIMITS)
def test_the_dose_keeps_its_limits_on_drawn_units(volume_nl, figure):
    """Metering: each unit's systematic and random error within the limits, bore and compliance known, 30G saline."""
    found = [unit_error(SALINE, seed, volume_nl, 8) for seed in UNITS]
    figure(f"{volume_nl} nl: p50/p90 systematic, random % {[round(v, 2) for v in percentiles(found, volume_nl)]}")
    for one in found:
        assert abs(one.systematic_nl) <= LIMITS[volume_nl][0] / 100 * volume_nl
        assert one.random_nl <= LIMITS[volume_nl][1] / 100 * volume_nl
        assert one.n >= 6


@pytest.mark.parametrize("dwell_ms", [0, 30])
def test_a_pump_is_off_by_more_than_five_times_as_much(dwell_ms):
    """Metering: the same plant, syringe and seeds: a constant rate, with or without a dwell, against ours at 1 uL."""
    for seed in (1, 12):
        ours = unit_error(SALINE, seed, 1000, 5)
        pump = unit_error(SALINE, seed, 1000, 5, Pump("rate", dwell_ms))
        assert pump.n == 5
        assert abs(pump.systematic_nl) > 5 * abs(ours.systematic_nl)


def test_the_seed_decides_alone():
    """Campaign: a unit's result is the same in any order, and so with any number of workers."""
    once = [unit_error(SALINE, seed, 2000, 3) for seed in (1, 2, 3)]
    again = [unit_error(SALINE, seed, 2000, 3) for seed in (3, 2, 1)]
    assert once == again[::-1]


def test_compiled_and_plain_firmware_are_equal(capsys):
    """Campaign: the compiled loop is the firmware: all four arrays, tick for tick, over some injections."""
    assert campaign_bare.main(["equal", "--shots", "3"]) == 0
    assert "equal in all four arrays" in capsys.readouterr().out


def test_doses_are_kept_and_go_on(tmp_path, capsys):
    """Campaign: what a folder holds isn't run again, and more units are added to it."""
    for units in ("3", "6"):
        arguments = ["doses", "--units", units, "--shots", "3", "--folder", str(tmp_path), "--workers", "1"]
        assert campaign_bare.main(arguments) == 0
    told = capsys.readouterr()
    assert "2 of 2 parts" in told.err and "1000 nl, 6 units" in told.out
    assert campaign_bare.main(arguments) == 0
    assert "parts" not in capsys.readouterr().err
