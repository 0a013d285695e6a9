"""Formulas: what they compute, what they refuse, and where they say the mistake is."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import UsageError
from catalog.search.expression import FUNCTIONS, LONGEST, parse

VALUES = {
    "tg_nas": np.array([1.0, 2.0, 0.0, np.nan]),
    "params": np.array([10.0, 1000.0, 1e6, 10.0]),
    "depth": np.array([-1.0, 0.0, 4.0, 2.0]),
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tg_nas", [1, 2, 0, None]),
        ("-params", [-10, -1000, -1e6, -10]),
        ("tg_nas - 0.3*log10(params)", [0.7, 1.1, -1.8, None]),
        ("2 + 3 * depth ** 2", [5, 2, 50, 14]),
        ("(2 + 3) * depth", [-5, 0, 20, 10]),
        ("-depth ** 2", [-1, 0, -16, -4]),
        ("2 ** -depth", [2, 1, 0.0625, 0.25]),
        ("max(depth, 1) - min(depth, 1)", [2, 1, 3, 1]),
        ("sqrt(depth)", [None, 0, 2, math.sqrt(2)]),
        ("1 / depth", [-1, None, 0.25, 0.5]),
        ("log(depth)", [None, None, math.log(4), math.log(2)]),
        ("abs(depth) + log1p(0*depth) + exp(0*depth) + log2(2**depth)", [1, 1, 9, 5]),
        ('"params" / 10', [1, 100, 1e5, 1]),
        ("tg_nas\n+ depth", [0, 2, 4, None]),
    ],
)
def test_a_formula_computes_what_it_says(text: str, expected: list[float | None]) -> None:
    found = parse(text).evaluate(VALUES)
    wanted = np.array([np.nan if value is None else value for value in expected])
    np.testing.assert_allclose(found, wanted, rtol=1e-12)


def test_names_are_listed_once_in_order_and_a_plain_name_is_known_as_one() -> None:
    assert parse("params + tg_nas * params - depth").names == ("params", "tg_nas", "depth")
    assert parse("params").name == "params"
    assert parse('"a column"').name == "a column"
    assert parse("-params").name is None
    assert parse("index").name == "index"
    assert parse("lambda").name == "lambda"  # a word of Python may be a column all the same
    assert repr(parse("a + b")) == "Expression('a + b')"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("tg_nas +", 9),
        ("__import__('os').system('true')", 1),
        ("tg_nas.__class__", 1),
        ("tg_nas + params.__class__.__mro__", 10),
        ("getattr(tg_nas, params)", 1),
        ("params[0]", 1),
        ("[x for x in params]", 1),
        ("tg_nas if depth else params", 1),
        ("tg_nas and depth", 1),
        ("tg_nas == depth", 1),
        ("lambda: depth", 1),
        ("(x := depth)", 2),
        ("f'{depth}'", 1),
        ("depth, params", 1),
        ("depth; params", 6),
        ("depth + 'params'", 9),
        ("True + depth", 1),
        ("1j * depth", 1),
        ("~depth", 1),
        ("depth % 2", 1),
        ("depth // 2", 1),
        ("log + depth", 1),
        ("log(depth, 2)", 1),
        ("max(depth)", 1),
        ("max(*depth)", 1),
        ("log(x=depth)", 1),
        ("système * $", 11),
        ("1e999 * depth", 1),
        ("9" * 900 + " * depth", 1),
        ("depth\0", 6),
        ("depth = 3", 7),
        ("depth #1 + params", 7),
        ('"depth #1" + params # and more', 21),
        ('"dep" "th" + params', 1),
        (r'"dept\x68" + params', 1),
        ('"""depth""" + params', 1),
        ("await depth", 1),
    ],
)
def test_whatever_is_no_formula_is_refused_with_its_place(text: str, place: int) -> None:
    with pytest.raises(UsageError, match="formula") as refused:
        parse(text)
    assert f"at character {place}:" in str(refused.value)
    assert "Example:" in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 400 + "depth" + ")" * 400,
        "-" * 900 + "depth",
        "+".join(["depth"] * 160),
        "log(" * 150 + "depth" + ")" * 150,
    ],
)
def test_deep_nesting_is_refused_and_not_recursed_into(text: str) -> None:
    with pytest.raises(UsageError, match="nested|nesting|cannot be read"):
        parse(text)


@pytest.mark.parametrize("text", ["tg_nas ** 0 + depth", "1 ** tg_nas", "max(tg_nas, 1)", "depth + 0 * tg_nas"])
def test_what_is_not_known_stays_unknown(text: str) -> None:
    """Also where IEEE arithmetic gives a number for NaN."""
    values = VALUES | {"tg_nas": np.array([1.0, np.nan, np.inf, -np.inf])}
    assert np.isnan(parse(text).evaluate(values)).tolist() == [False, True, True, True]


def test_a_quoted_name_may_hold_any_sign() -> None:
    assert parse('"a #1" + "b.c (%)"').names == ("a #1", "b.c (%)")


def test_a_text_without_names_or_without_end_is_refused() -> None:
    with pytest.raises(UsageError, match="names no column"):
        parse("1 + 2")
    with pytest.raises(UsageError, match="empty"):
        parse("  \n ")
    with pytest.raises(UsageError, match="too long"):
        parse("depth + " * LONGEST)


@pytest.mark.parametrize(
    "text", ["9**9**9**9 * depth", "depth ** 9 ** 99", "10**400 * depth", "exp(exp(exp(exp(params))))"]
)
def test_huge_powers_end_at_once_without_a_value(text: str) -> None:
    found = parse(text).evaluate(VALUES)
    assert not np.isinf(found).any()
    assert np.isnan(found).any()


def test_a_name_with_underscores_is_a_name_and_nothing_else() -> None:
    assert parse("__class__").names == ("__class__",)


@given(st.text(alphabet="ab09.+-*/() ,_\"'[]{}:=\0é\n", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        expression = parse(text)
    except UsageError:
        return
    values = expression.evaluate({name: np.array([1.0, 2.0]) for name in expression.names})
    assert values.shape == (2,)


@given(
    st.recursive(st.sampled_from(["a", "b", "2", "0.5"]), lambda inner: st.tuples(inner, st.sampled_from("+-*"), inner))
)
def test_arithmetic_agrees_with_python(tree: object) -> None:
    def text_of(node: object) -> str:
        return node if isinstance(node, str) else f"({text_of(node[0])} {node[1]} {text_of(node[2])})"  # type: ignore[index]

    text = text_of(tree)
    if not {"a", "b"} & set(text):
        return
    expected = eval(text, {"a": 3.0, "b": -1.5})
    assert parse(text).evaluate({"a": np.array([3.0]), "b": np.array([-1.5])})[0] == pytest.approx(
        expected, nan_ok=True
    )


def test_every_function_is_named_in_the_refusal_of_an_unknown_one() -> None:
    with pytest.raises(UsageError) as refused:
        parse("system(depth)")
    assert all(name in str(refused.value) for name in FUNCTIONS)
