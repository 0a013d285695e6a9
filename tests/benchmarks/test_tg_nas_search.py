"""What the benchmark of searches measures: sizes that were published, and searches that one seed decides."""

from __future__ import annotations

import pytest

from catalog.spaces import space_named

pytest.importorskip("torch")

DARTS_V2 = (
    "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_3x3', 1), "
    "('sep_conv_3x3', 1), ('skip_connect', 0), ('skip_connect', 0), ('dil_conv_3x3', 2)], normal_concat=[2, 3, 4, 5], "
    "reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 1), ('max_pool_3x3', 0), "
    "('skip_connect', 2), ('skip_connect', 2), ('max_pool_3x3', 1)], reduce_concat=[2, 3, 4, 5])"
)


def test_darts_v2_has_its_published_size_on_imagenet() -> None:
    """4.7 M parameters: Liu, Simonyan and Yang 2019."""
    from benchmarks.tg_nas_search import imagenet_size

    (millions,) = imagenet_size(space_named("darts").graph(DARTS_V2))
    assert round(millions, 1) == 4.7


def test_once_for_all_costs_are_those_of_the_catalog() -> None:
    from benchmarks.tg_nas_search import costs

    graph = space_named("ofa").graph("w1.2r224:d2:k3e3.k3e3_d2:k3e3.k3e3_d2:k3e3.k3e3_d2:k3e3.k3e3_d2:k3e3.k3e3")
    parameters, operations = costs(graph)
    assert 3 < parameters < 9
    assert 100 < operations < 400


def test_one_seed_is_one_search() -> None:
    from benchmarks.tg_nas_search import found_by

    first, again = (found_by("params", "nb201", 60, seed=1) for _ in range(2))
    assert first[0] == again[0]
    assert first[2] == again[2] <= 60
