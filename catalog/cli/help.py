"""How a group of commands lists them: with whole sentences."""

from __future__ import annotations

from typing import Any

from typer.core import TyperGroup


class WholeSentences(TyperGroup):
    """A group whose help shows the first sentence of each command, however long it is."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write one entry a command."""
        commands = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl([(name, first_sentence(command.help)) for name, command in commands if command])


def first_sentence(text: str | None) -> str:
    """The first sentence of a command's help."""
    paragraph = " ".join((text or "").partition("\n\n")[0].split())
    end = paragraph.find(". ")
    return paragraph if end < 0 else paragraph[: end + 1]
