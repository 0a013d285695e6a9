"""Nodes with sizes: what says the same is parsed once, and what looks alike to a dictionary is told apart."""

from __future__ import annotations

import pytest

from catalog.architecture.sizes import Size
from catalog.errors import GraphError
from ingest.formats.sized_nodes import parsed_nodes


def test_equal_nodes_share_one_size() -> None:
    names, sizes = parsed_nodes([{"op": "conv", "kernel": 3}, {"kernel": 3, "op": "conv"}, {"op": "conv", "kernel": 3}])
    assert names == ["conv"] * 3
    assert sizes[0] is sizes[2]
    assert sizes[0] == sizes[1]


def test_true_and_a_fraction_are_no_whole_number_though_they_are_equal_to_one() -> None:
    assert parsed_nodes([{"op": "conv", "kernel": 1}])[1][0]
    for value in (True, 1.0):
        with pytest.raises(GraphError, match=r"node 0 \('conv'\): kernel is"):
            parsed_nodes([{"op": "conv", "kernel": value}])
    assert parsed_nodes([{"op": "conv", "norm": True}])[1][0]
    with pytest.raises(GraphError, match="norm is 1"):
        parsed_nodes([{"op": "conv", "norm": 1}])


def test_windows_of_two_edges_are_read_though_a_list_cannot_be_looked_up() -> None:
    _, (oblong, square) = parsed_nodes([{"op": "conv", "kernel": [1, 7]}, {"op": "conv", "kernel": [3, 3]}])
    assert (oblong, square) == (Size(kernel=(1, 7)), Size(kernel=3))
    with pytest.raises(GraphError, match="node 0"):
        parsed_nodes([{"op": "conv", "kernel": [1, 2, 3]}])
