"""The one rule for a seed that a user gives, checked before anything is read or drawn."""

from __future__ import annotations

from catalog.errors import UsageError

LARGEST_SEED = 2**32 - 1
"""The largest that every library takes that draws numbers here."""


def checked_seed(seed: int) -> int:
    """The seed, if every generator of random numbers takes it.

    Raises
    ------
    UsageError
        It is negative or too large.
    """
    if not 0 <= seed <= LARGEST_SEED:
        raise UsageError(f"the seed is {seed!r}; a whole number from 0 to {LARGEST_SEED:,} is needed.")
    return seed
