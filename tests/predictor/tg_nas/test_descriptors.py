"""What operators cost, from their facts or from their words."""

from __future__ import annotations

import pytest

from catalog.architecture.operators import VOCABULARY, Operator
from predictor.tg_nas.descriptors import Descriptor


def described(short: str, kind: str = "other", name: str = "mine", **facts: object) -> Descriptor:
    return Descriptor.of(Operator(name, kind, short=short, medium="", long="", has_weights=True, **facts))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "parameters", "layers", "window"),
    [
        ("conv1x1", 1.0, 1.0, 1.0),
        ("nor_conv_3x3", 9.0, 1.0, 3.0),
        ("sep_conv_3x3", 2 * (1 + 9 / 32), 2.0, 3.0),  # applied twice (Liu et al. 2019)
        ("dil_conv_5x5", 1 + 25 / 32, 1.0, 9.0),
        ("avg_pool_3x3", 0.0, 0.0, 3.0),
        ("skip_connect", 0.0, 0.0, 1.0),
    ],
)
def test_built_in_operators(name: str, parameters: float, layers: float, window: float) -> None:
    found = Descriptor.of(VOCABULARY[name])
    assert (found.parameters, found.layers, found.window) == (pytest.approx(parameters), layers, window)


def test_words_stand_in_for_missing_facts() -> None:
    assert described("Convolution 5 by 5", "conv").parameters == 25.0
    assert described("Multi-head self-attention with 8 heads").parameters == 4.0
    assert described("Linear layer").parameters == 1.0
    assert described("Temporal convolution with kernel size 7", "conv").parameters == 7.0


def test_more_expansion_or_a_larger_window_costs_more() -> None:
    three = described("MBConv block, kernel 3, expansion ratio 3", "mbconv")
    six = described("MBConv block, kernel 3, expansion ratio 6", "mbconv")
    large = described("MBConv block, kernel 5, expansion ratio 6", "mbconv")
    assert three.parameters < six.parameters < large.parameters


def test_more_channels_cost_quadratically_more() -> None:
    narrow, wide = (described(f"Convolution 3 by 3 with {size} channels", "conv") for size in (32, 64))
    assert wide.parameters == pytest.approx(4 * narrow.parameters)


def test_an_operator_without_weights_is_free_whatever_it_is_called() -> None:
    free = Operator("attention_pool", "other", short="attention", medium="", long="", has_weights=False)
    assert Descriptor.of(free).parameters == 0.0
