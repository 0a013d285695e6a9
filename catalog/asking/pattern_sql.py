"""Patterns as SQL over the tables ``node``, ``edge`` and, for sizes, ``node_attribute``."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from types import MappingProxyType

from catalog.architecture.operators import VOCABULARY, Vocabulary
from catalog.architecture.sizes import Size
from catalog.asking.pattern_language import Condition, Group, Link, Pattern, parse
from catalog.errors import UsageError
from catalog.quoting import literal

FORMS = ("canonical", "native")

_FACTS = {
    **{name: name for name in ("channels", "groups", "expansion", "heads", "mlp_ratio", "squeeze", "repeats")},
    "kernel": "list_max(kernel)",
    "stride": "list_max(stride)",
    "params": "parameters",
    "macs": "multiply_accumulates",
    "height": "CASE WHEN len(shape) = 4 THEN shape[3] END",
    "width": "CASE WHEN len(shape) = 4 THEN shape[4] END",
}
"""What a test of a node's size reads in ``node_attribute``; of a window its longer edge."""

_OF_OPERATORS = frozenset(_FACTS) - {"params", "macs", "height", "width"}
"""Facts that an operator can have by itself, whatever it is applied to."""

_COMPARED: Mapping[str, Callable[[float, float], bool]] = MappingProxyType(
    {
        "=": operator.eq,
        "<>": operator.ne,
        "<": operator.lt,
        "<=": operator.le,
        ">": operator.gt,
        ">=": operator.ge,
    }
)


@dataclass(frozen=True)
class Storage:
    """How one space lies in the tables, where that lets the SQL leave out conditions that always hold.

    Parameters
    ----------
    ids
        First and last ``architecture.id`` of the space, if no other space has ids between them.
    one_cell
        Whether all architectures of the space have one and the same cell name.
    """

    ids: tuple[int, int] | None = None
    one_cell: bool = False


@dataclass(frozen=True)
class CompiledPattern:
    """A pattern as one SQL query.

    Parameters
    ----------
    pattern
        The pattern with its words resolved.
    sql
        A query that gives one row an architecture with at least one match: ``architecture_id`` and ``matches``. All its
        values are quoted in place, so that it can be pasted into ``catalog query``.
    """

    pattern: Pattern
    sql: str


def compile_pattern(
    pattern: str,
    space: str,
    form: str = "canonical",
    *,
    vocabulary: Vocabulary = VOCABULARY,
    storage: Storage = Storage(),
) -> CompiledPattern:
    """Compile a pattern to SQL.

    Parameters
    ----------
    pattern
        Text in the language of `catalog.asking.pattern_language`.
    space
        The search space whose architectures are matched.
    form
        ``canonical`` or ``native``.
    vocabulary
        Operators that the pattern can name.
    storage
        What is known of the space's rows; the default holds for every catalog.

    Raises
    ------
    PatternError
        The pattern is wrong; the message points at the place.
    UsageError
        There is no such form.
    """
    if form not in FORMS:
        raise UsageError(f"unknown form {form!r}; a graph has the forms {' and '.join(FORMS)}.")
    parsed = parse(pattern, vocabulary)
    return CompiledPattern(parsed, _Writer(parsed, space, form, vocabulary, storage).query())


@dataclass(frozen=True)
class _Part:
    """Nodes that plain edges connect, as a common table expression with a column ``node_i`` each."""

    name: str
    nodes: frozenset[int]


@dataclass(frozen=True)
class _Source:
    """The text after FROM, where each node's position is found in it, and the name to join the next relation to."""

    text: str
    conditions: tuple[str, ...]
    positions: Mapping[int, str]
    anchor: str


