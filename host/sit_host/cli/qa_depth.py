"""`sit qa depth`: see qa_dose.py, which holds what the two share."""

from sit_host.cli.qa_dose import depth_command as command

__all__ = ["command"]
