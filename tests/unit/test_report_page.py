"""The record and its page: what the ledger says, whole, standing alone, and never written over."""

import json
import re

import pytest
from sit_host._gen import enums
from sit_host._gen.enums import Record as Kind
from sit_host._gen.messages import Event, HelloReply, SettingsReadReply
from sit_host.plan_read import parse_plan
from sit_host.records import RecordError, check_writable, json_text, record_folder, write_new
from sit_host.report import render_report
from sit_host.testing import make
from sit_host.treatment.agree import Agreed
from sit_host.treatment.begin import Chosen
from sit_host.treatment.course import read_course
from sit_host.treatment.figures import point_rows, records_of, summary
from sit_host.treatment.record import treatment_record
from sit_host.treatment.run import Result
from sit_host.treatment.truth import ShotTruth, Truth
from test_plan_read import GOOD
from treat_records import TREATMENT, Ledger

PLAN, _ = parse_plan(GOOD.replace('name = "Saline"', 'name = "Saline <script>"'))
FIRST, SECOND, THIRD = (point.id for point in PLAN.points)


def ledger():
    found = Ledger()
    found.shot(FIRST, Kind.DONE, depth_um=1204)
    found.shot(SECOND, Kind.PARTIAL, low_nl=3_000, high_nl=3_400, steps=600)
    found.shot(SECOND, Kind.DONE, attempt=2, asked_nl=6_600, low_nl=6_500, high_nl=6_700, steps=1200, depth_um=1201)
    return found


TRUTH = {
    (FIRST, 1): ShotTruth(1209.0, 1212.0, 10_050.0, 10_060.0, 1800),
    (SECOND, 1): ShotTruth(1203.0, 1203.0, 3_200.0, 3_300.0, 600),
    (SECOND, 2): ShotTruth(1204.0, 1205.0, 6_600.0, 6_610.0, 1200),
}


def record_of(found, truth=None, error=None):
    course = read_course(found.records, TREATMENT)
    return treatment_record(
        plan=PLAN,
        forecast=None,
        chosen=Chosen(1, TREATMENT),
        result=Result("finished", course, tuple(found.records), error),
        hello=make(HelloReply, header=None, board="sim", firmware_version="1.2.3", tick_us=250, major=1),
        settings=make(SettingsReadReply, header=None, max_depth_um=1900),
        target="sim:",
        events=[
            make(Event, seq=1, tick=4000, kind=enums.Event.ALARM, a=2, b=1),
            make(Event, seq=2, tick=8000, kind=enums.Event.ALARM, a=2, b=0),
            make(Event, seq=3, tick=12000, kind=enums.Event.FAULT, a=44, b=1),
        ],
        ledger=records_of(found.records, TREATMENT, 1),
        changes=["syringe"],
        agreed=[Agreed("Point 1 gets more than 50 uL.", "asked", 1_795_000_000)],
        started_unix_s=1_795_000_000,
        ended_unix_s=1_795_000_100,
        truth=truth,
    )


def test_points_tell_asked_reported_and_every_attempt():
    """Records: per point what was asked, the interval over all attempts, and each attempt as the ledger has it."""
    rows = point_rows(PLAN, read_course(ledger().records, TREATMENT))
    assert [row["verdict"] for row in rows] == ["done", "done", "left"]
    assert rows[1]["commanded"] == {"depth_um": 1200, "volume_nl": 10_000}
    assert rows[1]["reported"]["volume_min_nl"] == 9_500
    assert rows[1]["reported"]["volume_max_nl"] == 10_100
    assert rows[1]["reported"]["steps"] == 1800
    assert rows[1]["reported"]["depth_um"] == 1201
    assert [attempt["kind"] for attempt in rows[1]["attempts"]] == ["PARTIAL", "DONE"]
    assert rows[2]["reported"] is None
    assert all("truth" not in row for row in rows)


def test_the_truth_changes_nothing_but_its_own_columns():
    """The report must not depend on the simulator's truth: without it everything else is the same."""
    plain, told = record_of(ledger()), record_of(ledger(), TRUTH)
    for row in told["points"]:
        row.pop("truth")
    told["summary"].pop("truth")
    assert plain == told


