"""Service mode from the host's side: opened with the service code, closed again whatever happens.

with service_mode(client, code):
    expect(client.settings_write(...))
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from sit_host import keys
from sit_host._gen import enums
from sit_host.client import Client
from sit_host.errors import SitError
from sit_host.outcome import expect

SHORTEST_CODE = 8


@contextlib.contextmanager
def service_mode(client: Client, code: str) -> Iterator[None]:
    """Open service mode and close it at the end. Raises RefusedError for a wrong code, a lockout, a missing code.

    A session opens it once: a second time needs a new session.
    """
    expect(client.service(enums.Service.OPEN, keys.service_proof(_key(client, code), client.session_seed())))
    try:
        yield
    finally:
        with contextlib.suppress(SitError):  # it ends with the session anyway
            client.service(enums.Service.CLOSE)


def set_code(client: Client, code: str) -> None:
    """Set the service code; the pairing button must be held. Raises as `expect` does."""
    expect(client.service(enums.Service.SET_CODE, _key(client, code)))


def _key(client: Client, code: str) -> bytes:
    assert client.device is not None  # a session is open
    return keys.code_key(code, client.device.uid)
