"""Waiting for the pairing button: what shows the device that somebody stands beside it."""

from __future__ import annotations

from sit_host.cli.ui import Ui
from sit_host.client import Client
from sit_host.errors import WorkFailed
from sit_host.outcome import expect

_BUTTON = 1 << 7  # of STATUS `inputs`
_WAIT_S = 60.0
_STEP_S = 0.2


def wait_for_button(ui: Ui, client: Client) -> None:
    """Return once the pairing button is held. Raises WorkFailed after a minute."""
    ui.note("Hold the pairing button on the device until this ends.")
    end_s = client.transport.now() + _WAIT_S
    while not expect(client.status()).inputs & _BUTTON:
        if client.transport.now() >= end_s:
            raise WorkFailed(
                f"Nobody pressed the pairing button within {_WAIT_S:.0f} s: nothing was done.",
                "Start again, then hold the button.",
            )
        client.sleep(_STEP_S)
