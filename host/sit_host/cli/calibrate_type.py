"""A syringe type that the device isn't calibrated for: made known for weighing only, then weighed as any other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sit_host._gen.messages import CalibrationWrite
from sit_host.cli.common import Call
from sit_host.errors import EXIT_OK, SitError, UsageError
from sit_host.outcome import expect
from sit_host.plan_limits import FACTORY_SYRINGE_ID, reference_equipment

if TYPE_CHECKING:
    from sit_host._gen.messages import SettingsReadReply
    from sit_host.client import Client
    from sit_host.flow import Syringe


def usual_volumes(syringe_id: int) -> tuple[int, ...]:
    """What a type is weighed with, nl: a large or soft syringe can't be told from its noise by less."""
    stiff = next((s for s in reference_equipment().syringes.values() if s.id == FACTORY_SYRINGE_ID), None)
    syringe = next((s for s in reference_equipment().syringes.values() if s.id == syringe_id), None)
    small = stiff is not None and syringe is not None and syringe.compliance_m3_per_pa <= stiff.compliance_m3_per_pa
    return (2_000, 10_000, 40_000) if small else (40_000, 70_000, 100_000)


def other_type(key: str | None, before: SettingsReadReply) -> Syringe | None:
    """The syringe type to be made known, None when it is the one in force. Raises UsageError for an unknown one."""
    if key is None:
        return None
    known = reference_equipment().syringes
    if key not in known:
        raise UsageError(f'Unknown syringe "{key}".', f"Known are {', '.join(known)}.")
    return None if known[key].id == before.syringe_id else known[key]


def make_known(call: Call, client: Client, code: str, syringe: Syringe) -> int:
    """Write the type's own figures, which the device takes for weighing only."""
    ui = call.ui
    if not code:
        raise UsageError(
            f'The device isn\'t calibrated for "{syringe.key}", which must be written on it before it can be weighed.',
            "Give --write.",
        )
    if not ui.confirm(f'Replace the calibration in force by "{syringe.key}", to be weighed next?'):
        raise SitError("Nothing was written.", "")
    compliance = round(syringe.compliance_m3_per_pa * 1e18)
    store(client, code, CalibrationWrite(syringe.id, round(syringe.bore_mm * 1000), 0, compliance, 0, weighed=0))
    ui.result({"device": client.device.uid.hex() if client.device else "", "syringe_id": syringe.id, "weighed": False})
    ui.say(f'"{syringe.key}" is known now, for weighing only: no treatment is taken with it.')
    ui.say("Switch the device off and on, fit the syringe, and give the same command again to weigh it.")
    return EXIT_OK


def store(client: Client, code: str, write: CalibrationWrite) -> None:
    """Write a calibration in service mode."""
    from sit_host.service_mode import service_mode

    with service_mode(client, code):
        expect(client.calibration_write(write))
