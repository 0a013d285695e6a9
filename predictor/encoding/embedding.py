"""Operators as vectors: sentence embeddings of their descriptions, and the controls that show what these add."""

from __future__ import annotations

import hashlib
import io
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np

from catalog.architecture.operators import BUILT_IN, Operator
from catalog.errors import EncoderError, MissingExtraError, UsageError
from catalog.output_file import write_bytes
from predictor.encoding.encoder import DEFAULT, Encoder, Vectors

STYLES = ("short", "medium", "long")
_SHIPPED = "operator_embeddings.npz"
_MOST_NAMED = 5


def embed(operators: Sequence[Operator], style: str = "short", encoder: Encoder = DEFAULT) -> Vectors:
    """Unit-length sentence embeddings of operators, (operators, width of the encoder).

    Those of the built-in operators by the default encoder are read from the package; an encoder is loaded only for
    sentences that this process has no vector of.

    Raises
    ------
    UsageError
        `style` is not one of `STYLES`.
    EncoderError
        A new sentence needs the encoder, and its model is not on this machine.
    MissingExtraError
        A new sentence needs the encoder, and it is not installed.
    """
    if missing := unknown(operators, style, encoder):
        learn(encoder.digest, missing, encoder.encode(missing))
        _made().update((encoder.digest, sentence) for sentence in missing)
    known = _known()[encoder.digest]
    vectors = [known[sentence_of(operator, style)] for operator in operators]
    return np.array(vectors, dtype=np.float32).reshape(-1, encoder.width)


def unknown(operators: Iterable[Operator], style: str = "short", encoder: Encoder = DEFAULT) -> list[str]:
    """The sentences of which this process has no vector, each once: an encoder would have to make it."""
    known = _known()[encoder.digest]
    return list(dict.fromkeys(one for operator in operators if (one := sentence_of(operator, style)) not in known))


def learn(digest: str, sentences: Sequence[str], vectors: Sequence[Vectors] | Vectors) -> None:
    """Keep an encoder's vectors of sentences that this process has none of, so that it need not encode them again."""
    known = _known()[digest]
    for sentence, vector in zip(sentences, vectors, strict=True):
        known.setdefault(sentence, vector)


def has_made() -> bool:
    """Whether this process had to encode anything."""
    return bool(_made())


def held(operators: Iterable[Operator], *, only_made: bool = False) -> dict[tuple[str, str, str], Vectors]:
    """The vectors that this process has of operators' sentences, by encoder digest, style and sentence.

    Parameters
    ----------
    only_made
        Leave out those that the package brings or a catalog held.
    """
    sentences = dict.fromkeys((style, sentence_of(operator, style)) for operator in operators for style in STYLES)
    return {
        (digest, style, sentence): known[sentence]
        for digest, known in _known().items()
        for style, sentence in sentences
        if sentence in known and (not only_made or (digest, sentence) in _made())
    }


def cut_short(operators: Iterable[Operator], style: str = "short", encoder: Encoder = DEFAULT) -> str | None:
    """A sentence for the user about descriptions whose end the encoder does not read; None where there is none.

    Where the model is not installed nobody can count, and nothing is encoded either.
    """
    names: dict[str, str] = {}
    for operator in operators:
        names.setdefault(sentence_of(operator, style), operator.name)
    try:
        pieces = encoder.too_long(names)
    except (EncoderError, MissingExtraError):
        return None
    if not pieces:
        return None
    found = ", ".join(f"{names[sentence]} ({count:,})" for sentence, count in list(pieces.items())[:_MOST_NAMED])
    more = f" and {len(pieces) - _MOST_NAMED:,} more" if len(pieces) > _MOST_NAMED else ""
    return (
        f"{encoder} reads the first {encoder.max_tokens} word pieces of a description; longer ones are cut off there, "
        f"and what stands after is not seen: {found}{more}. Say in fewer words what sets an operator apart."
    )


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
def _known() -> defaultdict[str, dict[str, Vectors]]:
    """Encoder digest to sentence to vector: what the package brings, and what `learn` added."""
    with files("predictor.encoding").joinpath(_SHIPPED).open("rb") as file:
        stored = np.load(file, allow_pickle=False)
        shipped = dict(zip(stored["sentences"].tolist(), stored["vectors"], strict=True))
    return defaultdict(dict, {DEFAULT.digest: shipped})


@cache
def _made() -> set[tuple[str, str]]:
    """Encoder digest and sentence of the vectors that were made in this process."""
    return set()


def write_shipped(path: str) -> int:
    """Encode every sentence of the built-in operators and write them to `path`; returns how many there are."""
    sentences = list(dict.fromkeys(sentence_of(operator, style) for operator in BUILT_IN for style in STYLES))
    content = io.BytesIO()
    np.savez_compressed(content, sentences=np.array(sentences), vectors=DEFAULT.encode(sentences))
    write_bytes(Path(path), content.getbuffer())
    return len(sentences)


def one_hot(operators: Iterable[Operator], size: int = DEFAULT.width) -> Vectors:
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


def random_vectors(operators: Iterable[Operator], size: int = DEFAULT.width, seed: int = 0) -> Vectors:
    """A control of the same size as the sentences without their meaning: a fixed random direction a description."""
    vectors = []
    for operator in operators:
        generator = np.random.default_rng([seed, _hash(operator.short)])
        vector = generator.standard_normal(size)
        vectors.append(vector / np.linalg.norm(vector))
    return np.array(vectors, dtype=np.float32).reshape(-1, size)


def reduced(vectors: Vectors, size: int, style: str = "short", encoder: Encoder = DEFAULT) -> Vectors:
    """`vectors` in the `size` leading principal directions of the built-in operators' embeddings of one style."""
    reference = embed(BUILT_IN, style, encoder)
    centre = reference.mean(axis=0)
    _, _, directions = np.linalg.svd(reference - centre, full_matrices=False)
    projected = (vectors - centre) @ directions[:size].T
    return np.pad(projected, ((0, 0), (0, size - projected.shape[1]))).astype(np.float32)


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
