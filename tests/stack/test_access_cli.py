"""`sit pair`, `sit unpair`, `sit service code` and `sit settings set` as an operator uses them, on both targets."""

import json

import pytest
from sit_host import cli
from sit_host.errors import EXIT_FAILED, EXIT_OK, EXIT_USAGE

HELD = """
doc = "The pairing button is pressed after a second and held."
[[event]]
at_s = 1.0
do = "hand"
action = "pair"
"""
CODE = "a code of some length"


@pytest.fixture
def sit(target_spec, seed, tmp_path, monkeypatch, capsys):
    """Runs `sit` on one device, whose store lasts: exit code, JSON, notes. `held`: somebody holds the button."""
    monkeypatch.setenv("SIT_KEYS_DIR", str(tmp_path / "keys"))
    monkeypatch.setenv("SIT_SERVICE_CODE", CODE)
    scenario = tmp_path / "held.toml"
    scenario.write_text(HELD)

    def run(*words, held=False):
        options = ["--target", target_spec, "--seed", str(seed), "--state", str(tmp_path / "store"), "--json", "--yes"]
        if held:
            options += ["--scenario", str(scenario)]
        code = cli.run([*words, *options])
        out = capsys.readouterr()
        return code, json.loads(out.out), out.err

    return run


def test_pair_once_then_work(sit, tmp_path, monkeypatch):
    """Start: after `sit pair` this user's commands work as before, another user's are refused with what to do."""
    code, found, _ = sit("pair")
    assert code == EXIT_FAILED and "Nobody pressed the pairing button" in found["error"]["what"]
    code, found, notes = sit("pair", held=True)
    assert code == EXIT_OK and found["paired"] and "Hold the pairing button" in notes
    assert sit("selftest")[0] == EXIT_OK
    with monkeypatch.context() as other:
        other.setenv("SIT_KEYS_DIR", str(tmp_path / "another user"))
        code, found, _ = sit("selftest")
        assert code == EXIT_FAILED and "sit pair" in found["error"]["do"]
        assert sit("info")[0] == EXIT_OK
        assert sit("stop")[0] == EXIT_OK
        assert sit("unpair", held=True)[0] == EXIT_OK
        assert sit("selftest")[0] == EXIT_OK


def test_limits_are_set_with_the_code(sit, monkeypatch):
    """Limits: `sit settings set` writes with the service code, and the next start has them; wrong input is refused."""
    code, found, _ = sit("settings", "set", "max_shot_nl=20000")
    assert code == EXIT_FAILED and "sit service code" in found["error"]["do"]
    assert sit("service", "code", held=True)[0] == EXIT_OK
    code, found, _ = sit("settings", "set", "max_shot_nl=20000", "min_gap_ms=200")
    assert code == EXIT_OK and found["before"] == {"max_shot_nl": 100000, "min_gap_ms": 100}
    _, found, _ = sit("settings")
    limits = found["max_shot_nl"], found["min_gap_ms"], found["window_s"]
    assert limits == (20000, 200, 600)
    for wrong in ("max_shot=1", "max_shot_nl", "max_shot_nl=-1", "max_shot_nl=100001", "max_shot_nl=2e4"):
        assert sit("settings", "set", wrong)[0] == EXIT_USAGE
    monkeypatch.setenv("SIT_SERVICE_CODE", "not the code")
    code, found, _ = sit("settings", "set", "max_shot_nl=30000")
    assert code == EXIT_FAILED and "check the code" in found["error"]["do"]
    monkeypatch.setenv("SIT_SERVICE_CODE", "short")
    assert sit("service", "code")[0] == EXIT_USAGE
