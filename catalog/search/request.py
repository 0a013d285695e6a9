"""What a search is asked, and what a stored run says it was asked."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from catalog.derivation import VERSIONS
from catalog.errors import UsageError
from catalog.search.unit import FUNCTION

if TYPE_CHECKING:
    from catalog.storage.store import Store

KIND = "search"
"""What the table ``run`` calls a search."""

DEFAULT_LABEL = "label"
"""What the values of a command are called that has no name."""

_TEXTS = (
    *("space", "method", "where", "unit", "labels", "label_command", "label_name"),
    *("predictor", "acquisition"),
)
_NUMBERS: dict[str, Any] = {
    **dict.fromkeys(("budget", "seed", "rules", "batch"), int),
    **dict.fromkeys(("seconds", "label_timeout"), int | float),
}
_LISTS = ("by", "maximum", "minimum", "settings")


@dataclass(frozen=True)
class Request:
    """What decides the course of a search; stored as the run's parameters.

    Parameters
    ----------
    space, by, method, where, seed
        As on the command line; `by` are formulas.
    maximum, minimum
        Bounds as ``params=1e6``.
    budget, seconds
        Limits, None for none.
    unit
        What is looked at, `FUNCTION` or `ARCHITECTURE`; None until the search is prepared, which decides it.
    rules
        Version of the rules that say which architectures compute one function.
    labels
        The stored column that is asked for one label a function; None for none.
    label_command
        The user's command that prints a label; None for none.
    label_name
        What the values of the command are called, in formulas and as a column.
    label_timeout
        Seconds that one command has; None for as long as it takes.
    lower_is_better
        Of the command's values.
    predictor, settings
        What learns from the labels so far, and its own options as ``NAME=VALUE``.
    acquisition, batch
        How the next candidates are chosen by its mean and spread, and how many between two trainings; None as usual.
    """

    space: str
    by: tuple[str, ...]
    method: str | None = None
    budget: int | None = None
    seconds: float | None = None
    where: str | None = None
    maximum: tuple[str, ...] = ()
    minimum: tuple[str, ...] = ()
    seed: int = 0
    unit: str | None = None
    rules: int = VERSIONS["canonical form"]
    labels: str | None = None
    label_command: str | None = None
    label_name: str | None = None
    label_timeout: float | None = None
    lower_is_better: bool = False
    predictor: str | None = None
    settings: tuple[str, ...] = ()
    acquisition: str | None = None
    batch: int | None = None

    @property
    def label(self) -> str | None:
        """The name in formulas that is the label of a function: a column, or the command's values; None for neither."""
        if self.label_command is None:
            return self.labels
        return DEFAULT_LABEL if self.label_name is None else self.label_name

    @classmethod
    def of_run(cls, catalog: Store, run_id: int) -> Request:
        """What an earlier run was asked.

        Raises
        ------
        UsageError
            There is no such run, or it is no search.
        """
        rows = catalog.arrow("SELECT kind, parameters FROM run WHERE id = ?", [run_id]).to_pylist()
        if not rows or rows[0]["kind"] != KIND:
            known = catalog.arrow("SELECT id FROM run WHERE kind = ? ORDER BY id DESC LIMIT 5", [KIND])[
                "id"
            ].to_pylist()
            what = f"run {run_id} is no search but {rows[0]['kind']}" if rows else f"there is no run {run_id}"
            hint = f"searches are {', '.join(map(str, known))}" if known else "no search is stored"
            raise UsageError(f"{what} in {catalog.path}; {hint}.")
        return cls._of_parameters(rows[0]["parameters"], run_id)

    @classmethod
    def _of_parameters(cls, text: str | None, run_id: int) -> Request:
        """Parameters as they are stored; the file, and what it says of a run, may be somebody else's.

        Raises
        ------
        UsageError
            They are not those of a search.
        """
        try:
            given = json.loads(text or "")
        except (ValueError, RecursionError):
            given = None
        kinds: dict[str, Any] = {**dict.fromkeys(_TEXTS, str), **_NUMBERS, "lower_is_better": bool}
        required = {"space", "seed", "by", "maximum", "minimum"}
        if not isinstance(given, dict) or not required <= set(given) <= {*kinds, *_LISTS}:
            raise _no_parameters(run_id, "the keys are others")
        for name, value in given.items():
            wanted: Any = list if name in _LISTS else kinds[name]
            is_open = value is None and name not in {*required, "rules", "lower_is_better"}
            if not is_open and (not isinstance(value, wanted) or (wanted is not bool and isinstance(value, bool))):
                raise _no_parameters(run_id, f"{name} is {value!r}")
            if name in _LISTS and not all(isinstance(part, str) for part in value):
                raise _no_parameters(run_id, f"{name} is {value!r}")
        given.setdefault("unit", FUNCTION)  # before these were stored they were always this
        given.setdefault("rules", 1)
        return cls(**(given | {name: tuple(given[name]) for name in _LISTS if name in given}))


def _no_parameters(run_id: int, why: str) -> UsageError:
    return UsageError(f"run {run_id} does not say what was searched: {why}. Start a new search without --resume.")
