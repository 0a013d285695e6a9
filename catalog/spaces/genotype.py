"""DARTS genotypes: the text, object, pair-list and ConfigSpace forms of a normal and a reduction cell."""

from __future__ import annotations

import ast
import json
import re
import reprlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from catalog.errors import ForeignGenotypeError, IdentifierError

OPERATORS = (
    "max_pool_3x3",
    "avg_pool_3x3",
    "skip_connect",
    "sep_conv_3x3",
    "sep_conv_5x5",
    "dil_conv_3x3",
    "dil_conv_5x5",
)
"""The operators in the order that NASLib's compact pair lists number them."""

ALLOWED = (*OPERATORS, "none")
STATES = 4
"""Intermediate nodes of a cell; their numbers are 2 to 5, after the two inputs 0 and 1."""

ALL_STATES = tuple(range(2, 2 + STATES))

Pair = tuple[str, int]
"""(operator, predecessor) of one of a node's two inputs."""

_FIELDS = ("normal", "normal_concat", "reduce", "reduce_concat")
_LONGEST_TEXT = 4_000
_LITERAL_TEXT = re.compile(r"[\w\s=\[\](),.'\"]*")
_CONFIG_SPACE_KEY = re.compile(r"(?:.*:)?(edge|inputs_node)_(normal|reduce)_(\d{1,3})", re.ASCII)
_FIRST_EDGE = (0, 2, 5, 9)  # number of each node's edge from predecessor 0 in the ConfigSpace keys


@dataclass(frozen=True)
class Rules:
    """What the cells of a family of genotypes are made of.

    Parameters
    ----------
    family
        What messages call it.
    nodes
        The numbers of the intermediate nodes, after the two inputs 0 and 1.
    numbered
        The operators in the order of the numbers that compact lists use.
    allowed
        All operators.
    """

    family: str
    nodes: tuple[int, ...]
    numbered: tuple[str, ...]
    allowed: tuple[str, ...]


DARTS_RULES = Rules("DARTS", ALL_STATES, OPERATORS, ALLOWED)


@dataclass(frozen=True)
class Genotype:
    """One architecture of the DARTS space, its pairs in the order that defines its native id.

    The families of NDS have genotypes of the same form with more nodes.

    The order of a node's two inputs has no meaning, so they are sorted by (predecessor, operator); the concatenated
    nodes are sorted too. Two texts that differ only in these orders become equal genotypes.

    Parameters
    ----------
    normal, reduce
        Eight (operator, predecessor) pairs, two for each of the nodes 2 to 5.
    normal_concat, reduce_concat
        The nodes whose outputs the cell's output concatenates.
    """

    normal: tuple[Pair, ...]
    normal_concat: tuple[int, ...]
    reduce: tuple[Pair, ...]
    reduce_concat: tuple[int, ...]

    def __str__(self) -> str:
        return (
            f"Genotype(normal={list(self.normal)}, normal_concat={list(self.normal_concat)}, "
            f"reduce={list(self.reduce)}, reduce_concat={list(self.reduce_concat)})"
        )


def parse(identifier: object) -> Genotype:
    """A genotype from any of its forms.

    Accepts a `Genotype` text (also with a name before it, ``range(2, 6)`` and pairs nested by node), an object or
    mapping with the four fields, NASLib's two compact lists of (predecessor, operator number), and a ConfigSpace
    mapping of NAS-Bench-301; lists and mappings also as text. Nothing is evaluated.

    Raises
    ------
    IdentifierError
        The value is none of these, or its cells break a rule of the space.
    """
    if isinstance(identifier, Genotype):
        return identifier
    if isinstance(identifier, str):
        return _from_value(_read_text(identifier), identifier)
    return _from_value(identifier, identifier)


