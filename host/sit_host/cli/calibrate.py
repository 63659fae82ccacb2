"""`sit calibrate`: measures bore and dose offset and writes them on the device; measures the depth."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sit_host._gen.enums import Record as Kind
from sit_host._gen.messages import CalibrationWrite
from sit_host.cli.calibrate_type import make_known, other_type, store, usual_volumes
from sit_host.cli.common import Call, device_options
from sit_host.cli.qa_dose import Amounts
from sit_host.cli.service import ask_code
from sit_host.drift import reference_e4
from sit_host.errors import EXIT_OK, SitError, UsageError
from sit_host.outcome import expect

if TYPE_CHECKING:
    from sit_host.calibrate.balance import Balance
    from sit_host.client import Client

_DEPTH_SHOT_NL = 2_000


@click.group()
def command() -> None:
    """Measure what the device delivers, and store it as its calibration."""


@command.command("dose", epilog="Example: sit calibrate dose --target sim: --out build/calibration.json")
@click.option("--syringe", help="Syringe type, as plans name it [the one calibrated now].")
@click.option("--volumes", type=Amounts(), help="In uL, two or more [2,10,40; of a large or soft syringe 40,70,100].")
@click.option("--rounds", type=click.IntRange(2, 20), default=4, show_default=True, help="Weighings of each.")
@click.option("--depth", type=float, default=1.5, show_default=True, help="Depth in mm.")
@click.option("--needle", default="30G4", show_default=True, help="Needle, as plans name it.")
@click.option("--water", type=click.FloatRange(15, 30), default=20.0, show_default=True, help="Water in degrees C.")
@click.option("--scatter", type=float, default=0.01, show_default=True, help="Repeatability of the balance in mg.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write weighings and result as JSON.")
@click.option("--write", is_flag=True, help="Store it on the device; needs the service code.")
@device_options
def dose_command(
    call: Call,
    syringe: str | None,
    volumes: tuple[int, ...] | None,
    rounds: int,
    depth: float,
    needle: str,
    water: float,
    scatter: float,
    out: Path | None,
    write: bool,
) -> int:
    """Weigh shots of water, fit bore and offset of the syringe in use, state their uncertainty.

    The needle injects through a membrane into a covered vial on a balance; readings are typed in. The simulator has a
    balance of its own. Without --write nothing on the device changes. A syringe type that the device isn't calibrated
    for takes two calls: the first makes the type known to the device, for weighing only; after a restart the second
    weighs.
    """
    from sit_host.calibrate.fit import fit
    from sit_host.calibrate.series import Series
    from sit_host.calibrate.weighings import weigh
    from sit_host.cli.treat_console import ConsoleTalk
    from sit_host.qa.verdict_page import json_text
    from sit_host.qa.verdict_page import write as write_file

    ui = call.ui
    depth_um = round(depth * 1000)
    if volumes is not None and len(volumes) < 2:
        raise UsageError("One volume tells bore and offset not apart.", "Give two volumes or more.")
    code = ask_code(ui) if write else ""
    with call.connect() as client:
        assert client.device is not None  # a session is open
        before = expect(client.settings_read())
        new = other_type(syringe, before)
        if new is not None:
            return make_known(call, client, code, new)
        volumes = volumes or usual_volumes(before.syringe_id)
        series = Series(client, ConsoleTalk(ui), [(depth_um, volume) for volume in volumes], needle=needle)
        if not ui.confirm("Give water into the vial on the balance, never into a person?"):
            raise SitError("Nothing was given.", "")
        balance = _balance(call, client, water)
        ui.note("Evaporation: touch nothing for a minute.")
        balance.watch_evaporation(client.sleep, 5 if call.simulated else 1)
        weighings = weigh(series, balance, depth_um, volumes, rounds, ui.note)
        setup = series.checked.setup
        assert setup is not None
        found = fit(
            weighings,
            before.bore_um,
            before.offset_nl,
            scatter * 1000 / balance.mg_per_ul,
            setup.syringe.bore_mm * 1000,
        )
        area_e4 = reference_e4(series.ends, found.bore_um)
        moved = found.dose_percent(before.offset_nl, max(volumes))
        result: dict[str, Any] = {
            "device": client.device.uid.hex(),
            "target": client.name,
            "unix_s": round(time.time()),
            "syringe_id": before.syringe_id,
            "needle": needle,
            "balance": balance.name,
            "water_celsius": water,
            "evaporation_mg_per_s": balance.evaporation_mg_per_s,
            "before": {"bore_um": before.bore_um, "offset_nl": before.offset_nl},
            "found": dict(vars(found)),
            "area_e4": area_e4,
            "dose_change_percent": round(moved, 2),
            "uncertainty_percent": {f"{v / 1000:g}": round(found.volume_u_percent(v), 3) for v in volumes},
            "weighings": [dict(vars(weighing)) for weighing in weighings],
            "written": False,
        }
        write_file(out, json_text(result))
        ui.pairs(
            (
                ("bore", f"{found.bore_um} um +- {found.bore_u_um:.1f} (k = 2), was {before.bore_um}"),
                ("offset", f"{found.offset_nl} nl +- {found.offset_u_nl:.1f} (k = 2), was {before.offset_nl}"),
                ("scatter", f"{found.scatter:.2f} times what balance and shots explain"),
                ("dose", f"{moved:+.2f} % against the calibration before, at {max(volumes) / 1000:g} uL"),
                ("by force", f"{area_e4 / 100:.1f} % of that bore's area" if area_e4 else "too few shots to tell"),
            )
        )
        if write and ui.confirm("Store this calibration on the device?"):
            kept = CalibrationWrite(
                before.syringe_id, found.bore_um, found.offset_nl, before.compliance_nl_per_mpa, area_e4, weighed=1
            )
            store(client, code, kept)
            result["written"] = True
            write_file(out, json_text(result))
    ui.result(result)
    if result["written"]:
        ui.say("Stored. Switch the device off and on, then prove it with `sit qa dose`; until then it doesn't arm.")
    else:
        ui.say("Nothing was stored: give --write to store it.")
    return EXIT_OK


def _balance(call: Call, client: Client, water: float) -> Balance:
    """The simulator's balance, or the one whose readings the operator types in."""
    from sit_host.calibrate.balance import Balance, control_of

    control = control_of(client)
    if control is not None:
        return Balance(
            "virtual balance", lambda: float(control({"do": "balance"})["mass_mg"]), client.transport.now, water
        )
    if not call.ui.interactive:
        raise UsageError("Readings are typed in, and standard input isn't a terminal.", "Run it on a terminal.")
    return Balance(
        "balance",
        lambda: float(click.prompt("Wipe the needle. Reading of the balance in mg", type=float, err=True)),
        client.transport.now,
        water,
    )


