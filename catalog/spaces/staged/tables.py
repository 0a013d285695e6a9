"""The tables of a space's file, read key by key, with errors that name the file, the table, the key and the value."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from catalog.architecture.sizes import LARGEST_COUNT
from catalog.errors import SpaceFileError
from catalog.nearest import did_you_mean
from catalog.spaces.staged.formula import Formula, Value

_MOST_LISTED = 60


class Table:
    """One table of a file.

    Parameters
    ----------
    file
        What messages call the file.
    place
        What messages call the table.
    said
        Its keys and values.
    keys
        The keys that it may have; None where any may stand there.
    """

    def __init__(self, file: str, place: str, said: Any, keys: Collection[str] | None = None) -> None:
        self.file = file
        self.place = place
        if not isinstance(said, Mapping):
            raise self._fault("it", said, "a table")
        self.said: Mapping[str, Any] = said
        for key in said if keys is not None else ():
            if key not in (keys or ()):
                hint = did_you_mean(key, list(keys or ()))
                raise self.fault(key, said[key], f"one of the keys {', '.join(keys or ())}", f" {hint}" if hint else "")

    def __contains__(self, key: str) -> bool:
        return key in self.said

    def fault(self, key: str, value: Any, allowed: str, hint: str = "") -> SpaceFileError:
        """The error for a wrong value of a key."""
        return self._fault(f"the key {key!r:.60}", value, allowed, hint)

    def _fault(self, what: str, value: Any, allowed: str, hint: str = "") -> SpaceFileError:
        shown = "missing" if value is None else repr(value)[:_MOST_LISTED]
        return SpaceFileError(
            f"{self.file}, {self.place}: {what} is {shown}; {allowed} is needed.{hint} Nothing was stored."
        )

    def text(self, key: str, default: str | None = None) -> str:
        """A text that is not empty."""
        value = self.said.get(key, default)
        if not isinstance(value, str) or not value.strip():
            raise self.fault(key, value, "a text")
        return value

    def table(self, key: str, keys: Collection[str] | None = None) -> Table:
        """A table within; empty where it is left out."""
        return Table(self.file, f"table [{key}]", self.said.get(key, {}), keys)

    def tables(self, key: str, keys: Collection[str] | None = None) -> Iterator[Table]:
        """A list of tables within; none where it is left out."""
        name = key if self.place == "the file itself" else f"{self.place.removeprefix('table [').rstrip(']')}.{key}"
        listed = self.said.get(key, [])
        if not isinstance(listed, list):
            raise self.fault(key, listed, f"a list of tables [[{name}]]")
        for number, one in enumerate(listed, 1):
            yield Table(self.file, f"table [[{name}]] number {number}", one, keys)

    def given(self, key: str, value: Any, known: Collection[str]) -> Any:
        """A value as it stands, or the formula that a text beginning with ``=`` is."""
        if isinstance(value, list):
            return [self.given(key, one, known) for one in value]
        return self.formula(key, value[1:], known) if isinstance(value, str) and value.startswith("=") else value

    def formula(self, key: str, value: Any, known: Collection[str]) -> Formula:
        """A formula whose names are all known."""
        if not isinstance(value, str):
            raise self.fault(key, value, "a formula, as a text,")
        try:
            formula = Formula.parse(value)
        except SpaceFileError as error:
            raise self.fault(key, value, "a formula", f" {str(error).rstrip('.')}.") from None
        for name in sorted(formula.names - set(known)):
            hint = did_you_mean(name, list(known))
            allowed = f"a formula of {', '.join(known) or 'numbers'}"
            raise self.fault(key, value, allowed, f" {name!r:.40} is not known here. {hint}".rstrip())
        return formula

    def formulas(self, key: str, known: Collection[str]) -> tuple[Formula, ...]:
        """A list of formulas; none where it is left out."""
        listed = self.said.get(key, [])
        if not isinstance(listed, list):
            raise self.fault(key, listed, "a list of formulas")
        return tuple(self.formula(key, one, known) for one in listed)

    def values(self, key: str, value: Any) -> tuple[Value, ...]:
        """The values of a choice: different numbers or words."""
        allowed = "a list of different numbers or words"
        if not isinstance(value, list) or not value or not all(_is_value(one) for one in value):
            raise self.fault(key, value, allowed)
        if len({str(one) for one in value}) != len(value) or len(set(value)) != len(value):  # 3, "3" and 3.0 are alike
            raise self.fault(key, value, allowed)
        return tuple(value)


def _is_value(one: Any) -> bool:
    """Whether a choice can have this value: a number that is finite, or a word that can be shown in an id."""
    if isinstance(one, str):
        return one != "" and one.isprintable()
    return type(one) in (int, float) and -LARGEST_COUNT <= one <= LARGEST_COUNT
