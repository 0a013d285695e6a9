"""Drawings: the text can be read back into the graph, the SVG holds every node and edge and nothing from outside."""

from __future__ import annotations

import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.architecture.drawing import draw_svg, draw_text
from catalog.architecture.graph import ArchitectureGraph, CellGraph
from catalog.architecture.layout import layered_layout
from catalog.architecture.operators import VOCABULARY, Operator
from catalog.errors import UsageError
from tests.catalog.graphs import cells, darts_cell, nb201

SVG = "{http://www.w3.org/2000/svg}"
CELL = nb201("nor_conv_3x3", "nor_conv_3x3", "avg_pool_3x3", "skip_connect", "nor_conv_3x3", "skip_connect")


def one(cell: CellGraph) -> ArchitectureGraph:
    return ArchitectureGraph("own", (cell,))


def read_back(rows: list[str]) -> tuple[list[str], list[tuple[int, int, int]]]:
    """Operators and edges of a drawing, by following its lines as the eye does."""
    columns, operators, edges, rails = [], [], [], set()
    for row in rows:
        lines, _, operator = row.partition("● ")
        for node, column in enumerate(columns):
            sign = lines[column : column + 1]
            assert (sign in "├┼└┴│") == (node in rails) or sign in " ─", (row, column)
            if sign and sign in "├┼└┴":
                copies = re.match(r"×(\d+)", lines[column + 1 :])
                edges.append((node, len(operators), int(copies[1]) if copies else 1))
            if sign and sign in "└┴":
                rails.remove(node)
        columns.append(len(lines))
        operators.append(operator)
        rails.add(len(operators) - 1)
    return operators, sorted(edges)


@given(cells(most=12, most_parallel=12))
def test_text_can_be_read_back(cell):
    caption, *rows = draw_text(one(cell)).splitlines()
    assert caption.startswith(f"cell: {cell.node_count} nodes, ")
    assert read_back(rows) == (list(cell.operators), list(cell.edges))
    assert all(line == line.rstrip() for line in rows)


def test_text_of_a_cell():
    assert draw_text(CELL, "canonical") == (
        "cell: 6 nodes, 8 edges\n"
        "● input\n"
        "├─▸● nor_conv_3x3\n"
        "├──│─▸● nor_conv_3x3\n"
        "│  ├──│─▸● nor_conv_3x3\n"
        "│  └──│──│─▸● avg_pool_3x3\n"
        "└─────┴──┴──┴─▸● output\n"
    )


def test_text_shows_multiplicity():
    doubled = nb201("skip_connect", "skip_connect", "none", "none", "skip_connect", "skip_connect")
    tripled = CellGraph("cell", ("input", "conv3x3", "output"), ((0, 1, 3), (1, 2, 1)))
    assert draw_text(doubled, "canonical") == "cell: 2 nodes, 1 edge\n● input\n└×2─▸● output\n"
    assert draw_text(one(tripled)) == "cell: 3 nodes, 2 edges\n● input\n└×3─▸● conv3x3\n     └───▸● output\n"


def test_text_of_a_dead_cell_says_so():
    text = draw_text(nb201(*["none"] * 6), "canonical")
    assert text == "cell: 2 nodes, 0 edges, no path from input to output\n● input\n   ● output\n"


def test_text_and_svg_show_all_cells():
    pairs = [("sep_conv_3x3", 0), ("dil_conv_5x5", 1), ("skip_connect", 2), ("max_pool_3x3", 0)] * 2
    graph = ArchitectureGraph("darts", (darts_cell("normal", pairs), darts_cell("reduce", pairs, reduction=True)))
    normal, reduce = draw_text(graph).split("\n\n")
    assert normal.startswith("normal: 16 nodes, 21 edges\n● input_0\n│  ● input_1\n")
    assert reduce.startswith("reduce: 16 nodes, 21 edges\n")
    texts = [element.text for element in ElementTree.fromstring(draw_svg(graph)).iter(f"{SVG}text")]
    assert texts.count("sep_conv_3x3") == 4
    assert {"normal", "reduce"} <= set(texts)


@pytest.mark.parametrize("draw", [draw_text, draw_svg])
def test_an_unknown_form_is_refused(draw):
    with pytest.raises(UsageError, match="unknown form 'pretty'; a graph has the forms native and canonical"):
        draw(CELL, "pretty")


