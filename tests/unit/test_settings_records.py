"""Settings and calibration: factory values, damage, ranges."""

import tomllib
from pathlib import Path

import pytest
from ledger_rig import Device
from sit_firmware import calibration, settings
from sit_firmware.calibration import Calibration
from sit_firmware.settings import Settings
from sit_firmware.store.access import StoreError
from sit_firmware.store.values import DAMAGED, FACTORY, STORED, Values
from store_fakes import MemoryStore, PowerCut

REFERENCE = tomllib.loads((Path(__file__).resolve().parents[2] / "hardware" / "reference.toml").read_text())
SETTINGS_ADDR, CALIBRATION_ADDR = 0x80, 0x100


def column(fields, index):
    """One column of a table of fields, by name."""
    return {field[0]: field[index] for field in fields}


def stored(store):
    """Limits and calibration as a boot finds them."""
    limits, measured = Settings(store), Calibration(store)
    limits.load(1900)
    measured.load()
    return limits, measured


def test_a_new_device_has_the_factory_values():
    """Formatting writes both records; they are whole and say that they are the factory's."""
    store = MemoryStore()
    assert Device(store).ok
    limits, measured = stored(store)
    assert limits.source == measured.source == FACTORY
    assert limits.max_depth_um == 1900, "what the device derives goes before"
    for name, value in column(settings.FIELDS, 1).items():
        assert name == "max_depth_um" or getattr(limits, name) == value
    for name, value in column(calibration.FIELDS, 1).items():
        assert getattr(measured, name) == value


def test_the_factory_limits_are_the_reference_designs():
    """Nothing is typed twice without being held together: [limits] of reference.toml."""
    assert column(settings.FIELDS, 1) == {"max_depth_um": 2000} | REFERENCE["limits"]


def test_the_factory_calibration_is_the_reference_designs():
    """Bore and compliance of the first syringe: C of tube and barrel + area squared over the stopper's stiffness."""
    syringe = REFERENCE["syringe"]["bd_1ml"]
    area_mm2 = 3.14159265 / 4 * syringe["bore_mm"] ** 2
    stopper_nl_per_mpa = area_mm2**2 / syringe["stopper_n_per_mm"] * 1000
    values = column(calibration.FIELDS, 1)
    assert values["syringe_id"] == syringe["id"]
    assert values["bore_um"] == syringe["bore_mm"] * 1000
    assert values["compliance_nl_per_mpa"] == round(syringe["compliance_ul_per_100kpa"] * 10000 + stopper_nl_per_mpa)


def test_a_calibration_of_earlier_firmware_is_taken():
    """Calibration: one from before the bore by force was kept holds on, and says that there is none."""
    store = MemoryStore()
    assert Device(store).ok
    earlier = Values(store, CALIBRATION_ADDR, 0x4143, 1, "<B1xHiII", calibration.FIELDS[:-1])
    earlier.save(STORED, (1, 4711, 5, 7007, 1_800_000_000))
    _, measured = stored(store)
    assert (measured.source, measured.bore_um, measured.area_e4) == (STORED, 4711, 0)


@pytest.mark.parametrize("at", [4, 8, 12, 20, 30, 56])
def test_damaged_settings_allow_nothing(at):
    """Invariant 2: with a damaged record no depth and no volume passes, whatever else fails."""
    store = MemoryStore()
    Device(store)
    store.data[SETTINGS_ADDR + at] ^= 8
    limits, measured = stored(store)
    assert limits.source == DAMAGED and measured.source == FACTORY
    assert limits.max_depth_um == limits.max_shot_nl == limits.max_session_nl == 0
    assert limits.max_window_nl == limits.max_site_nl == 0


def test_damaged_calibration_keeps_sums_sane():
    """A damaged calibration refuses arming by its source; the factory's numbers stand in, so that no sum breaks."""
    store = MemoryStore()
    Device(store)
    store.data[CALIBRATION_ADDR + 9] ^= 8
    device = Device(store)
    assert device.calibration.source == DAMAGED and device.settings.source == FACTORY
    assert device.calibration.bore_um == 4699


def test_changed_values_survive():
    """What an operator stored is in force after a boot and says so."""
    store = MemoryStore()
    Device(store)
    limits, _ = stored(store)
    values = list(column(settings.FIELDS, 1).values())
    values[0], values[2] = 1500, 20000
    limits.save(STORED, values)
    limits, _ = stored(store)
    assert (limits.source, limits.max_depth_um, limits.max_shot_nl) == (STORED, 1500, 20000)


def test_a_torn_change_keeps_the_old_values():
    """Invariant 4: A/B - a change cut anywhere leaves the old limits or the new ones."""
    for kept in range(65):
        store = MemoryStore()
        Device(store)
        limits, _ = stored(store)
        values = list(column(settings.FIELDS, 1).values())
        values[2] = 20000
        store.cut_at, store.kept = store.write_number + 1, kept
        with pytest.raises(PowerCut):
            limits.save(STORED, values)
        store.power_on()
        limits, _ = stored(store)
        assert (limits.source, limits.max_shot_nl) in ((FACTORY, 100000), (STORED, 20000))


def test_a_value_out_of_range_is_not_stored():
    """Each field, one below and one above its range."""
    store = MemoryStore()
    Device(store)
    limits, _ = stored(store)
    good = list(column(settings.FIELDS, 1).values())
    for index, field in enumerate(settings.FIELDS):
        for value in (field[3] - 1, field[4] + 1):
            bad = list(good)
            bad[index] = value
            with pytest.raises(ValueError, match="range"):
                limits.save(STORED, bad)


def test_a_stored_value_out_of_range_is_damage(monkeypatch):
    """Invariant 2: a record with a good CRC and an impossible value, a lease of 9 s, is damage as a whole."""
    store = MemoryStore()
    Device(store)
    limits, _ = stored(store)
    with monkeypatch.context() as careless:
        careless.setattr(limits, "in_range", lambda values: True)
        limits.save(STORED, [*list(column(settings.FIELDS, 1).values())[:7], 9000])
    limits, _ = stored(store)
    assert limits.source == DAMAGED and limits.lease_max_ms == 500 and limits.max_shot_nl == 0


def test_a_store_that_fails_leaves_damaged_values():
    """What can't be read is treated as damaged."""
    store = MemoryStore()
    Device(store)
    limits = Settings(store)
    store.fail = "read"
    with pytest.raises(StoreError):
        limits.load(1900)
    assert limits.source == DAMAGED and limits.max_shot_nl == 0
