"""Formulas of a space's file: what they give, and that they can do nothing else."""

from __future__ import annotations

import pytest

from catalog.errors import SpaceFileError
from catalog.spaces.staged.formula import Formula, divisible

NAMES = {"layer": 2, "first": False, "width": 40, "op": "conv"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3 if layer == 1 else 5", 5),
        ("width * 2 + 1", 81),
        ("width // 3 % 4", 1),
        ("-width / 2", -20.0),
        ("layer > 0 and not first", True),
        ("op in ['conv', 'pool']", True),
        ("1 < layer <= 2", True),
        ("divisible(width * 0.75, 8)", 32),
        ("max(1, ceil(width / 3), floor(2.5))", 14),
        ("first or op != 'conv'", False),
        ("round(width / 3, 2) + round(2.6)", 16.33),
    ],
)
def test_a_formula_gives_what_it_says(text, value):
    assert Formula.parse(text).value(NAMES) == value


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os')",
        "width.real",
        "[x for x in op]",
        "2 ** 9999",
        "(lambda: 1)()",
        "op[0]",
        "max(key=1)",
        "f'{width}'",
        "1 +",
        "b'a'",
        "1" * 600,
    ],
)
def test_nothing_else_is_a_formula(text):
    with pytest.raises(SpaceFileError):
        Formula.parse(text)


@pytest.mark.parametrize("text", ["1 / (layer - 2)", "op * 3", "op < layer", "divisible(op, 8)", "missing + 1"])
def test_what_cannot_be_worked_out_is_told_with_its_values(text):
    with pytest.raises(SpaceFileError, match="cannot be worked out for"):
        Formula.parse(text).value(NAMES)


@pytest.mark.parametrize(
    "text",
    [
        "round(layer, -9999999999)",
        "round(layer / 3, 9999999999)",
        "1e308 * 10",
        "1e308 * 10 - 1e308 * 10",
        "9" * 400,
        "*".join(["999999999"] * 40),
        "[[1, 2], [3]]",
    ],
)
def test_what_would_never_end_is_refused_at_once(text):
    """Numbers beyond any size, and lists of lists, could double with each setting that rests on the one before."""
    with pytest.raises(SpaceFileError, match="cannot be worked out"):
        Formula.parse(text).value(NAMES)


def test_the_names_of_a_formula_are_known():
    assert Formula.parse("max(a, b) if c else 1").names == {"a", "b", "c"}


def test_channels_are_rounded_as_in_mobilenets():
    assert [divisible(value, 8) for value in (3, 18, 20, 24, 36)] == [8, 24, 24, 24, 40]
