"""What operators cost, from their fields alone: no word of a description moves a number."""

from __future__ import annotations

from dataclasses import astuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.architecture.operators import BUILT_IN, VOCABULARY, Operator
from catalog.architecture.sizes import Size
from catalog.spaces.nats_sss import STAGE, WIDTHS
from predictor.encoding.descriptors import Descriptor

_SEPARABLE = (False, False, False, False, False, False, False, True)
_PLAIN = (False,) * 8
_END, _SKIP, _ZERO = (
    (False, False, False, False, True, False, False, False),
    (False, False, False, False, False, True, False, False),
    (False, False, False, False, False, False, True, False),
)

SHIPPED = {
    "input": (0.0, 0.0, 1.0, *_END, 1),
    "output": (0.0, 0.0, 1.0, *_END, 1),
    "conv3x3": (9.0, 1.0, 3.0, *_PLAIN, 1),
    "conv1x1": (1.0, 1.0, 1.0, *_PLAIN, 1),
    "maxpool3x3": (0.0, 0.0, 3.0, True, *_PLAIN[1:], 1),
    "none": (0.0, 0.0, 1.0, *_ZERO, 1),
    "skip_connect": (0.0, 0.0, 1.0, *_SKIP, 1),
    "nor_conv_1x1": (1.0, 1.0, 1.0, *_PLAIN, 1),
    "nor_conv_3x3": (9.0, 1.0, 3.0, *_PLAIN, 1),
    "avg_pool_3x3": (0.0, 0.0, 3.0, True, True, *_PLAIN[2:], 1),
    "input_0": (0.0, 0.0, 1.0, *_END, 1),
    "input_1": (0.0, 0.0, 1.0, *_END, 1),
    "max_pool_3x3": (0.0, 0.0, 3.0, True, *_PLAIN[1:], 1),
    "sep_conv_3x3": (2.5625, 2.0, 3.0, *_SEPARABLE, 1),
    "sep_conv_5x5": (3.5625, 2.0, 5.0, *_SEPARABLE, 1),
    "dil_conv_3x3": (1.28125, 1.0, 5.0, *_SEPARABLE, 2),
    "dil_conv_5x5": (1.78125, 1.0, 9.0, *_SEPARABLE, 2),
    "factorized_reduce": (1.0, 1.0, 1.0, *_SKIP, 1),
    "sum": (0.0, 0.0, 1.0, False, False, True, *_PLAIN[3:], 1),
    "concat": (0.0, 0.0, 1.0, False, False, True, True, *_PLAIN[4:], 1),
}
"""What the released weights were trained with, to the last bit."""


def own(kind: str = "conv", words: str = "?", **facts: object) -> Operator:
    return Operator("mine", kind, words, words, words, **{"has_weights": True, **facts})  # type: ignore[arg-type]


def of(kind: str = "conv", size: dict[str, object] | None = None, **facts: object) -> Descriptor:
    return Descriptor.of(own(kind, **facts), None if size is None else Size.of(size))


@pytest.mark.parametrize("name", SHIPPED)
def test_the_built_in_operators_are_those_that_the_weights_were_trained_with(name: str) -> None:
    assert astuple(Descriptor.of(VOCABULARY[name])) == SHIPPED[name]


def test_the_stages_of_the_size_space_weigh_by_their_widths() -> None:
    sizes = [Size(channels=width).relative() for width in WIDTHS]
    assert [Descriptor.of(STAGE, size).parameters for size in sizes] == [9 * (n / 8) ** 2 for n in range(1, 9)]


@given(st.text() | st.sampled_from(["no attention", "MobileNetV2 block", "ResNet-50 block", "not depthwise, 7 by 7"]))
def test_no_description_and_no_name_moves_a_number(words: str) -> None:
    plain = Descriptor.of(own(kernel=3))
    assert Descriptor.of(Operator(words or "x", "conv", words, words, words, kernel=3, has_weights=True)) == plain
    assert Descriptor.of(own("other", words)) == Descriptor.of(own("other"))
    for built_in in BUILT_IN:
        renamed = Operator(words, built_in.kind, words, words, words, *astuple(built_in)[5:10], built_in.size)
        changed = Descriptor.of(renamed)
        assert changed.numbers() == Descriptor.of(built_in).numbers()


def test_what_is_not_known_counts_as_one() -> None:
    for kind in ("conv", "linear", "other", "recurrent"):
        assert (of(kind).parameters, of(kind).layers, of(kind).window) == (1.0, 1.0, 1.0)
    assert of("mlp").parameters == 2.0  # two maps of equal width
    assert not of("pool", has_weights=False).is_mean


def test_fields_say_what_words_said() -> None:
    assert of(kernel=5).parameters == 25.0
    assert of("attention").parameters == 4.0
    assert of("block", generic="attention").parameters == 4.0
    assert of("attention", size={"heads": 2, "expansion": 0.5}).parameters == 2.0
    assert of("mlp", size={"mlp_ratio": 4}).parameters == 8.0
    assert of(size={"kernel": [1, 7]}).parameters == 7.0
    assert of(size={"kernel": [1, 7]}).window == 7.0
    assert of(kernel=3, size={"groups": 3}).parameters == 3.0
    assert (of(kernel=3, size={"repeats": 2}).parameters, of(kernel=3, size={"repeats": 2}).layers) == (18.0, 2.0)
    assert of("pool", has_weights=False, generic="avg_pool").is_mean
    assert of("join", has_weights=False, generic="concat").is_join


def test_a_depthwise_convolution_has_a_pointwise_one_only_where_it_expands() -> None:
    alone = of(kernel=3, depthwise=True)
    separable = of(kernel=3, depthwise=True, size={"expansion": 1})
    inverted = of(kernel=3, depthwise=True, size={"expansion": 6})
    assert (alone.parameters, separable.parameters) == (9 / 32, 1 + 9 / 32)
    assert (inverted.parameters, inverted.layers) == (6 * (2 + 9 / 32), 3.0)
    assert of("mbconv", kernel=3, generic="depthwise_conv", size={"expansion": 6}) == inverted
    squeezed = of(kernel=3, depthwise=True, size={"expansion": 6, "squeeze": 0.25})
    assert squeezed.parameters == inverted.parameters + 2 * 6 * 0.25


def test_the_fused_form_has_a_dense_window() -> None:
    fused = of(kernel=3, size={"expansion": 4})
    assert (fused.parameters, fused.layers) == (4 * (9 + 1), 2.0)


def test_more_channels_cost_quadratically_more() -> None:
    wide, wider = (of(kernel=3, size={"channels": channels}) for channels in (1, 2))
    assert wider.parameters == 4 * wide.parameters
    whole = Descriptor.of(own(kernel=3), Size(channels=16), width=64)
    assert whole.parameters == 9 / 16


def test_what_the_node_says_goes_before_what_its_operator_says() -> None:
    operator = own(kernel=3, size=Size(groups=3, repeats=2))
    assert Descriptor.of(operator).parameters == 6.0
    assert Descriptor.of(operator, Size(kernel=5, repeats=3)).parameters == 3 * 2 * 25 / 3  # repeats multiply


def test_an_operator_without_weights_is_free_whatever_it_is_called() -> None:
    free = Operator("attention_pool", "other", short="attention", medium="", long="", has_weights=False)
    assert Descriptor.of(free).parameters == 0.0
