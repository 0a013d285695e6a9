"""The table ``operator_embedding``: an operator's sentence is encoded once and read by every later scoring."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from catalog.tables.stored_graphs import read_vocabulary
from predictor.encoding import embedding, minilm

if TYPE_CHECKING:
    from catalog.storage.store import Store

ENCODER = minilm.NAME

_MEANT = """
    SELECT name, space FROM operator WHERE space = $space
    UNION ALL
    SELECT name, space FROM operator WHERE space = '*' AND name NOT IN (SELECT name FROM operator WHERE space = $space)
"""
"""What the operator names of a space mean: its own operators, and the built-in ones that it does not redefine."""


def recall(catalog: Store, space: str) -> int:
    """Give this process the stored embeddings of a space's operators; returns how many there are.

    A later `predictor.encoding.embedding.embed` of these operators does not load the encoder.
    """
    rows = catalog.arrow(
        f"""
        SELECT operator, style, vector FROM operator_embedding JOIN ({_MEANT}) AS meant
            ON meant.name = operator AND meant.space = operator_embedding.space
        WHERE encoder = $encoder AND list_contains($styles, style)
        """,
        {"space": space, "encoder": ENCODER, "styles": list(embedding.STYLES)},
    )
    vocabulary = read_vocabulary(catalog, space)
    described = zip(rows["operator"].to_pylist(), rows["style"].to_pylist(), strict=True)
    sentences = [embedding.sentence_of(vocabulary[name], style) for name, style in described]
    embedding.learn(sentences, np.array(rows["vector"].to_pylist(), dtype=np.float32).reshape(-1, embedding.SIZE))
    return len(sentences)


def remember(catalog: Store, space: str) -> int:
    """Store the embeddings of the operators that occur in a space, in every style, where they are missing.

    Returns
    -------
    int
        How many were stored.

    Raises
    ------
    MissingExtraError
        A new sentence needs the encoder, and it is not installed.
    """
    missing = catalog.arrow(
        f"""
        SELECT meant.name, meant.space, style FROM ({_MEANT}) AS meant
        CROSS JOIN (SELECT unnest($styles) AS style) AS styles
        ANTI JOIN operator_embedding AS known ON known.operator = meant.name AND known.space = meant.space
            AND known.style = styles.style AND encoder = $encoder
        WHERE meant.name IN (
            SELECT DISTINCT node.operator FROM node JOIN architecture ON id = architecture_id WHERE space = $space)
        ORDER BY ALL
        """,
        {"space": space, "encoder": ENCODER, "styles": list(embedding.STYLES)},
    )
    if missing.num_rows:
        vocabulary = read_vocabulary(catalog, space)
        vectors = np.empty((missing.num_rows, embedding.SIZE), dtype=np.float32)
        operators = [vocabulary[name] for name in missing["name"].to_pylist()]
        styles = np.array(missing["style"].to_pylist())
        for style in embedding.STYLES:
            rows = np.flatnonzero(styles == style)
            vectors[rows] = embedding.embed([operators[row] for row in rows], style)
        catalog.append(
            "operator_embedding",
            pa.table(
                {
                    "operator": missing["name"],
                    "space": missing["space"],
                    "encoder": [ENCODER] * missing.num_rows,
                    "style": missing["style"],
                    "vector": pa.array(list(vectors), pa.list_(pa.float32())),
                }
            ),
        )
    return int(missing.num_rows)
