"""The rule for percents: a column that never passes 1 holds fractions; single small values are legal."""

from __future__ import annotations

import numpy as np
import pytest

from catalog.errors import IngestError
from ingest.reading.percents import Percents, is_accuracy, is_misspelt_accuracy


def watched(*values: float) -> Percents:
    percents = Percents("f.csv")
    for line, value in enumerate(values, start=1):
        percents.see("top", value, f"f.csv line {line}")
    return percents


@pytest.mark.parametrize("values", [(0.9437,), (0.1, 0.94, 0.2), (1.0,), (0.0, 1.0)])
def test_a_column_that_never_passes_1_is_refused_at_its_largest_value(values: tuple[float, ...]) -> None:
    line = values.index(max(values)) + 1
    with pytest.raises(IngestError, match=rf"f\.csv line {line}: top is .* fractions; .*nothing was stored"):
        watched(*values).refuse_fractions()


@pytest.mark.parametrize("values", [(), (0.0,), (0.0, 0.0), (0.83, 47.3), (1.0001,)])
def test_chance_and_zero_are_legal(values: tuple[float, ...]) -> None:
    watched(*values).refuse_fractions()


def test_a_mixed_column_is_stored_as_it_stands_and_said() -> None:
    (note,) = watched(93.1, 0.94, 0.0, 1.0).notes()
    assert note.startswith("top: 2 of 4 values are 1 or less")
    assert "f.csv line 2" in note
    assert watched(93.1, 0.0).notes() == []


def test_a_whole_column_at_once_is_judged_alike() -> None:
    percents = Percents("f.csv")
    percents.see_all("top", np.array([0.2, 0.7, 0.1]), lambda row: f"f.csv line {row + 2}")
    with pytest.raises(IngestError, match=r"line 3: top is 0\.7"):
        percents.refuse_fractions()


@pytest.mark.parametrize(
    "name", ["accuracy", "best_accuracy", "top-1 accuracy", "Top1Accuracy", "acc", "val_acc", "accuracy@5"]
)
def test_names_of_accuracies(name: str) -> None:
    assert is_accuracy(name)


@pytest.mark.parametrize("name", ["loss", "accuracy_drop", "inaccuracy", "account", "acceleration", "", "123"])
def test_names_of_other_things(name: str) -> None:
    assert not is_accuracy(name)


def test_other_spellings_of_accuracy() -> None:
    assert [is_misspelt_accuracy(name) for name in ("Accuracy", "ACC", "acc", " accuracy", "accuracy_")] == [True] * 5
    assert not is_misspelt_accuracy("accuracy")
    assert not is_misspelt_accuracy("best_accuracy")
