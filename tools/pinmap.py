"""Read the pin maps of hardware/pins and check them against what the chips' pins can do.

maps = load_all()        every board's map; PinError with one sentence for the first thing that is wrong
"""

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PINS = ROOT / "hardware" / "pins"
BOARDS = ("rpi_pico", "esp32")
FIELDS = {"pin", "direction", "use", "pull", "active", "safe", "to", "note", "slot"}
OPTIONAL = {"slot"}
CHOICES = {
    "direction": ("in", "out"),
    "pull": ("up", "down", "none"),
    "active": ("high", "low"),
    "safe": ("low", "high", "input"),
}


class PinError(Exception):
    """A pin map asks for what can't be; the message says which signal, why, and what to do."""


@dataclass(frozen=True)
class Signal:
    """One wire of a pin map; the fields are explained at the head of rpi_pico.toml."""

    name: str
    pin: int
    direction: str
    use: str
    pull: str
    active: str
    safe: str
    to: str
    note: str
    slot: str = ""


@dataclass(frozen=True)
class PinMap:
    """A board's pin map with its chip's abilities and, the same on each board, the panel chain and the sensors."""

    name: str
    title: str
    chip: dict[str, Any]
    signals: list[Signal]
    chain: dict[str, Any] = field(default_factory=dict)
    sensors: dict[str, Any] = field(default_factory=dict)

    def where(self, name: str) -> Signal:
        """The signal of that name; KeyError when there is none."""
        return {s.name: s for s in self.signals}[name]


def read(path: Path) -> dict[str, Any]:
    """Read a TOML file; PinError when it isn't one."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise PinError(f"{path.name}: {error}") from error


def signals(data: dict[str, Any], where: str) -> list[Signal]:
    """The signals of a map's text; PinError for a field that is missing, unknown or has no meaning."""
    found = []
    for name, entry in data.items():
        missing, unknown = FIELDS - OPTIONAL - set(entry), set(entry) - FIELDS
        if missing or unknown:
            what = f"lacks {sorted(missing)[0]}" if missing else f"has the unknown field {sorted(unknown)[0]}"
            raise PinError(f"{where}: signal {name} {what}; the fields are explained at the head of rpi_pico.toml")
        for key, allowed in CHOICES.items():
            if entry[key] not in allowed:
                raise PinError(f"{where}: signal {name}: {key} is {entry[key]!r}, use one of {', '.join(allowed)}")
        found.append(Signal(name, **entry))
    return found


def _pwm_slice(pin: int, chip: dict[str, Any]) -> int:
    return pin // 2 % int(chip["pwm_slices"])


def _ability(signal: Signal, chip: dict[str, Any]) -> str | None:
    """What the chip can't do for one signal, or None."""
    pin, use = signal.pin, signal.use
    if pin not in chip["pins"]:
        return f"GPIO {pin} isn't a pin that a board of the {chip['name']} offers; choose another"
    if signal.direction == "out" and pin in chip["input_only"]:
        return f"GPIO {pin} of the {chip['name']} is input-only; an output needs another pin"
    if signal.direction == "out" and signal.safe == "input":
        return "an output needs a safe level in reset: low or high, held by a resistor outside"
    if signal.direction == "in" and signal.safe != "input":
        return 'an input has no safe level of its own: write safe = "input"'
    if signal.pull != "none" and pin in chip["no_pull"]:
        return f'GPIO {pin} of the {chip["name"]} has no pull resistor; write pull = "none" and fit one outside'
    if use == "adc" and str(pin) not in chip["analog"]:
        return f"GPIO {pin} of the {chip['name']} has no analog channel; the analog pins are {_analog(chip)}"
    if use.startswith("pio") and not (use[3:].isdigit() and int(use[3:]) < chip["pio_blocks"]):
        return f"the {chip['name']} has no block {use}"
    if "." in use:
        block, _, role = use.partition(".")
        if pin not in chip["func"].get(block, {}).get(role, ()):
            return f"GPIO {pin} of the {chip['name']} can't be {use}"
    elif not re.fullmatch(r"gpio|adc|pwm|pio\d", use):
        return f"use is {use!r}, which means nothing here"
    if str(pin) in chip["strapping"] and not signal.note:
        return f"GPIO {pin} is a strapping pin ({chip['strapping'][str(pin)]}); a note must say why it may be used so"
    return None


def _analog(chip: dict[str, Any]) -> str:
    return ", ".join(sorted(chip["analog"], key=int))


def check(board: PinMap) -> None:
    """Refuse what the chip can't do; PinError names board and signal."""
    pins: dict[int, str] = {}
    slices: dict[int, str] = {}
    for signal in board.signals:
        fault = _ability(signal, board.chip)
        if signal.pin in pins:
            fault = f"GPIO {signal.pin} belongs to {pins[signal.pin]} already; give it a pin of its own"
        pins[signal.pin] = signal.name
        if fault is None and signal.use == "pwm" and board.chip["pwm_slices"]:
            number = _pwm_slice(signal.pin, board.chip)
            if number in slices:
                fault = f"PWM slice {number} belongs to {slices[number]} already: both would share one period"
            slices[number] = signal.name
        if fault:
            raise PinError(f"{board.name}: signal {signal.name}: {fault}")
    names = {s.name: s.pin for s in board.signals}
    if board.chip["pio_blocks"] and names["enc_b"] != names["enc_a"] + 1:
        raise PinError(
            f"{board.name}: signal enc_b: the decoder reads it as the pin after enc_a ({names['enc_a'] + 1})"
        )


def check_chain(chain: dict[str, Any]) -> None:
    """Refuse two signals on one bit of the panel chain, a bit that isn't there, a chain that can't be proved alive."""
    for side in ("input", "output"):
        bits: dict[int, str] = {}
        for name, entry in chain[side].items():
            bit = entry["bit"]
            if bit in bits or not 0 <= bit < chain["bits"]:
                why = f"belongs to {bits[bit]} already" if bit in bits else f"isn't one of {chain['bits']}"
                raise PinError(f"chain.toml: {side} {name}: bit {bit} {why}")
            bits[bit] = name
    for need in ("high", "low", "echo"):
        if need not in chain["input"]:
            raise PinError(f"chain.toml: the input {need} is missing: without it a dead chain would go unseen")


def check_sensors(sensors: dict[str, Any]) -> None:
    """Refuse a span that the tick's arithmetic can't carry, or a broken wire's reading that looks good."""
    for name, entry in sensors.items():
        if not isinstance(entry, dict):
            continue
        zero, span, broken = entry["zero"], entry["span"], entry["broken"]
        if span % 16 or span // 16 * 4095 >= 1 << 30:
            raise PinError(f"sensors.toml: {name}: span {span} must be a multiple of 16 and below 2^22 * 16")
        if name in ("load", "pressure") and zero <= broken <= zero + span:
            raise PinError(f"sensors.toml: {name}: broken {broken} lies inside the range that the sensor can give")


def load(name: str, folder: Path = PINS) -> PinMap:
    """Read and check one board's map; PinError says what is wrong."""
    data = read(folder / f"{name}.toml")
    head = data["board"]
    chip = read(folder / "chips" / f"{head['chip']}.toml")
    chain, sensors = read(folder / "chain.toml"), read(folder / "sensors.toml")
    board = PinMap(head["name"], head["title"], chip, signals(data["signal"], f"{name}.toml"), chain, sensors)
    check(board)
    check_chain(chain)
    check_sensors(sensors)
    return board


def load_all() -> list[PinMap]:
    """Every board's map, checked."""
    return [load(name) for name in BOARDS]
