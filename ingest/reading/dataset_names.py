"""The catalog's word for a data set, from whatever a file or its name calls it."""

from __future__ import annotations

import re

_KNOWN = (
    (re.compile(r"imagenet[-_]?16(?:[-_]?120)?", re.IGNORECASE), "imagenet16-120"),
    (re.compile(r"cifar[-_]?10[-_]valid", re.IGNORECASE), "cifar10-valid"),
    (re.compile(r"cifar[-_]?100", re.IGNORECASE), "cifar100"),
    (re.compile(r"cifar[-_]?10", re.IGNORECASE), "cifar10"),
    (re.compile(r"imagenet", re.IGNORECASE), "imagenet"),
)


def dataset_word(name: str) -> str:
    """The catalog's word for a data set's name; an unknown name in lower case."""
    for pattern, word in _KNOWN:
        if pattern.fullmatch(name):
            return word
    return name.lower()


def dataset_in(text: str) -> str | None:
    """The first known data set that a file's name mentions."""
    for pattern, word in _KNOWN:
        if pattern.search(text):
            return word
    return None
