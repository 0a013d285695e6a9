"""Staged spaces as choices: every combination is an architecture, also where rules and depths leave some out."""

from __future__ import annotations

import numpy as np

from catalog.search.methods.space_choices import required_choices
from tests.catalog.spaces.staged.small import COUNT, small


def test_every_combination_is_an_architecture_and_every_architecture_one():
    space = small()
    choices = required_choices(space)
    assert [decision.name for decision in choices.decisions][:4] == [
        "resolution",
        "depth of stage 1",
        "kernel of block 1 of stage 1",
        "expansion of block 1 of stage 1",
    ]
    assert len(choices.decisions) == 1 + 1 + 2 * 2 + 1 + 2 * 3
    genes = choices.sample(40_000, np.random.default_rng(0))
    graphs = choices.decode(genes)
    ids = {space.native_id(graph) for graph in graphs}
    assert len(ids) == COUNT
    assert space.graph(space.native_id(graphs[0])) == graphs[0]
