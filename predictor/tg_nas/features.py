"""The operator table that the network looks nodes up in: descriptors beside an embedding."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from catalog.architecture.operators import Operator
from predictor.encoding.embedding import SIZE, embed, one_hot, random_vectors, reduced
from predictor.tg_nas.config import TGNASConfig
from predictor.tg_nas.descriptors import DESCRIPTOR_SIZE, describe, descriptor_table


def feature_size(config: TGNASConfig) -> int:
    """Columns of `operator_features`."""
    embedding = 0 if config.embedding == "none" else config.embedding_size or SIZE
    return embedding + (DESCRIPTOR_SIZE if config.descriptors else 0)


def operator_features(operators: Sequence[Operator], config: TGNASConfig) -> NDArray[np.float32]:
    """(operators, features): what the network is told about each operator."""
    columns = []
    if config.descriptors:
        columns.append(descriptor_table(describe(operators)))
    if config.embedding == "one-hot":
        columns.append(one_hot(operators, config.embedding_size or SIZE))
    elif config.embedding == "random":
        columns.append(random_vectors(operators, config.embedding_size or SIZE))
    elif config.embedding != "none":
        style = config.embedding.removeprefix("minilm-")
        vectors = embed(operators, style)
        columns.append(reduced(vectors, config.embedding_size, style) if config.embedding_size else vectors)
    return np.concatenate(columns, axis=1)
