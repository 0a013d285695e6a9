"""Which spaces can be varied, and the choices that each is made of."""

from __future__ import annotations

from catalog.errors import UsageError
from catalog.search.methods.choices import Choices
from catalog.search.methods.darts_choices import DARTSChoices
from catalog.search.methods.nb101_choices import NB101Choices
from catalog.search.methods.operator_choices import NB201Choices, SizeChoices, TransNASChoices
from catalog.search.methods.staged_choices import StagedChoices
from catalog.spaces.base import SearchSpace
from catalog.spaces.staged.space import StagedSpace


def choices_of(space: SearchSpace) -> Choices | None:
    """The space as choices; None where it has no rule by which architectures can be made, as a user's own space."""
    if space.name == "nb101":
        return NB101Choices(space)
    if space.name == "nb201":
        return NB201Choices(space)
    if space.name == "transnas_micro":
        return TransNASChoices(space)
    if space.name == "nats-sss":
        return SizeChoices(space)
    if space.name == "darts":
        return DARTSChoices(space)
    if isinstance(space, StagedSpace):
        return StagedChoices(space)
    return None


def required_choices(space: SearchSpace) -> Choices:
    """`choices_of` a space that a method needs to vary.

    Raises
    ------
    UsageError
        The space cannot be varied.
    """
    choices = choices_of(space)
    if choices is None:
        raise UsageError(
            f"the space {space.name!r} has no rule by which its architectures could be varied; search its stored ones "
            "with the methods exhaustive or random."
        )
    return choices
