"""A sentence encoder for tests: a BERT of width 48 with random weights that reads 16 word pieces."""

from __future__ import annotations

import json
import string
from pathlib import Path

WIDTH, MAX_TOKENS = 48, 16
WORDS = ("convolution", "pooling", "a", "of", "attention", "gabor", "filter", "by", "kernel", "max", "average")

_MODULES = {"": "Transformer", "1_Pooling": "Pooling"}


def save_small_bert(folder: Path, seed: int = 0) -> Path:
    """Write the model into `folder`, as sentence-transformers saves one."""
    import torch
    from transformers import BertConfig, BertModel, BertTokenizerFast

    (folder / "1_Pooling").mkdir(parents=True)
    letters = [*string.ascii_lowercase, *string.digits, "-", ","]
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{one}" for one in letters), *WORDS]
    (folder / "vocab.txt").write_text("\n".join(dict.fromkeys(pieces)) + "\n")
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    torch.manual_seed(seed)
    shape = BertConfig(
        vocab_size=len(set(pieces)),
        hidden_size=WIDTH,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=96,
        max_position_embeddings=64,
    )
    BertModel(shape).save_pretrained(folder)
    modules = [
        {"idx": place, "name": str(place), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for place, (path, kind) in enumerate(_MODULES.items())
    ]
    pooling = {"word_embedding_dimension": WIDTH, "pooling_mode_mean_tokens": True}
    reading = {"max_seq_length": MAX_TOKENS, "do_lower_case": False}
    for name, content in (
        ("modules.json", modules),
        ("1_Pooling/config.json", pooling),
        ("sentence_bert_config.json", reading),
    ):
        (folder / name).write_text(json.dumps(content))
    return folder
