"""The operator vocabulary: what each operator is, and how operators are found and added."""

from __future__ import annotations

import pytest

from catalog.architecture.operators import BUILT_IN, GENERIC, KINDS, RULES, VOCABULARY, Operator, Vocabulary
from catalog.architecture.sizes import Size
from catalog.errors import UnknownOperatorError
from catalog.spaces import SPACES, space_named

ATTENTION = Operator(
    "attention",
    "attention",
    short="Attention",
    medium="Self attention",
    long="A self-attention operator",
    has_weights=True,
)


def test_names_are_unique_and_kinds_known():
    assert len(VOCABULARY) == len(BUILT_IN) == len({operator.name for operator in BUILT_IN})
    assert {operator.kind for operator in BUILT_IN} <= set(KINDS)
    assert all(operator.short and operator.medium and operator.long for operator in BUILT_IN)


def own(kind: str, **facts: object) -> Operator:
    return Operator("mine", kind, "?", "?", "?", **facts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("operator", "counts_as"),
    [
        (own("conv", has_weights=True), "conv"),
        (own("conv", has_weights=True, depthwise=True), "depthwise_conv"),
        (own("conv"), None),  # a convolution has weights
        (own("pool", kernel=3), None),
        (own("pool", kernel=3, generic="avg_pool"), "avg_pool"),
        (own("mbconv", has_weights=True), None),
        (own("mbconv", has_weights=True, generic="depthwise_conv"), "depthwise_conv"),
        (own("attention", has_weights=True), "attention"),
        (own("attention"), None),  # without projections it is another operator
        (own("mlp", has_weights=True), "mlp"),
        (own("activation"), "activation"),
        (own("merge"), None),
        (own("merge", generic="sum"), "sum"),
    ],
)
def test_an_operator_counts_as_what_its_fields_say(operator: Operator, counts_as: str | None) -> None:
    assert operator.counts_as == counts_as


def test_each_generic_operator_counts_as_itself() -> None:
    assert set(RULES) == {operator.name for operator in GENERIC} | {"sum", "concat"}
    assert all(rule.counts_as == name for name, rule in RULES.items())


def test_a_field_that_is_missing_may_be_said_by_the_node() -> None:
    assert own("conv", has_weights=True).missing() == "kernel"
    assert own("conv", has_weights=True).missing(Size(kernel=3)) is None
    assert own("conv", kernel=3, has_weights=True).missing() is None
    assert own("conv", kernel=3).missing() == "weights"
    assert own("pool", kernel=3).missing(Size(kernel=3)) == "generic"
    assert [own(kind).missing() for kind in ("skip", "none", "input", "output")] == [None] * 4
    assert [operator.name for operator in BUILT_IN if operator.missing() is not None] == []


def test_what_the_node_says_goes_before_what_its_operator_says() -> None:
    operator = own("conv", kernel=3, dilation=2, size=Size(groups=4, stride=2))
    assert operator.sized() == Size(kernel=3, dilation=2, groups=4, stride=2)
    assert operator.sized(Size(kernel=5, stride=1, channels=8)) == Size(
        kernel=5, dilation=2, groups=4, stride=1, channels=8
    )


@pytest.mark.parametrize("name", SPACES)
def test_every_operator_of_a_space_is_in_its_vocabulary(name):
    space = space_named(name)
    assert all(operator in space.vocabulary for operator in space.operators)


@pytest.mark.parametrize(
    ("name", "short", "medium"),
    [
        ("conv3x3", "Convolution 3 by 3", "Convolution 3 by 3 kernel, Batchnorm, ReLU"),
        ("nor_conv_1x1", "Convolution 1 by 1", "Convolution 1 by 1 kernel, Batchnorm, ReLU"),
        ("maxpool3x3", "Max pooling 3 by 3", "Max pooling 3 by 3 kernel"),
        ("avg_pool_3x3", "Average pooling 3 by 3", "Average pooling 3 by 3 kernel"),
        ("skip_connect", "Residual connection", "Identity mapping to the next layer"),
        ("none", "None", "Doing nothing"),
        ("input_1", "Input", "Input"),
    ],
)
def test_sentences_are_those_of_the_paper(name, short, medium):
    """TG-NAS, Qiao et al. 2024 (arXiv 2404.00271), table of operator sentences."""
    assert (VOCABULARY[name].short, VOCABULARY[name].medium) == (short, medium)


def test_the_long_sentence_of_a_convolution_is_that_of_the_paper():
    assert VOCABULARY["conv3x3"].long == (
        "A two-dimensional convolutional operator with a kernel size of 3 by 3 is applied, succeeded by a batch "
        "normalization layer, and followed by a rectified linear layer"
    )


def test_graph_rules_follow_from_the_facts():
    assert [operator.name for operator in VOCABULARY if operator.is_zero] == ["none"]
    assert [operator.name for operator in VOCABULARY if operator.is_identity] == ["skip_connect", "sum"]
    assert {operator.kind for operator in VOCABULARY if operator.has_weights} == {"conv", "skip"}


def test_an_unknown_name_lists_what_is_known():
    with pytest.raises(
        UnknownOperatorError, match=r"'conv9x9'; known operators: input, .*, concat\. Did you mean conv3x3"
    ):
        VOCABULARY["conv9x9"]
    assert "conv9x9" not in VOCABULARY


def test_extending_adds_and_replaces_without_touching_the_original():
    slower = Operator("none", "other", short="Slow", medium="Slow", long="Slow")
    extended = VOCABULARY.extended([ATTENTION, slower])
    assert len(extended) == len(VOCABULARY) + 1
    assert [operator.name for operator in extended][-1] == "attention"
    assert extended["none"] == slower
    assert "attention" not in VOCABULARY
    assert VOCABULARY["none"].is_zero


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("conv3x3", ("conv3x3", "nor_conv_3x3")),
        ("nor_conv_1x1", ("conv1x1", "nor_conv_1x1")),
        ("maxpool3x3", ("maxpool3x3", "max_pool_3x3")),
        ("input", ("input", "input_0", "input_1")),
        ("skip_connect", ("skip_connect",)),
        ("sep_conv_3x3", ("sep_conv_3x3",)),
    ],
)
def test_a_word_means_the_same_operator_under_every_name(word, meant):
    assert VOCABULARY.named(word) == meant


def test_operators_of_a_kind():
    assert VOCABULARY.of_kind("pool") == ("maxpool3x3", "avg_pool_3x3", "max_pool_3x3")
    assert VOCABULARY.of_kind("attention") == ()
    assert Vocabulary([ATTENTION]).of_kind("attention") == ("attention",)


def test_representation():
    assert repr(Vocabulary([ATTENTION])) == "Vocabulary(1 operators)"
