"""Calibration: series of shots, the balance that weighs them, and the fit of bore and offset."""
