"""The one validator of depth and dose: a row of the table, a whole table and the shot about to start all pass here.

Pure functions: integers and a `limits` object in (the fields of SETTINGS_READ), 0 or a refusal or limit number out.
Volumes already given are the upper bounds of their intervals, so that what is unknown counts as given.
"""

from sit_firmware import codes
from sit_firmware.store.entry import NO_TREATMENT


def row_refusal(depth_um, volume_nl, bevel_um, limits):
    """Why a point may never be given with this needle and these settings, or 0."""
    if depth_um > limits.max_depth_um:
        return codes.REFUSED_TOO_DEEP
    if depth_um < bevel_um:
        return codes.REFUSED_TOO_SHALLOW
    if volume_nl <= 0:
        return codes.REFUSED_BAD_VALUE
    if volume_nl > limits.max_shot_nl:
        return codes.REFUSED_TOO_MUCH
    return 0


def dose_limit(volume_nl, session_nl, window_nl, site_nl, limits):
    """The limit that `volume_nl` more would pass, codes.LIMIT_*, or 0.

    session_nl, window_nl, site_nl: upper bounds of what the treatment, the time window and the site have had.
    """
    if session_nl + volume_nl > limits.max_session_nl:
        return codes.LIMIT_SESSION
    if site_nl + volume_nl > limits.max_site_nl:
        return codes.LIMIT_SITE
    if window_nl + volume_nl > limits.max_window_nl:
        return codes.LIMIT_WINDOW
    return 0


def use_limit(now_s, table, plunger, needle_points):
    """The limit on what the product, the syringe and the needle may still be used for, codes.LIMIT_*, or 0.

    `now_s`: seconds since 1970. One syringe with its needle is for one treatment, so for one patient; `needle_points`:
    the most points that one needle may be used for.
    """
    if now_s >= table.expiry_s:
        return codes.LIMIT_EXPIRED
    if plunger.used_on not in (NO_TREATMENT, table.treatment):
        return codes.LIMIT_REUSE
    if plunger.needle_points >= needle_points:
        return codes.LIMIT_NEEDLE
    return 0


def room_refusal(steps, used_steps, capacity_steps):
    """PLUNGER_END when the syringe hasn't `steps` left, or 0. An unknown syringe has capacity 0, so nothing fits."""
    if used_steps < 0 or used_steps + steps > capacity_steps:
        return codes.REFUSED_PLUNGER_END
    return 0
