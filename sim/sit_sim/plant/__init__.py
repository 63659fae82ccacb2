"""The injector's physics: `Plant`, its units, and the kernels that compiled campaigns call."""

from sit_sim.plant.plant import Plant
from sit_sim.plant.reference import reference
from sit_sim.plant.spread import spread_unit, worn_unit
from sit_sim.plant.unit import Unit, nominal_unit, perturbed, syringe_values

__all__ = ["Plant", "Unit", "nominal_unit", "perturbed", "reference", "spread_unit", "syringe_values", "worn_unit"]
