"""Fixtures of the board tests."""

import pytest
from boardkit import CHIPS, board_of, chip_of


@pytest.fixture(params=("sim", *CHIPS))
def board(request):
    """Every board."""
    with board_of(request.param) as made:
        yield made


@pytest.fixture(params=CHIPS)
def chip(request):
    """The fake of a board with pins, its board made and its events so far kept in `started`."""
    with chip_of(request.param) as made:
        made.make_board()
        made.started, made.events = made.events, []
        yield made
