"""The table ``operator_embedding``: an operator's sentence is encoded once and read by every later scoring."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from catalog.operators import Operator
from catalog.stored_graphs import read_vocabulary
from predictor import embedding, minilm

if TYPE_CHECKING:
    from catalog.store import Catalog

ENCODER = minilm.NAME

_MEANT = """
    SELECT name, space FROM operator WHERE space = $space
    UNION ALL
    SELECT name, space FROM operator WHERE space = '*' AND name NOT IN (SELECT name FROM operator WHERE space = $space)
"""
"""What the operator names of a space mean: its own operators, and the built-in ones that it does not redefine."""


def recall(catalog: Catalog, space: str, style: str = "short") -> int:
    """Give this process the stored embeddings of a space's operators; returns how many there are.

    A later `predictor.embedding.embed` of these operators does not load the encoder.
    """
    rows = catalog.arrow(
        f"""
        SELECT operator, vector FROM operator_embedding JOIN ({_MEANT}) AS meant
            ON meant.name = operator AND meant.space = operator_embedding.space
        WHERE encoder = $encoder AND style = $style
        """,
        {"space": space, "encoder": ENCODER, "style": style},
    )
    vocabulary = read_vocabulary(catalog, space)
    sentences = [embedding.sentence_of(vocabulary[name], style) for name in rows["operator"].to_pylist()]
    embedding.learn(sentences, np.array(rows["vector"].to_pylist(), dtype=np.float32).reshape(-1, embedding.SIZE))
    return len(sentences)


def remember(catalog: Catalog, space: str, style: str = "short") -> int:
    """Store the embeddings of the operators that occur in a space, where they are missing; returns how many were.

    Raises
    ------
    MissingExtraError
        A new sentence needs the encoder, and it is not installed.
    """
    missing = catalog.arrow(
        f"""
        SELECT meant.name, meant.space FROM ({_MEANT}) AS meant
        ANTI JOIN operator_embedding AS known ON known.operator = meant.name AND known.space = meant.space
            AND encoder = $encoder AND style = $style
        WHERE meant.name IN (
            SELECT DISTINCT node.operator FROM node JOIN architecture ON id = architecture_id WHERE space = $space)
        ORDER BY ALL
        """,
        {"space": space, "encoder": ENCODER, "style": style},
    )
    if missing.num_rows:
        vocabulary = read_vocabulary(catalog, space)
        operators: list[Operator] = [vocabulary[name] for name in missing["name"].to_pylist()]
        catalog.append(
            "operator_embedding",
            pa.table(
                {
                    "operator": missing["name"],
                    "space": missing["space"],
                    "encoder": [ENCODER] * missing.num_rows,
                    "style": [style] * missing.num_rows,
                    "vector": pa.array(list(embedding.embed(operators, style)), pa.list_(pa.float32())),
                }
            ),
        )
    return int(missing.num_rows)
