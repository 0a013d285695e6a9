"""Patterns as data, and an oracle that matches them by trying every assignment of nodes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations

import networkx as nx
from hypothesis import strategies as st

from catalog.architecture.graph import CellGraph

CONVOLUTIONS = frozenset({"conv3x3", "conv1x1"})
INPUTS = frozenset({"input", "input_0", "input_1"})
# What may stand in a pattern, and the operators it means, written down by hand.
MEANINGS: dict[str, frozenset[str] | None] = {
    "conv3x3": frozenset({"conv3x3"}),
    "conv1x1": frozenset({"conv1x1"}),
    "maxpool3x3": frozenset({"maxpool3x3"}),
    "input": INPUTS,
    "output": frozenset({"output"}),
    ":conv": CONVOLUTIONS,
    ":pool": frozenset({"maxpool3x3"}),
    ":input": INPUTS,
    ":output": frozenset({"output"}),
    "*": None,
}


# Drawn more often: what is there in most cells, so that most questions have a match to get wrong.
LIKELY = ("*", "*", "*", ":conv", ":conv", "conv3x3", "input", ":input", "output")


@dataclass(frozen=True)
class Steps:
    """A path: places in the question's nodes, and whether each step between them has any length."""

    nodes: tuple[int, ...]
    any_length: tuple[bool, ...]


@dataclass(frozen=True)
class Question:
    """A pattern: what each node is, the paths that must be there, and those that must not."""

    labels: tuple[str, ...]
    present: tuple[Steps, ...]
    absent: tuple[Steps, ...]

    def text(self) -> str:
        """The question in the pattern language; a node has a name only if it is mentioned twice."""
        mentions = [node for path in (*self.present, *self.absent) for node in path.nodes]
        declared: set[int] = set()
        clauses = [self._written(path, mentions, declared) for path in self.present]
        clauses += ["NOT " + self._written(path, mentions, declared) for path in self.absent]
        return ", ".join(clauses)

    def _written(self, path: Steps, mentions: Sequence[int], declared: set[int]) -> str:
        nodes = []
        for node in path.nodes:
            label = self.labels[node]
            if mentions.count(node) == 1:
                nodes.append(f"({label})")
            elif node in declared:
                nodes.append(f"(v{node})")
            else:
                nodes.append(f"(v{node}:{label.removeprefix(':')})")
            declared.add(node)
        arrows = ["->*" if any_length else "->" for any_length in path.any_length]
        return "".join(node + arrow for node, arrow in zip(nodes, [*arrows, ""], strict=True))


def matches(question: Question, cell: CellGraph) -> int:
    """Assignments of different nodes of the cell to the present paths for which no absent path can be found."""
    graph = nx.DiGraph()
    graph.add_nodes_from((place, {"operator": operator}) for place, operator in enumerate(cell.operators))
    graph.add_edges_from((source, target) for source, target, _ in cell.edges)
    return sum(
        not any(True for path in question.absent for _ in _assignments(question.labels, [path], graph, found))
        for found in _assignments(question.labels, question.present, graph, {})
    )


def _assignments(
    labels: Sequence[str], paths: Sequence[Steps], graph: nx.DiGraph, bound: dict[int, int]
) -> Iterator[dict[int, int]]:
    mentioned = sorted({node for path in paths for node in path.nodes})
    free = [node for node in mentioned if node not in bound]
    taken = {bound[node] for node in mentioned if node in bound}
    for chosen in permutations([node for node in graph if node not in taken], len(free)):
        found = {**bound, **dict(zip(free, chosen, strict=True))}
        if _fits(labels, paths, graph, {node: found[node] for node in mentioned}):
            yield found


def _fits(labels: Sequence[str], paths: Sequence[Steps], graph: nx.DiGraph, found: dict[int, int]) -> bool:
    for node, place in found.items():
        meaning = MEANINGS[labels[node]]
        if meaning is not None and graph.nodes[place]["operator"] not in meaning:
            return False
    for path in paths:
        for source, target, any_length in zip(path.nodes, path.nodes[1:], path.any_length, strict=False):
            start, end = found[source], found[target]
            if not (nx.has_path(graph, start, end) if any_length else graph.has_edge(start, end)):
                return False
    return True


def questions() -> st.SearchStrategy[Question]:
    """Any question of at most four present nodes, with any negations; without a cycle or a second output."""
    return _any_questions().filter(_has_one_output)


@st.composite
def _any_questions(draw: st.DrawFn) -> Question:
    label = st.sampled_from([*LIKELY, *MEANINGS])
    count = draw(st.integers(0, 4))
    labels = sorted((draw(label) for _ in range(count)), key=_flow)
    pairs = [pair for pair in combinations(range(count), 2) if draw(st.sampled_from([False, True, False]))]
    present = [Steps(pair, (draw(st.booleans()),)) for pair in pairs]
    linked = {node for path in present for node in path.nodes}
    present = _joined(present) + [Steps((node,), ()) for node in range(count) if node not in linked]
    absent = []
    for _ in range(draw(st.integers(0 if count else 1, 2))):
        shared = draw(st.lists(st.sampled_from(range(count)), unique=True, max_size=2)) if count else []
        fresh = list(range(len(labels), len(labels) + draw(st.integers(0 if shared else 1, 2 - len(shared) // 2))))
        labels += [draw(label) for _ in fresh]
        nodes = sorted(draw(st.permutations([*shared, *fresh])), key=lambda node: _flow(labels[node]))
        absent.append(Steps(tuple(nodes), tuple(draw(st.booleans()) for _ in nodes[1:])))
    return Question(tuple(labels), tuple(present), tuple(absent))


def _flow(label: str) -> int:
    """Inputs first and outputs last: few cells have an edge the other way."""
    meaning = MEANINGS[label]
    return 1 if meaning is None else 0 if meaning <= INPUTS else 2 if meaning == {"output"} else 1


def _joined(steps: Sequence[Steps]) -> list[Steps]:
    """Single steps, some joined into longer paths where one begins at another's end."""
    paths: list[Steps] = []
    for step in steps:
        if paths and paths[-1].nodes[-1] == step.nodes[0]:
            last = paths.pop()
            step = Steps(last.nodes + step.nodes[1:], last.any_length + step.any_length)
        paths.append(step)
    return paths


def _has_one_output(question: Question) -> bool:
    """Whether neither the present paths nor an absent one ask for two output nodes, which the language refuses."""
    groups = [
        {node for path in question.present for node in path.nodes},
        *(set(path.nodes) for path in question.absent),
    ]
    return all(sum(MEANINGS[question.labels[node]] == {"output"} for node in group) <= 1 for group in groups)


@st.composite
def small_cells(draw: st.DrawFn, name: str = "cell") -> CellGraph:
    """Any cell of one or two inputs and at most four operators, dead ends included."""
    inputs = draw(st.sampled_from([("input",), ("input_0", "input_1")]))
    likely = ("conv3x3", "conv3x3", "conv1x1", "maxpool3x3")
    operators = st.sampled_from([*likely, "skip_connect", "none", "sum"])
    names = [*inputs, *draw(st.lists(operators, min_size=1, max_size=4)), "output"]
    pairs = [(s, t) for t in range(len(inputs), len(names)) for s in range(min(t, len(names) - 1))]
    edges = [(*pair, parallel) for pair in pairs if (parallel := draw(st.sampled_from([1, 0, 1, 2])))]
    return CellGraph.build(name, names, edges)
