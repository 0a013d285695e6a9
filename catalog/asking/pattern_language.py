"""The pattern language: small graphs written as text, as in ``(conv3x3)->(conv1x1)->*(output)``.

::

    pattern = clause, {",", clause};
    clause  = ["NOT"], path;
    path    = node, {("->" | "->*"), node};
    node    = "(", ("*" | word | [variable], ":", ("*" | word)), [where], ")";
    where   = "WHERE", test, {"AND", test};
    test    = fact, ("=" | "<>" | "<" | "<=" | ">" | ">="), number;

A word in parentheses is a variable if one of that name is declared where the word can see it, and else an operator.
A word after a colon is a kind, or else an operator. A word that holds other characters stands in backquotes.
Facts are those of `FACTS`; a node of which a fact is not known passes no test of it.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from catalog.architecture.operators import VOCABULARY, Vocabulary
from catalog.errors import PatternError

FACTS = (
    *("channels", "kernel", "stride", "groups", "expansion", "heads", "mlp_ratio", "squeeze", "repeats"),
    *("params", "macs", "height", "width"),
)
"""What a pattern can ask of the size of a node."""


@dataclass(frozen=True)
class Condition:
    """A comparison of one fact of a node with a number, for example ``channels >= 64``."""

    fact: str
    comparison: str
    number: str

    def __str__(self) -> str:
        return f"{self.fact} {self.comparison} {self.number}"


@dataclass(frozen=True)
class Node:
    """One node of a pattern: a variable, or a mention that has no name.

    Parameters
    ----------
    text
        How the pattern shows it, for example ``(a:conv)``.
    operators
        Names of the operators that it may carry; None for any.
    """

    text: str
    operators: frozenset[str] | None


@dataclass(frozen=True)
class Link:
    """Data flow between two nodes, given by their places in `Pattern.nodes`; any_length means one or more edges."""

    source: int
    target: int
    any_length: bool


@dataclass(frozen=True)
class Group:
    """Nodes and links that must be found together: all that must be there, or one path that must not.

    Parameters
    ----------
    tests
        What the sizes of nodes must keep here, all of it: a test inside a ``NOT`` is part of what must not be found.
    """

    nodes: tuple[int, ...]
    links: tuple[Link, ...]
    tests: Mapping[int, tuple[Condition, ...]] = field(default_factory=dict)

    def ancestors(self, node: int) -> set[int]:
        """All nodes from which the links lead to `node`."""
        found: set[int] = set()
        waiting = [node]
        while waiting:
            target = waiting.pop()
            sources = {link.source for link in self.links if link.target == target} - found
            found |= sources
            waiting.extend(sources)
        return found


@dataclass(frozen=True)
class Pattern:
    """A pattern whose words are resolved.

    Parameters
    ----------
    text
        The pattern on one line.
    nodes
        Every node, in order of its first mention.
    present
        What a match binds; without nodes where the pattern only denies.
    absent
        A group for each ``NOT``: its nodes that `present` has too are bound, the others are any.
    """

    text: str
    nodes: tuple[Node, ...]
    present: Group
    absent: tuple[Group, ...]

    def __repr__(self) -> str:
        return f"Pattern({self.text!r})"


def parse(text: str, vocabulary: Vocabulary = VOCABULARY) -> Pattern:
    """Read a pattern and resolve its words.

    Raises
    ------
    PatternError
        The text breaks the grammar, names something unknown, or describes what no cell can hold; the message
        points at the place.
    """
    line = re.sub(r"\s", " ", text)
    return _Resolver(line, vocabulary).resolve(_Reader(line).clauses())


def is_plain(name: str) -> bool:
    """Whether a pattern can write an operator's name without backquotes."""
    return re.fullmatch(_WORD, name) is not None


# --- reading ---------------------------------------------------------------------------------------------------------

