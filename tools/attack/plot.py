"""Draws one run: true tip and encoder, phase, pressure, plunger and drive, around the moment of the fault."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sit_firmware import image
from sit_sim.clock import s_of_ticks

from attack.watch import Watch

_AROUND_S = (0.15, 0.6)


def draw(watch: Watch, verdict: dict[str, Any], path: Path) -> None:
    """Write the plot of a run whose watch kept its images; format by the ending of `path`."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    at_s = s_of_ticks(watch.struck) if watch.struck is not None else s_of_ticks(watch.images[-1][0])
    low, high = at_s - _AROUND_S[0], at_s + _AROUND_S[1]
    rows = [row for row in watch.images if low <= s_of_ticks(row[0]) <= high]
    ms = [(s_of_ticks(row[0]) - at_s) * 1e3 for row in rows]
    figure, axes = plt.subplots(4, 1, sharex=True, figsize=(10, 10))
    axes[0].plot(ms, [row[4]["tip_um"] for row in rows], label="true tip")
    axes[0].plot(ms, [row[1][image.IN_ENC_UM] - row[4]["zero_um"] for row in rows], label="encoder", lw=0.8)
    axes[0].axhline(2000, color="red", lw=0.8)
    axes[0].set_ylabel("um")
    axes[0].legend()
    axes[1].step(ms, [row[3] for row in rows], where="post")
    axes[1].set_ylabel("phase")
    axes[2].plot(ms, [row[4]["pressure_pa"] / 1e3 for row in rows], label="pressure, kPa")
    axes[2].plot(ms, [row[4]["tissue_nl"] / 1e3 for row in rows], label="tissue, uL")
    axes[2].legend()
    axes[3].step(ms, [row[2][image.OUT_DUTY] / 4096 for row in rows], where="post", label="duty")
    axes[3].step(ms, [row[2][image.OUT_BRIDGE] for row in rows], where="post", label="bridge")
    axes[3].step(ms, [row[2][image.OUT_STEPS] / 10 for row in rows], where="post", label="steps / 10")
    axes[3].legend()
    axes[3].set_xlabel("ms from the fault")
    for axis in axes:
        axis.axvline(0, color="gray", ls=":")
    axes[0].set_title(f"seed {verdict['seed']}: {verdict['fault']} {verdict['args'] or ''}, {verdict['moment']}")
    figure.tight_layout()
    figure.savefig(path)
    plt.close(figure)
