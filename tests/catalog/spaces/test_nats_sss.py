"""The size space of NATS-Bench."""

from __future__ import annotations

import bz2
import itertools
import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import IdentifierError
from catalog.spaces.nats_sss import WIDTHS, NATSSize


@pytest.fixture
def space() -> NATSSize:
    return NATSSize()


def test_the_index_is_the_official_one(space: NATSSize, data_dir: Path) -> None:
    meta = data_dir / "formats/nats_bench_samples/NATS-sss-v1_0-50262-simple/meta.pickle.pbz2"
    names = pickle.loads(bz2.decompress(meta.read_bytes()))["meta_archs"]
    assert [space.native_id(graph) for graph in space.enumerate()] == names
    assert [space.native_index(space.graph(name)) for name in names[::1000]] == list(range(0, len(names), 1000))


@given(st.lists(st.sampled_from(WIDTHS), min_size=5, max_size=5))
def test_names_indices_and_graphs_round_trip(widths: list[int]) -> None:
    space = NATSSize()
    name = ":".join(map(str, widths))
    graph = space.graph(name)
    assert space.native_id(graph) == space.locate(f" {name} ") == space.locate(space.native_index(graph)) == name


def test_every_architecture_computes_something_else(space: NATSSize) -> None:
    assert len({graph.digest for graph in itertools.islice(space.enumerate(), 600)}) == 600


def test_neighbours_differ_in_one_stage(space: NATSSize) -> None:
    graph = space.sample(1, seed=5)[0]
    own = space.native_id(graph).split(":")
    around = [space.native_id(neighbour).split(":") for neighbour in space.neighbours(graph)]
    assert len(around) == 5 * 7
    assert all(sum(one != other for one, other in zip(own, name, strict=True)) == 1 for name in around)


@pytest.mark.parametrize("identifier", ["64:64:64:64", "7:8:8:8:8", 32768, -1, None, "8:8:8:8:x", "9" * 5000, True])
def test_what_is_no_architecture_is_refused(space: NATSSize, identifier: object) -> None:
    with pytest.raises(IdentifierError, match="size space"):
        space.locate(identifier)


@pytest.mark.parametrize("identifier", ["٢", "٦٤:40:16:24:8"])
def test_digits_of_other_scripts_name_nothing(identifier: str) -> None:
    with pytest.raises(IdentifierError):
        NATSSize().graph(identifier)
