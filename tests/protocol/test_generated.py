"""Wire: everything generated from the schema is as the schema says, and a schema that breaks a rule is refused."""

import re
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = (ROOT / "protocol" / "schema.toml").read_text()
sys.path.insert(0, str(ROOT / "protocol"))
from protogen import files, schema  # noqa: E402


def test_no_generated_file_has_drifted():
    """Wire: constants, typed messages, page and vectors are those of the schema."""
    assert files.drifted() == []


@pytest.mark.parametrize("path", ["firmware/sit_firmware/wire.py", "protocol/PROTOCOL.md", "protocol/vectors.json"])
def test_drift_is_noticed(path, tmp_path):
    """Wire: a generated file that was changed by hand or is missing is named."""
    texts = files.texts()
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text + ("\n" if name == path else ""))
    assert files.drifted(tmp_path) == [path]
    (tmp_path / path).unlink()
    assert files.drifted(tmp_path) == [path]


def test_numbers_are_used_once():
    """Wire: no id or status number is used twice, and no reserved id is in use, read from the file itself."""
    raw = tomllib.loads(SCHEMA)
    ids = [m["id"] for key in ("message", "push", "reserved") for m in raw[key]]
    assert len(ids) == len(set(ids))
    numbers = [s["value"] for key in ("refusal", "fault", "limit") for s in raw[key]]
    assert len(numbers) == len(set(numbers))
    assert all(r["date"] for r in raw["reserved"])


def test_reserved_numbers_are_unknown_to_both():
    """Wire: neither side knows a message under a reserved id."""
    from sit_firmware import wire
    from sit_host._gen import messages

    for r in tomllib.loads(SCHEMA)["reserved"]:
        assert r["id"] not in wire.REQUESTS
        assert r["id"] not in messages.RULES


def test_both_sides_have_the_same_numbers():
    """Wire: ids, allowed states and ranges are the same in the firmware's table and in the host's."""
    from sit_firmware import wire
    from sit_host._gen import messages

    assert set(wire.REQUESTS) == set(messages.RULES)
    for number, (name, changes, states, shortest, fixed, _) in wire.REQUESTS.items():
        rule = messages.RULES[number]
        assert (rule.request.NAME, rule.changes) == (name, bool(changes))
        assert sum(1 << state for state in rule.states) == states
        assert fixed == all(f.kind != "rest" for f in rule.request.FIELDS)
        assert shortest == sum(size_of(f.kind) for f in rule.request.FIELDS)


def size_of(kind):
    if kind == "rest":
        return 0
    return int(kind[5:]) if kind.startswith("bytes") else int(kind[1:]) // 8


# what is done to the schema's text, and what the sentence must name
BROKEN = {
    "id used twice": ("id = 0x02\n", "id = 0x03\n", "0x3 is used twice"),
    "reserved id in use": ("id = 0x16\n", "id = 0x23\n", "reserved for PERMIT"),
    "request id in the push range": ("id = 0x16\n", "id = 0x60\n", "outside 0x01..0x5f"),
    "refusal in the fault range": ("value = 29\n", "value = 40\n", "refusal SEQUENCE is 40"),
    "cause in the fault range": ('name = "NOT_READY", value = 8', 'name = "NOT_READY", value = 32', "CAUSE_NOT_READY"),
    "frame longer than a COBS block": ("max_payload = 224", "max_payload = 240", "254 fit one block"),
    "unknown type": ('"lease_ms", type = "u16"', '"lease_ms", type = "u12"', "unknown type u12"),
    "range the type can't hold": ("min = 500, max = 10000", "min = 500, max = 70000", "u16 can't hold"),
    "unknown state": ('states = ["ARMED", "INJECTING"]', 'states = ["ARMED", "SLEEPING"]', "SLEEPING"),
    "HELLO changed": ('name = "host_nonce", type = "u32"', 'name = "host_nonce", type = "u16"', "layout of HELLO"),
    "reply header changed": (
        'name = "phase", type = "u8", unit = "PHASE"',
        'name = "phase", type = "u16", unit = "PHASE"',
        "reply header never changes",
    ),
    "STOP with a condition": (
        'name = "STOP"\nid = 0x0C\ndoc = "Ends a shot at once, retracts, disarms. Always works."\nstates = "any"',
        'name = "STOP"\nid = 0x0C\ndoc = "Ends a shot at once, retracts, disarms. Always works."\nstates = ["ARMED"]',
        "STOP must always work",
    ),
    "record not of 64 bytes": ('name = "ref", type = "u32"', 'name = "ref", type = "u16"', "62 bytes, not 64"),
    "hint missing": ('hint = "Release the e-stop, then clear."', 'hint = ""', "fault ESTOP needs"),
    "priority unknown": ('onset = "prompt"', 'onset = "someday"', "no priority for harm irreversible, onset someday"),
    "not TOML": ("[protocol]", "[protocol", "schema.toml"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_schema_is_refused(name, tmp_path):
    """Wire: each rule of the schema gives one sentence that names the culprit."""
    old, new, sentence = BROKEN[name]
    assert SCHEMA.count(old) >= 1
    path = tmp_path / "schema.toml"
    path.write_text(SCHEMA.replace(old, new, 1))
    with pytest.raises(schema.SchemaError, match=re.escape(sentence)):
        schema.load(path)


def test_the_hash_covers_rules_and_not_prose(tmp_path):
    """Wire: a mended sentence keeps the hash; a changed range, number or name changes it."""
    path = tmp_path / "schema.toml"

    def hashed(old="", new=""):
        assert not old or SCHEMA.count(old) >= 1
        path.write_text(SCHEMA.replace(old, new, 1))
        return schema.load(path).hash

    plain = hashed()
    assert hashed('doc = "Renews the lease."', 'doc = "Makes the lease last."') == plain
    others = [
        hashed("min = 500, max = 10000", "min = 500, max = 9000"),
        hashed('name = "SUBSCRIBE"', 'name = "LISTEN"'),
        hashed('states = ["ARMED", "INJECTING"]', 'states = ["ARMED"]'),
        hashed("minor = 2", "minor = 3"),
        hashed('unit = "mV", doc = "Supply."', 'unit = "cV", doc = "Supply."'),
    ]
    assert len({plain, *others}) == 6
