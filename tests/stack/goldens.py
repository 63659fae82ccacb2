"""Golden traces: what the device did in a scenario, as text short enough to read and to compare line by line.

One line per change of phase or panel, and one every 20 ms while something moves; the last line is the digest of the
whole trace, every tick with all inputs and outputs. `make bless` writes them anew and shows the difference.
"""

import hashlib
from pathlib import Path

from sit_firmware import codes, image
from sit_sim.targets.trace import read
from test_lockstep_firmware import treat

FOLDER = Path(__file__).resolve().parents[1] / "golden"
STORIES = ("nominal", "contact_lost", "estop", "drive_stuck_full")
_EVERY_TICKS = 80
_REST = (codes.PHASE_IDLE, codes.PHASE_FAULT)
_NAMES = {
    kind: {value: name[len(kind) + 1 :] for name, value in vars(codes).items() if name.startswith(f"{kind}_")}
    for kind in ("PHASE", "LIGHT", "TONE")
}
_HEAD = f"{'tick':>8}  {'phase':9} {'light':14} {'tone':8} {'enc um':>7} {'duty':>6} {'steps':>7} {'Pa':>7} {'mN':>6}"


def golden(spec, story):
    """The text of a story on a target."""
    data = treat(spec, story=story)[0]
    lines = [f"# {story}: two points of 5 uL at 1.5 mm, seed 1", _HEAD]
    before, told = None, 0
    for tick, inputs, outputs, phase in read(data):
        key = (phase, outputs[image.OUT_LIGHT], outputs[image.OUT_TONE])
        if key != before or (phase not in _REST and tick - told >= _EVERY_TICKS):
            before, told = key, tick
            lines.append(_line(tick, inputs, outputs, phase))
    lines.append(f"# SHA-256 of all {len(read(data))} ticks: {hashlib.sha256(data).hexdigest()}")
    return "\n".join(lines) + "\n"


def _line(tick, inputs, outputs, phase):
    return (
        f"{tick:8d}  {_NAMES['PHASE'][phase]:9} {_NAMES['LIGHT'][outputs[image.OUT_LIGHT]]:14} "
        f"{_NAMES['TONE'][outputs[image.OUT_TONE]]:8} {inputs[image.IN_ENC_UM]:7d} {outputs[image.OUT_DUTY]:6d} "
        f"{inputs[image.IN_STEPS]:7d} {inputs[image.IN_PRESS_PA]:7d} {inputs[image.IN_LOAD_MN]:6d}"
    )
