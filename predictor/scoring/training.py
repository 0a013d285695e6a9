"""Training a predictor on stored spaces, with labels or without: weights and card into a folder."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from catalog.errors import UsageError, UserCodeError
from catalog.extras import require
from catalog.output_file import make_folder
from catalog.progress import Listener
from catalog.user_code import reported
from predictor.door import Labelled, Predictor, Training
from predictor.door.registry import predictor_named, predictors
from predictor.encoding.stored_embeddings import recall
from predictor.scoring.reading import read_given, read_labelled

if TYPE_CHECKING:
    from catalog.storage.store import Store


def train(
    catalog: Store,
    predictor: str,
    spaces: Sequence[str],
    target: str,
    out: Path,
    *,
    sample: int | None = None,
    seed: int = 0,
    options: Mapping[str, object],
    listener: Listener,
) -> dict[str, Any]:
    """Train a predictor on the labels of stored spaces; gives its card.

    Parameters
    ----------
    predictor
        Its name, or ``module:Class``.
    spaces
        Stored spaces whose labels it learns.
    target
        Column of their wide views that is the label.
    out
        Folder for weights and card; a call that was interrupted goes on where it was, if the predictor can.
    sample
        Draw so many labels of each space; all if None.
    seed
        Seed of the draw, and of everything random in the training.
    options
        The predictor's own options by name.

    Raises
    ------
    UnknownProxyError
        There is no such predictor.
    UsageError
        It learns nothing, has no such option, a space or a column is unknown, or the labels are unusable.
    """
    kind = predictor_named(predictor)
    if not kind.needs.labels:
        able = ", ".join(name for name, one in predictors().items() if one.needs.labels)
        raise UsageError(f"{kind.name} learns nothing: it scores without labels. Those that learn: {able}.")
    if sample is not None and sample < kind.fewest_labels:
        raise UsageError(f"--sample {sample}: {kind.name} needs at least {kind.fewest_labels} labels.")
    if kind.needs.extra is not None:
        require(kind.needs.extra)
    model = kind.configured(options)
    with _folder(out):
        sources = [
            read_labelled(catalog, space, target, kind.needs, sample=sample, seed=seed).require(kind.fewest_labels)
            for space in dict.fromkeys(spaces)
        ]
        if kind.needs.reads_operators:
            for space in dict.fromkeys(spaces):
                recall(catalog, space)
        with listener.watch(f"training {kind.name}") as advance, reported(predictor):
            fitted = model.fit(sources, Training(seed, out, advance))
        if not isinstance(fitted, Predictor):
            raise UserCodeError(
                f"{predictor}: fit gives a {type(fitted).__name__}; it has to give the predictor itself."
            )
        fitted.card = _origin(sources, seed) | fitted.card
        with reported(predictor):
            return fitted.save(out)


def pretrain(
    catalog: Store,
    predictor: str,
    spaces: Sequence[str],
    out: Path,
    *,
    seed: int = 0,
    options: Mapping[str, object],
    listener: Listener,
) -> dict[str, Any]:
    """Train a predictor on the architectures of stored spaces, without labels; gives its card.

    Parameters
    ----------
    predictor, spaces, out, seed, options
        As of `train`.

    Raises
    ------
    UnknownProxyError
        There is no such predictor.
    UsageError
        It learns nothing without labels, has no such option, or a space is unknown.
    """
    kind = predictor_named(predictor)
    if kind.needs.extra is not None:
        require(kind.needs.extra)
    model = kind.configured(options)
    names = list(dict.fromkeys(spaces))
    with _folder(out):
        sources = [read_given(catalog, space, kind.needs)[1] for space in names]
        for space in names:
            recall(catalog, space)
        with listener.watch(f"training {kind.name}") as advance, reported(predictor):
            fitted = model.pretrain(sources, Training(seed, out, advance))
        fitted.card = {"seeds": [seed], "versions": _versions()} | fitted.card
        with reported(predictor):
            return fitted.save(out)


@contextmanager
def _folder(out: Path) -> Iterator[None]:
    """Make a folder before the work, so that one that cannot be made is told at once; leave no empty one behind."""
    missing = [folder for folder in (out, *out.parents) if not folder.exists()]
    make_folder(out)
    try:
        yield
    except BaseException:
        for folder in missing:
            if any(folder.iterdir()):
                break
            folder.rmdir()
        raise


def _versions() -> dict[str, str]:
    return {name: version(name) for name in ("nas-catalog", "numpy")}


def _origin(sources: Sequence[Labelled], seed: int) -> dict[str, Any]:
    """What a card says of where the weights came from, if the predictor does not say it itself."""
    return {
        "sources": [
            {
                "name": source.name,
                "architectures": int(np.isfinite(source.labels).sum()),
                "labels_sha256": hashlib.sha256(np.ascontiguousarray(source.labels).tobytes()).hexdigest(),
            }
            | ({} if source.native_ids is None else {"native_ids": list(source.native_ids)})
            for source in sources
        ],
        "seeds": [seed],
        "versions": _versions(),
    }
