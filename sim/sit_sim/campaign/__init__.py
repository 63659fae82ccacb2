"""The bare loop: plant, control law and guard without background, for tuning and for proofs over many shots."""

from sit_sim.campaign.bench import Bench
from sit_sim.campaign.runs import Shot, run_shots

__all__ = ["Bench", "Shot", "run_shots"]
