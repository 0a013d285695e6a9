"""A staged space does all that a space does, from its file alone."""

from __future__ import annotations

import numpy as np
import pytest

from catalog.errors import IdentifierError, UsageError
from catalog.spaces import SPACES, space_named, staged
from catalog.spaces.staged.space import StagedSpace
from tests.catalog.spaces.staged.small import COUNT, SMALL, small

SPACE = small()


def test_every_architecture_is_there_once_and_its_id_reads_back():
    graphs = list(SPACE.enumerate())
    ids = [SPACE.native_id(graph) for graph in graphs]
    assert len(set(ids)) == len(ids) == SPACE.size == COUNT
    assert ids[0] == "r16:d1 k3e1|d1 k3e1"
    assert [SPACE.graph(native_id) for native_id in ids] == graphs
    assert [name for members in SPACE.enumerate_members() for name in members.native_ids] == ids


def test_a_graph_is_found_out_where_it_was_not_made():
    native_id = "r32:d2 k3e1-k5e4|d3 k3e4-k3e1-k5e4"
    assert small().native_id(SPACE.graph(native_id)) == native_id
    with pytest.raises(IdentifierError, match="no native graph of the space"):
        SPACE.native_id(SPACE.graph(native_id).canonical)


def test_the_graph_is_the_whole_network():
    graph = SPACE.graph("r32:d2 k3e1-k5e4|d1 k3e4")
    assert [cell.name for cell in graph.cells] == ["entry", "stage_01", "stage_02", "tail"]
    assert [cell.name for cell in graph.cells] == sorted(cell.name for cell in graph.cells)
    assert graph.cells[1].operators == ("input", "depthwise_conv", "depthwise_conv", "sum", "output")
    assert graph.cells[1].edges == ((0, 1, 1), (1, 2, 1), (1, 3, 1), (2, 3, 1), (3, 4, 1))
    size = graph.cells[1].size(2)
    assert size is not None
    assert (size.kernel, size.expansion, size.channels, size.stride) == (5, 4, 8, None)
    assert graph.input is not None
    assert (graph.input.shape, graph.classes) == ((3, 32, 32), 10)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("r64:d1 k3e1|d1 k3e1", "at character 2 stands '64:d1 k3e1|d1 k3e1', and one of 16, 32 for resolution"),
        ("r16:d1 k3e1|d2 k3e1-k3e1", "one of 1, 3 for depth is needed"),
        ("r16:d2 k3e1|d1 k3e1", "'-' is needed"),
        ("r16:d1 k3e1|d1 k3e1-k3e1", "the end is needed"),
        ("r16:d1 k5e1|d1 k3e1", "a block that keeps the rules"),
        ("", "nothing more"),
        (7, "a text such as"),
        ("x" * 5000, "4,000 are the most"),
    ],
)
def test_what_is_no_id_is_refused_with_its_place(given, said):
    with pytest.raises(IdentifierError) as error:
        SPACE.locate(given)
    assert said in str(error.value)


def test_draws_are_uniform_over_the_architectures():
    drawn = [SPACE.native_id(graph) for graph in SPACE.sample(4000, seed=1)]
    assert drawn == [SPACE.native_id(graph) for graph in SPACE.sample(4000, seed=1)]
    deep = np.mean(["|d3 " in name for name in drawn])
    assert abs(deep - 27 / 30) < 0.03  # as many as there are, not as many as depths


def test_draws_without_duplicates_give_all_there_are():
    assert len(set(SPACE.assignments.distinct(100, seed=3))) == 100
    assert len(set(SPACE.assignments.distinct(10**6, seed=3))) == COUNT


def test_neighbours_are_one_choice_away():
    one = SPACE.graph("r16:d1 k3e1|d1 k3e1")
    found = {SPACE.native_id(graph) for graph in SPACE.neighbours(one)}
    assert "r32:d1 k3e1|d1 k3e1" in found
    assert "r16:d1 k3e4|d1 k3e1" in found
    assert {"r16:d2 k3e1-k5e4|d1 k3e1", "r16:d1 k3e1|d3 k5e4-k5e4-k5e4"}.isdisjoint(
        found - {"r16:d2 k3e1-k5e4|d1 k3e1"}
    )
    assert "r16:d2 k3e1-k5e4|d1 k3e1" in found
    assert "r16:d1 k3e1|d1 k3e1" not in found
    back = {SPACE.native_id(graph) for graph in SPACE.neighbours(SPACE.graph("r16:d2 k3e1-k5e4|d1 k3e1"))}
    assert "r16:d1 k3e1|d1 k3e1" in back


def test_a_space_of_a_depth_of_the_network():
    space = small(
        SMALL.replace("resolution = [16, 32] }", "resolution = [16, 32], depth = [1, 2] }")
        .replace("choices = { depth = [1, 2] }", "")
        .replace("choices = { depth = [1, 3] }", "")
        .replace('id = "r{resolution}:', 'id = "r{resolution}d{depth}:')
        .replace('id = "d{depth} {blocks:-}"', 'id = "{blocks:-}"')
    )
    assert space.size == 2 * (3 * 3 + 9 * 9)
    deeper = [space.native_id(graph) for graph in space.neighbours(space.graph("r16d1:k3e1|k3e1"))]
    assert {"r16d2:k3e1-k3e1|k3e1-k3e1", "r16d2:k3e1-k5e4|k3e1-k5e4"} <= set(deeper)


def test_a_depth_that_follows_from_the_blocks_need_not_be_written():
    space = small(SMALL.replace('id = "d{depth} {blocks:-}"', 'id = "{blocks:-}"'))
    assert space.native_id(space.graph("r16:k3e1-k5e4|k3e1")) == "r16:k3e1-k5e4|k3e1"
    with pytest.raises(IdentifierError, match="'-' is needed"):
        space.locate("r16:k3e1|k3e1-k3e1")  # the second stage has one block or three


def test_a_large_space_is_drawn_from_and_not_listed():
    space = small(SMALL.replace("depth = [1, 3]", "depth = [1, 40]"))
    assert space.size is None
    with pytest.raises(UsageError, match="about 2.9e\\+20 architectures, too many to list"):
        space.enumerate()
    ids = [space.id_of(one) for one in space.assignments.distinct(50, seed=0)]
    assert [space.locate(native_id) for native_id in ids] == ids


@pytest.mark.parametrize("name", staged.NAMES)
def test_a_built_in_space_is_sound(name):
    assert name in SPACES
    space = space_named(name)
    assert isinstance(space, StagedSpace)
    assert space.name == name
    assert (space.table is not None) is (name in staged.TABLES)
    space.check()


def test_nas_bench_macro_is_as_large_as_published():
    space = space_named("nasbench_macro")
    graphs = list(space.enumerate())
    assert (len(graphs), space.native_id(graphs[5])) == (3**8, "00000012")
    digests = {graph.digest for graph in map(space.graph, ("01201201", "01201210", "01210201", "01210210"))}
    assert len(digests) == 1  # an identity between two layers changes nothing
