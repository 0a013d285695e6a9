"""Draws without duplicates, from every space."""

from __future__ import annotations

from collections import Counter

import pytest

from catalog.errors import UsageError
from catalog.spaces import SPACES, space_named
from catalog.spaces.own import OwnSpace
from tests.catalog.spaces.staged.small import COUNT, small


def drawn(space, count, seed):
    return [name for members in space.drawn_members(count, seed) for name in members.native_ids]


@pytest.mark.parametrize("name", SPACES)
def test_a_draw_has_different_architectures_and_its_seed_decides(name):
    space = space_named(name)
    first = drawn(space, 60, seed=1)
    assert len(set(first)) == 60
    assert first == drawn(space, 60, seed=1)
    assert set(first) != set(drawn(space, 60, seed=2))
    (members,) = space.drawn_members(5, seed=3)
    for name, graph in zip(members.native_ids, members.graphs, strict=True):
        # Ids that say one network in several ways are read back as one of them.
        read = space.native_id(graph)
        assert read == name or space.graph(read) == graph


@pytest.mark.parametrize("space", [space_named("nats-sss"), small()], ids=["listed", "staged"])
def test_all_there_are_is_the_most(space):
    assert len(set(drawn(space, 10**6, seed=0))) == space.size


@pytest.mark.parametrize("count", [60, 100, COUNT - 20])
def test_each_architecture_is_as_likely_as_any_other(count):
    space = small()
    draws = 300
    counts = Counter(name for seed in range(draws) for name in drawn(space, count, seed))
    expected = draws * count / COUNT
    assert len(counts) == COUNT
    chi_squared = sum((times - expected) ** 2 / (expected * (1 - count / COUNT)) for times in counts.values())
    assert chi_squared < COUNT + 4 * (2 * COUNT) ** 0.5


def test_of_a_users_own_space_nothing_is_drawn():
    own = OwnSpace("mine", ())
    with pytest.raises(UsageError, match="drawn from"):
        list(own.drawn_members(3, seed=0))