def _from_value(value: object, shown: object) -> Genotype:
    if isinstance(value, Genotype):
        return value
    if isinstance(value, Mapping):
        if all(name in value for name in _FIELDS):
            return _checked(*(value[name] for name in _FIELDS))
        return from_config_space(value)
    if all(hasattr(value, name) for name in _FIELDS):
        return _checked(*(getattr(value, name) for name in _FIELDS))
    if isinstance(value, list | tuple) and len(value) == 2:
        return _checked(value[0], ALL_STATES, value[1], ALL_STATES)
    raise _unknown(shown)


def from_config_space(configuration: Mapping[Any, Any]) -> Genotype:
    """The genotype of a NAS-Bench-301 ConfigSpace mapping.

    ``edge_normal_7`` holds the operator of edge 7 and ``inputs_node_normal_4 = "0_2"`` the predecessors of node 4;
    edges are counted by node, then by predecessor, and node 2 always takes both inputs. Other keys are ignored.
    """
    operators: dict[tuple[str, int], object] = {}
    predecessors: dict[tuple[str, int], object] = {}
    for key, value in configuration.items():
        match = _CONFIG_SPACE_KEY.fullmatch(str(key)[:200])
        if match:
            what, cell, number = match.groups()
            (operators if what == "edge" else predecessors)[cell, int(number)] = value
    if not operators:
        raise _unknown(configuration)
    cells = {}
    for cell in ("normal", "reduce"):
        pairs = []
        for node in ALL_STATES:
            for predecessor in _config_space_inputs(cell, node, predecessors.get((cell, node), "0_1")):
                edge = _FIRST_EDGE[node - 2] + predecessor
                if (cell, edge) not in operators:
                    raise IdentifierError(
                        f"the ConfigSpace mapping has no key edge_{cell}_{edge}, which node {node} of that cell needs."
                    )
                pairs.append((operators[cell, edge], predecessor))
        cells[cell] = pairs
    return _checked(cells["normal"], ALL_STATES, cells["reduce"], ALL_STATES)


def _config_space_inputs(cell: str, node: int, text: object) -> tuple[int, ...]:
    match = re.fullmatch(r"([0-9])_([0-9])", text) if isinstance(text, str) else None
    if match is None:
        raise IdentifierError(
            f"inputs_node_{cell}_{node} is {_shown(text)}; allowed are two predecessors, for example '0_1'."
        )
    found = tuple(int(number) for number in match.groups())
    if max(found) >= node:
        raise IdentifierError(
            f"inputs_node_{cell}_{node} is {text!r}; the predecessors of node {node} are 0 to {node - 1}."
        )
    return found


def checked(fields: Mapping[str, Any], rules: Rules) -> Genotype:
    """A genotype from a mapping with the four fields, by the rules of a family.

    Raises
    ------
    IdentifierError
        A field is missing, or its cells break a rule.
    """
    if missing := [name for name in _FIELDS if name not in fields]:
        raise IdentifierError(f"a genotype of {rules.family} needs the field {missing[0]}; it has {_shown(fields)}.")
    normal, normal_concat, reduce, reduce_concat = (fields[name] for name in _FIELDS)
    return _checked(normal, normal_concat, reduce, reduce_concat, rules)


def _checked(
    normal: object, normal_concat: object, reduce: object, reduce_concat: object, rules: Rules = DARTS_RULES
) -> Genotype:
    return Genotype(
        _pairs("normal", normal, rules),
        _concat("normal_concat", normal_concat, rules),
        _pairs("reduce", reduce, rules),
        _concat("reduce_concat", reduce_concat, rules),
    )


def _pairs(cell: str, value: object, rules: Rules) -> tuple[Pair, ...]:
    flat = _flattened(cell, value)
    count = 2 * len(rules.nodes)
    if len(flat) != count:
        raise ForeignGenotypeError(
            f"the {cell} cell has {len(flat)} (operator, predecessor) pairs; a {rules.family} cell has {count}, two "
            f"for each of the nodes {rules.nodes[0]} to {rules.nodes[-1]}.",
            f"a cell has {len(flat)} pairs and not {count}",
        )
    ordered: list[Pair] = []
    for node in rules.nodes:
        first = 2 * (node - 2)
        pairs = [_pair(cell, node, item, rules) for item in flat[first : first + 2]]
        ordered += sorted(pairs, key=lambda pair: (pair[1], pair[0]))
    return tuple(ordered)