@given(cells(most=10))
def test_svg_holds_every_node_and_edge(cell):
    picture = ElementTree.fromstring(draw_svg(one(cell)))
    boxes = [
        element.find(f"{SVG}rect") for element in picture.iter(f"{SVG}g") if element.find(f"{SVG}title") is not None
    ]
    assert len(boxes) == cell.node_count
    names = [element.text for element in picture.iter(f"{SVG}text")]
    assert [name for name in names if name in VOCABULARY] == list(cell.operators)
    curves = [element for element in picture.iter(f"{SVG}path") if element.get("fill") == "none"]
    arrows = [element for element in picture.iter(f"{SVG}path") if element.get("fill") != "none"]
    assert len(curves) == len(arrows) == len(cell.edges)
    assert sorted(name for name in names if name.startswith("×")) == sorted(f"×{m}" for *_, m in cell.edges if m > 1)


def test_svg_needs_nothing_from_outside_and_is_the_same_every_time():
    picture = draw_svg(CELL)
    assert not re.search(r"href|url\(|<script|<image|@import|<style", picture)
    assert re.findall(r"https?://[^\"]*", picture) == ["http://www.w3.org/2000/svg"]
    assert draw_svg(CELL) == picture


def test_svg_escapes_what_a_user_writes():
    own = VOCABULARY.extended([Operator("<b>&", "a<b", short='"', medium='<i>"&', long="x")])
    cell = CellGraph.build("<cell>", ("input", "<b>&", "output"), [(0, 1), (1, 2)], vocabulary=own)
    picture = ElementTree.fromstring(draw_svg(ArchitectureGraph("<space>", (cell,), own)))
    texts = [element.text for element in picture.iter(f"{SVG}text")]
    assert texts == ["<cell>", "input", "<b>&", "output"]
    assert '<i>"&' in [element.text for element in picture.iter(f"{SVG}title")]


def test_svg_colours_tell_operators_apart():
    def fill(name: str, kind: str = "conv", **facts: object) -> str:
        own = VOCABULARY if name in VOCABULARY else VOCABULARY.extended([Operator(name, kind, "s", "m", "l", **facts)])
        cell = CellGraph.build("cell", ("input", name, "output"), [(0, 1), (1, 2)], vocabulary=own)
        picture = ElementTree.fromstring(draw_svg(ArchitectureGraph("own", (cell,), own)))
        return [element.get("fill") for element in picture.iter(f"{SVG}rect")][1]

    names = ["conv1x1", "conv3x3", "sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3", "maxpool3x3", "skip_connect", "none"]
    assert len({fill(name) for name in names}) == len(names)
    assert fill("conv3x3") == fill("nor_conv_3x3")
    assert fill("conv7x7", kernel=7) == fill("conv9x9", kernel=9)
    assert fill("heads", "attention") == fill("window", "attention")
    assert re.fullmatch("#[0-9a-f]{6}", fill("conv", kernel=None))


@given(cells(most=12), st.data())
def test_layout_has_no_overlap_and_leads_downwards(cell, data):
    widths = data.draw(st.lists(st.floats(10, 200), min_size=cell.node_count, max_size=cell.node_count))
    layout = layered_layout(cell, widths, {0}, layer_height=60, gap=12)
    boxes = sorted((y, x - width / 2, x + width / 2) for (x, y), width in zip(layout.centres, widths, strict=True))
    for upper, lower in pairwise(boxes):
        assert upper[0] != lower[0] or upper[2] + 12 <= lower[1] + 1e-6
    assert all(-1e-6 <= left <= right <= layout.width + 1e-6 for _, left, right in boxes)
    assert set(layout.routes) == set(cell.edges)
    for (source, target, _), route in layout.routes.items():
        assert (route[0], route[-1]) == (layout.centres[source], layout.centres[target])
        assert [y for _, y in route] == [route[0][1] + 60 * step for step in range(len(route))]
    assert all(layout.centres[-1][1] > y for _, y in layout.centres[:-1])


def test_layout_crosses_no_edges_where_none_must():
    """The given order of this cell crosses two edges."""
    layout = layered_layout(CELL.cells[0], [60.0] * 8, {0}, layer_height=60, gap=12)
    steps = [pair for route in layout.routes.values() for pair in pairwise(route)]
    for (x, y), (end, _) in steps:
        assert not any(other_y == y and other_x < x and other_end > end for (other_x, other_y), (other_end, _) in steps)
