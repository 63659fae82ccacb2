"""Fixtures of the board tests."""

import pytest
from boardkit import CHIPS, board_of, chip_of
from machine_code import put_in

IN_MACHINE_CODE = ("test_boards_contract", "test_boards_inputs")


@pytest.fixture(params=("sim", *CHIPS))
def board(request):
    """Every board."""
    with board_of(request.param) as made:
        yield made


def pytest_generate_tests(metafunc):
    """Contract and inputs are also seen on the machine code that the RP2040 carries."""
    if "chip" in metafunc.fixturenames:
        code = ("rp2040 in machine code",) if metafunc.module.__name__ in IN_MACHINE_CODE else ()
        metafunc.parametrize("chip", CHIPS + code, indirect=True)


@pytest.fixture
def chip(request):
    """The fake of a board with pins, its board made and its events so far kept in `started`."""
    kind, _, form = request.param.partition(" ")
    with chip_of(kind) as made:
        made.make_board()
        if form:
            pytest.importorskip("rp2040py", reason="the emulator isn't installed: run `make setup`")
            put_in(made)
        made.started, made.events = made.events, []
        yield made
