"""Runs treatments in tests: a plan of few points, an operator who answers by script, and what the ledger then holds."""

from collections import Counter
from contextlib import nullcontext
from datetime import date
from pathlib import Path

from sit_host._gen import enums
from sit_host._gen.enums import Record as Kind
from sit_host.ledger import read_records
from sit_host.outcome import expect
from sit_host.plan_forecast import forecast
from sit_host.plan_limits import device_limits, reference_equipment
from sit_host.plan_load import load_plan
from sit_host.treatment.course import ENDS
from sit_host.treatment.sitting import Sitting, sit

SCENARIOS = Path(__file__).parents[2] / "sim" / "scenarios"
TODAY = date(2026, 11, 22)
UNIX_S = 1_795_000_000.0
PLAN = """name = "Test"
area = "face"
syringe = "bd_1ml"
needle = "30G4"
{head}
[product]
name = "Saline"
lot = "A1"
expiry = 2031-03-31
viscosity_mpa_s = 1.0
[totals]
points = {points}
total_ul = {total_ul}
[[site]]
name = "cheek"
"""
POINT = """[[point]]
site = "cheek"
depth_mm = {depth_mm}
volume_ul = {volume_ul}
"""


class Operator:
    """A `Talk` that answers: `answers` holds (words of a question, answer); a question without one is yes.

    `attended` False is `--yes`: nobody there. `interrupts` is how often Ctrl-C was pressed so far; `on_tally` is called
    with each progress.
    """

    def __init__(self, *, attended=False, answers=(), on_tally=lambda talk, tally: None):
        self.attended = attended
        self.answers = list(answers)
        self.on_tally = on_tally
        self.interrupts = 0
        self.said = []
        self.asked = []

    def count_interrupts(self):
        return nullcontext()

    def say(self, text):
        self.said.append(text)

    def pause(self, text):
        self.said.append(text)

    def confirm(self, question):
        self.asked.append(question)
        return next((answer for words, answer in self.answers if words in question), True)

    def progress(self, tally):
        self.on_tally(self, tally)


def write_plan(folder, points, *, head="", name="plan.toml", run=""):
    """A plan of these (depth_mm, volume_ul), given in order, ids from 1; `run` is the text of its [run]."""
    total_ul = sum(volume_ul for _, volume_ul in points)
    text = PLAN.format(points=len(points), total_ul=float(total_ul), head=head)
    text += f"[run]\n{run}\n" if run else ""
    text += "".join(POINT.format(depth_mm=float(d), volume_ul=float(v)) for d, v in points)
    path = folder / name
    path.write_text(text)
    return path


def treat(client, plan, records, operator=None, *, new=None, keeps_ledger=True, over_soft=False):
    """Give a plan as `sit treat` does, and return its `Done`."""
    settings = expect(client.settings_read())
    limits = device_limits(settings, client.name)
    checked = load_plan(plan, limits, reference_equipment(), TODAY)
    return sit(
        Sitting(
            client=client,
            checked=checked,
            limits=limits,
            settings=settings,
            forecast=forecast(checked),
            talk=operator or Operator(),
            records=records,
            new=new,
            unix_s=lambda: UNIX_S,
            keeps_ledger=keeps_ledger,
            over_soft=over_soft,
        )
    )


def ledger(client):
    """All records of the device's ledger."""
    return [entry.record for entry in read_records(client)]


def starts(client):
    """How often each (point, attempt) was begun, by the ledger."""
    return Counter((record.point, record.attempt) for record in ledger(client) if record.kind == Kind.INTENT)


def done_points(client):
    """How often each point is DONE in the ledger."""
    return Counter(record.point for record in ledger(client) if record.kind == Kind.DONE)


def each_once(client, points):
    """Every point has one DONE record, no attempt was begun twice, and every shot has an end."""
    records = ledger(client)
    ends = [record for record in records if record.kind in ENDS]
    return (
        done_points(client) == Counter(range(1, points + 1))
        and max(starts(client).values()) == 1
        and len(ends) == sum(starts(client).values())
    )


def device_state(client):
    """The state that the device reports."""
    return enums.State(expect(client.status()).header.state).name
