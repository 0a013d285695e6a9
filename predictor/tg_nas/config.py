"""Everything that changes the numbers of TG-NAS; saved beside the weights."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from catalog.errors import UsageError

EMBEDDINGS = ("minilm-short", "minilm-medium", "minilm-long", "one-hot", "random", "none")


@dataclass(frozen=True)
class TGNASConfig:
    """Shape, features and training of one member of the ensemble.

    Parameters
    ----------
    width, layers
        Hidden features of a node; rounds of message passing.
    embedding
        What an operator looks like besides its descriptors: one of `EMBEDDINGS`.
    embedding_size
        Components kept of it by PCA over the built-in operators; 0 keeps all.
    descriptors
        Whether the numeric descriptors are used.
    graphs
        Training graphs drawn for one member, as many from each source.
    epochs, batch, learning_rate, weight_decay
        AdamW with a one-cycle schedule of fixed length.
    ordering
        Weight of the operator-ordering loss; 0 switches it off.
    margin
        How much better the stronger operator has to be, in standard deviations of the labels.
    """

    width: int = 64
    layers: int = 2
    embedding: str = "minilm-short"
    embedding_size: int = 0
    descriptors: bool = True
    graphs: int = 30_000
    epochs: int = 3
    batch: int = 256
    learning_rate: float = 3e-3
    weight_decay: float = 1e-4
    ordering: float = 1.0
    margin: float = 0.05

    def __post_init__(self) -> None:
        if self.embedding not in EMBEDDINGS:
            raise UsageError(f"unknown embedding {self.embedding!r}; choose one of {', '.join(EMBEDDINGS)}.")
        if self.embedding == "none" and not self.descriptors:
            raise UsageError("embedding 'none' without descriptors leaves the operators nameless; allow one of them.")

    def to_dict(self) -> dict[str, Any]:
        """The configuration as plain values, for the card."""
        return asdict(self)
