"""`sit qa dose` and `sit qa depth`: give a series and judge it, on a bench and on the simulator alike."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sit_host._gen.enums import Record as Kind
from sit_host.cli.common import Call, device_options
from sit_host.errors import EXIT_OK, SitError, UsageError

if TYPE_CHECKING:
    from sit_host.calibrate.series import Given, Series

_SHUFFLE_SEED = 1  # each volume meets each position of the plunger, in the same order every time
_DEPTHS_MM = (0.5, 1.0, 1.5)


class Amounts(click.ParamType):
    """Numbers with commas between them, returned as whole thousandths: uL as nl, mm as um."""

    name = "N,N,.."

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        """Return them, each once."""
        if isinstance(value, tuple):
            return value
        try:
            found = tuple(dict.fromkeys(round(float(word) * 1000) for word in str(value).split(",")))
        except (ValueError, OverflowError):
            found = ()
        if not found or min(found) <= 0:
            self.fail(f"{value!r} must be numbers above 0 with commas between them, like 1,2,5.", param, ctx)
        return found


def _options(function: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--n", type=click.IntRange(2, 500), default=60, show_default=True, help="Shots of each."),
        click.option("--needle", default="30G4", show_default=True, help="Needle, as plans name it."),
        click.option("--viscosity", type=float, default=1.0, show_default=True, help="Viscosity in mPa.s."),
        click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write the verdict as JSON."),
        click.option("--html", "page", type=click.Path(path_type=Path, dir_okay=False), help="Write it as a page."),
    ):
        function = option(function)
    return function


@click.command("dose", epilog="Example: sit qa dose --volumes 1,2,5,10 --target sim: --html build/dose.html")
@click.option("--volumes", type=Amounts(), default="1,2,5,10", show_default=True, help="Volumes in uL.")
@click.option("--depth", type=float, default=1.5, show_default=True, help="Depth in mm.")
@_options
@device_options
def command(call: Call, volumes: tuple[int, ...], depth: float, **rest: Any) -> int:
    """Give N shots of each volume and judge them: ISO 8655-style, ISO 11608-1-style, rate, by position, trumpet curve.

    On the simulator its truth measures; on a bench the needle injects into a vial on a balance, and each reading is
    asked for. Fails when a volume or its rate is outside the limits of the design, or the bore has drifted since the
    calibration.
    """
    from sit_host.calibrate.balance import Balance, Truth, control_of
    from sit_host.ledger import read_recorder
    from sit_host.log_recording import parse_recording
    from sit_host.qa.dose import Dose, verdict
    from sit_host.qa.rate import rate
    from sit_host.qa.verdict_page import dose_plots, dose_tables

    depth_um = round(depth * 1000)

    def measured(client: Any) -> Callable[[Series, int, int], Dose | None]:
        control = control_of(client)
        meter = Truth(control) if control else Balance("balance", _asked_mg(call), client.transport.now)

        def one(series: Series, at_um: int, volume_nl: int) -> Dose | None:
            series.make_ready_if_needed(volume_nl)
            before = meter.total_nl()
            given = series.give(at_um, volume_nl)
            if not given:
                return None
            flow = series.checked.flow
            assert flow is not None
            found = rate(parse_recording(read_recorder(client).data), volume_nl, flow.flow_nl_per_s)
            return Dose(volume_nl, meter.total_nl() - before, _position(series, given[0]), found)

        return one

    return _run(call, "Dose", [(depth_um, v) for v in volumes], measured, verdict, dose_tables, dose_plots, **rest)


@click.command("depth", epilog="Example: sit qa depth --depths 0.5,1.0,1.5 --target sim: --html build/depth.html")
@click.option("--depths", type=Amounts(), help="Depths in mm [0.5, 1.0, 1.5 and the highest that can be set].")
@click.option("--volume", type=float, default=2.0, show_default=True, help="Volume of each shot in uL.")
@_options
@device_options
def depth_command(call: Call, depths: tuple[int, ...] | None, volume: float, **rest: Any) -> int:
    """Give N shots at each depth and judge the tip's error at the end of insertion: |mean| + 3 s at most 25 um.

    On the simulator its truth measures; on a bench a camera's reading of the tip is asked for after each shot.
    """
    from sit_host.calibrate.balance import Truth, control_of
    from sit_host.qa.depth import verdict
    from sit_host.qa.verdict_page import depth_tables

    def measured(client: Any) -> Callable[[Series, int, int], tuple[int, float] | None]:
        control = control_of(client)
        read = Truth(control).depth_um if control else _asked_um(call)

        def one(series: Series, depth_um: int, volume_nl: int) -> tuple[int, float] | None:
            # a dose that leaks from a shallow bevel is PARTIAL, and the depth was reached all the same
            given = series.give(depth_um, volume_nl, kinds=(Kind.DONE, Kind.PARTIAL))
            return (depth_um, read()) if given else None

        return one

    asked = depths or tuple(round(mm * 1000) for mm in _DEPTHS_MM)
    amounts = [(depth_um, round(volume * 1000)) for depth_um in asked]
    return _run(call, "Depth", amounts, measured, verdict, depth_tables, None, deepest=depths is None, **rest)


def _run(
    call: Call,
    title: str,
    amounts: list[tuple[int, int]],
    measured: Callable[[Any], Callable[[Series, int, int], Any]],
    verdict: Callable[[list[Any]], list[dict[str, Any]]],
    tables: Callable[[list[dict[str, Any]]], Any],
    plots: Callable[[list[dict[str, Any]]], list[str]] | None,
    *,
    deepest: bool = False,
    n: int,
    needle: str,
    viscosity: float,
    out: Path | None,
    page: Path | None,
) -> int:
    """Give the series, judge it, show and write the verdict."""
    from sit_host.calibrate.series import Series, tries
    from sit_host.cli.treat_console import ConsoleTalk
    from sit_host.drift import judge
    from sit_host.qa.verdict_page import html, json_text, write

    ui = call.ui
    talk = ConsoleTalk(ui)
    with call.connect() as client:
        assert client.device is not None  # a session is open
        if deepest:
            amounts = [*amounts, (client.device.max_depth_um, amounts[0][1])]
        series = Series(client, talk, amounts, needle=needle, viscosity_mpa_s=viscosity)
        if not ui.confirm(f"Give {n * len(amounts)} shots into the vial or phantom on the bench, never into a person?"):
            raise SitError("Nothing was given.", "")
        one = measured(client)
        shots = amounts * n
        random.Random(_SHUFFLE_SEED).shuffle(shots)
        values = []
        for amount in shots:
            value = next((found for _ in tries() if (found := one(series, *amount)) is not None), None)
            if value is not None:
                values.append(value)
        settings, missed, drift = series.settings, series.missed, judge(series.ends, series.settings)
        facts: list[tuple[str, object]] = [
            ("device", client.device.uid.hex()),
            ("target", client.name),
            ("calibrated bore, um", settings.bore_um),
            ("calibrated offset, nl", settings.offset_nl),
            ("calibrated at, unix s", settings.calibrated_unix_s),
            ("needle", needle),
            ("viscosity, mPa.s", viscosity),
            ("missed shots, left out", missed),
            ("force and pressure", drift.sentence),
        ]
    try:
        rows = verdict(values)
    except ValueError as error:
        raise SitError(f"There is no verdict: {error}.", "Too many shots were missed; see `sit log`.") from None
    passed = len(rows) == len(amounts) and all(row["passes"] for row in rows) and len(values) == len(shots)
    passed = passed and not drift.drifted
    result = {"passed": passed, "facts": dict(facts), "drift": drift.as_json(), "rows": rows}
    shown = tables(rows)
    write(out, json_text(result))
    write(page, html(title, passed, facts, shown, plots(rows) if plots and page else ()))
    ui.result(result)
    ui.pairs(facts)
    for table in shown:
        ui.table(table.title, table.columns, table.rows)
    if not passed:
        raise SitError(
            f"{title}: not within the limits.", "Calibrate with `sit calibrate dose`, or see docs/calibration.md."
        )
    ui.say(f"{title}: within the limits.")
    return EXIT_OK


def _position(series: Series, given: Given) -> float:
    assert series.checked.setup is not None
    return given.used_nl / 1000 / series.checked.setup.syringe.capacity_ul


def _asked_mg(call: Call) -> Callable[[], float]:
    return _asked(call, "Reading of the balance in mg")


def _asked_um(call: Call) -> Callable[[], float]:
    return _asked(call, "Tip beyond the nose-piece plane by the camera, in um")


def _asked(call: Call, question: str) -> Callable[[], float]:
    """A reading that the operator types in."""
    if not call.ui.interactive:
        raise UsageError("Readings are typed in, and standard input isn't a terminal.", "Run it on a terminal.")
    return lambda: float(click.prompt(question, type=float, err=True))
