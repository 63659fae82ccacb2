"""Quality assurance: matrices and reports that are checked, not asserted."""
