"""Memory of the firmware under MicroPython: what a treatment leaves behind."""

import pytest
import steps
from sit_host.outcome import expect

SLACK_BYTES = 256  # a longer integer, a name interned late


@pytest.mark.needs("heap", reason="CPython's heap says nothing about the firmware's")
def test_heap_is_the_same_after_each_table(open_device):
    """Invariant 9, architecture: nothing piles up: the free heap after a table is that after the table before."""
    client = open_device()
    steps.make_ready(client)

    def free_bytes_after(attempt):
        steps.load(client, steps.rows(2, volume_nl=1_000, attempt=attempt))
        assert len(steps.give(client, 2)) == 2
        client.sleep(1.0)
        for _ in range(20):
            expect(client.status())
        return client.transport.control({"do": "info"})["heap_free_bytes"]

    free_bytes_after(1)  # fills what is filled once
    free = [free_bytes_after(attempt) for attempt in (2, 3, 4)]
    assert max(free) - min(free) <= SLACK_BYTES, free


@pytest.mark.needs("heap", reason="only MicroPython's heap can be locked")
def test_an_allocating_tick_is_found(open_sim, tmp_path):
    """Invariant 8: the tick runs with the heap locked on this target, so one that allocates faults."""
    (tmp_path / "greedy_app.py").write_text(
        "import echo_app\n"
        "class App(echo_app.App):\n"
        "    def tick(self):\n"
        "        super().tick()\n"
        "        self.outputs[5] = 1\n"
        "        self.board.write(self.outputs)\n"
        "        try:\n"
        "            [0] * (self.inputs[0] + 1)\n"
        "        except MemoryError:\n"
        "            self.outputs[5] = 2\n"
        "            self.board.write(self.outputs)\n"
    )
    from fake_plant import FakePlant
    from sit_sim.targets.pipe import PipeProcess
    from test_lockstep import HERE

    def lights(locked):
        def process(fram):
            runner = PipeProcess(fram, app_module="greedy_app", lock_tick=locked)
            runner.extra_path += [str(HERE), str(tmp_path)]
            return runner

        target = open_sim(plant=FakePlant(), process=process, hand="none")
        target.wait(0.001)
        return target.truth()["light"]

    assert (lights(False), lights(True)) == (1, 2)
