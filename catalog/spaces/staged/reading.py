"""Reading the file that describes a staged space."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from catalog.architecture.operators import SIZED_VOCABULARY
from catalog.architecture.sizes import FIELDS, classes_of
from catalog.errors import GraphError, SpaceFileError
from catalog.spaces.staged.description import Choice, Description, Level, Node, Part, Stage
from catalog.spaces.staged.formula import FUNCTIONS, Formula, Value
from catalog.spaces.staged.patterns import Pattern
from catalog.spaces.staged.tables import Table

_FILE = ("name", "description", "citation", "id", "network", "stem", "stage", "stages", "block", "tail", "table")
_PART = ("nodes", "when", "residual", "shortcut")
_NODE = ("op", "when")
_WITHIN = ("stage", "block", "first", "blocks", "entering")
"""What formulas of a block may refer to besides choices and settings."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")
_MOST_STAGES = 60
_MOST_BLOCKS = 500

Choices = Mapping[str, tuple[Value, ...]]


def read_description(text: str, file: str) -> Description:
    """The space that a file describes.

    Parameters
    ----------
    text
        The file's text.
    file
        What messages call the file.

    Raises
    ------
    SpaceFileError
        It describes none; the message names the table, the key, the value and what is allowed.
    """
    try:
        said = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # a whole number of thousands of digits is a ValueError only
        raise SpaceFileError(f"{file} is no TOML: {error}. Nothing was stored.") from None
    return _File(Table(file, "the file itself", said, _FILE), text).description()


class _File:
    """A file under reading: its tables, and the names that are taken so far."""

    def __init__(self, top: Table, text: str) -> None:
        self._top = top
        self._text = text
        self._network = top.table("network", ("input", "classes", "choices", "rules"))
        self._stage = top.table("stage")
        self._block = top.table("block", ("id", "choices", "rules", "parts"))
        self._taken: dict[str, str] = dict.fromkeys((*_WITHIN, *FUNCTIONS), "the language of formulas")
        self._network_choices = self._choices(self._network)
        self._stage_choices = self._choices(self._stage)
        self._block_choices = self._choices(self._block)

    def description(self) -> Description:
        top, names = self._top, tuple(self._network_choices)
        name = top.text("name")
        if not _NAME.fullmatch(name):
            raise top.fault("name", name, "a lower-case letter, then up to 62 lower-case letters, digits and _,")
        stages = tuple(self._stages())
        settings = [word for word, _ in stages[0].settings]
        within = (*names, *self._stage_choices, *settings, *self._block_choices, *_WITHIN)
        taken = self._network.said.get("input")
        if not isinstance(taken, Mapping):
            raise self._network.fault("input", taken, "{ shape = [3, 32, 32] } or { tokens = 64, channels = 128 }")
        network = Level(_level(self._network_choices), self._network.formulas("rules", names))
        return Description(
            name,
            top.text("description"),
            top.text("citation", "its author's own description"),
            {key: self._network.given("input", value, names) for key, value in taken.items()},
            self._classes(),
            network,
            tuple(self._parts(top, "stem", (*names, "entering"))),
            stages,
            tuple(self._parts(self._block, "parts", within)),
            tuple(self._parts(top, "tail", (*names, "entering"))),
            self._patterns(stages),
            top.table("table").said,
            self._text,
        )

    def _classes(self) -> int | None:
        said = self._network.said.get("classes")
        try:
            return None if said is None else classes_of({"classes": said})
        except GraphError:
            raise self._network.fault("classes", said, "a whole number from 1 on") from None

    def _choices(self, table: Table) -> dict[str, tuple[Value, ...]]:
        said = table.said.get("choices", {})
        if not isinstance(said, Mapping):
            raise table.fault("choices", said, "a table of names and lists of values")
        found = {}
        for name, values in said.items():
            self._take(table, name, "a choice")
            found[name] = table.values(f"choices.{name}", values)
        return found

    def _take(self, table: Table, name: str, what: str) -> None:
        if not _WORD.fullmatch(name):
            raise table.fault(name, name, f"a word of letters, digits and _ as the name of {what}")
        if name in self._taken:
            raise table.fault(name, name, f"another name: it belongs to {self._taken[name]}, and a name that is free")
        self._taken[name] = f"{what} of {table.place}"

    def _stages(self) -> list[Stage]:
        tables = list(self._top.tables("stages"))
        if not 1 <= len(tables) <= _MOST_STAGES:
            raise self._top.fault("stages", len(tables), f"1 to {_MOST_STAGES} tables [[stages]]")
        shared = {key: value for key, value in self._stage.said.items() if key not in ("id", "choices", "rules")}
        words = [key for key in {**shared, **tables[0].said} if key not in ("blocks", "choices")]
        words.sort(key=lambda word: any(_is_formula({**shared, **table.said}.get(word)) for table in tables))
        for word in words:  # values come before the formulas, which may use them
            self._take(tables[0], word, "a setting")
        return [self._of_stage(number, table, shared, words) for number, table in enumerate(tables, 1)]

    def _of_stage(self, number: int, table: Table, shared: Mapping[str, Any], words: list[str]) -> Stage:
        said = {**shared, **table.said}
        if missing := [word for word in words if word not in said]:
            raise table.fault(missing[0], None, "a value in each of [[stages]], or one for all in [stage],")
        if further := [key for key in said if key not in (*words, "blocks", "choices")]:
            raise table.fault(further[0], said[further[0]], f"one of the keys blocks, choices, {', '.join(words)}")
        known = [*self._network_choices, *self._stage_choices, "stage"]
        settings: list[tuple[str, Any]] = [("stage", number)]
        for word in words:
            settings.append((word, table.given(word, said[word], known)))
            known.append(word)
        blocks = table.given("blocks", said.get("blocks"), known)
        if not isinstance(blocks, Formula) and not (type(blocks) is int and 1 <= blocks <= _MOST_BLOCKS):
            raise table.fault("blocks", blocks, f"a number from 1 to {_MOST_BLOCKS}, or a formula such as '=depth',")
        constant = {word: value for word, value in settings if not isinstance(value, Formula | list)}
        stage, block = self._overridden(table)
        return Stage(
            blocks,
            tuple(settings),
            Level(_level(stage), self._stage.formulas("rules", (*stage, *constant)), constant),
            Level(_level(block), self._block.formulas("rules", (*block, *constant)), constant),
        )

    def _overridden(self, table: Table) -> tuple[Choices, Choices]:
        """The choices of a stage and of its blocks, with the values that this stage has instead."""
        stage, block = dict(self._stage_choices), dict(self._block_choices)
        said = table.said.get("choices", {})
        known = (*stage, *block)
        if not isinstance(said, Mapping) or set(said) - set(known):
            raise table.fault("choices", said, f"a table with other values of {', '.join(known) or 'nothing'}")
        for name, values in said.items():
            (stage if name in stage else block)[name] = table.values(f"choices.{name}", values)
        return stage, block

    def _parts(self, table: Table, key: str, known: Collection[str]) -> list[Part]:
        parts = []
        for one in table.tables(key, _PART):
            residual = one.given("residual", one.said.get("residual", False), known)
            if not isinstance(residual, bool | Formula):
                raise one.fault("residual", residual, "true, false or a formula")
            when = one.formula("when", one.said["when"], known) if "when" in one else None
            nodes = _nodes(one, "nodes", known)
            if not nodes:
                raise one.fault("nodes", one.said.get("nodes"), "a list of nodes such as { op = 'conv', kernel = 3 }")
            parts.append(Part(nodes, when, residual, _nodes(one, "shortcut", known)))
        return parts

    def _patterns(self, stages: Sequence[Stage]) -> tuple[Pattern, Pattern, Pattern]:
        """Of the network, a stage and a block; the id of a stage may name its settings that are no formulas."""
        constant = [word for word in stages[0].level.settings if all(word in one.level.settings for one in stages)]
        return (
            _pattern(self._top, "{stages}", "stages", tuple(self._network_choices)),
            _pattern(self._stage, "{blocks}", "blocks", (*self._stage_choices, *constant)),
            _pattern(self._block, "", None, tuple(self._block_choices)),
        )


