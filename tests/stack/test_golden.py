"""The device does today what it did when its traces were last blessed."""

import goldens
import pytest


@pytest.mark.parametrize("story", goldens.STORIES)
def test_trace_is_the_blessed_one(target_spec, story):
    """Lockstep: a change of behaviour is seen and blessed (`make bless`), never slipped in."""
    blessed = (goldens.FOLDER / f"{story}.txt").read_text(encoding="utf-8")
    assert goldens.golden(target_spec, story) == blessed
