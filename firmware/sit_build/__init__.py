"""Turns the plain firmware source into the files that run on a target. Runs on the host, never on a board."""
