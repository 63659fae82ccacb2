"""`sit info`: the device, its state, and what is missing to arm."""

from __future__ import annotations

import time
from typing import Any

import click

from sit_host._gen import enums
from sit_host._gen.messages import HelloReply, StatusReply
from sit_host.cli.common import Call, device_options
from sit_host.client import Client
from sit_host.describe import alarms, cause_text, inputs, missing, state_text, status_info
from sit_host.errors import ProtocolError
from sit_host.outcome import expect

_MISMATCH = (
    "Host and device have different protocols: reading is allowed, changing is not. "
    "Install the host version that belongs to this firmware."
)


@click.command(epilog="Example: sit info --target tcp:127.0.0.1:7310")
@device_options
def command(call: Call) -> None:
    """Show the device, its state, alarms, and what is still missing to arm. Works beside `sit treat`."""
    ui = call.ui
    with call.connect(acting=False, shared=True) as client:
        device = client.device
        assert device is not None  # connect() has opened the session
        status = _status(client)
        if not client.schema_matches:
            ui.note(f"sit: {_MISMATCH}")
        ui.result(_json(client, device, status))
        ui.pairs(_device_pairs(client, device))
        if status is not None:
            ui.say()
            ui.pairs(_status_pairs(status))


def _status(client: Client) -> StatusReply | None:
    """Return the status; None when another protocol makes it unreadable."""
    try:
        return expect(client.status())
    except ProtocolError:
        if client.schema_matches:
            raise
        return None


def _json(client: Client, device: HelloReply, status: StatusReply | None) -> dict[str, Any]:
    found: dict[str, Any] = {
        "target": client.name,
        "schema_matches": client.schema_matches,
        "device": {field.name: getattr(device, field.name) for field in device.FIELDS},
    }
    if status is not None:
        header = status.header
        found["state"] = header.state
        found["phase"] = header.phase
        found["fault"] = status_info(header.fault)._asdict() if header.fault else None
        found["total_min_nl"], found["total_max_nl"] = header.total_min_nl, header.total_max_nl
        found["ready"] = [bit.name for bit in enums.Ready if header.ready & bit]
        found["missing"] = [{"name": name, "what": what, "do": do} for name, what, do in missing(header.ready)]
        found["status"] = {field.name: getattr(status, field.name) for field in status.FIELDS}
        found["alarms"] = [info.name for info in alarms(status.alarms)]
        found["inputs"] = inputs(status.inputs)
    return found


def _device_pairs(client: Client, device: HelloReply) -> list[tuple[str, object]]:
    return [
        ("Device", f"{device.board}, {device.uid.hex()}"),
        ("Connection", client.name),
        ("Firmware", f"{device.firmware_version}, protocol {device.major}.{device.minor}"),
        ("Schema", device.schema_hash.hex() + ("" if client.schema_matches else " (this host has another one)")),
        ("Boots", device.boot_count),
        ("Highest depth", f"{device.max_depth_um / 1000:g} mm"),
    ]


def _status_pairs(status: StatusReply) -> list[tuple[str, object]]:
    header = status.header
    left = status.capacity_steps - status.plunger_steps
    share = f"{100 * left / status.capacity_steps:.0f} % left" if status.capacity_steps else "none"
    rows: list[tuple[str, object]] = [("State", state_text(header, status.fault_value))]
    for alarm in alarms(status.alarms):
        rows.append((f"Alarm, {alarm.priority}", f"{alarm.name}: {alarm.when}. {alarm.action} {alarm.hint}"))
    if status.limit:
        rows.append(("Limit", status_info(status.limit).doc))
    lacking = missing(header.ready)
    rows += [
        ("Ready to arm", "yes" if not lacking else "\n".join(f"not {name}: {do}" for name, _, do in lacking)),
        ("Treatment", f"point {status.cursor} of {status.points}" if status.points else "none loaded"),
        ("Given", f"{header.total_min_nl / 1000:.2f} to {header.total_max_nl / 1000:.2f} uL"),
        ("Last shot", cause_text(status.cause)),
        ("Zero", f"{status.zero_um:+d} um from nominal" if header.ready & enums.Ready.ZEROED else "none"),
        ("Syringe", share),
        ("Supply", f"{status.supply_mv / 1000:.1f} V"),
        ("Inputs on", ", ".join(inputs(status.inputs)) or "none"),
        ("Ledger", f"records {status.ledger_tail} to {status.ledger_head - 1}, saved below {status.ledger_saved}"),
        ("Clock", time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(status.unix_s)) if status.unix_s else "not set"),
    ]
    return rows