def _flattened(cell: str, value: object) -> list[object]:
    """The pairs in a row; a file may nest them by node."""
    if not isinstance(value, list | tuple):
        raise IdentifierError(f"the {cell} cell is {_shown(value)}; a list of (operator, predecessor) pairs is needed.")
    flat: list[object] = []
    for item in value:
        if isinstance(item, list | tuple) and item and isinstance(item[0], list | tuple):
            flat += item
        else:
            flat.append(item)
    return flat


def _pair(cell: str, node: int, item: object, rules: Rules) -> Pair:
    if not isinstance(item, list | tuple) or len(item) != 2:
        raise IdentifierError(
            f"node {node} of the {cell} cell has the input {_shown(item)}; an (operator, predecessor) pair is needed."
        )
    operator, predecessor = item
    if not isinstance(operator, str):  # compact form: (predecessor, operator number); files also swap named pairs
        predecessor, operator = item
        if _is_integer(operator):
            if not 0 <= operator < len(rules.numbered):
                raise IdentifierError(
                    f"node {node} of the {cell} cell has operator number {operator}; the numbers are "
                    f"0 to {len(rules.numbered) - 1}: {', '.join(rules.numbered)}."
                )
            operator = rules.numbered[operator]
    if operator not in rules.allowed:
        raise ForeignGenotypeError(
            f"node {node} of the {cell} cell has the operator {_shown(operator)}; allowed: {', '.join(rules.allowed)}.",
            f"{_shown(operator)} is no operator of {rules.family}",
        )
    if not _is_integer(predecessor) or not 0 <= predecessor < node:
        raise IdentifierError(
            f"node {node} of the {cell} cell has the predecessor {_shown(predecessor)}; allowed are 0 to {node - 1}."
        )
    return operator, int(predecessor)


def _concat(field: str, value: object, rules: Rules) -> tuple[int, ...]:
    known = list(rules.nodes)
    if not isinstance(value, list | tuple | range) or len(value) > len(known):
        raise IdentifierError(f"{field} is {_shown(value)}; a list of nodes among {known} is needed.")
    nodes = tuple(sorted(int(node) for node in value if _is_integer(node)))
    if len(nodes) != len(value) or not nodes or len(set(nodes)) != len(nodes) or not set(nodes) <= set(known):
        raise IdentifierError(f"{field} is {list(value)}; allowed are the nodes {known}, each at most once.")
    return nodes


def _is_integer(value: object) -> bool:
    return hasattr(value, "__index__") and not isinstance(value, bool)


def _read_text(text: str) -> object:
    """The value that a text spells: a mapping, nested lists, or a `Genotype` call."""
    if len(text) > _LONGEST_TEXT:
        raise IdentifierError(
            f"a genotype text of {len(text)} characters is too long ({_LONGEST_TEXT} are allowed): {_shown(text)}."
        )
    text = text.strip()
    try:
        if text.startswith("{"):
            return json.loads(text)
        # The grammar of genotypes needs no other characters; without backslashes no escape can warn or mislead.
        if not _LITERAL_TEXT.fullmatch(text):
            raise _unknown(text)
        body = ast.parse(text).body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise _unknown(text) from None
    statement = body[0] if len(body) == 1 else None
    if not isinstance(statement, ast.Expr | ast.Assign):
        raise _unknown(text)
    return _value(statement.value, text)


