"""Everything that changes the numbers of TG-NAS; saved beside the weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from catalog.errors import UsageError
from predictor.door import checkpoint
from predictor.encoding.encoder import DEFAULT, Encoder

EMBEDDINGS = ("minilm-short", "minilm-medium", "minilm-long", "one-hot", "random", "none")
_SENTENCE = "minilm-"


@dataclass(frozen=True)
class TGNASConfig:
    """Shape, features and training of one member of the ensemble.

    Parameters
    ----------
    width, layers
        Hidden features of a node; rounds of message passing.
    embedding
        What an operator looks like besides its descriptors: one of `EMBEDDINGS`. ``minilm-short`` is the short sentence
        as `encoder` reads it; the prefix is of the time when there was one encoder.
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
    encoder
        What reads the sentences.
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
    encoder: Encoder = DEFAULT

    def __post_init__(self) -> None:
        if self.embedding not in EMBEDDINGS:
            raise UsageError(f"unknown embedding {self.embedding!r}; choose one of {', '.join(EMBEDDINGS)}.")
        if self.embedding == "none" and not self.descriptors:
            raise UsageError("embedding 'none' without descriptors leaves the operators nameless; allow one of them.")

    @property
    def style(self) -> str | None:
        """The sentence that is read of an operator; None if none is."""
        return self.embedding.removeprefix(_SENTENCE) if self.embedding.startswith(_SENTENCE) else None

    def to_dict(self) -> dict[str, Any]:
        """The configuration as plain values, for the card; the default encoder is left out, as older cards have it."""
        values = asdict(self)
        if self.encoder == DEFAULT:
            del values["encoder"]
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The configuration of a card."""
        encoder = values.get("encoder")
        return cls(**{**values, "encoder": DEFAULT if encoder is None else Encoder(**encoder)})


def digest_of(card: Mapping[str, Any]) -> str:
    """sha256 of all in a card that decides a score; which encoder it names does, and where that lies does not."""
    configuration = dict(card.get("configuration", {}))
    if "encoder" in configuration:
        configuration["encoder"] = configuration["encoder"]["digest"]
    return checkpoint.digest_of({**card, "configuration": configuration})
