"""The names of the wide views' columns: what a metric's or a proxy's column is called, and how equal names part."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from catalog.spaces.staged import NAMES as STAGED
from catalog.tables.official_sources import is_reserved

Group = dict[str, Any]
"""One kind of metric or score rows, as the wide view tells them apart."""

DEFAULT_INPUT = "photos"
"""Input data of our own measurements whose column has no suffix."""


@dataclass(frozen=True)
class WideDefaults:
    """Which source and training length a space's plain metric columns show; others get a suffix."""

    source: str
    epochs: int | None


DEFAULTS = {
    "nb101": WideDefaults("nb101", 108),
    "nb201": WideDefaults("nb201", 200),
    "darts": WideDefaults("darts_trained", 600),
    **{name: WideDefaults(name, None) for name in ("transnas_micro", *STAGED)},
}

OWN_TRAINING = "own-training"
"""Name of the source of the networks that ``catalog evaluate`` trained in their usual size."""

OWN_GRAPHS = "graphs-jsonl"
"""Kind of the sources that are files of a user's own space."""

OWN_TABLE = "own-table"
"""Kind of the sources that are tables of a user's own numbers, whose proxies are called what their author says."""

DIGITS = "digits"
DIGITS_SOURCES = ("nb201-digits", OWN_TRAINING)
"""Trainings of our own on the digits; no benchmark has any, so their columns need no source's name."""

DIGITS_EPOCHS = 2
"""Their usual length; the plain column shows it."""


def word(text: str) -> str:
    """A text as a part of a column's name."""
    return re.sub(r"\W+", "_", text.lower()).strip("_") or "unnamed"


def metric_column_name(group: Group, defaults: WideDefaults) -> str:
    """``{dataset}_{split}_{name}``, with a suffix for whatever is not the space's default.

    The dataset ``cifar10-valid`` gives ``cifar10_valid_accuracy`` for its validation split and
    ``cifar10_valid_test_accuracy`` for its test split. Our own trainings on the digits are ``digits_test_accuracy``,
    from whichever of our sources has them.
    """
    dataset, split = group["dataset"], group["split"]
    if _is_own_training(group):
        defaults = WideDefaults(group["source"], DIGITS_EPOCHS)
    if dataset and dataset.endswith("-valid") and split == "valid":
        split = None
    words = [part for part in (dataset, split, group["name"], group["device"]) if part]
    if group["stage"] == "half":
        words.append("half")
    if group["epochs"] is not None and group["epochs"] != defaults.epochs and group["kind"] != "reported":
        words.append(f"{group['epochs']}ep")
    if _tells_source(group, defaults):
        words.append(group["source"])
    if group["kind"] in ("surrogate", "reported", "supernet") and not group["device"]:
        words.append(group["kind"])
    return "_".join(word(part) for part in words)


def _is_own_training(group: Group) -> bool:
    return bool(group["dataset"] == DIGITS and group["source"] in DIGITS_SOURCES)


def _tells_source(group: Group, defaults: WideDefaults) -> bool:
    """Whether the column's name has the source's: a user's table, or trainings of another source than the usual one.

    The files of a user's own space are parts of one source.
    """
    if group["source_kind"] == OWN_GRAPHS:
        return False
    return not is_reserved(group["source"]) or bool(group["kind"] == "trained" and group["source"] != defaults.source)


_MEANING = ("name", "kind", "dataset", "split", "epochs", "stage", "device")
_TOLD_APART: tuple[Callable[[Group], str | None], ...] = (
    lambda group: group["stage"],
    lambda group: f"{group['epochs']}ep" if group["epochs"] is not None else None,
    lambda group: group["kind"],
)


def metric_columns(groups: Sequence[Group], defaults: WideDefaults) -> dict[str, list[Group]]:
    """Kinds of metric rows by their column; those of one column differ in nothing but the source.

    Where two names come out alike (devices ``gpu-1`` and ``gpu_1``, the best epoch and the last one), the plain name
    is that of the default source, then of the default length, and the others get what tells them apart.
    """

    def identity(group: Group) -> tuple[object, ...]:
        is_told = not _is_own_training(group) and _tells_source(group, defaults)
        return (*(group[key] for key in _MEANING), group["source"] if is_told else None)

    def usual(group: Group) -> tuple[bool, ...]:
        return (
            group["name"] != word(group["name"]),
            group["source"] != defaults.source,
            group["epochs"] != defaults.epochs,
            group["stage"] not in (None, "final"),
        )

    return named_apart(
        sorted(groups, key=usual), lambda group: metric_column_name(group, defaults), identity, _TOLD_APART
    )


PUBLISHED = "published"
"""Ends the columns of the scores that came with a benchmark, or with the graphs of a user's own space."""


def score_key(group: Mapping[str, Any]) -> tuple[object, ...]:
    """What scores of one column have in common."""
    return group["column"], group["published_as"], group["input"]


def proxy_columns(groups: Iterable[Group]) -> dict[str, list[Group]]:
    """Kinds of score rows by their column; those of one column are of one proxy."""
    return named_apart(groups, proxy_column_name, score_key)


def proxy_column_name(group: Mapping[str, Any]) -> str:
    """The proxy's column; scores that came with a file, and inputs other than the default, get a suffix.

    ``published_as`` is None for a score of our own, else `PUBLISHED`, or the name of the user's table that it is from;
    empty for scores that are called what their author calls them.
    """
    words = [group["column"]]
    usual = DEFAULT_INPUT if group["published_as"] is None else "cifar10"
    if group["published_as"]:
        words.append(group["published_as"])
    if group["input"] not in (None, usual):
        words.append(group["input"])
    return "_".join(word(part) for part in words)


def named_apart(
    groups: Iterable[Group],
    name_of: Callable[[Group], str],
    identity: Callable[[Group], tuple[object, ...]],
    differing: Sequence[Callable[[Group], str | None]] = (),
) -> dict[str, list[Group]]:
    """Groups by the column that shows them; two whose names come out alike share it only if they mean the same.

    Parameters
    ----------
    name_of
        The plain name, which the first group gets that has it.
    identity
        What groups of one column have in common.
    differing
        Words that tell a further one from the first, tried in this order; numbers follow where none does.
    """
    alike: defaultdict[str, dict[tuple[object, ...], list[Group]]] = defaultdict(dict)
    for group in groups:
        alike[name_of(group)].setdefault(identity(group), []).append(group)
    named = {name: next(iter(meanings.values())) for name, meanings in alike.items()}
    for name, meanings in alike.items():
        first, *others = (members[0] for members in meanings.values())
        for other, members in zip(others, list(meanings.values())[1:], strict=True):
            words = [told(other) for told in differing if told(other) != told(first)]
            numbers = map(str, range(2, len(named) + 3))
            candidates = (f"{name}_{word(text)}" for text in (*words, *numbers) if text)
            named[next(candidate for candidate in candidates if candidate not in named)] = members
    return named
