"""The operator table that the network looks nodes up in: descriptors beside an embedding."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from catalog.architecture.operators import Operator
from predictor.encoding.descriptors import DESCRIPTOR_SIZE, describe, descriptor_table
from predictor.encoding.embedding import embed, one_hot, random_vectors, reduced
from predictor.tg_nas.config import TGNASConfig


def feature_size(config: TGNASConfig) -> int:
    """Columns of `operator_features`."""
    embedding = 0 if config.embedding == "none" else config.embedding_size or config.encoder.width
    return embedding + (DESCRIPTOR_SIZE if config.descriptors else 0)


def operator_features(operators: Sequence[Operator], config: TGNASConfig) -> NDArray[np.float32]:
    """(operators, features): what the network is told about each operator."""
    columns = []
    if config.descriptors:
        columns.append(descriptor_table(describe(operators)))
    if config.embedding == "one-hot":
        columns.append(one_hot(operators, config.embedding_size or config.encoder.width))
    elif config.embedding == "random":
        columns.append(random_vectors(operators, config.embedding_size or config.encoder.width))
    elif config.style is not None:
        vectors = embed(operators, config.style, config.encoder)
        if config.embedding_size:
            vectors = reduced(vectors, config.embedding_size, config.style, config.encoder)
        columns.append(vectors)
    return np.concatenate(columns, axis=1)
