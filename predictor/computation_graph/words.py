"""What the operators of computation graphs are called, and the vectors of their descriptions."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from catalog.architecture.computation.arrays import word_of_operator
from catalog.architecture.computation.vocabulary import PLAIN
from catalog.architecture.operators import Operator, Vocabulary
from catalog.output_file import write_bytes
from predictor.encoding.embedding import embed, learn, reduced
from predictor.encoding.encoder import DEFAULT

WINDOWED: Mapping[str, tuple[str, str]] = {
    "conv": ("conv", "Convolution"),
    "depthwise_conv": ("conv", "Depthwise convolution"),
    "grouped_conv": ("conv", "Grouped convolution"),
    "transposed_conv": ("conv", "Transposed convolution"),
    "depthwise_transposed_conv": ("conv", "Depthwise transposed convolution"),
    "grouped_transposed_conv": ("conv", "Grouped transposed convolution"),
    "maxpool": ("pool", "Max pooling"),
    "avgpool": ("pool", "Average pooling"),
    "lppool": ("pool", "Lp pooling"),
}
"""Words of operators with a window, without it: to kind and description."""

KNOWN: Mapping[str, tuple[str, str]] = {
    "input": ("input", "Input"),
    "output": ("output", "Output"),
    "concat": ("merge", "Concatenation"),
    **WINDOWED,
    **PLAIN,
}
"""All words that the families have."""

FAMILIES = tuple(sorted({kind for kind, _ in KNOWN.values()} | {"other"}))
OTHER = FAMILIES.index("other")
WIDTH = 24
"""Directions that are kept of a description's vector."""

_SHIPPED = "words.npz"

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class WordTable:
    """The operators of one batch as numbers.

    Parameters
    ----------
    vectors
        (W, `WIDTH`) of their descriptions.
    family
        (W,) places in `FAMILIES`.
    unknown
        Words that no family has; they are read by their descriptions.
    """

    vectors: Vectors
    family: NDArray[np.int64]
    unknown: tuple[str, ...]


def table_of(words: Sequence[str], kinds: Sequence[str], vocabulary: Vocabulary) -> WordTable:
    """The table of a batch's words.

    Raises
    ------
    MissingExtraError, EncoderError
        A description is new, and the sentence encoder is not on this machine.
    """
    unknown = unknown_words(words)
    said = _said(vocabulary) if unknown else {}
    sentences = [KNOWN[word][1] if word in KNOWN else said.get(word, word.replace("_", " ")) for word in words]
    places = [FAMILIES.index(kind) if kind in FAMILIES else OTHER for kind in kinds]
    return WordTable(_vectors(tuple(sentences)), np.array(places, dtype=np.int64), unknown)


def unknown_words(words: Sequence[str]) -> tuple[str, ...]:
    """Those that no family has."""
    return tuple(word for word in words if word not in KNOWN)


def digest() -> str:
    """sha256 of all that decides what an operator's features are: words, families, descriptions, sentence encoder."""
    told = json.dumps([sorted(KNOWN.items()), FAMILIES, WIDTH, DEFAULT.digest])
    return hashlib.sha256(told.encode()).hexdigest()


def write_shipped(path: Path) -> int:
    """Encode the descriptions of all known words and write them to `path`; returns how many there are."""
    sentences = sorted({sentence for _, sentence in KNOWN.values()})
    content = io.BytesIO()
    np.savez_compressed(content, sentences=np.array(sentences), vectors=DEFAULT.encode(sentences))
    write_bytes(path, content.getvalue())
    return len(sentences)


def _said(vocabulary: Vocabulary) -> dict[str, str]:
    """By word: the description of the first operator of a vocabulary that has it."""
    found: dict[str, str] = {}
    for operator in vocabulary:
        found.setdefault(word_of_operator(operator)[0], operator.short)
    return found


@cache
def _vectors(sentences: tuple[str, ...]) -> Vectors:
    _recall()
    described = [Operator(sentence, "other", sentence, sentence, sentence) for sentence in sentences]
    return reduced(embed(described), WIDTH)


@cache
def _recall() -> None:
    """Give this process the vectors that the package brings."""
    with files("predictor.computation_graph").joinpath(_SHIPPED).open("rb") as file:
        stored = np.load(file, allow_pickle=False)
        learn(DEFAULT.digest, stored["sentences"].tolist(), list(stored["vectors"]))