class _Writer:
    """Writes one query; every ``->*`` and every NOT becomes a common table expression."""

    def __init__(self, pattern: Pattern, space: str, form: str, vocabulary: Vocabulary, storage: Storage) -> None:
        self._pattern = pattern
        self._inputs = frozenset(vocabulary.of_kind("input"))
        self._outputs = frozenset(vocabulary.of_kind("output"))
        self._said = {one.name: one.sized() for one in vocabulary}
        self._space = space
        self._form = form
        self._storage = storage
        self._expressions: list[str] = []
        self._numbers = {"part": 0, "reach": 0, "absent": 0}

    def query(self) -> str:
        source = self._group(self._pattern.present)
        conditions = [*source.conditions, *(self._absence(group, source) for group in self._pattern.absent)]
        heading = ", ".join(f"node_{place + 1} {node.text}" for place, node in enumerate(self._pattern.nodes))
        lines = [
            f"-- {_on_one_line(self._pattern.text)} in the {self._form} form of {_on_one_line(self._space)}",
            f"-- {_on_one_line(heading)}",
            f"WITH{' RECURSIVE' if self._numbers['reach'] else ''}",
            ",\n".join(self._expressions),
            f"SELECT {source.anchor}.architecture_id, count(*) AS matches",
            f"FROM {source.text}",
            *_where(conditions),
            f"GROUP BY {source.anchor}.architecture_id",
        ]
        return "\n".join(lines)

    # Groups: parts that plain edges connect, tied together by paths of any length

    def _group(self, group: Group) -> _Source:
        parts = [self._part(nodes, group) for nodes in _connected(group)] or [self._every_cell()]
        part_of = {node: part for part in parts for node in part.nodes}
        paths = [link for link in group.links if link.any_length and not self._is_certain(link)]
        reaches = {link: self._reach(link, part_of) for link in paths}
        positions = {node: f"{part.name}.node_{node + 1}" for node, part in part_of.items()}
        anchor = parts[0].name
        text = [anchor]
        joined: set[int] = set(parts[0].nodes)
        waiting = parts[1:]
        while waiting or paths:
            path = next((path for path in paths if {path.source, path.target} & joined), None)
            if path is None:
                part = waiting.pop(0)
                text.append(f"JOIN {part.name} ON {self._same_cell(part.name, anchor)}")
                joined |= part.nodes
                continue
            paths.remove(path)
            reach = reaches[path]
            ends = {path.source: f"{reach}.source", path.target: f"{reach}.target"}
            ties = [f"{column} = {positions[node]}" for node, column in ends.items() if node in joined]
            text.append(f"JOIN {reach} ON {' AND '.join([self._same_cell(reach, anchor), *ties])}")
            for node, column in ends.items():
                if node not in joined:
                    part = part_of[node]
                    waiting.remove(part)
                    text.append(
                        f"JOIN {part.name} ON {self._same_cell(part.name, reach)} AND {positions[node]} = {column}"
                    )
                    joined |= part.nodes
        return _Source("\n".join(text), self._distinct(group, part_of, positions), positions, anchor)

    def _distinct(self, group: Group, part_of: Mapping[int, _Part], positions: Mapping[int, str]) -> tuple[str, ...]:
        """Conditions that nodes of different parts differ."""
        pairs = [pair for pair in self._confusable(group) if part_of[pair[0]] != part_of[pair[1]]]
        return tuple(f"{positions[first]} <> {positions[second]}" for first, second in pairs)

    def _confusable(self, group: Group) -> list[tuple[int, int]]:
        """Pairs that could be one node: no path orders them and an operator fits both."""
        before = {node: group.ancestors(node) for node in group.nodes}
        operators = [node.operators for node in self._pattern.nodes]
        pairs = []
        for first, second in combinations(sorted(group.nodes), 2):
            ordered = first in before[second] or second in before[first]
            one, other = operators[first], operators[second]
            if not ordered and (one is None or other is None or one & other):
                pairs.append((first, second))
        return pairs

    def _absence(self, group: Group, present: _Source) -> str:
        """The condition that a NOT's path is nowhere in the cell."""
        source = self._group(group)
        bound = [node for node in group.nodes if node in present.positions]
        name = self._new("absent")
        columns = [*self._key(source.anchor), *(f"{source.positions[node]} AS node_{node + 1}" for node in bound)]
        lines = [f"SELECT DISTINCT {', '.join(columns)}", f"FROM {source.text}", *_where(source.conditions)]
        self._express(name, lines)
        ties = [f"{name}.node_{node + 1} = {present.positions[node]}" for node in bound]
        same = " AND ".join([self._same_cell(name, present.anchor), *ties])
        return f"NOT EXISTS (SELECT 1 FROM {name} WHERE {same})"

    # Parts: joins of nodes and edges

    def _every_cell(self) -> _Part:
        """What a pattern that only denies starts from: each cell once, by its first node."""
        name = self._new("part")
        conditions = [*self._stored("n0"), "n0.position = 0"]
        self._express(name, [f"SELECT {', '.join(self._key('n0'))}", "FROM node AS n0", *_where(conditions)])
        return _Part(name, frozenset())

    def _part(self, nodes: Sequence[int], group: Group) -> _Part:
        name = self._new("part")
        links = [link for link in group.links if not link.any_length and link.source in nodes]
        relations, positions = self._relations(nodes, links, group.tests)
        (anchor, table, conditions), *others = relations
        columns = [f"{positions[node]} AS node_{node + 1}" for node in nodes]
        distinct = [pair for pair in self._confusable(group) if set(pair) <= set(nodes)]
        lines = [f"SELECT {', '.join([*self._key(anchor), *columns])}", f"FROM {table} AS {anchor}"]
        for alias, joined, ties in others:
            same = [self._same_cell(alias, anchor), self._in_form(alias), *ties]
            lines.append(f"JOIN {joined} AS {alias} ON {' AND '.join(same)}")
        differ = [f"{positions[first]} <> {positions[second]}" for first, second in distinct]
        self._express(name, [*lines, *_where([*self._stored(anchor), *conditions, *differ])])
        return _Part(name, frozenset(nodes))

    def _relations(
        self, nodes: Sequence[int], links: Sequence[Link], tests: Mapping[int, Sequence[Condition]]
    ) -> tuple[list[tuple[str, str, list[str]]], dict[int, str]]:
        """(alias, table, conditions) of each relation, every one tied to those before it; and the nodes' positions.

        A node of any operator that an edge touches needs no row of ``node``: the edge knows its position.
        """
        relations: list[tuple[str, str, list[str]]] = []
        positions: dict[int, str] = {}

        def place(node: int, position: str | None) -> None:
            asked = self._pattern.nodes[node]
            alias = f"n{node + 1}"
            if asked.operators is not None or node in tests or position is None:
                conditions = [f"{alias}.position = {position}"] if position else []
                if asked.operators is not None:
                    conditions.append(f"{alias}.operator IN ({_names(asked.operators)})")
                conditions += [self._passes(tests[node], alias)] if node in tests else []
                relations.append((alias, "node", conditions))
            positions[node] = position or f"{alias}.position"

        if not links or self._pattern.nodes[nodes[0]].operators is not None:
            place(nodes[0], None)
        waiting = list(links)
        while waiting:
            link = next((link for link in waiting if {link.source, link.target} & positions.keys()), waiting[0])
            waiting.remove(link)
            alias = f"e{links.index(link) + 1}"
            ends = {link.source: f"{alias}.source", link.target: f"{alias}.target"}
            ties = [f"{column} = {positions[node]}" for node, column in ends.items() if node in positions]
            relations.append((alias, "edge", ties))
            for node, column in ends.items():
                if node not in positions:
                    place(node, column)
        return relations, positions

    def _passes(self, asked: Sequence[Condition], alias: str) -> str:
        """The condition that a row of ``node`` passes some tests; without a size, its operator's facts answer."""
        key = ("architecture_id", "cell", "position")
        row = " AND ".join([f"form = {alias}.form", *(f"node_attribute.{name} = {alias}.{name}" for name in key)])
        tests = " AND ".join(f"{_FACTS[test.fact]} {test.comparison} {test.number}" for test in asked)
        sized = f"EXISTS (SELECT 1 FROM node_attribute WHERE {row} AND {tests})"
        fitting = frozenset(name for name, said in self._said.items() if all(_holds(test, said) for test in asked))
        if not fitting:
            return sized
        unsized = f"NOT EXISTS (SELECT 1 FROM node_attribute WHERE {row}) AND {alias}.operator IN ({_names(fitting)})"
        return f"({sized} OR {unsized})"

    # Paths of any length

    def _is_certain(self, link: Link) -> bool:
        """Whether the canonical form promises the path: every node between inputs and output leads to the output."""
        source, target = (self._pattern.nodes[end].operators for end in (link.source, link.target))
        return (
            self._form == "canonical"
            and source is not None
            and target is not None
            and target <= self._outputs
            and not source & (self._inputs | self._outputs)
        )

    def _reach(self, link: Link, part_of: Mapping[int, _Part]) -> str:
        """Pairs of positions that a path of one or more edges connects, from the end that the pattern narrows more."""
        backward = self._narrowness(part_of[link.target]) > self._narrowness(part_of[link.source])
        start = link.target if backward else link.source
        here, there = ("target", "source") if backward else ("source", "target")
        part = part_of[start].name
        name = self._new("reach")
        starts = f"SELECT DISTINCT {', '.join([*self._key(part), f'{part}.node_{start + 1} AS position'])} FROM {part}"
        ends = {here: "starts.position", there: f"edge.{there}"}
        further = {here: f"{name}.{here}", there: f"edge.{there}"}
        lines = [
            f"SELECT {', '.join([*self._key('edge'), *(f'{ends[end]} AS {end}' for end in ('source', 'target'))])}",
            f"FROM ({starts}) AS starts",
            f"JOIN edge ON {self._same_cell('edge', 'starts')} AND edge.{here} = starts.position",
            f"WHERE {self._in_form('edge')}",
            "UNION",
            f"SELECT {', '.join([*self._key('edge'), *(further[end] for end in ('source', 'target'))])}",
            f"FROM {name} JOIN edge ON {self._same_cell('edge', name)} AND edge.{here} = {name}.{there}",
            f"WHERE {self._in_form('edge')}",
        ]
        self._express(name, lines)
        return name

    def _narrowness(self, part: _Part) -> int:
        return sum(self._pattern.nodes[node].operators is not None for node in part.nodes)

    # Words that all expressions share

    def _new(self, kind: str) -> str:
        self._numbers[kind] += 1
        return f"{kind}_{self._numbers[kind]}"

    def _express(self, name: str, lines: Iterable[str]) -> None:
        body = "\n".join("    " + line for text in lines for line in text.split("\n"))
        self._expressions.append(f"{name} AS (\n{body}\n)")

    def _key(self, alias: str) -> list[str]:
        columns = ("architecture_id",) if self._storage.one_cell else ("architecture_id", "cell")
        return [f"{alias}.{column}" for column in columns]

    def _same_cell(self, alias: str, anchor: str) -> str:
        pairs = zip(self._key(alias), self._key(anchor), strict=True)
        return " AND ".join(f"{left} = {right}" for left, right in pairs)

    def _in_form(self, alias: str) -> str:
        return f"{alias}.form IN ({literal(self._form)}, 'both')"

    def _stored(self, alias: str) -> list[str]:
        """Conditions that a row belongs to the space, in the form."""
        if self._storage.ids is None:
            space = f"IN (SELECT id FROM architecture WHERE space = {literal(self._space)})"
        else:
            space = f"BETWEEN {self._storage.ids[0]} AND {self._storage.ids[1]}"
        return [f"{alias}.architecture_id {space}", self._in_form(alias)]


def _names(operators: Iterable[str]) -> str:
    return ", ".join(literal(name) for name in sorted(operators))


def _holds(test: Condition, said: Size) -> bool:
    """Whether an operator passes a test, as far as its own facts say; of a window by its longer edge."""
    value = getattr(said, test.fact) if test.fact in _OF_OPERATORS else None
    if value is None:
        return False
    return _COMPARED[test.comparison](float(max(value) if isinstance(value, tuple) else value), float(test.number))


def _connected(group: Group) -> list[list[int]]:
    """The nodes of a group, in sets that plain edges connect, in order of mention."""
    parts: list[list[int]] = []
    for node in group.nodes:
        if any(node in part for part in parts):
            continue
        part = [node]
        for member in part:  # grows while it is read
            for link in group.links:
                if not link.any_length and member in (link.source, link.target):
                    part += [end for end in (link.source, link.target) if end not in part]
        parts.append(sorted(part))
    return parts


def _where(conditions: Sequence[str]) -> list[str]:
    return ["WHERE " + "\n  AND ".join(conditions)] if conditions else []


def _on_one_line(text: str) -> str:
    return " ".join(text.split())