def test_the_figures_are_the_largest_errors():
    """Figures: the largest error over the points done, the deepest tip over all, inside and equal only if all are."""
    rows = point_rows(PLAN, read_course(ledger().records, TREATMENT), TRUTH)
    figures = summary(PLAN, read_course(ledger().records, TREATMENT), rows)
    assert figures["verdicts"] == {"done": 2, "left": 1}
    assert figures["truth"]["largest_depth_error_um"] == 9.0
    assert figures["truth"]["largest_volume_error_nl"] == 50.0  # of the one shot that gave all at once
    assert figures["truth"]["largest_volume_error_percent"] == 0.5
    assert figures["truth"]["deepest_tip_um"] == 1212.0
    assert figures["truth"]["smallest_margin_um"] == 788.0
    assert figures["truth"]["steps_equal"] and figures["truth"]["all_inside_intervals"]
    assert figures["plunger_steps"] == figures["truth"]["plunger_steps"] == 3600
    for wrong in (ShotTruth(1209.0, 1212.0, 10_101.0, 0.0, 1800), ShotTruth(1209.0, 1212.0, 10_050.0, 0.0, 1801)):
        rows = point_rows(PLAN, read_course(ledger().records, TREATMENT), {**TRUTH, (FIRST, 1): wrong})
        found = summary(PLAN, read_course(ledger().records, TREATMENT), rows)["truth"]
        assert not (found["steps_equal"] and found["all_inside_intervals"])


def test_the_page_stands_alone_and_says_everything():
    """Report: one page without outside references, with points, plots, lot, versions and alarms; text stays text."""
    page = render_report(record_of(ledger(), TRUTH))
    assert page.count("<svg") == 2
    assert not re.search(r"(src|href)\s*=\s*[\"']?(https?:|//|file:)", page)
    assert "<script" not in page and "Saline &lt;script&gt;" in page
    for words in ("A1", "1.2.3", "not reached", "ESTOP", "PARTIAL_DOSE", "SHA-256", "cheek"):
        assert words in page, words
    assert "Largest depth error" in page
    assert "Largest depth error" not in render_report(record_of(ledger()))


def test_a_page_of_nothing_given():
    """Report: a treatment that was broken off before its first point has a page too."""
    page = render_report(record_of(Ledger()))
    assert "0 of 3 points" in page


def test_the_same_record_gives_the_same_page():
    """Report: no date of drawing, no random name: the same record gives the same bytes."""
    assert render_report(record_of(ledger())) == render_report(record_of(ledger()))


def test_the_record_holds_the_ledgers_bytes():
    """Records: the 64 bytes of each ledger record are in the JSON, so that their chain can be proved later."""
    found = ledger()
    loaded = json.loads(json_text(record_of(found)))
    assert [bytes.fromhex(line["bytes"]) for line in loaded["ledger"]] == [r.pack(check=False) for r in found.records]


def test_folders_and_files_are_never_used_twice(tmp_path):
    """Records: the same second and the same plan make a second folder; a file that exists is never written over."""
    names = {record_folder(tmp_path, 1_795_000_000, "Face: 30 / points", TREATMENT).name for _ in range(3)}
    assert len(names) == 3
    assert all(re.fullmatch(r"[0-9]{8}-[0-9]{6}-face-30-points-[0-9a-f]{6}(-[23])?", name) for name in names), names
    path = write_new(tmp_path / "record.json", "first")
    with pytest.raises(RecordError, match="never written over"):
        write_new(path, "second")
    assert path.read_text() == "first"


def test_a_folder_that_cannot_be_written_is_found_before_anything_moves(tmp_path):
    """Records: where nothing can be kept nothing is begun."""
    check_writable(tmp_path / "new")
    assert not list((tmp_path / "new").iterdir())
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordError, match="can't be kept"):
        check_writable(tmp_path / "file" / "below")


class Control:
    """A transport whose plant has had these shots."""

    def __init__(self):
        self.shots = []

    def add(self, number, tissue_nl):
        values = {
            "depth_um": 1200.0,
            "depth_end_um": 1200.0,
            "tip_peak_um": 1201.0,
            "tissue_nl": tissue_nl,
            "needle_nl": tissue_nl,
            "steps": 9,
        }
        self.shots.append({"shot": {"number": number, **values}})

    def control(self, command):
        assert command == {"do": "truth"}
        return {"shots": list(self.shots)}


def test_the_truth_of_a_shot_goes_to_its_own_intent():
    """Truth: shots come in the order of the INTENTs; one that never passed the plane gave nothing."""
    control = Control()
    control.add(4, 99.0)  # a shot of before this treatment
    truth = Truth(control)
    found = Ledger().shot(1, Kind.DONE).shot(2, Kind.ABORTED).shot(3, Kind.DONE)
    for number, record in zip((5, 5, 5, 5, 6, 6), found.records, strict=True):
        if record.kind != Kind.INTENT:
            control.add(number, 100.0 * record.point)
        truth.on_record(record)
    assert {key: shot.tissue_nl for key, shot in truth.shots.items()} == {(1, 1): 100.0, (2, 1): 0.0, (3, 1): 300.0}
    assert not Truth(object()).available
