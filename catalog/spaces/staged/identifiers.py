"""Native ids of a staged space: written by its patterns, and read by them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NoReturn

from catalog.errors import IdentifierError
from catalog.spaces.staged.assignment import Assignment, Assignments, Read, StageOption
from catalog.spaces.staged.description import Choice, Level
from catalog.spaces.staged.patterns import Pattern

LONGEST_ID = 4000
"""Characters."""

SEVERAL = "..."
"""What stands for all stages, or all blocks, where they do not matter."""


class Identifiers:
    """Writes and reads the ids of one staged space.

    Parameters
    ----------
    assignments
        The space.
    """

    def __init__(self, assignments: Assignments) -> None:
        self._all = assignments
        self._described = assignments.description
        self._network, self._stage, self._block = assignments.description.ids
        self._blocks = [
            [_written(self._block, stage.block_level, option) for option in range(len(stage.block_level.options))]
            for stage in assignments.description.stages
        ]

    def written(self, one: Assignment) -> str:
        """The id of an architecture."""
        stages = [self._written_stage(place, own) for place, own in enumerate(one.stages)]
        return _written(self._network, self._all.network, one.network, stages)

    def _written_stage(self, stage: int, own: StageOption) -> str:
        blocks = [self._blocks[stage][block] for block in own.blocks]
        return _written(self._stage, self._described.stages[stage].level, own.option, blocks)

    def read(self, text: str) -> Assignment:
        """The architecture of an id.

        Raises
        ------
        IdentifierError
            It is no id of the space; the message names the place and what may stand there.
        """
        if len(text) > LONGEST_ID:
            raise IdentifierError(
                f"an id of {len(text):,} characters is none of the space {self._described.name!r}; "
                f"{LONGEST_ID:,} are the most."
            )
        return _Reading(self, text).assignment()

    def read_stage(self, stage: int, text: str, networks: Sequence[int]) -> Read:
        """What the id of one stage says of it, in networks of some options.

        Raises
        ------
        IdentifierError
            It is no id of that stage; the message names the place and what may stand there.
        """
        return _Reading(self, text[:LONGEST_ID]).stage(stage, networks)

    @property
    def example(self) -> str:
        """The first id of the space."""
        every = self._all
        stages = [StageOption(0, (0,) * every.depths(0, stage)[0]) for stage in range(len(self._described.stages))]
        return self.written(Assignment(0, tuple(stages)))

    def network_texts(self) -> list[str]:
        """Each option of the network as ids write it, with `SEVERAL` in the stages' place."""
        level = self._all.network
        return [_written(self._network, level, option, [SEVERAL]) for option in range(len(level.options))]

    def stage_texts(self, stage: int) -> list[str]:
        """Each option of a stage as ids write it, with `SEVERAL` in the blocks' place."""
        level = self._described.stages[stage].level
        return [_written(self._stage, level, option, [SEVERAL]) for option in range(len(level.options))]

    def block_texts(self, stage: int) -> list[str]:
        """Each option of the blocks of a stage as ids write it."""
        return self._blocks[stage]

    def read_block(self, stage: int, text: str) -> int:
        """The option of a block of a stage that a text says.

        Raises
        ------
        IdentifierError
            It says none.
        """
        return _Reading(self, text).block(stage)

    @property
    def parts(self) -> tuple[Assignments, tuple[Pattern, Pattern, Pattern]]:
        """The space, and its patterns."""
        return self._all, self._described.ids


def _written(pattern: Pattern, level: Level, option: int, several: Sequence[str] = ()) -> str:
    numbers = dict(zip(level.names, level.options[option], strict=True))
    texts = {choice.name: choice.texts[numbers[choice.name]] for choice in level.choices}
    parts = []
    for slot in pattern.slots:
        if slot.name is None:
            parts.append(slot.text)
        else:
            parts.append(texts[slot.name] if slot.name in texts else level.constant(slot.name, slot.text.join(several)))
    return "".join(parts)


