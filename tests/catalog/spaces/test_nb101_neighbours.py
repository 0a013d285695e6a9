"""Neighbours of a module against the definition, and their laws."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.architecture.graph import ArchitectureGraph, CellGraph
from catalog.errors import IdentifierError
from catalog.spaces import nb101_identifiers, space_named
from catalog.spaces.nb101 import NASBench101
from tests.catalog.spaces.nb101_specs import modules, relabelled

SPACE = NASBench101()

LARGEST = 4  # vertices of the specifications that the definition below goes through


def graph(cell: CellGraph) -> ArchitectureGraph:
    return SPACE.graph(nb101_identifiers.format_compact(cell))


def names(cell: CellGraph) -> set[str]:
    found = [SPACE.native_id(other) for other in SPACE.neighbours(graph(cell))]
    assert len(set(found)) == len(found)
    return set(found)


def edits(links: tuple[int, ...], labels: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    for place in range(len(links)):
        yield (*links[:place], 1 - links[place], *links[place + 1 :]), labels
    for place, label in itertools.product(range(len(labels)), range(3)):
        yield links, (*labels[:place], label, *labels[place + 1 :])


@pytest.fixture(scope="module")
def neighbours_by_definition() -> dict[str, set[str]]:
    """All pairs of modules that two specifications of one to four vertices, one edit apart, prune to."""
    pruned: dict[tuple[tuple[int, ...], tuple[int, ...]], tuple[str, int]] = {}
    for vertices in range(2, LARGEST + 1):
        places = list(itertools.combinations(range(vertices), 2))
        for links in itertools.product((0, 1), repeat=len(places)):
            for labels in itertools.product(range(3), repeat=vertices - 2):
                matrix = np.zeros((vertices, vertices), dtype=int)
                for (row, column), link in zip(places, links, strict=True):
                    matrix[row, column] = link
                try:
                    cell = nb101_identifiers.parse((matrix, [-1, *labels, -2]))
                except IdentifierError:
                    continue
                module = SPACE.native_id(graph(cell))
                pruned[links, labels] = module, cell.node_count
    found: dict[str, set[str]] = defaultdict(set)
    for spec, (module, size) in pruned.items():
        for edited in edits(*spec):
            other, other_size = pruned.get(edited, (module, size))
            if other != module and abs(size - other_size) <= 1:
                found[module].add(other)
    return found


def test_neighbours_are_what_specifications_one_edit_apart_prune_to(
    neighbours_by_definition: dict[str, set[str]],
) -> None:
    """Exhaustive for modules of up to three vertices, which a specification of four reaches with one to spare."""
    small = ["0100:", *(f"{bits}:{label}" for bits in ("010001000", "011001000") for label in range(3))]
    assert len(small) == 7
    for text in small:
        cell = nb101_identifiers.parse(text)
        assert names(cell) == neighbours_by_definition[SPACE.native_id(graph(cell))]


@settings(max_examples=25)
@given(st.data())
def test_being_neighbours_is_mutual(data: st.DataObject) -> None:
    cell = data.draw(modules())
    own = SPACE.native_id(graph(cell))
    others = SPACE.neighbours(graph(cell))
    assert own not in {SPACE.native_id(other) for other in others}
    other = data.draw(st.sampled_from(others))
    assert own in names(other.cells[0])


@given(st.data())
def test_neighbours_do_not_depend_on_the_order_of_the_vertices(data: st.DataObject) -> None:
    cell = data.draw(modules())
    assert SPACE.neighbours(graph(cell)) == SPACE.neighbours(graph(data.draw(relabelled(cell))))


@given(modules())
def test_neighbours_are_modules_of_the_space_in_first_form(cell: CellGraph) -> None:
    for other in SPACE.neighbours(graph(cell)):
        assert SPACE.graph(nb101_identifiers.format_compact(other.cells[0])) == other
        assert SPACE.first_form(other) == other
        assert abs(other.cells[0].node_count - cell.node_count) <= 1


def test_the_smallest_module_has_a_path_through_each_operator_beside_it() -> None:
    found = [nb101_identifiers.format_compact(other.cells[0]) for other in SPACE.neighbours(SPACE.graph("0100:"))]
    assert found == ["011001000:0", "011001000:1", "011001000:2"]


def test_the_registry_knows_the_space() -> None:
    assert isinstance(space_named("nb101"), NASBench101)
