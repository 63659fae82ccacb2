"""`sit log`: records as people read them, a copy that is never written over, and the flight recorder's bytes."""

import struct
from dataclasses import replace

import pytest
from sit_firmware import image
from sit_firmware.recorder import HEADER_BYTES, LAYOUT, Recorder, keep, new_log
from sit_host._gen import enums
from sit_host._gen.enums import Record as Kind
from sit_host.errors import ProtocolError, UsageError
from sit_host.ledger import entry_of
from sit_host.log_list import COLUMNS, entry_json, entry_row, save
from sit_host.log_plot import phases, plot_shot
from sit_host.log_recording import parse_recording
from sit_host.records import RecordError
from treat_records import Ledger

TICK_US = 250
SHOT = (enums.Phase.APPROACH, enums.Phase.INSERT, enums.Phase.DISPENSE, enums.Phase.RETRACT)


def recording():
    """What the firmware's own recorder makes of a short shot."""
    state, inputs, outputs, _ = image.new()
    recorder = Recorder(TICK_US, new_log())
    recorder.begin(7)
    for tick in range(400):
        inputs[image.IN_TICK] = 1000 + tick
        inputs[image.IN_STEPS] = 50 + tick
        state[image.ST_PHASE] = SHOT[tick // 100]
        state[image.ST_DEPTH_UM] = tick * 4
        keep(state, inputs, outputs, recorder.log)
    recorder.freeze(8)
    data = bytearray(recorder.size)
    recorder.read(0, data)
    return bytes(data)


def test_the_firmwares_recording_is_read():
    """Flight recorder: the host reads what the firmware wrote, by the slots' names, with the right times."""
    columns = parse_recording(recording())
    assert len(columns.values) == len(LAYOUT)
    assert columns.time_ms[0] == 0
    assert columns.time_ms == sorted(columns.time_ms)
    assert columns.time_ms[-1] <= 400 * TICK_US / 1000
    at = columns.values["IN_TICK"].index(1100)
    assert columns.values["ST_DEPTH_UM"][at] == 400
    assert columns.values["IN_STEPS"][at] == 150
    assert [name for _, _, name in phases(columns)] == [phase.name for phase in SHOT]


def test_time_passes_the_wrap_of_the_tick_number():
    """Flight recorder: the tick number wraps at 2^30 in the middle of a shot; time goes on."""
    data = bytearray(recording())
    stride = 4 * len(LAYOUT)
    for number, tick in enumerate((2**30 - 2, 2**30 - 1, 0, 1)):
        struct.pack_into("<i", data, HEADER_BYTES + number * stride, tick)
    assert parse_recording(bytes(data)).time_ms[:4] == [0, 0.25, 0.5, 0.75]


@pytest.mark.parametrize("cut", [0, 5, HEADER_BYTES - 1, HEADER_BYTES + 20])
def test_a_recording_cut_short_is_refused(cut):
    """Flight recorder: bytes that are no recording are one sentence."""
    with pytest.raises(ProtocolError, match="can't be read"):
        parse_recording(recording()[:cut])


def test_another_form_is_refused():
    """Flight recorder: a version that is new to this host is one sentence."""
    for at, value in ((0, ord("X")), (4, 9)):
        data = bytearray(recording())
        data[at] = value
        with pytest.raises(ProtocolError, match="its form is"):
            parse_recording(bytes(data))


@pytest.mark.parametrize("ending", [".svg", ".png"])
def test_a_shot_is_drawn(tmp_path, ending):
    """`sit log plot`: depth, pressure, plunger and flow over the phases, as SVG or PNG."""
    path = tmp_path / f"shot{ending}"
    plot_shot(parse_recording(recording()), "Record 8", path)
    data = path.read_bytes()
    assert data.startswith(b"<svg" if ending == ".svg" else b"\x89PNG")
    if ending == ".svg":
        assert all(phase.name.lower().encode() in data for phase in SHOT)


def test_another_ending_is_refused(tmp_path):
    """`sit log plot`: a name that says no form is a usage error."""
    with pytest.raises(UsageError, match="no ending"):
        plot_shot(parse_recording(recording()), "Record 8", tmp_path / "shot.doc")


def entries():
    ledger = Ledger().shot(1, Kind.DONE).shot(2, Kind.PARTIAL, low_nl=3_000, high_nl=3_400)
    ledger.add(Kind.CHANGE, attempt=enums.Change.SYRINGE, site=1, treatment=bytes(8))
    ledger.add(Kind.FAULT, cause=enums.Fault.ESTOP, treatment=bytes(8))
    return [entry_of(record.pack(check=False)) for record in ledger.records]


def test_records_are_told_in_words():
    """`sit log list`: each record is one line that says what happened."""
    rows = [" ".join(str(cell) for cell in entry_row(entry)) for entry in entries()]
    assert len(entry_row(entries()[0])) == len(COLUMNS)
    # made by hand, these records have no CRC: that shows first
    assert all("DAMAGED" in row for row in rows)
    rows = [entry_row(replace(entry, whole=True)) for entry in entries()]
    told = " | ".join(str(row[-1]) for row in rows)
    for words in ("10 uL at 1.5 mm asked", "9.90 to 10.10 uL into tissue", "Contact lost", "syringe changed", "e-stop"):
        assert words in told, told
    assert entry_json(entries()[0])["kind"] == "INTENT"


def test_a_copy_is_whole_and_never_written_over(tmp_path):
    """`sit log list --save`: the raw records, to be found again; another content under the same name is refused."""
    path = save(entries(), tmp_path / "ledger", "ab12")
    assert path.read_bytes() == b"".join(entry.raw for entry in entries())
    assert save(entries(), tmp_path / "ledger", "ab12") == path
    path.write_bytes(b"else")
    with pytest.raises(RecordError, match="never written over"):
        save(entries(), tmp_path / "ledger", "ab12")
