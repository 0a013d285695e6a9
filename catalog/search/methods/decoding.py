"""Genes to candidates, each combination decoded once."""

from __future__ import annotations

import numpy as np

from catalog.search.methods.choices import Choices, Genes
from catalog.search.methods.problem import Candidate
from catalog.search.methods.steps import candidates_of
from catalog.spaces.base import SearchSpace


class Decoder:
    """The candidates of genes, remembered: a search that has converged proposes the same genes again and again.

    Parameters
    ----------
    choices
        The space that the genes encode.
    named_by
        As `catalog.search.methods.problem.Problem.named_by`.
    """

    def __init__(self, choices: Choices, named_by: SearchSpace | None = None) -> None:
        self.choices = choices
        self.named_by = named_by
        self._candidates: dict[bytes, Candidate] = {}

    def candidates(self, genes: Genes) -> list[Candidate]:
        """The candidates that genes (B, D) stand for."""
        keys = [row.tobytes() for row in genes]
        missing = {key: row for key, row in zip(keys, genes, strict=True) if key not in self._candidates}
        if missing:
            made = candidates_of(self.choices.decode(np.stack(list(missing.values()))), self.named_by)
            self._candidates.update(zip(missing, made, strict=True))
        return [self._candidates[key] for key in keys]

    def __repr__(self) -> str:
        return f"Decoder({self.choices!r}, {len(self._candidates)} remembered)"
