"""`sit clear`: a latched fault is cleared once its cause is mended."""

from __future__ import annotations

import click

from sit_host.cli.common import Call, device_options
from sit_host.describe import fault_text, status_info
from sit_host.errors import EXIT_FAILED, EXIT_OK, WorkFailed
from sit_host.outcome import expect

_SETTLE_S = 0.1  # a fault that comes at once after the clearing is latched by then


@click.command(epilog="Example: sit clear --target serial:/dev/ttyACM0")
@device_options
def command(call: Call) -> int:
    """Show the latched fault and clear it, if its cause is gone. Some faults ask for a new self-test and zero."""
    ui = call.ui
    with call.connect() as client:
        status = expect(client.status())
        fault = status.header.fault
        if not fault:
            ui.result({"cleared": None})
            ui.say("No fault is latched.")
            return EXIT_OK
        info = status_info(fault)
        ui.note(f"Fault {fault_text(fault, status.fault_value)}")
        if not ui.confirm(f"Has that been done, so that {info.name} can be cleared?"):
            ui.note("Nothing was done.")
            return EXIT_FAILED
        expect(client.clear_fault(fault))
        client.sleep(_SETTLE_S)
        status = expect(client.status())
        if status.header.fault:
            raise WorkFailed(
                f"{info.name} is cleared, and a fault is latched again: "
                f"{fault_text(status.header.fault, status.fault_value)}",
                "Then run `sit clear` once more.",
            )
        ui.result({"cleared": info.name, "state": status.header.state})
        ui.say(f"Cleared {info.name}. `sit info` shows what is missing to arm.")
        return EXIT_OK
