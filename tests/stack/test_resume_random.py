"""Treatments through seeded mishaps: cable, power, silence, e-stop and lifting, in any phase of any shot."""

import random

import pytest
import treatkit
from sit_host._gen.enums import Record as Kind
from treatkit import Operator, treat, write_plan

SEEDS = range(1, 9)
POINTS = [(1.2, 5.0), (1.5, 10.0), (1.8, 20.0), (1.4, 8.0)]
PHASES = ("APPROACH", "INSERT", "SETTLE", "DISPENSE", "DWELL", "RETRACT")
AFTER_MS = (0, 1, 3, 10, 40, 150, 700)
STARTS = 5  # the operator starts the plan again so often at most


def mishaps(rng):
    """One to three events of a scenario, as TOML."""
    text = 'doc = "seeded mishaps"\n'
    for _ in range(rng.randint(1, 3)):
        when = f'[[event]]\nat_point = {rng.randint(1, 5)}\nphase = "{rng.choice(PHASES)}"\nafter_ms = '
        after_ms = rng.choice(AFTER_MS)
        what = rng.choice(
            [
                f'do = "cable"\nout_ms = {rng.choice((300, 3000, 9000))}',
                'do = "power"\noff_ms = 600',
                f'do = "power"\nat_write = {rng.randint(1, 6)}\nkept_bytes = {rng.randint(0, 64)}\noff_ms = 500',
                'do = "link"\ndrop = 1.0\ncount = 60',
                'do = "hand"\naction = "lift"',
                'do = "hand"\naction = "estop"',
            ]
        )
        text += f"{when}{after_ms}\n{what}\n"
        if "estop" in what:
            text += f'{when}{after_ms + 1500}\ndo = "hand"\naction = "estop_release"\n'
    return text


class Patient(Operator):
    """Waits for a cause to be mended before it says so."""

    client = None

    def confirm(self, question):
        if "cause mended" in question:
            self.client.sleep(2.0)
        return super().confirm(question)


@pytest.mark.targets("sim:", reason="eight whole treatments; sim:micropython has the named mishaps")
@pytest.mark.parametrize("case", SEEDS)
def test_nothing_is_doubled_or_lost(open_device, tmp_path, case, note_repro):
    """Invariants 1, 4, 5: through any mishap each attempt is begun once, each point is DONE at most once, none is left
    out, and what is true lies inside what is told."""
    rng = random.Random(case)
    scenario = tmp_path / "mishaps.toml"
    scenario.write_text(mishaps(rng))
    note_repro(scenario.read_text())
    client = open_device(scenario=scenario, seed=case)
    plan = write_plan(tmp_path, POINTS)
    for _ in range(STARTS):
        operator = Patient(attended=rng.random() < 0.8)
        operator.client = client
        done = treat(client, plan, tmp_path / "records", operator)
        if done.record["ended"] == "finished":
            break
    assert done.record["ended"] == "finished", done.record["reason"]
    assert max(treatkit.starts(client).values()) == 1
    assert max(treatkit.done_points(client).values()) == 1
    records = treatkit.ledger(client)
    intents = [record for record in records if record.kind == Kind.INTENT]
    assert len(client.transport.truth()["shots"]) == len(intents)
    for point in done.record["points"]:
        assert point["verdict"] != "left", point
        assert point["truth"] is None or point["truth"]["inside_interval"], point
        assert point["reported"]["volume_min_nl"] <= 1.05 * point["commanded"]["volume_nl"] + 50, point
