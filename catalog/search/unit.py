"""What a search looks at: functions, or architectures where those of one function differ in what is asked of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from catalog.search.stored_values import StoredSpace
from catalog.spaces.base import SearchSpace

FUNCTION = "function"
"""The first architecture that a search meets stands for all that compute the same."""

ARCHITECTURE = "architecture"
"""Every architecture is looked at for itself."""


def telling_twins_apart(
    space: SearchSpace, stored: StoredSpace, names: Iterable[str], computable: Collection[str], *, is_listed: bool
) -> tuple[str, ...]:
    """Those of some names whose values differ between architectures that compute the same function.

    A search over functions would see one of them only, and could answer with what a twin beats.

    Parameters
    ----------
    computable
        The names of which a missing value is computed.
    is_listed
        Whether all candidates are stored.
    """
    if (is_listed or space.forms_are_equal) and not stored.has_twins:
        return ()
    return tuple(name for name in names if _tells_apart(space, stored, name, computable, is_listed))


def _tells_apart(
    space: SearchSpace, stored: StoredSpace, name: str, computable: Collection[str], is_listed: bool
) -> bool:
    if name in stored.columns and stored.differs_between_twins(name):
        return True
    if name not in computable or (is_listed and name in stored.columns and not stored.lacking(name)):
        return False
    from predictor.scoring.candidates import is_of_function

    return not is_of_function(space, name)
