"""What a kind of board can't do, and why, in words for its user: the device says that it can't by numbers alone."""

from __future__ import annotations

# board as HELLO names it -> why its highest depth is less than the reference design's (docs/boards.md derives it)
_LESS_DEEP = {
    "esp32": "an ESP32's ticks can come late, so its guard keeps more room to stop",
}
_SINGLE_SHOTS = {
    "esp32": "This is an ESP32: its ticks can come late, and nine shots a second need them in time.",
}


def less_deep(board: str) -> str:
    """The reason behind a board's lower highest depth, in brackets after a space; "" when it goes as deep as any."""
    return f" ({_LESS_DEEP[board]})" if board in _LESS_DEEP else ""


def single_shots(board: str) -> str:
    """Why a board gives single shots alone."""
    return _SINGLE_SHOTS.get(board, "It has no FRAM: two records a shot don't fit nine shots a second.")