@command.command("depth", epilog="Example: sit calibrate depth --target sim: --out build/depth.json")
@click.option("--depths", type=Amounts(), default="1.2,1.5,1.8", show_default=True, help="Depths in mm, two or more.")
@click.option("--rounds", type=click.IntRange(2, 50), default=5, show_default=True, help="Readings of each.")
@click.option("--needle", default="30G4", show_default=True, help="Needle, as plans name it.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write readings and result as JSON.")
@device_options
def depth_command(call: Call, depths: tuple[int, ...], rounds: int, needle: str, out: Path | None) -> int:
    """Measure the tip's depth with a gauge block or a camera, state zero and scale with their uncertainty.

    Shots of 2 uL go into a phantom on the bench; after each the reading is typed in. On the simulator its truth reads.
    Nothing is stored: a zero or a scale that is off is put right on the device, never by a number. Fails when the
    error at the highest depth may be over 20 um.
    """
    from sit_host.calibrate.balance import Truth, control_of
    from sit_host.calibrate.depth import fit_depths
    from sit_host.calibrate.series import Series, tries
    from sit_host.cli.treat_console import ConsoleTalk
    from sit_host.qa.verdict_page import json_text
    from sit_host.qa.verdict_page import write as write_file

    ui = call.ui
    if len(depths) < 2:
        raise UsageError("One depth tells zero and scale not apart.", "Give two depths or more.")
    with call.connect() as client:
        assert client.device is not None  # a session is open
        control = control_of(client)
        if control is None and not ui.interactive:
            raise UsageError("Readings are typed in, and standard input isn't a terminal.", "Run it on a terminal.")
        series = Series(client, ConsoleTalk(ui), [(depth, _DEPTH_SHOT_NL) for depth in depths], needle=needle)
        if not ui.confirm("Give into the phantom on the bench, never into a person?"):
            raise SitError("Nothing was given.", "")
        readings = []
        for asked in depths * rounds:
            if any(series.give(asked, _DEPTH_SHOT_NL, kinds=(Kind.DONE, Kind.PARTIAL)) for _ in tries()):
                readings.append((asked, Truth(control).depth_um() if control else _asked_um()))
        found = fit_depths(readings, client.device.max_depth_um)
        result: dict[str, Any] = {
            "device": client.device.uid.hex(),
            "target": client.name,
            "unix_s": round(time.time()),
            "needle": needle,
            "highest_um": client.device.max_depth_um,
            "found": {name: round(value, 3) for name, value in vars(found).items()},
            "passed": found.passes,
            "advice": found.advice,
            "readings": readings,
        }
    write_file(out, json_text(result))
    ui.result(result)
    ui.pairs(
        (
            ("zero", f"{found.zero_um:+.1f} um +- {found.zero_u_um:.1f} (k = 2)"),
            ("scale", f"{found.scale_permille:+.2f} per mille +- {found.scale_u_permille:.2f} (k = 2)"),
            ("at the highest depth", f"{found.worst_um:+.1f} um +- {found.worst_u_um:.1f}, at most 20 um"),
        )
    )
    if not found.passes:
        raise SitError("The depth isn't within 20 um.", found.advice)
    ui.say("The depth is within 20 um. " + found.advice)
    return EXIT_OK


def _asked_um() -> float:
    return float(click.prompt("Tip beyond the nose-piece plane, in um", type=float, err=True))
