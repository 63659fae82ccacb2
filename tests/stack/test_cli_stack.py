"""`sit` on the real firmware, and the two pages that show how it is used."""

import json
import re
from pathlib import Path

import pytest
from sit_host import cli

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture
def sit(capsys, target_spec):
    """Runs a command line on a new simulated device: (exit code, output, errors)."""

    def run(*args):
        code = cli.run([*args, "--target", target_spec])
        return code, *capsys.readouterr()

    return run


COMMANDS = [
    (("info", "--json"), lambda found: found["schema_matches"] and found["state"] == "IDLE"),
    (("settings", "--json"), lambda found: found["source"] == "factory" and 1000 < found["max_depth_um"] < 2000),
    (("selftest", "--json"), lambda found: found == {"passed": True}),
    (("prime", "--yes", "--json"), lambda found: 54_000 < found["pushed_nl"] < 56_000),
    (("clear", "--json"), lambda found: found == {"cleared": None}),
    (("ack", "--json"), lambda found: found == {"acknowledged": None}),
    (("stop", "--json"), lambda found: found == {"stopped": True, "state": "IDLE", "phase": "IDLE"}),
]


@pytest.mark.parametrize(("args", "right"), COMMANDS, ids=lambda value: value[0] if isinstance(value, tuple) else "")
def test_a_command_on_a_new_device(sit, args, right):
    """Each command says what the firmware says, as one JSON value."""
    code, out, errors = sit(*args)
    assert code == 0, errors
    assert right(json.loads(out)), out


def test_zero_says_what_comes_first(sit):
    """A refusal names the missing step: a tip can't be zeroed before the self-test."""
    code, _, errors = sit("zero", "--yes")
    assert code == 1 and "Run `sit selftest`." in errors


def test_monitor_in_target_time(sit):
    """`sit monitor` on a simulator runs in target time."""
    code, out, errors = sit("monitor", "--every", "10", "--count", "3", "--json")
    ticks = [sample["sample"]["tick"] for sample in map(json.loads, out.splitlines()) if "sample" in sample]
    assert code == 0 and len(ticks) == 3, errors
    assert ticks[2] - ticks[0] == pytest.approx(80_000, rel=0.01)


def test_the_example_of_the_host_page(target_spec):
    """The program on docs/host.md runs as it stands and gives its one point."""
    code = re.search(r"```python\n(.*?)```", (DOCS / "host.md").read_text(), re.DOTALL).group(1)
    assert 'open_client("sim:")' in code
    scope = {}
    exec(code.replace('"sim:"', repr(target_spec)), scope)
    assert scope["end"].done


@pytest.mark.targets("sim:", reason="only a page is read")
def test_the_page_names_every_command(target_spec):
    """docs/cli.md names each command with an example, and no command that doesn't exist."""
    page = (DOCS / "cli.md").read_text()
    nouns = set(re.findall(r"`sit ([a-z]+)", page))
    assert nouns == set(cli.NOUNS)
    for noun in cli.NOUNS:
        assert re.search(rf"Example: `sit {noun}\b", page), noun