_WORD = r"\w+(?:[.-]\w+)*"
_TOKEN = re.compile(rf" *(?:(?P<mark>->\*|->|<=|>=|<>|<(?!-)|[(),:*=>])|`(?P<quoted>[^`]+)`|(?P<word>{_WORD}))")
_NUMBER = r"\d{1,18}(?:\.\d{1,18})?"
_COMPARISONS = ("=", "<>", "<", "<=", ">", ">=")
_FOREIGN = (
    ("-->", "An edge is written ->"),
    ("-[", "An edge is written ->, and a path of any length ->*"),
    ("--", "An edge is written ->"),
    ("<-", "Edges are written the way the data flows: (b)->(a)"),
    ("=>", "An edge is written ->"),
    ("!", "A negation is written NOT (a)->(b)"),
    ("&", "Paths are joined by a comma"),
    (";", "Paths are joined by a comma"),
    ("|", "A node has one operator, one kind, or * for any"),
)


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    start: int
    end: int


@dataclass(frozen=True)
class _Mention:
    """One pair of parentheses: ``(label)``, ``(:label)`` or ``(variable:label)``; without a colon it is bare."""

    variable: _Token | None
    label: _Token
    bare: bool
    start: int
    end: int
    tests: tuple[Condition, ...] = ()


@dataclass
class _Clause:
    negated: bool
    mentions: list[_Mention] = field(default_factory=list)
    any_length: list[bool] = field(default_factory=list)


def _failure(text: str, start: int, end: int, problem: str, remedy: str) -> PatternError:
    marker = " " * start + "^" * max(1, end - start)
    return PatternError(f"pattern, character {start + 1}: {problem}\n  {text}\n  {marker}\n{remedy}")


class _Reader:
    """Turns text into clauses of mentions; knows the grammar and no operator."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = self._tokenise()
        self._next = 0

    def clauses(self) -> list[_Clause]:
        clauses = [self._clause()]
        while self._peek().text == ",":
            self._take()
            clauses.append(self._clause())
        if self._peek().kind != "end":
            raise self._unexpected("'->', '->*', ',' or the end of the pattern")
        return clauses

    def _clause(self) -> _Clause:
        token = self._peek()
        negated = token.kind == "word" and token.text.upper() == "NOT"
        if negated:
            self._take()
        clause = _Clause(negated, [self._mention("'('" if negated else "'(' or NOT")])
        while self._peek().text in ("->", "->*"):
            clause.any_length.append(self._take().text == "->*")
            clause.mentions.append(self._mention("'('"))
        return clause

    def _mention(self, expected: str) -> _Mention:
        opening = self._expect("(", expected)
        first = self._peek()
        if first.text == ":":
            variable, label = None, self._label()
        elif first.kind in ("word", "quoted") or first.text == "*":
            variable, label = None, self._take()
            if label.kind == "word" and self._peek().text == ":":
                variable, label = label, self._label()
        else:
            raise self._unexpected("an operator, a variable, :kind or * (any node)")
        bare = label is first
        tests = self._tests()
        closing = self._expect(")", "')', ':' or WHERE" if bare and label.kind == "word" else "')' or WHERE")
        return _Mention(variable, label, bare, opening.start, closing.end, tests)

    def _tests(self) -> tuple[Condition, ...]:
        """What follows WHERE, if that stands here."""
        tests: list[Condition] = []
        while self._is_word("AND" if tests else "WHERE"):
            self._take()
            fact = self._expect_word(FACTS, f"one of {', '.join(FACTS)}")
            comparison = self._peek()
            if comparison.text not in _COMPARISONS:
                raise self._unexpected(f"one of {' '.join(_COMPARISONS)}")
            self._take()
            number = self._peek()
            if not (number.kind == "word" and re.fullmatch(_NUMBER, number.text)):
                raise self._unexpected("a number")
            tests.append(Condition(fact, comparison.text, self._take().text))
        return tuple(tests)

    def _is_word(self, word: str) -> bool:
        return self._peek().kind == "word" and self._peek().text.upper() == word

    def _expect_word(self, words: Sequence[str], expected: str) -> str:
        if self._peek().kind == "word" and self._peek().text.lower() in words:
            return self._take().text.lower()
        raise self._unexpected(expected)

    def _label(self) -> _Token:
        self._take()
        token = self._peek()
        if token.kind in ("word", "quoted") or token.text == "*":
            return self._take()
        raise self._unexpected("a kind, an operator or *")

    def _peek(self) -> _Token:
        return self._tokens[self._next]

    def _take(self) -> _Token:
        self._next += 1
        return self._tokens[self._next - 1]

    def _expect(self, mark: str, expected: str) -> _Token:
        if self._peek().kind == "mark" and self._peek().text == mark:
            return self._take()
        raise self._unexpected(expected)

    def _unexpected(self, expected: str) -> PatternError:
        token = self._peek()
        found = "the pattern ends here" if token.kind == "end" else f"{token.text!r} cannot stand here"
        hint = " Paths are joined by a comma." if token.text.upper() == "AND" else ""
        return _failure(self._text, token.start, token.end, f"{found}.", f"Expected {expected}.{hint}")

    def _tokenise(self) -> list[_Token]:
        tokens: list[_Token] = []
        place = 0
        end = len(self._text.rstrip())
        while place < end:
            match = _TOKEN.match(self._text, place)
            if match is None:
                raise self._unreadable(place + len(self._text[place:]) - len(self._text[place:].lstrip()))
            kind = str(match.lastgroup)
            start = match.start(kind) - (kind == "quoted")
            tokens.append(_Token(kind, match[kind], start, match.end()))
            place = match.end()
        return [*tokens, _Token("end", "", end, end)]

    def _unreadable(self, place: int) -> PatternError:
        rest = self._text[place:]
        foreign = next(((sign, advice) for sign, advice in _FOREIGN if rest.startswith(sign)), None)
        sign, advice = foreign or (rest[0], "A pattern is made of (nodes), '->', '->*', ',' and NOT")
        return _failure(self._text, place, place + len(sign), f"{sign!r} is no part of the language.", f"{advice}.")


# --- resolving -------------------------------------------------------------------------------------------------------


@dataclass
class _Scope:
    """Variables that a clause sees: their labels' operators, and the nodes that they became."""

    labels: dict[str, tuple[_Token, frozenset[str] | None]]
    nodes: dict[str, int]


