"""`sit`: the command line. One file per noun; a table names them, so that help needs none of their imports.

Exit codes: 0 ok, 1 refused or failed, 2 wrong usage, 3 outcome unknown. With `--json` there is one JSON value on
standard output, also for an error (`{"error": ...}`); everything else goes to standard error.
"""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
import time
import traceback
from dataclasses import dataclass

import click

from sit_host.cli.ui import Ui
from sit_host.errors import EXIT_FAILED, EXIT_OK, EXIT_USAGE, SitError, UsageError

_INTERRUPTED = "Interrupted."


@dataclass(frozen=True)
class Noun:
    """One command: its module holds it as `command`."""

    module: str
    section: str
    summary: str


NOUNS: dict[str, Noun] = {
    "treat": Noun("treat", "Treat", "Run a treatment plan, point after point."),
    "check": Noun("check", "Treat", "Check a plan before anything moves."),
    "plan": Noun("plan", "Treat", "Make a new plan."),
    "log": Noun("log", "Treat", "List the device's records, plot a shot."),
    "stop": Noun("stop", "Device", "Stop at once, retract, disarm."),
    "info": Noun("info", "Device", "Show the device, its state, and what is missing to arm."),
    "monitor": Noun("monitor", "Device", "Watch state, depth, forces and events live."),
    "selftest": Noun("selftest", "Device", "Run the session self-test."),
    "zero": Noun("zero", "Device", "Zero the needle tip at the nose-piece plane."),
    "prime": Noun("prime", "Device", "Purge air with the needle parked."),
    "clear": Noun("clear", "Device", "Clear a latched fault whose cause is mended."),
    "ack": Noun("ack", "Device", "Acknowledge an uncertain shot after looking at it."),
    "settings": Noun("settings", "Device", "Show limits and calibration in force; set limits."),
    "pair": Noun("pair", "Device", "Let the device obey this host alone."),
    "unpair": Noun("unpair", "Device", "Let the device obey every host again."),
    "service": Noun("service", "Device", "Set the code that opens service mode."),
    "bringup": Noun("bringup", "Connect", "Walk through the bring-up checklist of a new device."),
    "flash": Noun("flash", "Connect", "Put the firmware on a board, check it, roll it back."),
    "calibrate": Noun("calibrate", "Prove", "Measure bore and dose offset, and store them."),
    "qa": Noun("qa", "Prove", "Check the proofs: hazards and their tests, doses, depths."),
    "ports": Noun("ports", "Connect", "List serial ports and who uses them."),
    "sim": Noun("sim", "Connect", "Serve the simulated injector, or run a command on it."),
}


class _Root(click.Group):
    """Loads a command's module only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(NOUNS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        noun = NOUNS.get(cmd_name)
        if noun is None:
            return None
        command: click.Command = importlib.import_module(f"sit_host.cli.{noun.module}").command
        command.name = cmd_name
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for section in dict.fromkeys(noun.section for noun in NOUNS.values()):
            with formatter.section(section):
                formatter.write_dl([(name, noun.summary) for name, noun in NOUNS.items() if noun.section == section])


@click.group(
    cls=_Root,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="Example: sit info --target serial:/dev/ttyACM0. `sit COMMAND --help` shows an example of each. "
    "SIT_TARGET sets the target once for all.",
)
@click.version_option(package_name="opensit", prog_name="sit")
def cli() -> None:
    """OpenSIT: controls a Skin Injection Technique injector. Research software, not a certified medical device."""


def main() -> None:
    """Entry point of the console script."""
    sys.exit(run(sys.argv[1:]))


def run(args: list[str]) -> int:
    """Run one command line and return its exit code; every error ends in one sentence, never in a stack trace."""
    ui = Ui(json="--json" in args, verbose="-v" in args or "--verbose" in args)
    try:
        result = cli.main(args=args, prog_name="sit", standalone_mode=False, obj=ui)
        return result if isinstance(result, int) else EXIT_OK
    except SitError as error:
        ui.error(error)
        return error.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        ui.note(error.format_message())
        return EXIT_USAGE
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "sit"
        ui.error(UsageError(_sentence(error.format_message()), f"`{command} --help` shows how it is used."))
        return EXIT_USAGE
    except click.ClickException as error:
        ui.error(SitError(_sentence(error.format_message())))
        return EXIT_FAILED
    except (KeyboardInterrupt, click.Abort):
        ui.error(SitError(_INTERRUPTED, "`sit info` shows the state of the device."))
        return EXIT_FAILED
    except BrokenPipeError:
        # the reader of our output has gone: not an error of ours, and nobody is left to tell
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED
    except Exception as error:
        ui.error(_internal(error))
        return EXIT_FAILED


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _internal(error: Exception) -> SitError:
    """Return the sentence for a bug of ours; the trace goes to a file that can be sent in."""
    path = os.path.join(tempfile.gettempdir(), time.strftime("sit-error-%Y%m%d-%H%M%S.txt"))
    try:
        with open(path, "w", encoding="utf-8") as file:
            traceback.print_exception(error, file=file)
        where = f"Details are in {path}; please report it."
    except OSError:
        where = "Please report it."
    return SitError(f"This is a bug in sit: {type(error).__name__}: {error}.", where)
