"""The user's command that gives an architecture its label: its words, and the id put into them; no shell reads it."""

from __future__ import annotations

import shlex
import shutil
from dataclasses import dataclass

from catalog.errors import UsageError

PLACE = "{id}"
"""Where the native id of an architecture goes."""

_OF_A_SHELL = frozenset({"|", "||", "&", "&&", ";", "<", "<<", ">", ">>", "2>", "2>>", "2>&1", "&>", "<<<"})
_HOW = f"write it as in a terminal, for example --label-command 'python train.py {PLACE}'"


@dataclass(frozen=True)
class LabelCommand:
    """A command as words, in some of which `PLACE` stands for the id.

    The id is put into a word as it is, whatever it holds: it cannot become two words, and no shell sees it.
    """

    text: str
    words: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> LabelCommand:
        """Read a command as a shell would split it.

        Raises
        ------
        UsageError
            It has no words, an open quotation, signs that only a shell understands, no place for the id, or a program
            that is not there.
        """
        try:
            words = tuple(shlex.split(text))
        except ValueError as error:
            raise UsageError(f"--label-command {text!r} cannot be read ({error}); {_HOW}.") from error
        if not words:
            raise UsageError(f"--label-command is empty; {_HOW}.")
        if signs := [word for word in words if word in _OF_A_SHELL]:
            raise UsageError(
                f"--label-command {text!r} holds {signs[0]!r}, which only a shell understands, and none runs it; put "
                f"such a line into a script and name the script, for example --label-command 'sh label.sh {PLACE}'."
            )
        if not any(PLACE in word for word in words):
            raise UsageError(
                f"--label-command {text!r} does not say where the architecture goes; write {PLACE} in its place, for "
                f"example --label-command 'python train.py {PLACE}'."
            )
        if PLACE not in words[0] and shutil.which(words[0]) is None:
            raise UsageError(f"--label-command {text!r}: there is no program {words[0]!r} to run; {_HOW}.")
        return cls(text, words)

    def words_for(self, native_id: str) -> list[str]:
        """The words with an architecture's id in its places."""
        return [word.replace(PLACE, native_id) for word in self.words]

    def __repr__(self) -> str:
        return f"LabelCommand({self.text!r})"