class _Reading:
    """One id under reading."""

    def __init__(self, identifiers: Identifiers, text: str) -> None:
        self._identifiers = identifiers
        self._all, (self._network, self._stage, self._block) = identifiers.parts
        self._text = text
        self._at = 0

    def stage(self, stage: int, networks: Sequence[int]) -> Read:
        """One stage, or an error."""
        read = self._read_stage(stage, networks)
        if self._at < len(self._text):
            self._fail("the end")
        return read

    def block(self, stage: int) -> int:
        """One block, or an error."""
        read = self._read_block(stage)
        if self._at < len(self._text):
            self._fail("the end")
        return read

    def assignment(self) -> Assignment:
        """Everything, or an error."""
        description = self._all.description
        said: dict[str, int] = {}
        read: list[Read] = []
        for slot in self._network.slots:
            if slot.name == "stages":
                networks = self._all.network.matching(said)
                if not networks:
                    raise self._error(self._all.network.broken(said))
                for stage in range(len(description.stages)):
                    if stage:
                        self._fixed(slot.text)
                    read.append(self._read_stage(stage, networks))
            else:
                self._slot(slot.name, slot.text, self._all.network, said)
        if self._at < len(self._text):
            self._fail("the end")
        return self._resolved(said, read)

    def _read_stage(self, stage: int, networks: Sequence[int]) -> Read:
        level = self._all.description.stages[stage].level
        said: dict[str, int] = {}
        blocks: list[int] = []
        for slot in self._stage.slots:
            if slot.name == "blocks":
                options = level.matching(said)
                depths = {self._all.depths(network, stage)[option] for network in networks for option in options}
                if not depths:
                    raise self._error(f"in stage {stage + 1}, {level.broken(said)}")
                blocks = self._several(stage, slot.text, depths)
            else:
                self._slot(slot.name, slot.text, level, said)
        return Read(said, tuple(blocks))

    def _several(self, stage: int, separator: str, depths: set[int]) -> list[int]:
        """As many blocks as there are, and as there can be."""
        blocks: list[int] = []
        while len(blocks) < max(depths):
            before = self._at
            try:
                if blocks:
                    self._fixed(separator)
                blocks.append(self._read_block(stage))
            except IdentifierError:
                if len(blocks) not in depths:
                    raise
                self._at = before
                break
        return blocks

    def _read_block(self, stage: int) -> int:
        level = self._all.description.stages[stage].block_level
        said: dict[str, int] = {}
        for slot in self._block.slots:
            self._slot(slot.name, slot.text, level, said)
        found = level.matching(said)
        if not found:
            raise self._error(
                f"before character {self._at + 1}, {level.broken(said)}; a block that keeps the rules is needed"
            )
        return found[0]

    def _slot(self, name: str | None, text: str, level: Level, said: dict[str, int]) -> None:
        if name is None or name not in level.names:
            self._fixed(text if name is None else level.constant(name))
        else:
            said[name] = self._value(level.choices[level.names.index(name)])

    def _fixed(self, text: str) -> None:
        if not self._text.startswith(text, self._at):
            self._fail(repr(text))
        self._at += len(text)

    def _value(self, choice: Choice) -> int:
        fitting = [number for number, text in enumerate(choice.texts) if self._text.startswith(text, self._at)]
        if not fitting:
            self._fail(f"one of {', '.join(choice.texts)} for {choice.name}")
        number = max(fitting, key=lambda fits: len(choice.texts[fits]))
        self._at += len(choice.texts[number])
        return number

    def _resolved(self, said: Mapping[str, int], read: Sequence[Read]) -> Assignment:
        found = self._all.resolved(said, read)
        if found is None:
            raise self._error(self._all.network.broken(said))
        return found

    def _fail(self, allowed: str) -> NoReturn:
        rest = self._text[self._at :]
        found = f"{rest[:20]!r}" if rest else "nothing more"
        raise self._error(f"at character {self._at + 1} stands {found}, and {allowed} is needed")

    def _error(self, what: str) -> IdentifierError:
        name, example = self._all.description.name, self._identifiers.example
        return IdentifierError(
            f"{self._text!r:.120} is no id of the space {name!r}: {what}. An id looks like {example!r:.200}."
        )
