"""Laws that a ranking of any network has to fulfil, on ten thousand pairs of networks.

    python -m benchmarks.universal_laws [--score tg_nas_universal] [--pairs 60] [--kind nb201] [--show 3]

A network told in other words, at another grain, with its nodes in another order, alone or in a pool scores the same
(within .02 standard deviations of its space); a wider one, one on larger images, one with one more residual block, or a
plain chain with a shortcut over two or more layers does not score lower (but in 1 % of the pairs, and never by .1); an
unknown operator scores between the three that are described nearest (95 % of 200); without a path there is no score.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from math import isnan

import numpy as np

from benchmarks.laws.judging import INSIDE, Broken, Score, cut_networks, judged, judged_swaps
from benchmarks.laws.networks import KINDS

SWAPS = 200
"""Unknown operators that are tried."""


def rows(name: str, kinds: Sequence[str], count: int, seed: int, show: int) -> Iterator[str]:
    """The table, line by line, and the worst examples below it."""
    score, every, without = Score(name), [], np.zeros(2, dtype=int)
    yield f"`{name}`: each cell is violations of pairs, and the worst in standard deviations of the space\n"
    laws = ["words", "grain", "order", "alone", "wider", "wider inside", "resolution", "one more block", "shortcut"]
    yield "| | " + " | ".join(laws) + " | scored without a path |"
    yield "|---|" + "---|" * (len(laws) + 1)
    for kind in kinds:
        found = {one.law: one for one in judged(score, kind, count, seed)}
        made, scored = cut_networks(score, kind, count, seed)
        every += found.values()
        without += (made, scored)
        cells = [_cell(found.get(law)) for law in laws] if found else ["no scores", *[""] * (len(laws) - 1)]
        yield f"| {kind} | " + " | ".join(cells) + f" | {scored} of {made} |"
    totals = [_cell(_together(law, every)) for law in laws]
    yield "| **all** | " + " | ".join(totals) + f" | {without[1]} of {without[0]} |"
    yield f"\n{sum(one.pairs for one in every) + without[0]:,} pairs and networks"
    for whole, where in ((True, "whole networks"), (False, "cells")):
        swapped = judged_swaps(score, SWAPS, seed, whole=whole)
        told = "no scores" if isnan(swapped.share) else f"{swapped.share:.1%} of {SWAPS // 2}"
        yield f"\nunknown operators inside the range of the nearest three, in {where}: {told} (asked: {INSIDE:.0%})"
        for fault, sentence, nearest in swapped.outside[:show]:
            yield f"  {fault:.2f} SD outside: {sentence!r} among {', '.join(nearest)}"
    broken = [one for one in every if one.violations]
    for one in sorted(broken, key=lambda one: -one.worst)[: show * 4]:
        yield from _shown(one)


def _together(law: str, every: Sequence[Broken]) -> Broken | None:
    """One law over all kinds of networks."""
    those = [one for one in every if one.law == law]
    if not those:
        return None
    pairs, violations = sum(one.pairs for one in those), sum(one.violations for one in those)
    return Broken(law, "all", pairs, violations, max(one.worst for one in those))


def _cell(one: Broken | None) -> str:
    if one is None:
        return ""
    return f"{one.violations} of {one.pairs}, {one.worst:.3f}{'' if one.holds else ' !'}"


def _shown(one: Broken) -> Iterator[str]:
    yield f"\n{one.law}, {one.kind}, {one.worst:.3f} SD ({one.example.how if one.example else ''}):"
    if one.example is not None:
        for graph in (one.example.before, one.example.after):
            for cell in graph.cells[:6]:
                nodes = [
                    name if size is None else f"{name}({size.words})"
                    for name, size in zip(cell.operators, cell.sizes or [None] * cell.node_count, strict=True)
                ]
                yield f"  {cell.name}: {' '.join(nodes)}; {list(cell.edges)}"[:1200]
            yield "  --"


def main() -> None:
    """Print the table of one score."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--score", default="tg_nas_universal")
    parser.add_argument("--pairs", type=int, default=60, help="pairs of each law and kind of network")
    parser.add_argument("--kind", action="append", choices=KINDS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", type=int, default=3)
    arguments = parser.parse_args()
    begin = time.perf_counter()
    for line in rows(arguments.score, arguments.kind or KINDS, arguments.pairs, arguments.seed, arguments.show):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
    sys.stderr.write(f"{time.perf_counter() - begin:.0f} seconds\n")


if __name__ == "__main__":
    main()