def _value(node: ast.expr, text: str) -> Any:
    match node:
        case ast.Constant(value=int() | str() as constant):
            return constant
        case ast.List(elts=elements) | ast.Tuple(elts=elements):
            return [_value(element, text) for element in elements]
        case ast.Call(func=ast.Name(id="range"), args=arguments, keywords=[]):
            return _small_range([_value(argument, text) for argument in arguments], text)
        case ast.Call(func=ast.Name(id="list" | "tuple"), args=[argument], keywords=[]):
            return _value(argument, text)
        case ast.Call(func=ast.Name(id="Genotype") | ast.Attribute(attr="Genotype"), args=arguments, keywords=named):
            given = dict(zip(_FIELDS, [_value(argument, text) for argument in arguments], strict=False))
            given.update((keyword.arg or "", _value(keyword.value, text)) for keyword in named)
            if len(arguments) + len(named) != len(_FIELDS) or set(given) != set(_FIELDS):
                raise IdentifierError(
                    f"{_shown(text)} does not give the four fields {', '.join(_FIELDS)} of a genotype, each once."
                )
            return given
    raise _unknown(text)


def _small_range(bounds: Sequence[object], text: str) -> range:
    if not 1 <= len(bounds) <= 3 or not all(isinstance(bound, int) and 0 <= bound <= 16 for bound in bounds):
        raise _unknown(text)
    try:
        return range(*(int(str(bound)) for bound in bounds))
    except ValueError:  # a step of 0
        raise _unknown(text) from None


def compact(genotype: Genotype) -> tuple[tuple[tuple[int, int], ...], tuple[tuple[int, int], ...]]:
    """NASLib's pair lists of a genotype without ``none`` that concatenates all nodes; the inverse of reading them.

    Raises
    ------
    IdentifierError
        The compact form cannot express the genotype.
    """
    if (genotype.normal_concat, genotype.reduce_concat) != (ALL_STATES, ALL_STATES):
        raise IdentifierError(f"{genotype} does not concatenate all nodes, as NASLib's compact form does.")
    return _numbered(genotype.normal), _numbered(genotype.reduce)


def _numbered(pairs: Iterable[Pair]) -> tuple[tuple[int, int], ...]:
    numbered = []
    for operator, predecessor in pairs:
        if operator == "none":
            raise IdentifierError("NASLib's compact form has no number for the operator 'none'.")
        numbered.append((predecessor, OPERATORS.index(operator)))
    return tuple(numbered)


def config_space(genotype: Genotype) -> dict[str, str]:
    """The ConfigSpace mapping of a genotype whose nodes have two different predecessors each.

    Raises
    ------
    IdentifierError
        A node takes both its inputs from one predecessor, or uses ``none``: ConfigSpace keys cannot say so.
    """
    prefix = "NetworkSelectorDatasetInfo:darts:"
    mapping = {}
    for cell, pairs in (("normal", genotype.normal), ("reduce", genotype.reduce)):
        for node in ALL_STATES:
            (one, low), (other, high) = pairs[2 * (node - 2) : 2 * (node - 1)]
            if low == high or "none" in (one, other):
                raise IdentifierError(
                    f"node {node} of the {cell} cell of {genotype} cannot be written as ConfigSpace keys."
                )
            first = _FIRST_EDGE[node - 2]
            mapping[f"{prefix}edge_{cell}_{first + low}"] = one
            mapping[f"{prefix}edge_{cell}_{first + high}"] = other
            if node > 2:
                mapping[f"{prefix}inputs_node_{cell}_{node}"] = f"{low}_{high}"
    return mapping


def _shown(value: object) -> str:
    """A value for a message, never longer than a line."""
    if isinstance(value, list | tuple | Mapping) and len(value) > 8:
        return f"a {type(value).__name__} of {len(value)}"
    text = reprlib.repr(value)
    return text if len(text) <= 120 else text[:117] + "..."


def _unknown(identifier: object) -> IdentifierError:
    return IdentifierError(
        f"{_shown(identifier)} names no DARTS architecture; give Genotype(normal=[(operator, predecessor) x 8], "
        "normal_concat=[2, 3, 4, 5], reduce=[...], reduce_concat=[2, 3, 4, 5]) as text or object, NASLib's two lists "
        "of (predecessor, operator number) pairs, or a ConfigSpace mapping with the keys edge_normal_0, ..."
    )
