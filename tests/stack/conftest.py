"""Fixtures of the stack tests: the whole stack from the host's client to the plant."""

import sys
from pathlib import Path

import pytest
from sit_host.connect import open_client
from sit_host.service_mode import set_code
from sit_host.transport import SimOptions

sys.path.insert(0, str(Path(__file__).parent))
import steps


@pytest.fixture
def open_device(target_spec, seed, note_repro):
    """A function that connects a client to a new device: hand, scenario, state_dir as `SimOptions`; all are closed.

    The client's transport has `target`, `control(command)` and `truth()`. No mechanical stop is fitted; when the test
    ends the true tip must not have passed 2000 um.
    """
    clients = []

    def open_one(*, acting=True, **options):
        options.setdefault("seed", seed)
        client = open_client(target_spec, sim=SimOptions(**options), acting=acting)
        clients.append(client)
        note_repro(client.transport.repro)
        return client

    yield open_one
    deepest_um = max((client.transport.truth()["tip_max_um"] for client in clients), default=0)
    for client in clients:
        client.close()
    assert deepest_um <= 2000


@pytest.fixture
def service_store(open_device, tmp_path, monkeypatch):
    """Store folder of a device whose service code is set; the command line's environment knows the code."""
    code = "a code for tests"
    store = tmp_path / "store"
    client = open_device(hand="none", state_dir=store)
    client.transport.control({"do": "hand", "action": "pair"})
    client.sleep(0.2)
    set_code(client, code)
    client.close()
    monkeypatch.setenv("SIT_SERVICE_CODE", code)
    return store


@pytest.fixture
def device(open_device):
    """A client on a device with the automatic hand."""
    return open_device()


@pytest.fixture
def ready_device(device):
    """The same, tested, zeroed and primed."""
    steps.make_ready(device)
    return device
