"""`sit monitor`: state, depth, forces and events, live; also beside `sit treat`.

It reads STATUS and EVENTS_READ, which another process relays too; the device's own telemetry belongs to its owner.
"""

from __future__ import annotations

import sys
from typing import Any

import click

from sit_host._gen import enums
from sit_host._gen.messages import Event, StatusReply
from sit_host.cli.common import Call, device_options
from sit_host.client import Client
from sit_host.describe import fault_text, status_info
from sit_host.errors import EXIT_OK
from sit_host.outcome import expect


@click.command(epilog="Example: sit monitor --every 0.5 --target serial:/dev/ttyACM0")
@click.option("--every", "every_s", type=click.FloatRange(0.05, 60), default=0.5, show_default=True, help="Period, s.")
@click.option("--count", type=click.IntRange(1), help="End after so many samples.")
@device_options
def command(call: Call, every_s: float, count: int | None) -> int:
    """Watch the device live until Ctrl-C. With --json one JSON object a line, samples and events."""
    with call.connect(acting=False, shared=True) as client:
        try:
            _watch(call, client, every_s, count)
        except KeyboardInterrupt:
            call.ui.note("")
    return EXIT_OK


def _watch(call: Call, client: Client, every_s: float, count: int | None) -> None:
    live = sys.stdout.isatty() and not call.ui.json
    shown = 0
    next_s = client.transport.now()
    while True:
        status = expect(client.status())
        client.log.seen_head(status.event_head)
        for event in client.events():
            if live:
                print("\r\x1b[K", end="")
            call.ui.line({"event": _event_json(event)})
            call.ui.say(f"  {event_text(event)}")
        call.ui.line({"sample": _sample(status)})
        if live:
            print(f"\r\x1b[K{_line(status)}", end="", flush=True)
        else:
            call.ui.say(_line(status))
        shown += 1
        if shown == count:
            if live:
                print()
            return
        next_s += every_s
        client.sleep(max(0.0, next_s - client.transport.now()))


def _sample(status: StatusReply) -> dict[str, Any]:
    names = ("tick", "depth_um", "contact_mn", "load_mn", "press_pa", "supply_mv", "plunger_steps", "cursor", "points")
    header = status.header
    sample = {"state": header.state, "phase": header.phase, "fault": header.fault, "alarms": status.alarms}
    return sample | {name: getattr(status, name) for name in names}


def _line(status: StatusReply) -> str:
    header = status.header
    state = getattr(header.state, "name", str(header.state))
    phase = getattr(header.phase, "name", str(header.phase))
    fault = f"  {status_info(header.fault).name}" if header.fault else ""
    return (
        f"{state:9} {phase:8} {status.depth_um:6d} um  contact {status.contact_mn / 1000:5.2f} N  "
        f"plunger {status.load_mn / 1000:5.2f} N  {status.press_pa / 1000:6.1f} kPa  {status.supply_mv / 1000:4.1f} V  "
        f"point {status.cursor}/{status.points}{fault}"
    )


def _event_json(event: Event) -> dict[str, Any]:
    return {field.name: getattr(event, field.name) for field in event.FIELDS} | {"text": event_text(event)}


def event_text(event: Event) -> str:
    """Return one line about an event."""
    kind = event.kind
    if kind == enums.Event.STATE:
        return f"state {_name(enums.State, event.b)} -> {_name(enums.State, event.a)}"
    if kind == enums.Event.WORK:
        end = status_info(event.b).name if event.b else f"done, {event.c}"
        return f"{_name(enums.Msg, event.a)}: {end}"
    if kind == enums.Event.SHOT:
        return f"point {event.c}: {_name(enums.Record, event.b)}, record {event.a}"
    if kind == enums.Event.FAULT:
        return f"fault {fault_text(event.a, event.b)} (saw {event.b})"
    if kind == enums.Event.ALARM:
        return f"alarm {_name(enums.Alarm, event.a)} {'on' if event.b else 'off'}"
    if kind == enums.Event.TRIGGER:
        return f"trigger not obeyed: {status_info(event.a).doc}"
    if kind == enums.Event.LEASE:
        return f"disarmed: {enums.Limit.LEASE.doc}"
    return f"event {kind}: {event.a}, {event.b}, {event.c}"


def _name(kind: Any, value: int) -> str:
    try:
        return str(kind(value).name)
    except ValueError:
        return str(value)
