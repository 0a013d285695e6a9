"""The input of ParZC: order, scale and padding, by a case that can be computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from predictor.door import Layers
from predictor.parzc.statistics import inputs, longest_of, statistics


def layers(*, sizes: tuple[int, ...] = (3, 2)) -> Layers:
    """Two networks; the second has layers whose flow no 32-bit float holds."""
    owner = np.repeat(np.arange(len(sizes)), sizes)
    values = np.array([[1.0, 8.0, 1.0], [3.0, 20.0, 2.0], [2.0, 60.0, 3.0], [5.0, 6.0, 500.0], [5.0, 3.0, 501.0]])
    nowhere = np.full(len(owner), -1)
    return Layers(
        ("grad_norm", "snip", "synflow_normed"),
        np.array([1, 0, -1, 1]),
        owner,
        values,
        np.array([4, 10, 20, 2, 1]),
        nowhere,
        nowhere,
        nowhere,
        ["operator"] * len(owner),
        [""] * len(owner),
    )


def test_sums_become_means_and_logarithms_become_numbers() -> None:
    """Norms stay; snip is 8 / 4, 20 / 10, 60 / 20; flows are e^1 / 4 ... up to a factor a network."""
    found = statistics(layers())
    assert found[:, 0].tolist() == [1, 3, 2, 5, 5]
    assert found[:3, 1].tolist() == [2, 2, 3]
    flows = np.exp([1.0, 2.0, 3.0]) / [4, 10, 20]
    np.testing.assert_allclose(found[:3, 2], flows / flows.max())
    np.testing.assert_allclose(found[3:, 2], [np.exp(-1) / 2, 1.0])


def test_each_proxy_is_scaled_within_a_network_and_padded_behind() -> None:
    found, fits = inputs(layers(), 4)
    assert fits.tolist() == [True, True]
    assert found.dtype == np.float32
    rows = found.reshape(2, 3, 4)
    np.testing.assert_allclose(rows[0, 0], [0, 1, 0.5, 0])
    np.testing.assert_allclose(rows[0, 1], [0, 0, 1, 0])
    np.testing.assert_allclose(rows[1, 0], [0, 0, 0, 0])  # all layers alike
    np.testing.assert_allclose(rows[1, 2], [0, 1, 0, 0])


def test_what_has_too_many_layers_or_a_gap_does_not_fit() -> None:
    whole = layers()
    assert longest_of(whole) == 3
    assert inputs(whole, 2)[1].tolist() == [False, True]
    whole.values[4, 0] = np.nan
    found, fits = inputs(whole, 3)
    assert fits.tolist() == [True, False]
    assert np.isfinite(found).all()


def test_a_layer_without_flow_counts_as_none() -> None:
    whole = layers()
    whole.values[0, 2] = np.nan  # zero has no logarithm
    found, fits = inputs(whole, 3)
    assert fits.all()
    assert found.reshape(2, 3, 3)[0, 2].tolist() == pytest.approx([0, np.exp(2) / 10 / (np.exp(3) / 20), 1])
