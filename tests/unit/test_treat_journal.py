"""The journal and the choice of a run: a second start finds what was given, whatever was torn, lost or declined."""

import pytest
from sit_host._gen.enums import Record as Kind
from sit_host.plan_read import parse_plan
from sit_host.treatment.begin import choose, known_runs, same_syringe
from sit_host.treatment.identity import treatment_id
from sit_host.treatment.journal import Journal, JournalError
from test_plan_read import GOOD
from treat_records import Ledger, Person

PLAN, _ = parse_plan(GOOD)
IDS = [point.id for point in PLAN.points]
SHA = PLAN.sha256


def ledger_of(run, *ends):
    ledger = Ledger(treatment=treatment_id(SHA, run))
    for point, end in zip(IDS, ends, strict=False):
        ledger.shot(point, end)
    return ledger


def begun(tmp_path, run=1, lasting=True):
    return Journal(tmp_path).begin(SHA, "Test", run, treatment_id(SHA, run), 1000, "uid", lasting)


def runs(tmp_path, records=()):
    return known_runs(PLAN, Journal(tmp_path).of_plan(SHA), records)


def test_names_differ_by_plan_and_run_and_stay_the_same():
    """Invariant 5: a resumed treatment has the same name on the wire, a new run and another plan have others."""
    names = {treatment_id(sha, run) for sha in (SHA, "other") for run in (1, 2, 3)}
    assert len(names) == 6
    assert treatment_id(SHA, 1) == treatment_id(SHA, 1)
    assert all(len(name) == 8 and any(name) for name in names)


def test_nothing_known_is_the_first_run(tmp_path):
    """A plan that was never given begins with run 1."""
    assert runs(tmp_path) == (None, 1)


def test_a_broken_off_run_is_found_in_the_journal(tmp_path):
    """Invariant 5: what the journal holds is found without the device's ledger."""
    writer = begun(tmp_path)
    for record in ledger_of(1, Kind.DONE).records:
        writer.record(record)
    found, next_run = runs(tmp_path)
    assert (found.run, next_run) == (1, 2)
    assert found.course.at(IDS[0]).done


def test_a_broken_off_run_is_found_in_the_ledger_alone(tmp_path):
    """Invariant 5: a lost journal is made up for by the device's ledger."""
    found, next_run = runs(tmp_path, ledger_of(3, Kind.DONE).records)
    assert (found.run, next_run) == (3, 4)


@pytest.mark.parametrize("how", ["finished", "abandoned"])
def test_a_closed_run_is_not_offered(tmp_path, how):
    """A run that was finished or declined isn't offered again, and its name isn't used again."""
    writer = begun(tmp_path)
    writer.record(ledger_of(1, Kind.DONE).records[0])
    writer.end(how)
    assert runs(tmp_path, ledger_of(1, Kind.DONE).records) == (None, 2)


def test_a_stopped_run_is_offered(tmp_path):
    """A run that ended by Ctrl-C is offered again."""
    begun(tmp_path).end("stopped")
    assert runs(tmp_path, ledger_of(1, Kind.DONE).records)[0].run == 1


def test_a_whole_run_is_not_offered(tmp_path):
    """With every point DONE there is nothing to take up, even if the host died before it could say so."""
    begun(tmp_path)
    assert runs(tmp_path, ledger_of(1, *[Kind.DONE] * len(IDS)).records) == (None, 2)


def test_a_simulated_device_that_is_gone_is_not_taken_up(tmp_path):
    """A simulated device forgets its ledger with its process: its runs aren't offered."""
    writer = begun(tmp_path, lasting=False)
    writer.record(ledger_of(1, Kind.DONE).records[0])
    assert runs(tmp_path) == (None, 2)


def test_a_torn_line_is_dropped_and_the_next_one_kept(tmp_path):
    """A power cut on the host tears the last line; what comes after is still read."""
    writer = begun(tmp_path)
    first, second = ledger_of(1, Kind.DONE).records
    writer.record(first)
    with open(writer.path, "a") as file:
        file.write('{"record":"00')
    writer = begun(tmp_path)
    writer.record(second)
    [entry] = Journal(tmp_path).of_plan(SHA)
    assert entry.records == [first, second]


def test_a_journal_that_cannot_be_written_is_refused(tmp_path):
    """Nothing may be given that wouldn't be remembered."""
    (tmp_path / "journal").write_text("in the way")
    with pytest.raises(JournalError, match="can't be written"):
        begun(tmp_path)


def test_resuming_is_the_default_and_can_be_declined(tmp_path):
    """Unasked it gives less, never more: an unfinished treatment is taken up unless a person says otherwise."""
    found, next_run = runs(tmp_path, ledger_of(1, Kind.DONE).records)
    assert choose(PLAN, found, next_run, Person(), None).resumed is found
    declined = choose(PLAN, found, next_run, Person(answer=False), None)
    assert declined.run == 2 and declined.abandoned is found and not declined.earlier
    assert choose(PLAN, found, next_run, Person(), True).run == 2
    assert choose(PLAN, found, next_run, Person(answer=False), False).run == 1


def test_a_syringe_is_the_same_only_when_nothing_came_between():
    """A syringe goes on being used only if no change and no other treatment came after this one's last shot."""
    mine = treatment_id(SHA, 1)
    ledger = ledger_of(1, Kind.DONE)
    assert same_syringe(ledger.records, mine)
    ledger.add(Kind.CHANGE, treatment=bytes(8))
    assert not same_syringe(ledger.records, mine)
    other = ledger_of(1, Kind.DONE).shot(1, Kind.DONE)
    other.records += ledger_of(2, Kind.DONE).records
    assert not same_syringe(other.records, mine)
    assert not same_syringe([], mine)
