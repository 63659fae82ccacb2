"""`sit flash`: firmware onto a board."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sit_host.cli.common import output_options
from sit_host.cli.ui import Ui
from sit_host.errors import EXIT_FAILED, EXIT_OK, SitError, UsageError

if TYPE_CHECKING:
    from sit_build.bundle import Board, Image

    from sit_host.flash.flow import Flasher
    from sit_host.flash.install import Progress
    from sit_host.flash.port import Port
    from sit_host.flash.slots import Slots

_BOARDS = ("rp2040", "esp32")


@click.command(epilog="Example: sit flash --target serial:/dev/ttyACM0")
@output_options
@click.option("-t", "--target", envvar="SIT_TARGET", metavar="URL", help="serial:PATH; default: the only board.")
@click.option("--board", type=click.Choice(_BOARDS), help="Refuse any other kind of board.")
@click.option("--base", type=click.Path(path_type=Path), help="Put this MicroPython on it first (UF2 or ESP32 BIN).")
@click.option("--check", is_flag=True, help="Show what is on the board and hash every file; change nothing.")
@click.option("--dry-run", is_flag=True, help="Show what would be written; change nothing.")
@click.option("--rollback", is_flag=True, help="Start the firmware before.")
@click.option("--force", is_flag=True, help="Send every file although the board has it.")
@click.option("--no-selftest", is_flag=True, help="Confirm without the self-test: a board with no injector around it.")
def command(
    ui: Ui,
    target: str | None,
    board: str | None,
    base: Path | None,
    check: bool,
    dry_run: bool,
    rollback: bool,
    force: bool,
    no_selftest: bool,
) -> int:
    """Build the firmware, write it into the slot that isn't running, start it, confirm it when it is well.

    Each file is read back. A new firmware that doesn't come up well is rolled back; a cable pulled at any point leaves
    the board with the firmware that it had. Ledger, settings and calibration stay. With an injector connected the
    self-test moves the needle a little behind the nose-piece: let nothing touch it.
    """
    from sit_host.flash import base as bases
    from sit_host.flash import find
    from sit_host.flash.flow import Flasher

    if sum((check, dry_run, rollback)) > 1:
        raise UsageError("--check, --dry-run and --rollback are three different things.", "Give one of them.")
    if base is not None:
        if check or dry_run or rollback:
            raise UsageError("--base writes; --check, --dry-run and --rollback don't.", "Give one of them.")
        kind = bases.kind_of(base)
        if board and board != kind:
            raise UsageError(f"{base} is MicroPython for {kind}, not for {board}.", "Give the right file.")
        if not ui.confirm(f"Put {base.name} on the board?"):
            return _nothing(ui)
        waiting = target is None and kind == "rp2040" and bool(find.drives())
        bases.write(base, None if waiting else find.port_of(target))
        ui.note(f"Wrote {base.name}.")
    flasher = Flasher(_port(target, base is not None), ui.note, _progress(ui))
    if check:
        return _check(ui, flasher)
    if dry_run:
        return _dry_run(ui, flasher, board)
    if rollback:
        if not ui.confirm("Start the firmware before?"):
            return _nothing(ui)
        version = flasher.roll_back()
        ui.result({"rolled_back": True, "version": version})
        ui.say(f"Firmware {version} runs.")
        return EXIT_OK
    question = "Write the firmware" + (
        "?" if no_selftest else " and run the self-test? The needle moves a little: nothing may touch the nose-piece."
    )
    if not ui.confirm(question):
        return _nothing(ui)
    image = flasher.write(_build, board or "", force=force)
    if image is not None:
        flasher.confirm(image, selftest=not no_selftest)
    ui.result({"written": image is not None, "version": image.version if image else None})
    ui.say(f"Firmware {image.version} runs and is confirmed." if image else "The board has this firmware already.")
    return EXIT_OK


def _nothing(ui: Ui) -> int:
    ui.note("Nothing was done.")
    return EXIT_FAILED


def _port(target: str | None, fresh: bool) -> Port:
    """The board's port; a board that has just got its MicroPython needs a moment to show it."""
    import time

    from sit_host.errors import PortError
    from sit_host.flash import find
    from sit_host.flash.port import SerialPort, SimPort
    from sit_host.transport import parse_url

    if target is not None and parse_url(target).scheme == "emu":
        from sit_host.transport.sim import open_empty_board

        return SimPort(open_empty_board(parse_url(target)))
    end_s = time.monotonic() + (15.0 if fresh else 0.0)
    while True:
        try:
            return SerialPort(find.port_of(target))
        except PortError:
            if time.monotonic() >= end_s:
                raise
            time.sleep(0.3)


def _build(board: Board) -> Image:
    from sit_build.bundle import build
    from sit_build.forms import BuildError

    try:
        return build(board)
    except BuildError as error:
        raise SitError(f"The firmware can't be built: {error}.", "Mend the source, or run `make setup`.") from error


def _progress(ui: Ui) -> Progress:
    """Tells each tenth on standard error."""
    told = [0]

    def tell(name: str, done: int, size: int) -> None:
        tenth = 10 * done // size
        if tenth > told[0]:
            told[0] = tenth
            ui.note(f"{10 * tenth} % written and read back")
        ui.detail(name)

    return tell


def _check(ui: Ui, flasher: Flasher) -> int:
    found, damaged = flasher.check()
    slots = found.slots
    rows = [
        (
            slot,
            manifest.get("version", "?"),
            manifest.get("board", "?"),
            _role(slots, slot),
            ", ".join(damaged[slot]) or "all files as they should be",
        )
        for slot, manifest in found.manifests.items()
    ]
    good = slots is not None and bool(slots.confirmed) and slots.active in damaged and not damaged[slots.active]
    ui.result(
        {
            "machine": found.machine,
            "micropython": ".".join(map(str, found.micropython)),
            "slots": [dict(zip(("slot", "version", "board", "role", "files"), row, strict=True)) for row in rows],
            "good": good,
        }
    )
    ui.say(f"{found.machine or found.platform}, MicroPython {'.'.join(map(str, found.micropython))}")
    if rows:
        ui.table("", ("Slot", "Version", "Board", "Role", "Files"), rows)
    else:
        ui.say("No OpenSIT firmware is on it: run `sit flash`.")
    return EXIT_OK if good else EXIT_FAILED


def _role(slots: Slots | None, slot: str) -> str:
    if slots is None:
        return "doesn't start"
    if slot == slots.active:
        return "starts" if slots.confirmed else f"starts, not confirmed, tried {slots.tries} times"
    return "to fall back to" if slot == slots.before else "spare"


def _dry_run(ui: Ui, flasher: Flasher, board: str | None) -> int:
    from sit_host.flash import install, slots

    found = flasher.look()
    image = _build(install.board_of(found, board or ""))
    install.refuse(found, image)
    slot = slots.to_write(found.slots)
    running = found.slots.active if found.slots else ""
    ui.result(
        {
            "board": image.board.name,
            "version": image.version,
            "slot": slot,
            "files": len(image.files),
            "bytes": image.size,
            "running": found.version(running),
        }
    )
    ui.say(f"Would write firmware {image.version} for {image.board.name}: {len(image.files)} files, {image.size} bytes")
    ui.say(f"into {slot}; {f'{found.version(running)} in {running} starts now' if running else 'nothing starts now'}.")
    return EXIT_OK
