"""Operators as vectors: sentence embeddings of their descriptions, and the controls that show what these add."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from catalog.architecture.operators import BUILT_IN, Operator
from catalog.errors import UsageError

Vectors = NDArray[np.float32]

STYLES = ("short", "medium", "long")
SIZE = 384
_SHIPPED = "operator_embeddings.npz"


def embed(operators: Sequence[Operator], style: str = "short") -> Vectors:
    """Unit-length sentence embeddings of operators, (operators, 384).

    The built-in operators are read from the package; the encoder is loaded only for sentences that are not among
    theirs.

    Raises
    ------
    UsageError
        `style` is not one of `STYLES`.
    MissingExtraError
        A new sentence needs the encoder, and it is not installed.
    """
    sentences = [sentence_of(operator, style) for operator in operators]
    known = _known()
    missing = list(dict.fromkeys(sentence for sentence in sentences if sentence not in known))
    if missing:
        from predictor.encoding.minilm import encode

        learn(missing, encode(missing))
    return np.array([known[sentence] for sentence in sentences], dtype=np.float32).reshape(-1, SIZE)


def learn(sentences: Sequence[str], vectors: Vectors) -> None:
    """Keep the encoder's vectors of sentences, (sentences, 384), so that this process need not encode them again."""
    _known().update(zip(sentences, vectors, strict=True))


def sentence_of(operator: Operator, style: str = "short") -> str:
    """What the encoder reads: the description in one style, or what comes nearest to it.

    Raises
    ------
    UsageError
        `style` is not one of `STYLES`.
    """
    if style not in STYLES:
        raise UsageError(f"unknown sentence style {style!r}; choose one of {', '.join(STYLES)}.")
    return str(getattr(operator, style)) or operator.short or operator.name.replace("_", " ")


@cache
def _known() -> dict[str, Vectors]:
    """Sentence to vector: what the package brings, and what `learn` added."""
    with files("predictor.encoding").joinpath(_SHIPPED).open("rb") as file:
        stored = np.load(file, allow_pickle=False)
        return dict(zip(stored["sentences"].tolist(), stored["vectors"], strict=True))


def write_shipped(path: str) -> int:
    """Encode every sentence of the built-in operators and write them to `path`; returns how many there are."""
    from predictor.encoding.minilm import encode

    sentences = list(dict.fromkeys(sentence_of(operator, style) for operator in BUILT_IN for style in STYLES))
    np.savez_compressed(path, sentences=np.array(sentences), vectors=encode(sentences))
    return len(sentences)


def one_hot(operators: Iterable[Operator], size: int = SIZE) -> Vectors:
    """A control that knows nothing but identity: one component an operator.

    Operators that describe themselves alike are one; those outside the built-in vocabulary share the place that their
    name hashes to, so that a new operator is a component that no training has touched.
    """
    places = {sentence: place for place, sentence in enumerate(dict.fromkeys(one.short for one in BUILT_IN))}
    vectors = []
    for operator in operators:
        vector = np.zeros(size, dtype=np.float32)
        free = size - len(places)
        vector[places.get(operator.short, len(places) + _hash(operator.name) % free)] = 1.0
        vectors.append(vector)
    return np.array(vectors, dtype=np.float32).reshape(-1, size)


def random_vectors(operators: Iterable[Operator], size: int = SIZE, seed: int = 0) -> Vectors:
    """A control of the same size as the sentences without their meaning: a fixed random direction a description."""
    vectors = []
    for operator in operators:
        generator = np.random.default_rng([seed, _hash(operator.short)])
        vector = generator.standard_normal(size)
        vectors.append(vector / np.linalg.norm(vector))
    return np.array(vectors, dtype=np.float32).reshape(-1, size)


def reduced(vectors: Vectors, size: int, style: str = "short") -> Vectors:
    """`vectors` in the `size` leading principal directions of the built-in operators' embeddings of one style."""
    reference = embed(BUILT_IN, style)
    centre = reference.mean(axis=0)
    _, _, directions = np.linalg.svd(reference - centre, full_matrices=False)
    projected = (vectors - centre) @ directions[:size].T
    return np.pad(projected, ((0, 0), (0, size - projected.shape[1]))).astype(np.float32)


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
