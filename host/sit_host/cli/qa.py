"""`sit qa`: proofs about the project and the device. One file per subcommand, loaded only when it is called."""

from __future__ import annotations

import importlib

import click

# subcommand -> its module (which holds it as `command`) and one line of help
_PARTS = {
    "trace": ("qa_trace", "Check that each hazard has a control and each control a test."),
    "dose": ("qa_dose", "Give a series of doses and judge their volumes."),
    "depth": ("qa_depth", "Give a series of shots and judge their depths."),
}


class _Parts(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_PARTS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _PARTS:
            return None
        command: click.Command = importlib.import_module(f"sit_host.cli.{_PARTS[cmd_name][0]}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in _PARTS.items()])


@click.group(cls=_Parts)
def command() -> None:
    """Check the proofs: hazards and their tests, doses, depths."""
