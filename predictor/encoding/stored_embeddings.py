"""The table ``operator_embedding``: a sentence is encoded once and read by every later scoring."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from catalog.architecture.operators import BUILT_IN, Operator
from catalog.tables.stored_graphs import read_vocabulary
from catalog.tables.stored_operators import operator_of
from predictor.encoding import embedding
from predictor.encoding.encoder import Vectors

if TYPE_CHECKING:
    from catalog.storage.store import Store


def recall(catalog: Store, space: str) -> int:
    """Give this process the stored embeddings of a space's operators, by every encoder; returns how many there are.

    A later `predictor.encoding.embedding.embed` of these operators does not load the encoder.
    """
    return recall_operators(catalog, [*BUILT_IN, *read_vocabulary(catalog, space)])


def recall_operators(catalog: Store, operators: Iterable[Operator]) -> int:
    """The same for operators of any space."""
    sentences = dict.fromkeys(
        embedding.sentence_of(operator, style) for operator in operators for style in embedding.STYLES
    )
    rows = catalog.arrow(
        """
        SELECT DISTINCT ON (encoder, sentence) encoder, sentence, vector
        FROM operator_embedding SEMI JOIN wanted USING (sentence) ORDER BY encoder, sentence, style
        """,
        tables={"wanted": pa.table({"sentence": pa.array(list(sentences), pa.string())})},
    ).to_pylist()
    for row in rows:
        embedding.learn(row["encoder"], [row["sentence"]], [np.array(row["vector"], dtype=np.float32)])
    return len(rows)


def remember(catalog: Store, space: str) -> int:
    """Store the embeddings that this process has of a space's operators, where they are missing.

    Vectors that the package brings are stored for the operators that occur in the space, so that SQL finds them.

    Returns
    -------
    int
        How many were stored.
    """
    made = embedding.held([*BUILT_IN, *read_vocabulary(catalog, space)], only_made=True)
    return _store(catalog, made | embedding.held(occurring_operators(catalog, space)))


def remember_made(catalog: Store) -> int:
    """Store what this process had to encode of operators of any space; returns how many embeddings were new."""
    if not embedding.has_made():
        return 0
    rows = catalog.arrow("SELECT name, kind, short, medium, long FROM operator ORDER BY space, name").to_pylist()
    return _store(catalog, embedding.held((operator_of(row) for row in rows), only_made=True))


def occurring_operators(catalog: Store, space: str) -> list[Operator]:
    """The operators that the stored architectures of a space have."""
    vocabulary = read_vocabulary(catalog, space)
    names = catalog.arrow(
        "SELECT DISTINCT operator FROM node JOIN architecture ON id = architecture_id WHERE space = ? ORDER BY ALL",
        [space],
    )["operator"].to_pylist()
    return [vocabulary[name] for name in names]


def _store(catalog: Store, found: Mapping[tuple[str, str, str], Vectors]) -> int:
    """Store vectors by encoder digest, style and sentence, where they are missing."""
    if not found:
        return 0
    encoders, styles, sentences = zip(*found, strict=True)
    table = pa.table(
        {
            "encoder": pa.array(encoders),
            "style": pa.array(styles),
            "sentence": pa.array(sentences),
            "vector": pa.array(list(found.values()), pa.list_(pa.float32())),
        }
    )
    return catalog.execute(
        """
        INSERT INTO operator_embedding BY NAME
        FROM found ANTI JOIN operator_embedding USING (encoder, style, sentence) ORDER BY encoder, style, sentence
        """,
        tables={"found": table},
    )
