"""The parts of the bench. Each module has `run()`, which measures and returns a table."""


class Skip(Exception):
    """This part can't run here; the message is the reason."""
