"""`sit ports`: serial ports of this computer, and who uses them."""

from __future__ import annotations

import click

from sit_host.cli.common import output_options
from sit_host.cli.ui import Ui
from sit_host.share import owner_of


@click.command(epilog="Example: sit ports")
@output_options
def command(ui: Ui) -> None:
    """List serial ports, with the process that uses each."""
    from serial.tools import list_ports

    found: list[dict[str, object]] = []
    rows = []
    for port in sorted(list_ports.comports()):
        owner = owner_of(f"serial:{port.device}")
        description = "" if port.description == "n/a" else port.description
        found.append(
            {
                "target": f"serial:{port.device}",
                "description": description,
                "usb_serial": port.serial_number or "",
                "used_by": {"pid": owner.pid, "command": owner.command} if owner else None,
            }
        )
        rows.append((f"serial:{port.device}", description, port.serial_number or "", owner.command if owner else ""))
    ui.result(found)
    if rows:
        ui.table("", ("Target", "What", "USB serial", "Used by"), rows)
    else:
        ui.say("No serial ports. Plug the device in; `sit sim` serves a simulated one.")
