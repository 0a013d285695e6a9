"""The pattern language: what it reads, and how it says what is wrong."""

from __future__ import annotations

import pytest

from catalog.architecture.operators import VOCABULARY, Operator
from catalog.asking.pattern_language import Group, Link, parse
from catalog.errors import PatternError


def operators_of(text: str) -> list[set[str] | None]:
    return [None if node.operators is None else set(node.operators) for node in parse(text).nodes]


@pytest.mark.parametrize(
    ("text", "operators"),
    [
        ("(conv3x3)", {"conv3x3", "nor_conv_3x3"}),
        ("(nor_conv_3x3)", {"conv3x3", "nor_conv_3x3"}),
        ("(`conv3x3`)", {"conv3x3", "nor_conv_3x3"}),
        ("(:conv3x3)", {"conv3x3", "nor_conv_3x3"}),
        ("(a:conv3x3)", {"conv3x3", "nor_conv_3x3"}),
        ("(input)", {"input", "input_0", "input_1"}),
        ("(:pool)", {"maxpool3x3", "max_pool_3x3", "avg_pool_3x3"}),
        ("(a:pool)", {"maxpool3x3", "max_pool_3x3", "avg_pool_3x3"}),
        ("(*)", None),
        ("(:*)", None),
        ("(a:*)", None),
    ],
)
def test_a_node_names_an_operator_a_kind_or_anything(text: str, operators: set[str] | None) -> None:
    assert operators_of(text) == [operators]


def test_an_operator_of_a_kinds_name_is_meant_by_backquotes() -> None:
    """After a colon a kind wins over an operator of the same name; backquotes always mean the operator."""
    vocabulary = VOCABULARY.extended([Operator("pool", "other", "a swimming pool", "", "")])
    assert parse("(:pool)", vocabulary).nodes[0].operators == set(VOCABULARY.of_kind("pool"))
    assert parse("(:`pool`)", vocabulary).nodes[0].operators == {"pool"}
    assert parse("(pool)", vocabulary).nodes[0].operators == {"pool"}


def test_a_chain_links_neighbours() -> None:
    pattern = parse("(conv3x3) -> (conv1x1)->*(output)")
    assert pattern.present == Group((0, 1, 2), (Link(0, 1, any_length=False), Link(1, 2, any_length=True)))
    assert pattern.absent == ()


def test_paths_share_variables_and_nothing_else() -> None:
    pattern = parse("(b)->(conv1x1), (b:conv)->(conv1x1)")
    assert [node.text for node in pattern.nodes] == ["(b:conv)", "(conv1x1)", "(conv1x1)"]
    assert [(link.source, link.target) for link in pattern.present.links] == [(0, 1), (0, 2)]


def test_a_variable_wins_over_an_operator_of_its_name() -> None:
    """(sum) is the operator, unless the pattern declares a variable sum."""
    assert operators_of("(sum)->(output)")[0] == {"sum"}
    assert len(parse("(sum:pool)->(output), (sum)->(conv1x1)").nodes) == 3


def test_not_binds_shared_variables_and_finds_others() -> None:
    pattern = parse("(a:conv)->(b:conv), NOT (a)->(c:pool)->(b)")
    assert pattern.present.nodes == (0, 1)
    assert [group.nodes for group in pattern.absent] == [(0, 2, 1)]


def test_each_not_has_its_own_variables() -> None:
    pattern = parse("NOT (x:conv)->(output), not (x:pool)->(output)")
    assert pattern.present == Group((), ())
    assert [node.text for node in pattern.nodes] == ["(x:conv)", "(output)", "(x:pool)", "(output)"]


def test_line_breaks_are_spaces() -> None:
    assert parse("(conv3x3)\n\t->(output)").text == "(conv3x3) ->(output)"


@pytest.mark.parametrize(
    ("text", "place", "marked", "advice"),
    [
        ("(conv3)->(output)", 2, "conv3", "Did you mean :conv or conv3x3"),
        ("(conv)->(output)", 2, "conv", "A kind has a colon: (:conv)"),
        ("(conv3x3)->(b)", 13, "b", "A variable is declared with its label, once: (b:conv)"),
        ("(a:cnov)", 4, "cnov", "Did you mean :conv"),
        ("(:cnov)", 3, "cnov", "Operators: input, output, conv3x3"),
        ("(:cnov)", 3, "cnov", "Kinds: input, output, conv, pool"),
        ("", 1, " ", "Expected '(' or NOT"),
        ("(conv3x3", 9, " ", "Expected ')', ':' or WHERE"),
        ("(a:conv", 8, " ", "Expected ')'"),
        ("(a:)", 4, ")", "Expected a kind, an operator or *"),
        ("()", 2, ")", "Expected an operator, a variable, :kind or *"),
        ("(conv3x3)->", 12, " ", "Expected '('"),
        ("(conv3x3),", 11, " ", "Expected '(' or NOT"),
        ("(conv3x3)(conv1x1)", 10, "(", "Expected '->', '->*', ',' or the end"),
        ("(conv3x3) AND (conv1x1)", 11, "AND", "Paths are joined by a comma"),
        ("NOT NOT (input)", 5, "NOT", "Expected '('"),
        ("(conv3x3)-->(output)", 10, "-->", "An edge is written ->"),
        ("(output)<-(conv3x3)", 9, "<-", "the way the data flows"),
        ("(conv3x3|conv1x1)", 9, "|", "one operator, one kind"),
        ("(conv3x3)->;", 12, ";", "joined by a comma"),
        ("(conv3x3)$", 10, "$", "(nodes), '->', '->*', ',' and NOT"),
        ("(a:conv), (a:pool)", 14, "pool", "A variable has one label"),
        ("(a:conv)->(b:conv)->(a)", 1, "(a:conv)", "Cells have no cycles"),
        ("NOT (a:conv)->*(a)", 5, "(a:conv)", "Cells have no cycles"),
        ("(conv3x3)->(output), (conv1x1)->(output)", 33, "(output)", "a cell has one output"),
        ("NOT (a:conv)->(output), (a)", 26, "a", "declared inside a NOT, which no other path sees"),
        ("(`a b`)", 2, "`a b`", "neither an operator nor a variable"),
    ],
)
def test_an_error_points_at_the_place_and_says_what_to_write(text: str, place: int, marked: str, advice: str) -> None:
    with pytest.raises(PatternError) as caught:
        parse(text)
    head, line, marker, *_ = str(caught.value).split("\n")
    assert head.startswith(f"pattern, character {place}: ")
    assert line == f"  {text}"
    assert marker == "  " + " " * (place - 1) + "^" * len(marked)
    assert f"  {text} "[place + 1 :].startswith(marked)
    assert advice in str(caught.value)


def test_repr_shows_the_pattern() -> None:
    assert repr(parse("(conv3x3)->(output)")) == "Pattern('(conv3x3)->(output)')"
