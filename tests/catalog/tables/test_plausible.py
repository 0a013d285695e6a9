"""The range of every measure stands in one place."""

from __future__ import annotations

import pytest

from catalog.tables.measures import OWN_NAMES
from catalog.tables.plausible import plausible


@pytest.mark.parametrize("name", [measure.name for measure in OWN_NAMES if measure.name != "loss"])
def test_every_measure_of_our_own_has_a_range_that_begins_at_zero(name: str) -> None:
    allowed = plausible(name)
    assert allowed is not None
    assert (allowed.low, allowed.high < 1e19) == (0, True)


def test_what_is_not_known_may_be_any_number() -> None:
    assert [plausible(name) for name in ("loss", "log_likelihood", "neg_loss", "my_time")] == [None] * 4


def test_a_range_is_said_with_its_unit() -> None:
    assert str(plausible("training_time")) == "from 0 to 1e+09 s"
    assert str(plausible("perplexity")) == "of 0 or more"
