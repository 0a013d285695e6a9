"""Operators that no family of computation graphs has: which there are, and how many architectures have one."""

from __future__ import annotations

import numpy as np

from predictor.computation_graph.words import unknown_words
from predictor.door import Given

AT_ONCE = 1_000
_NAMED = 5  # operators in a sentence for the user


def remarks_on(given: Given) -> list[str]:
    """A sentence about operators that are read by their descriptions alone; nothing where there are none."""
    connected = np.flatnonzero(given.connected).astype(np.int64)
    found: dict[str, None] = {}
    touched = 0
    for start in range(0, len(connected), AT_ONCE):
        batch = given.networks(connected[start : start + AT_ONCE])
        unknown = unknown_words(batch.words)
        if not unknown:
            continue
        places = [place for place, word in enumerate(batch.words) if word in unknown]
        owners = batch.graph_of_node[np.isin(batch.nodes.word, places)]
        if len(owners):
            touched += len(np.unique(owners))
            found |= dict.fromkeys(unknown)
    if not found:
        return []
    names = ", ".join(list(found)[:_NAMED]) + (f" and {len(found) - _NAMED} more" if len(found) > _NAMED else "")
    return [
        f"{touched:,} architectures of {given.space} have operators that no family of computation graphs has; they are "
        f"read by their descriptions: {names}."
    ]
