"""Drawings for pages: as large as they are or as there is room, and never markup of their own."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from catalog.architecture.graph import ArchitectureGraph, CellGraph
from catalog.architecture.operators import VOCABULARY, Operator
from catalog.report.svg import picture
from catalog.spaces import space_named


def test_a_drawing_fits_its_place_and_keeps_its_shape() -> None:
    graph = space_named("nb201").graph(6111)
    drawing = ElementTree.fromstring(picture(graph))
    _, _, width, height = map(float, drawing.attrib["viewBox"].split())
    assert "width" not in drawing.attrib
    assert drawing.attrib["style"].startswith(f"width: 100%; max-width: {width:.0f}px; height: auto")
    small = re.search(r"max-width: (\d+)px; height: auto; max-height: (\d+)px", picture(graph, tallest=100))
    assert small is not None
    assert int(small[2]) == 100
    assert abs(int(small[1]) - 100 * width / height) <= 1


def test_the_forms_differ_where_something_is_contracted() -> None:
    graph = space_named("nb201").graph(6111)
    assert "skip_connect" in picture(graph)
    assert "skip_connect" not in picture(graph, "canonical")


def test_names_of_a_hostile_space_stay_text() -> None:
    evil = "</svg><img src=x onerror=alert(1)>"
    vocabulary = VOCABULARY.extended([Operator(evil, "other", evil, evil, evil)])
    cell = CellGraph.build(evil, ["input", evil, "output"], [(0, 1), (1, 2)], vocabulary=vocabulary)
    drawing = picture(ArchitectureGraph(evil, (cell,), vocabulary))
    assert "<img" not in drawing
    assert evil in "".join(ElementTree.fromstring(drawing).itertext())
