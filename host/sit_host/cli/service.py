"""`sit service`: the code that opens service mode, in which settings and calibration are written."""

from __future__ import annotations

import getpass
import os
import sys

import click

from sit_host.cli.button import wait_for_button
from sit_host.cli.common import Call, device_options
from sit_host.cli.ui import Ui
from sit_host.errors import EXIT_OK, UsageError
from sit_host.service_mode import SHORTEST_CODE, set_code

_VARIABLE = "SIT_SERVICE_CODE"


@click.group()
def command() -> None:
    """Set the code that opens service mode. Settings and calibration are written in it alone."""


@command.command("code", epilog="Example: sit service code --target serial:/dev/ttyACM0")
@device_options
def code_command(call: Call) -> int:
    """Set the service code, with the pairing button held. It replaces one that was forgotten."""
    code = ask_code(call.ui, new=True)
    with call.connect() as client:
        wait_for_button(call.ui, client)
        set_code(client, code)
    call.ui.result({"code_set": True})
    call.ui.say("The service code is set.")
    return EXIT_OK


def ask_code(ui: Ui, *, new: bool = False) -> str:
    """Return the service code, from $SIT_SERVICE_CODE or asked for unseen; a new one twice. Raises UsageError."""
    code = os.environ.get(_VARIABLE, "")
    if not code:
        if not ui.interactive:
            raise UsageError(
                "This needs the service code, and standard input isn't a terminal.",
                f"Set {_VARIABLE}; a code on the command line could be seen by others.",
            )
        code = getpass.getpass("Service code: ", stream=sys.stderr)
        if new and getpass.getpass("Once more: ", stream=sys.stderr) != code:
            raise UsageError("The two codes differ.", "Start again.")
    if new and len(code) < SHORTEST_CODE:
        raise UsageError(f"The code is too short to be safe: it needs {SHORTEST_CODE} characters.", "Use a longer one.")
    return code
