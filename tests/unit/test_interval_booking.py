"""How the background books a shot whose volume it can't vouch for."""

from appkit import armed_device
from sit_firmware import codes, image

ROWS = ((1, 1, 1, 1200, 10000), (2, 1, 1, 1200, 10000))
ENDS = (codes.RECORD_DONE, codes.RECORD_PARTIAL, codes.RECORD_ABORTED)


def given(out_pa, differ_nl=0):
    """The end record of a shot that the tick called DONE with this pressure at the tip and difference of the meter."""
    dev = armed_device(ROWS, 1)
    finish = dev.player._finish

    def finish_with(state, params):
        finish(state, params)
        state[image.ST_PRESS_OUT_PA] = out_pa
        state[image.ST_STILL_PA] = state[image.ST_BEFORE_PA] = out_pa
        state[image.ST_NEEDLE_NL] += differ_nl

    dev.player._finish = finish_with
    dev.shoot()
    (end,) = dev.records(*ENDS)
    return end


def test_done_is_booked_with_a_narrow_interval():
    """Invariant 4: a DONE record is no wider than 5 % of the dose + 50 nl."""
    end = given(40000)
    assert end["kind"] == codes.RECORD_DONE
    assert end["tissue_max_nl"] - end["tissue_min_nl"] <= 550


def test_a_shot_without_proof_of_tissue_is_not_done():
    """Invariant 4: the tick says DONE but no pressure proves tissue: PARTIAL, from nothing to all."""
    end = given(1000)
    assert (end["kind"], end["cause"]) == (codes.RECORD_PARTIAL, codes.CAUSE_NO_PUNCTURE)
    assert end["tissue_min_nl"] == 0 and end["tissue_max_nl"] > 10000


def test_a_shot_whose_meters_disagree_is_not_done():
    """Invariant 4: in tissue, ended as asked, but what it gave isn't known to 5 %: PARTIAL with the honest interval."""
    end = given(40000, differ_nl=400)
    assert (end["kind"], end["cause"]) == (codes.RECORD_PARTIAL, codes.CAUSE_NONE)
    assert end["tissue_max_nl"] - end["tissue_min_nl"] > 550
