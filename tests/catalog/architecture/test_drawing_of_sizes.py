"""Drawings show what is known of sizes, and take nothing of them for markup."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest

from catalog.architecture.drawing import draw_svg, draw_text
from catalog.architecture.sizes import NetworkInput, Size
from tests.catalog.architecture.sized_graphs import IMAGE, graph_of

NODES = [
    "input",
    {"op": "conv", "kernel": [3, 1], "channels": 16, "stride": 2, "activation": "silu"},
    {"op": "conv", "kernel": 5, "channels": 16, "repeats": 3, "bias": True, "norm": False},
    "output",
]
CELL = {"name": "cell<1>", "ops": NODES, "edges": [[0, 1], [1, 2], [2, 3]], "repeats": 4}
WHOLE: dict[str, Any] = {"id": "a", "cells": [CELL], "input": IMAGE, "head": {"classes": 10}}


def test_text_shows_sizes_repeats_and_ends() -> None:
    assert draw_text(graph_of(WHOLE)) == (
        "whole network: images of 3x16x16, 10 classes\n\n"
        "cell<1>: 4 nodes, 3 edges, 4 times in a row\n"
        "● input\n"
        "└─▸● conv  16 channels, kernel 3x1, stride 2, activation silu\n"
        "   └─▸● conv  16 channels, kernel 5, 3 repeats, no norm, bias\n"
        "      └─▸● output\n"
    )
    cells = {name: WHOLE[name] for name in ("id", "cells")}
    assert draw_text(graph_of(cells)).startswith("cell<1>: 4 nodes")


@pytest.mark.parametrize("form", ["native", "canonical"])
def test_svg_is_well_formed_and_shows_sizes(form: str) -> None:
    root = ElementTree.fromstring(draw_svg(graph_of(WHOLE), form))
    texts = {element.text for element in root.iter() if element.tag.endswith(("text", "title"))}
    assert {"conv 3x1/2 16", "conv 5x5 16 ×3", "cell<1> ×4"} <= texts
    assert "own: images of 3x16x16, 10 classes; cell<1>: 4 nodes, 3 edges, 4 times in a row" in texts
    assert "Convolution: 16 channels, kernel 5, 3 repeats, no norm, bias" in texts


def test_a_larger_window_is_darker_whoever_says_it() -> None:
    def fill(kernel: int) -> str:
        ops = ["input", {"op": "conv", "kernel": kernel}, "output"]
        picture = draw_svg(graph_of({"id": "a", "cells": [{"name": "c", "ops": ops, "edges": [[0, 1], [1, 2]]}]}))
        root = ElementTree.fromstring(picture)
        boxes = [element for element in root.iter() if element.tag.endswith("rect")]
        return boxes[1].attrib["fill"]

    assert len({fill(1), fill(3), fill(5)}) == 3


def test_sequences_have_words_too() -> None:
    assert NetworkInput(tokens=128, channels=256).words == "128 tokens of 256 channels"
    assert NetworkInput(tokens=8, channels=4, vocabulary=30522).words == "8 tokens of 4 channels from 30,522 words"


def test_tensors_hold_what_is_said() -> None:
    pytest.importorskip("torch_geometric")
    from catalog.architecture.sizes import NUMBERS

    data = graph_of(WHOLE).to_pyg()
    assert data.sizes.shape == (4, len(NUMBERS))
    assert data.sizes[0].isnan().all()
    known = dict(zip(NUMBERS, data.sizes[1].tolist(), strict=True))
    assert (known["channels"], known["kernel"], known["stride"]) == (16, 3, 2)
    assert Size(channels=16, kernel=(3, 1), stride=2).numbers[:3] == (16, 3, 2)
