"""Spaces as choices: every combination of options is an architecture of the space."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.search.methods.choices import Choices
from catalog.search.methods.decoding import Decoder
from catalog.search.methods.space_choices import choices_of
from catalog.spaces.darts import genotype_of
from catalog.spaces.own import OwnSpace
from tests.catalog.search.landscapes import DARTS, NB101, NB201, SIZE_SPACE, SPACES

SEEDS = st.integers(0, 2**32 - 1)


def choices(name: str) -> Choices:
    found = choices_of(SPACES[name])
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("nb101", "NB101Choices(26 decisions, 5.1e+08)"),
        ("nb201", "NB201Choices(6 decisions, 1.56e+04)"),
        ("nats-sss", "SizeChoices(5 decisions, 3.28e+04)"),
        ("darts", "DARTSChoices(24 decisions, 1.08e+18)"),
    ],
)
def test_each_built_in_space_can_be_varied(name, shown):
    assert repr(choices(name)) == shown


def test_a_users_own_space_cannot():
    assert choices_of(OwnSpace("mine")) is None


@pytest.mark.parametrize("name", SPACES)
@settings(max_examples=10)
@given(seed=SEEDS)
def test_every_combination_is_an_architecture_of_the_space(name, seed):
    space = SPACES[name]
    genes = choices(name).sample(20, np.random.default_rng(seed))
    for graph in choices(name).decode(genes):
        assert graph.space == name
        assert graph.vocabulary is space.vocabulary
        native_id = space.native_id(graph)
        if space is not NB101:
            assert space.graph(native_id) == graph


@pytest.mark.parametrize("name", SPACES)
@settings(max_examples=10)
@given(seed=SEEDS)
def test_a_mutation_changes_one_decision(name, seed):
    generator = np.random.default_rng(seed)
    genes = choices(name).sample(30, generator)
    mutated = choices(name).mutated(genes, generator)
    assert ((genes != mutated).sum(axis=1) == 1).all()
    assert (mutated >= 0).all()
    assert (mutated < choices(name).counts).all()


@settings(max_examples=20)
@given(seed=SEEDS)
def test_darts_nodes_have_two_different_predecessors(seed):
    (graph,) = choices("darts").decode(choices("darts").sample(1, np.random.default_rng(seed)))
    genotype = genotype_of(graph)
    for pairs in (genotype.normal, genotype.reduce):
        assert all(one[1] != other[1] for one, other in zip(pairs[::2], pairs[1::2], strict=True))


def test_each_darts_architecture_has_one_combination():
    """All operators of one node with all pairs of predecessors: 3 x 7 x 7 different genotypes."""
    decisions = choices("darts")
    genes = np.zeros((147, len(decisions.counts)), dtype=np.int64)
    genes[:, 3:6] = list(np.ndindex(3, 7, 7))
    assert len({DARTS.native_id(graph) for graph in decisions.decode(genes)}) == 147


def test_nb101_modules_are_mended_into_the_first_form():
    """No edge at all becomes the edge from input to output; all 21 edges lose the last ones."""
    genes = np.zeros((2, 26), dtype=np.int64)
    genes[1, :21] = 1
    empty, full = choices("nb101").decode(genes)
    assert empty.cells[0].edges == ((0, 1, 1),)
    assert len(full.cells[0].edges) <= 9
    assert NB101.first_form(full) == full


@settings(max_examples=10)
@given(seed=SEEDS)
def test_nb101_modules_keep_the_limits_and_are_the_ones_chosen(seed):
    """Where a combination is a valid specification, the module is what the benchmark makes of it."""
    decisions = choices("nb101")
    generator = np.random.default_rng(seed)
    genes = generator.integers(decisions.counts, size=(20, 26))
    genes[:, :21] &= generator.random((20, 21)) < 0.6
    matrices = np.zeros((20, 7, 7), dtype=int)
    matrices[:, *np.triu_indices(7, 1)] = genes[:, :21]
    for row, graph in enumerate(decisions.decode(genes)):
        assert len(graph.cells[0].edges) <= 9
        links = matrices[row]
        if links.sum() <= 9 and np.linalg.matrix_power(links + np.eye(7, dtype=int), 6)[0, 6]:
            interior = [NB101.operators[label] for label in genes[row, 21:]]
            assert NB101.native_id(graph) == NB101.locate((links.tolist(), ["input", *interior, "output"]))


def test_nb101_genes_are_drawn_as_the_space_draws_modules():
    """Most modules have seven vertices; what is drawn is decoded to what the space gave."""
    generator, same = np.random.default_rng(5), np.random.default_rng(5)
    genes = choices("nb101").sample(200, generator)
    same.integers(3, size=(200, 5))
    drawn = NB101.sample(200, int(same.integers(2**32)))
    assert [NB101.native_id(graph) for graph in choices("nb101").decode(genes)] == list(map(NB101.native_id, drawn))


def test_nb201_and_size_choices_are_in_the_order_of_the_native_id():
    assert NB201.native_id(choices("nb201").decode(np.array([[0, 1, 2, 3, 4, 0]]))[0]) == (
        "|none~0|+|skip_connect~0|nor_conv_1x1~1|+|nor_conv_3x3~0|avg_pool_3x3~1|none~2|"
    )
    assert SIZE_SPACE.native_id(choices("nats-sss").decode(np.array([[7, 4, 1, 2, 0]]))[0]) == "64:40:16:24:8"


def test_a_decoder_gives_equal_genes_the_same_candidate():
    decoder = Decoder(choices("nb201"))
    genes = np.array([[1, 2, 3, 4, 0, 1], [0, 0, 0, 0, 0, 0], [1, 2, 3, 4, 0, 1]])
    first, dead, again = decoder.candidates(genes)
    assert first is again
    assert decoder.candidates(genes[1:2])[0] is dead
    cell = "|skip_connect~0|+|nor_conv_1x1~0|nor_conv_3x3~1|+|avg_pool_3x3~0|none~1|skip_connect~2|"
    assert first.digest == NB201.graph(cell).digest
    assert repr(decoder) == "Decoder(NB201Choices(6 decisions, 1.56e+04), 2 remembered)"
