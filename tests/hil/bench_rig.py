"""Rigs: what stands on a bench, as data (tests/rigs/*.toml), and what tests may do there.

    rig = load("pico-bench")        by name, or by the path of a file
    rig.offers(motion=True)         what its target offers to `needs(...)`
    wiring_errors(client, rig)      sentences, one for each thing that isn't as the rig says

A rig says what is fitted; it never stands for a person: there is no rig on whose nose-piece skin lies.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from sit_host.describe import INPUTS, status_info
from sit_host.outcome import expect

RIGS = Path(__file__).resolve().parents[1] / "rigs"
SIMULATED = "sim"
"""The rig of the simulated targets."""

AIMS = ("nothing", "collector", "phantom")
HANDS = ("none", "lights", "person")
TOOLS = ("none", "lights")
# what a rig can offer to a test; the simulated bench offers all
OFFERS = ("motion", "needle", "plunger", "zero_tool", "hand", "asking", "phantom", "simulated")

# table -> key -> what its value must be: a type, or the words allowed
SCHEMA = {
    "rig": {"name": str, "board": str, "uid": str, "set_up": list},
    "fitted": {
        "needle_axis": bool,
        "plunger_axis": bool,
        "mechanical_stop": bool,
        "aims_at": AIMS,
        "zero_tool": TOOLS,
        "hand": HANDS,
        "syringe_id": int,
        "needle_id": int,
    },
    "at_rest": {"inputs_on": list, "supply_mv": list, "max_depth_um": int},
}


class RigError(Exception):
    """A rig, or the way it was asked for, is wrong; the message says what, where, and what to do."""


@dataclass(frozen=True)
class Rig:
    """A bench. `uid` is hex, empty for any device; `set_up` the sentences that a person reads before the run."""

    name: str
    board: str
    uid: str
    set_up: tuple[str, ...]
    needle_axis: bool
    plunger_axis: bool
    mechanical_stop: bool
    aims_at: str
    zero_tool: str
    hand: str
    syringe_id: int
    needle_id: int
    inputs_on: tuple[str, ...]
    supply_mv: tuple[int, ...]
    max_depth_um: int

    def offers(self, motion):
        """What tests may need and find here; anything that moves only with `motion`."""
        found = {"motion"} if motion else set()
        fitted = {
            "needle": self.needle_axis,
            "plunger": self.plunger_axis,
            "zero_tool": self.zero_tool != "none",
            "hand": self.hand != "none",
            "asking": self.hand == "person",
            "phantom": self.aims_at == "phantom",
        }
        return found | {name for name, there in fitted.items() if there}


def is_bench(target):
    """Whether a connection string names a device outside this process."""
    return target.startswith(("serial:", "tcp:"))


def choose(targets, name, motion, workers):
    """The rig for a run on these targets, None when no bench is among them.

    Raises RigError when a bench has no rig, several benches share one, tests would share its port, or motion is allowed
    where nothing moves or no mechanical stop is fitted.
    """
    benches = [target for target in targets if is_bench(target)]
    if not benches:
        if name or motion:
            raise RigError(
                "--rig and --allow-motion belong to a bench: give --target serial:/dev/ttyACM0 too, or neither"
            )
        return None
    if len(targets) > 1:
        raise RigError(f"--target {benches[0]} is a bench: run it alone, not with {len(targets) - 1} more")
    if workers:
        raise RigError(f"{benches[0]} is one device: leave out -n, its tests run one after the other")
    if not name:
        raise RigError(
            f"--target {benches[0]} needs --rig, the description of that bench: {', '.join(known())}, or a file"
        )
    rig = load(name)
    if motion and not (rig.needle_axis or rig.plunger_axis):
        raise RigError(f"--allow-motion: the rig {rig.name} has nothing fitted that could move; leave it out")
    if motion and rig.needle_axis and not rig.mechanical_stop:
        raise RigError(f"--allow-motion: fit the 2.0 mm stop to {rig.name} and say so in it: mechanical_stop = true")
    return rig


def known():
    """The names of the rigs that come with the project."""
    return sorted(path.stem for path in RIGS.glob("*.toml"))


def load(name):
    """The rig of that name, or of that file. Raises RigError."""
    path = Path(name) if name.endswith(".toml") else RIGS / f"{name}.toml"
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RigError(f"there is no rig {name}: use {', '.join(known())}, or the path of a .toml file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RigError(f"{path.name}: {error}") from error
    return _checked(data, path.name)


def wiring_errors(client, rig):
    """What isn't as the rig says: board, identity, fault, inputs at rest, supply. Nothing moves for it."""
    device, status = client.device, expect(client.status())
    on = {name for index, name in enumerate(INPUTS) if status.inputs >> index & 1}
    wanted = set(rig.inputs_on)
    found = []
    if device.board != rig.board:
        found.append(f"the board is {device.board}, the rig {rig.name} has {rig.board}: choose the other rig or port")
    if rig.uid and device.uid.hex() != rig.uid:
        found.append(f"the device is {device.uid.hex()}, the rig is bound to {rig.uid}")
    if device.max_depth_um > rig.max_depth_um:
        found.append(f"it takes depths to {device.max_depth_um} um, the rig allows {rig.max_depth_um}")
    if status.header.fault:
        info = status_info(status.header.fault)
        found.append(f"the fault {info.name} is latched: {info.hint} Then `sit clear`")
    found += [f"{name} is on and should be off: look at its wire, `sit info` shows it" for name in sorted(on - wanted)]
    found += [f"{name} is off and should be on: look at its wire, `sit info` shows it" for name in sorted(wanted - on)]
    low_mv, high_mv = rig.supply_mv
    if not low_mv <= status.supply_mv <= high_mv:
        found.append(f"the supply reads {status.supply_mv} mV, not {low_mv} to {high_mv}: look at supply and divider")
    return found


