"""Whether a described space is sound: each id says one architecture, and networks fit together."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from catalog.architecture.operators import SIZED_VOCABULARY
from catalog.errors import GraphError, IdentifierError, SpaceFileError
from catalog.spaces.staged.assignment import Assignment, Assignments
from catalog.spaces.staged.building import Networks
from catalog.spaces.staged.covering import covering
from catalog.spaces.staged.identifiers import LONGEST_ID, Identifiers

MOST_CHECKED = 1000
"""Architectures whose ids are read back and whose networks are worked out before a description is taken."""

_DRAWN = 64
_MOST_ALIKE = 300
"""Options with one text of which each two are compared."""


def check_space(every: Assignments, ids: Identifiers, networks: Networks) -> None:
    """Check ids and networks.

    Raises
    ------
    SpaceFileError
        An id stands for another architecture than it was written for, or a network does not fit together; the message
        names the architecture.
    """
    _check_texts(every, ids)
    shown = covering(every, MOST_CHECKED)
    for one in itertools.chain(every.distinct(_DRAWN, seed=0), shown):
        _check_id(ids, one)
    _check_networks(ids, networks, shown)


def _check_networks(ids: Identifiers, networks: Networks, shown: Sequence[Assignment]) -> None:
    from catalog.architecture.computation.sized import SizedNetworks

    sized = SizedNetworks(SIZED_VOCABULARY)
    for one in shown:
        try:
            sized.facts(networks.graph(one))
        except GraphError as error:
            raise SpaceFileError(f"its architecture {ids.written(one)!r:.120} cannot be: {error}") from None


def _check_id(ids: Identifiers, one: Assignment) -> None:
    text = ids.written(one)
    if len(text) > LONGEST_ID:
        raise SpaceFileError(
            f"its id {text!r:.60} has {len(text):,} characters; {LONGEST_ID:,} are the most. Make it shorter, with "
            "shorter patterns and fewer blocks."
        )
    if text != text.strip() or not text:
        raise SpaceFileError(f"its id {text!r:.120} begins or ends with a blank, or is empty; no id may.")
    try:
        same = ids.read(text) == one
    except IdentifierError:
        same = False
    if not same:
        raise _unclear(text)


def _unclear(text: str) -> SpaceFileError:
    return SpaceFileError(
        f"its id {text!r:.120} does not say which architecture it is. Put each choice that does not follow from the "
        "others into the patterns 'id' of the file, of [stage] and of [block], and text between choices that would "
        "run into one another."
    )


def _check_texts(every: Assignments, ids: Identifiers) -> None:
    """Check that no two blocks, stages or networks are written alike, wherever in the space they are."""
    checked = set()
    for stage, described in enumerate(every.description.stages):
        level = described.block_level
        if (key := (level.choices, level.options)) not in checked:
            checked.add(key)
            _check_blocks(stage, ids)
    of_stages = [ids.stage_texts(stage) for stage in range(len(every.description.stages))]
    for stage, texts in enumerate(of_stages):
        if len(set(texts)) == len(texts):
            continue
        for network in range(min(len(every.network.options), _MOST_ALIKE)):
            depths = every.depths(network, stage)
            if alike := _twice(f"{text}: {depth}" for text, depth in zip(texts, depths, strict=True)):
                raise _unclear(alike.rpartition(": ")[0])
    for text, networks in _alike(ids.network_texts()):
        for one, other in itertools.combinations(networks[:_MOST_ALIKE], 2):
            if all(_shared(every, texts, stage, one, other) for stage, texts in enumerate(of_stages)):
                raise _unclear(text)


def _check_blocks(stage: int, ids: Identifiers) -> None:
    texts = ids.block_texts(stage)
    if alike := _twice(texts):
        raise _unclear(alike)
    for option, text in enumerate(texts):
        try:
            same = ids.read_block(stage, text) == option
        except IdentifierError:
            same = False
        if not same:
            raise _unclear(text)


def _shared(every: Assignments, texts: Sequence[str], stage: int, one: int, other: int) -> bool:
    """Whether a stage can be written alike in two networks."""
    first, second = (set(zip(texts, every.depths(network, stage), strict=True)) for network in (one, other))
    return not first.isdisjoint(second)


def _alike(texts: Sequence[str]) -> Iterator[tuple[str, list[int]]]:
    """Texts that stand more than once, and where."""
    found: dict[str, list[int]] = defaultdict(list)
    for place, text in enumerate(texts):
        found[text].append(place)
    return ((text, places) for text, places in found.items() if len(places) > 1)


def _twice(several: Iterable[str]) -> str | None:
    """The first that stands a second time."""
    seen: set[str] = set()
    for one in several:
        if one in seen:
            return one
        seen.add(one)
    return None
