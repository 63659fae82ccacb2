"""The whole of `sit flash` on one port: to the prompt, write, switch, look after the new firmware, or back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from sit_build.bundle import Board, Image

from sit_host.errors import LinkLost, NoAnswer, PortError, ProtocolError, SitError, UnknownError
from sit_host.flash import health, install
from sit_host.flash import slots as states
from sit_host.flash.health import Kept, Unhealthy
from sit_host.flash.install import Found, Progress
from sit_host.flash.port import Port
from sit_host.flash.repl import Repl
from sit_host.outcome import Refused
from sit_host.transport import Transport

_SURE_S = 2.0  # firmware that runs answers at once, but its port may be busy for a moment


class RolledBack(SitError):
    """The new firmware was ill; the one before runs again."""


def _quiet(*_: object) -> None:
    """Tells nobody."""


@dataclass
class Flasher:
    """Firmware onto the board behind one port.

    `note` hears what is being done, `progress` each file with bytes done and in all. `open_repl` opens the prompt.
    `start_s` is how long a board may take to start, by the port's clock.
    """

    port: Port
    note: Callable[[str], None] = _quiet
    progress: Progress = _quiet
    open_repl: Callable[[Transport], Repl] = Repl
    start_s: float = 20.0
    before: Kept | None = field(default=None, init=False)
    """What the firmware that ran before said of itself; None when none did."""

    @contextmanager
    def prompt(self, *, runs: bool = False) -> Iterator[Repl]:
        """The board at the prompt, whatever ran on it; `runs`: firmware does, for sure.

        Raises RefusedError when it is armed or moves.
        """
        with ExitStack() as opened:
            repl = None if runs else self._prompt_now(opened)
            if repl is None:
                self._leave_firmware()
                repl = self._prompt_within(opened)
            yield repl

    def look(self) -> Found:
        """What is on the board; it starts again afterwards."""
        with self.prompt() as repl:
            found = install.look(repl)
            repl.reset()
        return found

    def check(self) -> tuple[Found, dict[str, list[str]]]:
        """What is on the board, and the damaged files of each slot, hashed by the board; it starts again afterwards."""
        with self.prompt() as repl:
            found = install.look(repl)
            damaged = {slot: install.damaged(repl, slot, manifest) for slot, manifest in found.manifests.items()}
            repl.reset()
        return found, damaged

    def write(self, image_for: Callable[[Board], Image], named: str = "", *, force: bool = False) -> Image | None:
        """Write what `image_for` builds for this board and set it to start, not yet confirmed; then the board resets.

        None when the board has this image already and it is confirmed. `named`: the kind of board the user says it is.
        """
        with self.prompt() as repl:
            found = install.look(repl)
            image = image_for(install.board_of(found, named))
            install.refuse(found, image)
            slots = found.slots
            if slots and slots.confirmed and not force and self._has(repl, slots.active, image):
                repl.reset()
                return None
            slot = install.write_image(repl, found, image, self.progress, copies=not force)
            for name in install.write_loader(repl, image):
                self.note(f"Wrote {name}.")
            install.switch(repl, states.switched(states.before_writing(slots) or slots, slot))
            self.note(f"Firmware {image.version} is in {slot}; starting it.")
            repl.reset()
        return image

    def confirm(self, image: Image, *, selftest: bool) -> None:
        """Look after the started firmware: confirm it when it is well, else start the one before, RolledBack."""
        try:
            client = health.connect(self.port, self.start_s)
            try:
                health.check(client, image.version, self.before, selftest=selftest)
            finally:
                client.close()
            with self.prompt(runs=True) as repl:
                slots = install.look(repl).slots
                if slots is None or not self._has(repl, slots.active, image):
                    raise Unhealthy("The new firmware didn't start; the board fell back by itself.")
                install.switch(repl, states.confirmed(slots))
                repl.reset()
            health.connect(self.port, self.start_s).close()
        except (Unhealthy, NoAnswer, LinkLost, PortError, ProtocolError, UnknownError) as error:
            raise self._undo(image, error) from error

    def roll_back(self) -> str:
        """Start the slot before and return its version. Raises SitError when there is none, or it is damaged."""
        with self.prompt() as repl:
            found = install.look(repl)
            state = states.rolled_back(found.slots)
            manifest = found.manifests.get(state.active) if state else None
            damaged = state and manifest and install.damaged(repl, state.active, manifest)
            if state is None or manifest is None or damaged:
                repl.reset()
                raise SitError(
                    "There is no firmware to go back to."
                    if not damaged
                    else f"The one before is damaged: {damaged[0]}.",
                    "Put one on the board with `sit flash`.",
                )
            install.switch(repl, state)
            repl.reset()
        client = health.connect(self.port, self.start_s)
        try:
            return health.kept(client).version
        finally:
            client.close()

    # --- inside --------------------------------------------------------------------------------------

    @staticmethod
    def _has(repl: Repl, slot: str, image: Image) -> bool:
        """Whether a slot holds exactly this image: manifest and files."""
        name = f"{slot}/{states.MANIFEST}"
        if not repl.exists(name) or repl.sha256(name) != image.digest:
            return False
        return not install.damaged(repl, slot, image.manifest)

    def _undo(self, image: Image, error: SitError) -> SitError:
        """Bring the firmware before back, unless the board has done it; the error to raise."""
        try:
            with self.prompt() as repl:
                slots = install.look(repl).slots
                fresh = slots is not None and not slots.confirmed
                state = states.rolled_back(slots) if fresh else None
                if state is not None:
                    install.switch(repl, state)
                repl.reset()
            if slots is None or (fresh and state is None):
                return Unhealthy(
                    f"The firmware isn't confirmed: {error.what}",
                    f"{error.do} There is no other to go back to; unconfirmed, it starts three times at most.",
                )
            client = health.connect(self.port, self.start_s)
            version = health.kept(client).version
            client.close()
        except SitError as second:
            return UnknownError(
                f"Firmware {image.version} isn't confirmed: {error.what} The board can't be reached: {second.what}",
                "Switch it off and on: after three starts without a confirmation it goes back by itself. "
                "`sit flash --check` shows what is on it.",
            )
        return RolledBack(f"Rolled back, firmware {version} runs again: {error.what}", error.do)

    def _prompt_now(self, opened: ExitStack) -> Repl | None:
        """The prompt if the board shows it; None when firmware runs."""
        with ExitStack() as opening:
            try:
                repl = self.open_repl(opening.enter_context(self.port.raw()))
            except NoAnswer:
                return None
            opened.push(opening.pop_all())
        return repl

    def _leave_firmware(self) -> None:
        """Ask the running firmware to end."""
        client = health.connect(self.port, _SURE_S)
        try:
            self.before = health.kept(client)
            outcome = client.update()
            if isinstance(outcome, Refused):
                raise outcome.error()
        except LinkLost:
            pass  # it may be quicker than its reply
        finally:
            client.close()

    def _prompt_within(self, opened: ExitStack) -> Repl:
        end_s = self.port.now() + self.start_s
        while True:
            try:
                repl = self._prompt_now(opened)
            except (PortError, LinkLost):
                if self.port.now() >= end_s:
                    raise
                repl = None
            if repl is not None:
                return repl
            if self.port.now() >= end_s:
                raise NoAnswer(
                    f"MicroPython's prompt doesn't come up on {self.port.name}.",
                    "Unplug the board, hold its pairing button, plug it in again, then try once more.",
                )
            self.port.pause()
