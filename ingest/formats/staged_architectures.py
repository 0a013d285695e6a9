"""Which architecture of a staged space a record is of: by its native id, or by its choices one by one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NoReturn

from catalog.errors import IdentifierError
from catalog.spaces.staged.assignment import Assignment, Read
from catalog.spaces.staged.description import Level
from catalog.spaces.staged.formula import Value
from catalog.spaces.staged.public_table import PublicTable, alternatives
from catalog.spaces.staged.space import StagedSpace
from ingest.formats.staged_records import Row, as_number, members
from ingest.reading.pickled_values import described


class Architectures:
    """Finds out which architecture each record is of.

    Parameters
    ----------
    space
        The space.
    table
        What its tables look like.
    """

    def __init__(self, space: StagedSpace, table: PublicTable) -> None:
        self._space = space
        self._table = table
        self._read: set[str] = set()
        self._paths: dict[tuple[int, ...], Mapping[str, str]] = {}
        self._known: dict[tuple[Any, ...], Mapping[str, int]] = {}
        every = (*table.choices.values(), *table.fixed, *([table.stages] if table.stages else []))
        paths = [one.partition(".") for path in every for one in alternatives(path)]
        self._columns = {name: bool(dot) for name, dot, _ in paths if "{" not in name and name not in table.unused}
        """Columns whose members all have to be read, and whether they have members."""
        self._all = space.assignments
        self._described = space.description_of
        networks = range(len(self._described.network.options))
        self._deepest = [
            max(max(self._all.depths(network, stage)) for network in networks)
            for stage in range(len(self._described.stages))
        ]

    def of(self, row: Row) -> Assignment:
        """The architecture of a record.

        Raises
        ------
        IngestError
            It names none of the space.
        """
        if self._table.arch is not None:
            said = row.get(self._table.arch)
            try:
                return self._space.assignment_of(said if isinstance(said, str) else str(said))
            except IdentifierError as error:
                row.fail(f"{self._table.arch}: {error}")
        self._read.clear()
        self._check_fixed(row)
        network = self._said(row, self._described.network, {})
        stages = []
        for stage in range(len(self._described.stages)):
            stages.append(self._stage(row, network, stage))
        found = list(islice(self._all.agreeing(network, stages), 2))
        if not found:
            told = self._described.network.broken(network)
            row.fail(f"it is no architecture of the space {self._space.name!r}: {told}.")
        if len(found) > 1:
            self._fail_unsaid(row, f"architecture it is of: {' or '.join(map(self._space.id_of, found))}")
        self._refuse_rest(row)
        return found[0]

    def _fail_unsaid(self, row: Row, which: str) -> NoReturn:
        """Refuse a record that several would fit: what it is of must not be made up."""
        levels = [self._described.network]
        for stage in self._described.stages:
            levels += [] if self._table.stages else [stage.level, stage.block_level]
        unsaid = dict.fromkeys(name for level in levels for name in level.names if name not in self._table.choices)
        row.fail(
            f"it does not say which {which}; [table] has no column for {', '.join(unsaid)}. Give each a column there, "
            "or one value in the space."
        )

    def _check_fixed(self, row: Row) -> None:
        for path, value in self._table.fixed.items():
            self._read.update(alternatives(path))
            said = row.get(path)
            if not _is_same(value, said, is_yes_or_no=isinstance(value, bool)):
                row.fail(f"{row.shown(path)} is {_told(said)}; in this space it is always {value}.")

    def _refuse_rest(self, row: Row) -> None:
        """A member that no choice read says something of which the graph would know nothing."""
        for column, has_members in self._columns.items():
            said = row.get(column)
            for path in () if said is None else _leaves(column, members(said) if has_members else said):
                if path not in self._read:
                    row.fail(f"{path} is {described(row.get(path))}, and the space has nothing of that name.")

    def _stage(self, row: Row, network: Mapping[str, int], stage: int) -> Read:
        described = self._described.stages[stage]
        if self._table.stages is not None:
            return self._stage_of_id(row, network, stage)
        own = self._said(row, described.level, {"stage": stage, "number": stage + 1})
        depths = {
            self._all.depths(number, stage)[option]
            for number in self._all.network.matching(network)
            for option in described.level.matching(own)
        }
        begin = sum(self._deepest[:stage])
        blocks: list[int] = []
        while len(blocks) < max(depths, default=0):
            place = {"stage": stage, "number": stage + 1, "block": len(blocks), "place": begin + len(blocks)}
            if len(blocks) in depths and not self._is_there(row, described.block_level, place):
                break
            said = self._said(row, described.block_level, place)
            options = described.block_level.matching(said)
            if not options:
                told = described.block_level.broken(said)
                row.fail(f"block {len(blocks) + 1} of stage {stage + 1}: {told}.")
            if len(options) > 1:
                self._fail_unsaid(row, f"block number {len(blocks) + 1} of stage {stage + 1} is")
            blocks.append(options[0])
        return Read(own, tuple(blocks))

    def _stage_of_id(self, row: Row, network: Mapping[str, int], stage: int) -> Read:
        path = (self._table.stages or "").format(stage=stage, number=stage + 1)
        self._read.update(alternatives(path))
        said = row.get(path)
        if not isinstance(said, str):
            row.fail(f"{row.shown(path)} is {_told(said)}; the id of a stage is needed.")
        try:
            return self._space.stage_of(stage, said, self._all.network.matching(network))
        except IdentifierError as error:
            row.fail(f"{row.shown(path)}: {error}")

    def _is_there(self, row: Row, level: Level, place: Mapping[str, int]) -> bool:
        return any(row.get(path) is not None for path in self._paths_of(level, place).values())

    def _said(self, row: Row, level: Level, place: Mapping[str, int]) -> Mapping[str, int]:
        """The numbers of the values of the choices that the record says."""
        paths = self._paths_of(level, place)
        self._read.update(one for path in paths.values() for one in alternatives(path))
        values = tuple(row.get(path) for path in paths.values())
        if None in values or any(isinstance(value, Mapping | list) for value in values):
            return self._looked_up(row, level, paths)
        key = (id(level), values, tuple(map(type, values)))
        if key not in self._known:
            self._known[key] = self._looked_up(row, level, paths)
        return self._known[key]

    def _looked_up(self, row: Row, level: Level, paths: Mapping[str, str]) -> dict[str, int]:
        found = {}
        for choice in level.choices:
            if choice.name not in paths:
                continue
            path = paths[choice.name]
            said = row.get(path)
            if said is None:
                said = self._absent(row, choice.name)
            is_yes_or_no = set(choice.values) <= {0, 1}
            fitting = [
                number for number, given in enumerate(choice.values) if _is_same(given, said, is_yes_or_no=is_yes_or_no)
            ]
            if not fitting:
                row.fail(f"{row.shown(path)} is {_told(said)}; one of {', '.join(choice.texts)} is needed.")
            found[choice.name] = fitting[0]
        return found

    def _paths_of(self, level: Level, place: Mapping[str, int]) -> Mapping[str, str]:
        """Where each choice of a level stands at a place."""
        key = (id(level), *place.values())
        if key not in self._paths:
            written = self._table.choices
            self._paths[key] = {name: written[name].format(**place) for name in level.names if name in written}
        return self._paths[key]

    def _absent(self, row: Row, choice: str) -> Value | None:
        """The value of a choice of something that the record does not have at all."""
        for path, values in self._table.absent.items():
            if choice in values and row.get(path) is None:
                return values[choice]
        return None


def _is_same(given: Value, said: object, *, is_yes_or_no: bool) -> bool:
    """Whether a record says a value: a word as it stands, a number as a number, no and yes where 0 and 1 mean them."""
    if isinstance(given, str):
        return given == str(said)
    if isinstance(said, bool):
        return is_yes_or_no and given == said
    return said is not None and as_number(said) == given


def _told(said: object) -> str:
    return "missing" if said is None else described(said)


def _leaves(path: str, said: Any) -> Iterator[str]:
    """The paths of all that stands within lists and objects."""
    if isinstance(said, Mapping):
        for name, inner in said.items():
            yield from _leaves(f"{path}.{name}", inner)
    elif isinstance(said, Sequence) and not isinstance(said, str):
        for number, inner in enumerate(said):
            yield from _leaves(f"{path}.{number}", inner)
    else:
        yield path