def _checked(data, where):
    """The rig of a file's tables; every key is needed, none is unknown, each value is of its kind."""
    values = {}
    for table, keys in SCHEMA.items():
        if not isinstance(data.get(table), dict):
            raise RigError(f"{where}: the table [{table}] is missing")
        for key, kind in keys.items():
            if key not in data[table]:
                raise RigError(f"{where}: {key} is missing in [{table}]")
            values[key] = _value(data[table][key], kind, f"{where}: {key} in [{table}]")
    unknown = [f"[{table}]" for table in data if table not in SCHEMA]
    unknown += [f"{key} in [{table}]" for table, keys in SCHEMA.items() for key in data[table] if key not in keys]
    if unknown:
        raise RigError(f"{where}: {unknown[0]} isn't known: pico-bench.toml explains the keys")
    return _plausible(Rig(**values), where)


def _value(value, kind, where):
    if isinstance(kind, tuple):
        if value not in kind:
            raise RigError(f"{where} is {value!r}: use {', '.join(kind)}")
        return value
    # bool is an int to Python, not to a rig
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise RigError(f"{where} is {value!r}: it must be of type {kind.__name__}")
    return tuple(value) if kind is list else value


def _plausible(rig, where):
    """What the kinds can't say. Raises RigError."""
    for name in rig.inputs_on:
        if name not in INPUTS:
            raise RigError(f"{where}: there is no input {name!r}: use {', '.join(INPUTS)}")
    numbers = [mv for mv in rig.supply_mv if isinstance(mv, int) and not isinstance(mv, bool)]
    if len(numbers) != 2 or len(rig.supply_mv) != 2 or not 0 < numbers[0] < numbers[1]:
        raise RigError(f"{where}: supply_mv must be two numbers of mV, the lower one first")
    if rig.uid and (len(rig.uid) != 16 or set(rig.uid) - set("0123456789abcdef")):
        raise RigError(f"{where}: uid must be 16 hex digits as `sit info` shows them, or empty for any device")
    if not 0 < rig.max_depth_um <= 2000:
        raise RigError(f"{where}: max_depth_um is {rig.max_depth_um}: it must lie between 1 and 2000")
    if not all(isinstance(line, str) for line in rig.set_up):
        raise RigError(f"{where}: set_up must be a list of sentences")
    return rig