def _is_formula(said: Any) -> bool:
    return isinstance(said, str) and said.startswith("=")


def _level(choices: Choices) -> tuple[Choice, ...]:
    return tuple(Choice(name, values) for name, values in choices.items())


def _nodes(table: Table, key: str, known: Collection[str]) -> tuple[Node, ...]:
    listed = table.said.get(key, [])
    if not isinstance(listed, list) or not all(isinstance(node, Mapping) for node in listed):
        raise table.fault(key, listed, "a list of nodes such as { op = 'conv', kernel = 3 }")
    nodes = []
    for node in listed:
        name = node.get("op")
        if not isinstance(name, str) or name not in SIZED_VOCABULARY:
            raise table.fault(f"{key}.op", name, f"one of {', '.join(one.name for one in SIZED_VOCABULARY)}")
        if unknown := [field for field in node if field not in (*_NODE, *FIELDS)]:
            allowed = f"one of the fields {', '.join((*_NODE, *FIELDS))}"
            raise table.fault(f"{key}.{unknown[0]}", node[unknown[0]], allowed)
        when = table.formula(f"{key}.when", node["when"], known) if "when" in node else None
        said = tuple((field, table.given(f"{key}.{field}", node[field], known)) for field in node if field in FIELDS)
        nodes.append(Node(name, said, when))
    return tuple(nodes)


def _pattern(table: Table, default: str, several: str | None, choices: Sequence[str]) -> Pattern:
    """The pattern of an id, which may leave out what follows from the rest."""
    text = table.said.get("id", default)
    if not isinstance(text, str):
        raise table.fault("id", text, "a text such as 'k{kernel}'")
    try:
        pattern = Pattern.parse(text)
    except SpaceFileError as error:
        raise table.fault("id", text, "a text with choices in braces", f" {error}") from None
    known = [*choices, *([several] if several else [])]
    if not all(slot.text.isprintable() for slot in pattern.slots):
        raise table.fault("id", text, "a text of printable characters")
    if separated := [slot.name for slot in pattern.slots if slot.name not in (None, several) and slot.text]:
        raise table.fault("id", text, f"{{{separated[0]}}}, a choice as it stands,")
    wrong = [name for name in pattern.names if name not in known]
    if wrong or len(set(pattern.names)) < len(pattern.names) or (several and several not in pattern.names):
        must = f"{{{several}}} and, where they do not follow from it, " if several else ""
        raise table.fault("id", text, f"a text with {must}{', '.join(choices) or 'no choices'}, each once in braces,")
    return pattern
