"""Operator embeddings: the shipped vectors are the encoder's, and the controls know nothing but identity."""

from __future__ import annotations

import numpy as np
import pytest

from catalog.architecture.operators import BUILT_IN, VOCABULARY, Operator
from catalog.errors import UsageError
from predictor.encoding import embedding, minilm


def test_our_encoder_gives_the_numbers_of_sentence_transformers() -> None:
    from sentence_transformers import SentenceTransformer

    sentences = [
        "Input",
        "Convolution 3 by 3",
        VOCABULARY["nor_conv_1x1"].long,
        "an operator, never seen: Mamba-2 (SSM)",
    ]
    library = SentenceTransformer(str(minilm.model_folder()), device="cpu")
    np.testing.assert_allclose(
        minilm.encode(sentences), library.encode(sentences, normalize_embeddings=True), atol=2e-6
    )


@pytest.mark.parametrize("style", embedding.STYLES)
def test_shipped_vectors_are_those_of_the_encoder(style: str) -> None:
    sentences = [getattr(operator, style) for operator in BUILT_IN]
    np.testing.assert_allclose(embedding.embed(BUILT_IN, style), minilm.encode(sentences), atol=2e-6)


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
    assert found.shape == (2, embedding.SIZE)
    np.testing.assert_allclose(found[0], minilm.encode(["Gabor filter 7 by 7"])[0], atol=2e-6)


def test_controls_have_the_size_of_the_sentences_and_tell_descriptions_apart() -> None:
    operators = [VOCABULARY[word] for word in ("conv3x3", "nor_conv_3x3", "conv1x1")]
    for control in (embedding.one_hot(operators), embedding.random_vectors(operators)):
        assert control.shape == (3, embedding.SIZE)
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
