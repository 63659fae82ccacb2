"""The record of a treatment: one dictionary for JSON and for the page, made from what the device and the plan say."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from sit_host._gen import enums
from sit_host._gen.messages import Event, HelloReply, SettingsReadReply
from sit_host._gen.records import Record
from sit_host._gen.statuses import ALARMS
from sit_host.describe import status_info
from sit_host.drift import judge
from sit_host.plan import Plan
from sit_host.plan_forecast import Forecast
from sit_host.treatment.agree import Agreed
from sit_host.treatment.begin import Chosen
from sit_host.treatment.figures import Shots, point_rows, summary
from sit_host.treatment.run import Result

FORMAT = "OpenSIT treatment record 1"


def treatment_record(
    *,
    plan: Plan,
    forecast: Forecast | None,
    chosen: Chosen,
    result: Result,
    hello: HelloReply,
    settings: SettingsReadReply,
    target: str,
    events: Sequence[Event],
    ledger: Sequence[Record],
    changes: Sequence[str],
    agreed: Sequence[Agreed],
    started_unix_s: float,
    ended_unix_s: float,
    truth: Shots | None,
) -> dict[str, Any]:
    """Return the record. `truth` adds the simulator's figures and nothing else depends on it."""
    rows = point_rows(plan, result.course, truth)
    return {
        "format": FORMAT,
        "host_version": version("opensit"),
        "treatment": chosen.treatment.hex(),
        "run": chosen.run,
        "resumed": chosen.resumed is not None,
        "ended": result.ended,
        "complete": all(row["verdict"] == "done" for row in rows),
        "reason": str(result.error) if result.error else "",
        "started_unix_s": round(started_unix_s),
        "ended_unix_s": round(ended_unix_s),
        "plan": {
            "file": plan.file,
            "sha256": plan.sha256,
            "name": plan.head.name,
            "area": plan.head.area,
            "syringe": plan.head.syringe,
            "needle": plan.head.needle,
            "notes": plan.head.notes,
        },
        "product": plan.product.model_dump(mode="json"),
        "device": {
            "target": target,
            "board": hello.board,
            "uid": hello.uid.hex(),
            "boot_count": hello.boot_count,
            "firmware_version": hello.firmware_version,
            "protocol": f"{hello.major}.{hello.minor}",
            "schema_hash": hello.schema_hash.hex(),
        },
        "limits": {
            key: getattr(settings, key)
            for key in ("max_depth_um", "max_shot_nl", "max_window_nl", "window_s", "max_session_nl", "max_site_nl")
        },
        "calibration": {
            key: getattr(settings, key)
            for key in ("syringe_id", "bore_um", "offset_nl", "compliance_nl_per_mpa", "calibrated_unix_s", "area_e4")
        },
        "forecast": forecast.as_json() if forecast else None,
        "changes": list(changes),
        "agreed": [vars(item) for item in agreed],
        "points": rows,
        "summary": summary(plan, result.course, rows),
        "drift": judge((r for r in result.records if r.treatment == chosen.treatment), settings).as_json(),
        "alarms": _alarms(events, hello.tick_us),
        "ledger": [_ledger_line(record) for record in ledger],
    }


def _alarms(events: Sequence[Event], tick_us: int) -> list[dict[str, Any]]:
    """Alarms that rose and faults that latched, in order."""
    found: list[dict[str, Any]] = []
    for event in events:
        device_s = event.tick * tick_us / 1e6
        if event.kind == enums.Event.FAULT:
            info = status_info(event.a)
            found.append({"name": info.name, "priority": "fault", "what": info.doc, "hint": info.hint})
        elif event.kind == enums.Event.ALARM and event.b and event.a in ALARMS:
            alarm = ALARMS[event.a]
            found.append(
                {
                    "name": alarm.name,
                    "priority": alarm.priority,
                    "what": f"{alarm.when}. {alarm.action}",
                    "hint": alarm.hint,
                }
            )
        else:
            continue
        found[-1]["device_s"] = device_s
    return found


def _ledger_line(record: Record) -> dict[str, Any]:
    """A ledger record as people name it, with its bytes."""
    return {
        "seq": record.seq,
        "kind": record.kind.name if isinstance(record.kind, enums.Record) else record.kind,
        "bytes": record.pack(check=False).hex(),
    }
