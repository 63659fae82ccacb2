"""One sitting: from the connected device to the record on disk, however it ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sit_host._gen.messages import SettingsReadReply
from sit_host.client import Client
from sit_host.errors import ProtocolError, SitError
from sit_host.plan_check import Checked
from sit_host.plan_forecast import Forecast
from sit_host.plan_limits import Limits
from sit_host.records import json_text, record_folder, write_new
from sit_host.report import render_report
from sit_host.treatment.agree import agree, window_passed
from sit_host.treatment.begin import Chosen, begun_before, choose, known_runs, same_syringe
from sit_host.treatment.device import Watched
from sit_host.treatment.figures import records_of
from sit_host.treatment.journal import Journal, Writer
from sit_host.treatment.record import treatment_record
from sit_host.treatment.run import Result, Treatment
from sit_host.treatment.talk import Talk
from sit_host.treatment.truth import Truth


@dataclass(frozen=True)
class Sitting:
    """All that a sitting needs. `new`: True begins anew, False resumes, None asks.

    `unix_s` is the wall clock. `keeps_ledger` is False for a simulated device that ends with this process: what it
    leaves unfinished can't be taken up by another. `over_soft`: soft limits are agreed to on the command line.
    """

    client: Client
    checked: Checked
    limits: Limits
    settings: SettingsReadReply
    forecast: Forecast | None
    talk: Talk
    records: Path
    new: bool | None
    unix_s: Callable[[], float]
    keeps_ledger: bool = True
    over_soft: bool = False


@dataclass(frozen=True)
class Done:
    """How a sitting ended, and where its record is."""

    result: Result
    record: dict[str, Any]
    json_path: Path
    html_path: Path

    def json(self) -> dict[str, Any]:
        """Return the one JSON object of `sit treat --json`."""
        paths = {"record": str(self.json_path), "report": str(self.html_path)}
        return {**{k: v for k, v in self.record.items() if k != "ledger"}, **paths}


def sit(sitting: Sitting) -> Done:
    """Give the plan and keep the record. Raises SitError only when nothing was begun, or the record can't be kept."""
    client, plan, talk = sitting.client, sitting.checked.plan, sitting.talk
    hello = client.device
    if hello is None:
        raise ProtocolError("The device hasn't said who it is.", "Connect again.")
    started = sitting.unix_s()
    device = Watched(client)
    first_seq = device.sync()
    journal = Journal(sitting.records)
    unfinished, next_run = known_runs(plan, journal.of_plan(plan.sha256), device.records)
    chosen = choose(plan, unfinished, next_run, talk, sitting.new)
    over = [problem.sentence for problem in sitting.checked.problems if problem.soft]
    if chosen.resumed is None:
        over += begun_before(plan, journal.entries(), started)
    time_s = sitting.forecast.time_s if sitting.forecast else 0.0
    over += window_passed(device.records, plan.sum_nl, time_s, sitting.limits.window_s, started)
    agreed = agree(over, talk, sitting.over_soft, started)
    _close_abandoned(journal, chosen, sitting, hello.uid.hex())
    writer = journal.begin(
        plan.sha256,
        plan.head.name,
        chosen.run,
        chosen.treatment,
        round(started),
        hello.uid.hex(),
        sitting.keeps_ledger,
    )
    for item in agreed:
        writer.add({"agreed": item.what, "how": item.how, "unix_s": item.unix_s})
    truth = Truth(client.transport)
    treatment = Treatment(
        device=device,
        checked=sitting.checked,
        limits=sitting.limits,
        talk=talk,
        writer=writer,
        treatment=chosen.treatment,
        truth=truth,
        earlier=chosen.earlier,
        keep_syringe=_keep(chosen, device, talk),
        lease_max_ms=sitting.settings.lease_max_ms,
    )
    result = treatment.run()
    with talk.count_interrupts():  # from here to the end of the record Ctrl-C must not tear anything
        record = treatment_record(
            plan=plan,
            forecast=sitting.forecast,
            chosen=chosen,
            result=result,
            hello=hello,
            settings=sitting.settings,
            target=client.name,
            events=device.told,
            ledger=records_of(result.records, chosen.treatment, first_seq),
            changes=treatment.segments_given,
            agreed=agreed,
            started_unix_s=started,
            ended_unix_s=sitting.unix_s(),
            truth=truth.shots if truth.available else None,
        )
        done = _keep_record(sitting, chosen, writer, result, record)
    if result.bug is not None:
        raise result.bug
    return done


def _close_abandoned(journal: Journal, chosen: Chosen, sitting: Sitting, uid: str) -> None:
    """A run that was offered and declined isn't offered again."""
    old = chosen.abandoned
    if old is not None:
        plan = sitting.checked.plan
        journal.begin(plan.sha256, plan.head.name, old.run, old.treatment, old.started_unix_s, uid).end("abandoned")


def _keep(chosen: Chosen, device: Watched, talk: Talk) -> bool:
    """Whether the syringe of the earlier part goes on being used: only when a person says so."""
    if chosen.resumed is None or not talk.attended or not same_syringe(device.records, chosen.treatment):
        return False
    return talk.confirm("Is the syringe of that treatment still fitted, used on this patient alone? Keep it?")


def _keep_record(sitting: Sitting, chosen: Chosen, writer: Writer, result: Result, record: dict[str, Any]) -> Done:
    folder = record_folder(sitting.records, record["started_unix_s"], sitting.checked.plan.head.name, chosen.treatment)
    json_path = write_new(folder / "record.json", json_text(record))
    html_path = write_new(folder / "report.html", render_report(record))
    try:
        write_new(folder / "plan.toml", Path(sitting.checked.plan.file).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        sitting.talk.say(f"The plan file could not be copied beside the record: {error}.")
    try:
        writer.end(result.ended)
    except SitError as error:
        sitting.talk.say(str(error))
    return Done(result, record, json_path, html_path)
