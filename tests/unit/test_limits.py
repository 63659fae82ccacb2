"""The one validator of depth and dose, at each of its borders."""

from types import SimpleNamespace

import pytest
from sit_firmware import codes
from sit_firmware.limits import dose_limit, room_refusal, row_refusal

LIMITS = SimpleNamespace(
    max_depth_um=1900, max_shot_nl=5000, max_session_nl=100_000, max_window_nl=80_000, max_site_nl=20_000
)
BEVEL_UM = 300


@pytest.mark.parametrize(
    ("depth_um", "volume_nl", "refusal"),
    [
        (1900, 5000, 0),
        (300, 1, 0),
        (1901, 5000, codes.REFUSED_TOO_DEEP),
        (299, 5000, codes.REFUSED_TOO_SHALLOW),
        (1900, 0, codes.REFUSED_BAD_VALUE),
        (1900, -1, codes.REFUSED_BAD_VALUE),
        (1900, 5001, codes.REFUSED_TOO_MUCH),
        (1901, 5001, codes.REFUSED_TOO_DEEP),  # the depth is told first
    ],
)
def test_row(depth_um, volume_nl, refusal):
    """Limits: the highest depth, the bevel and the largest dose of a shot are allowed, and nothing beyond them."""
    assert row_refusal(depth_um, volume_nl, BEVEL_UM, LIMITS) == refusal


@pytest.mark.parametrize(
    ("given", "limit"),
    [
        ((95_000, 0, 0), 0),
        ((95_001, 0, 0), codes.LIMIT_SESSION),
        ((0, 75_000, 0), 0),
        ((0, 75_001, 0), codes.LIMIT_WINDOW),
        ((0, 0, 15_000), 0),
        ((0, 0, 15_001), codes.LIMIT_SITE),
        ((95_000, 75_000, 15_000), 0),
    ],
)
def test_dose(given, limit):
    """Limits: a dose may fill a limit to its last nanolitre and not pass it; each of the three holds alone."""
    session_nl, window_nl, site_nl = given
    assert dose_limit(5000, session_nl, window_nl, site_nl, LIMITS) == limit


@pytest.mark.parametrize(
    ("steps", "used", "capacity", "fits"),
    [(100, 900, 1000, True), (101, 900, 1000, False), (1000, 0, 1000, True), (100, -1, 1000, False),
     (1, 0, 0, False), (600, 600, 1000, False)],
)  # fmt: skip
def test_room(steps, used, capacity, fits):
    """Limits: a shot begins only if the syringe holds all of it; an unknown position or syringe holds nothing."""
    assert room_refusal(steps, used, capacity) == (0 if fits else codes.REFUSED_PLUNGER_END)