class _Resolver:
    """Turns clauses into a pattern: words become variables or operators, mentions become nodes."""

    def __init__(self, text: str, vocabulary: Vocabulary) -> None:
        self._text = text
        self._vocabulary = vocabulary
        self._kinds = tuple(dict.fromkeys(operator.kind for operator in vocabulary))
        self._nodes: list[Node] = []

    def resolve(self, clauses: Sequence[_Clause]) -> Pattern:
        positive = [clause for clause in clauses if not clause.negated]
        shared = _Scope(self._declared(positive, {}), {})
        denied = [clause for clause in clauses if clause.negated]
        hidden = {name for clause in denied for name in self._declared([clause], {})} - set(shared.labels)
        present = self._group(positive, shared, hidden)
        absent = []
        for clause in denied:
            local = _Scope(self._declared([clause], shared.labels), dict(shared.nodes))
            absent.append(self._group([clause], local, hidden))
        return Pattern(" ".join(self._text.split()), tuple(self._nodes), present, tuple(absent))

    def _declared(
        self, clauses: Sequence[_Clause], known: dict[str, tuple[_Token, frozenset[str] | None]]
    ) -> dict[str, tuple[_Token, frozenset[str] | None]]:
        labels = dict(known)
        for mention in (mention for clause in clauses for mention in clause.mentions):
            if mention.variable is None:
                continue
            operators = self._labelled(mention.label)
            token, before = labels.setdefault(mention.variable.text, (mention.label, operators))
            if operators != before:
                raise self._failure(
                    mention.label,
                    f"the variable {mention.variable.text!r} is {token.text!r} elsewhere.",
                    "A variable has one label: name the nodes differently, or give the label once.",
                )
        return labels

    def _group(self, clauses: Sequence[_Clause], scope: _Scope, hidden: set[str]) -> Group:
        mentions: list[tuple[_Mention, int]] = []
        links: list[Link] = []
        for clause in clauses:
            path = [self._node(mention, scope, hidden) for mention in clause.mentions]
            mentions += zip(clause.mentions, path, strict=True)
            links += [
                Link(source, target, any_length)
                for (source, target), any_length in zip(pairwise(path), clause.any_length, strict=True)
            ]
        tests: dict[int, tuple[Condition, ...]] = {}
        for mention, node in mentions:
            if mention.tests:
                tests[node] = tuple(dict.fromkeys((*tests.get(node, ()), *mention.tests)))
        group = Group(tuple(dict.fromkeys(node for _, node in mentions)), tuple(dict.fromkeys(links)), tests)
        self._check(group, mentions)
        return group

    def _node(self, mention: _Mention, scope: _Scope, hidden: set[str]) -> int:
        label = mention.label
        variable = mention.variable or (label if mention.bare and label.kind == "word" else None)
        if variable is not None and variable.text in scope.labels:
            if variable.text not in scope.nodes:
                label, operators = scope.labels[variable.text]
                scope.nodes[variable.text] = self._add(f"{variable.text}:{_written(label)}", operators)
            return scope.nodes[variable.text]
        if mention.bare and label.kind != "mark":
            return self._add(_written(label), self._named(label, hidden))
        return self._add(f"{'' if mention.bare else ':'}{_written(label)}", self._labelled(label))

    def _add(self, text: str, operators: frozenset[str] | None) -> int:
        self._nodes.append(Node(f"({text})", operators))
        return len(self._nodes) - 1

    def _labelled(self, token: _Token) -> frozenset[str] | None:
        """The operators that a label after a colon, or a bare star, allows."""
        if token.kind == "mark":
            return None
        if token.kind == "word" and token.text in self._kinds:
            return frozenset(self._vocabulary.of_kind(token.text))
        if token.text in self._vocabulary:
            return frozenset(self._vocabulary.named(token.text))
        raise self._unknown(token, f"{token.text!r} is neither a kind nor an operator.", "")

    def _named(self, token: _Token, hidden: set[str]) -> frozenset[str]:
        if token.text in self._vocabulary:
            return frozenset(self._vocabulary.named(token.text))
        hint = ""
        if token.kind == "word" and token.text in self._kinds:
            hint = f"A kind has a colon: (:{token.text}). "
        elif token.text in hidden:
            hint = f"{token.text!r} is declared inside a NOT, which no other path sees: declare it outside. "
        elif token.kind == "word":
            hint = f"A variable is declared with its label, once: ({token.text}:conv) or ({token.text}:*). "
        raise self._unknown(token, f"{token.text!r} is neither an operator nor a variable of this pattern.", hint)

    def _check(self, group: Group, mentions: Sequence[tuple[_Mention, int]]) -> None:
        """Refuse what no cell can hold: a path that returns to where it began, and two output nodes."""
        outputs = frozenset(self._vocabulary.of_kind("output"))
        found: set[int] = set()
        for mention, node in mentions:
            if node in group.ancestors(node):
                raise self._failure(
                    mention,
                    "a path leads from this node back to itself.",
                    "Cells have no cycles: give the nodes different names.",
                )
            operators = self._nodes[node].operators
            if operators is not None and operators <= outputs:
                found.add(node)
            if len(found) > 1:
                raise self._failure(
                    mention,
                    "a second output node.",
                    "Two mentions are two nodes, and a cell has one output: name it once and use the name, "
                    "(o:output) ... (o).",
                )

    def _unknown(self, token: _Token, problem: str, hint: str) -> PatternError:
        operators = [operator.name for operator in self._vocabulary]
        words = {**{kind: f":{kind}" for kind in self._kinds}, **{name: name for name in operators}}
        close = [words[match] for match in difflib.get_close_matches(token.text, words, n=3) if match != token.text]
        meant = f"Did you mean {' or '.join(close)}?\n" if close else ""
        known = f"Operators: {', '.join(operators)}. Kinds: {', '.join(self._kinds)}."
        return self._failure(token, problem, f"{hint}{meant}{known}")

    def _failure(self, token: _Token | _Mention, problem: str, remedy: str) -> PatternError:
        return _failure(self._text, token.start, token.end, problem, remedy)


def _written(token: _Token) -> str:
    return f"`{token.text}`" if token.kind == "quoted" else token.text
