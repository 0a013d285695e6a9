"""The catalog's words for a data set and a split, from whatever a file or its name calls it."""

from __future__ import annotations

import re

_KNOWN = (
    (r"imagenet[-_]?16(?:[-_]?120)?", "imagenet16-120"),
    (r"cifar[-_]?10[-_]valid", "cifar10-valid"),
    (r"cifar[-_]?100", "cifar100"),
    (r"cifar[-_]?10", "cifar10"),
    (r"imagenet", "imagenet"),
)
# A hyphen or a number after a data set's name makes another data set of it: cifar10-1, cifar10.1, cifar100-lt.
_IN_FILE_NAME = re.compile(
    rf"(?<![^\W_])(?<!tiny[-_])(?<!mini[-_])(?:{'|'.join(known for known, _ in _KNOWN)})(?=_|--|\.(?!\d)|$)",
    re.IGNORECASE,
)
_SPLITS = {"val": "valid", "validation": "valid", "valid": "valid", "test": "test", "train": "train"}


def dataset_word(name: str) -> str:
    """The catalog's word for a data set's name; an unknown name in lower case."""
    for pattern, word in _KNOWN:
        if re.fullmatch(pattern, name, re.IGNORECASE):
            return word
    return name.lower()


def dataset_in(text: str) -> str | None:
    """The known data set that a file's name has as a whole word; None where it has none, or several."""
    found = {dataset_word(match[0]) for match in _IN_FILE_NAME.finditer(text)}
    return found.pop() if len(found) == 1 else None


def split_word(name: str) -> str:
    """The catalog's word for a split's name; an unknown name as it stands."""
    return _SPLITS.get(name.lower(), name)
