"""A trained predictor on disk: one safetensors file, and a card that says what it is and where it came from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.errors import UsageError
from catalog.output_file import make_folder, write_bytes, write_text

WEIGHTS, CARD = "weights.safetensors", "card.json"
FORMAT = 2
_SEAL = "card_sha256"
_UNSEALED = ("sha256", "seconds_per_member")
"""The digest of the weights themselves, and what a clock said: equal trainings give equal bytes."""

State = Mapping[str, NDArray[Any]]


def write(folder: Path, state: State, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Write weights and card into `folder`, which is made if it does not exist; gives the card.

    Parameters
    ----------
    state
        The weights; what the folder held before is replaced.
    facts
        What the card says: ``predictor``, ``version``, ``configuration``, and whatever a reader should know.

    Raises
    ------
    StoreError
        A file cannot be written.
    """
    from safetensors.numpy import save

    card = {**facts, "format": FORMAT}
    data = save({name: np.ascontiguousarray(array) for name, array in state.items()}, sealed(card))
    card["sha256"] = hashlib.sha256(data).hexdigest()
    make_folder(folder)
    write_bytes(folder / WEIGHTS, data)
    write_card(folder, card)
    return card


def sealed(card: Mapping[str, Any]) -> dict[str, str]:
    """What the header of the weights says of their card: the sha256 of all facts in it but `_UNSEALED`.

    So the card cannot be edited unnoticed, neither the options nor what the weights were trained on, and `digest_of`
    covers all of it. Where the sentence encoder lies may change; its digest says which one it is.
    """
    facts = {name: value for name, value in card.items() if name not in _UNSEALED}
    facts = json.loads(json.dumps(facts))  # as a reader finds them: keys as texts
    if isinstance(encoder := facts.get("configuration", {}).get("encoder"), dict):
        encoder.pop("name_or_folder", None)
    told = json.dumps(facts, sort_keys=True)
    return {_SEAL: hashlib.sha256(told.encode()).hexdigest()}


def write_card(folder: Path, card: Mapping[str, Any]) -> None:
    """Write a card; the file appears whole or not at all."""
    write_text(folder / CARD, json.dumps(card, indent=2, sort_keys=True) + "\n")


def read(folder: Path, predictor: str) -> tuple[dict[str, Any], State]:
    """Card and weights of a checkpoint of one predictor.

    Raises
    ------
    UsageError
        There is none, it is another predictor's, or its files do not belong together.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    card = read_card(folder)
    if card.get("predictor") != predictor:
        raise UsageError(f"{folder} holds weights of {card.get('predictor')!r}, not of {predictor!r}.")
    if not isinstance(card.get("configuration"), dict):
        raise UsageError(f"{folder / CARD} does not say with which options it was trained. Train again, or restore it.")
    try:
        return card, load(read_weights(folder, card))
    except SafetensorError as error:
        raise UsageError(f"{folder / WEIGHTS} is damaged: {error}. Restore it, or train again.") from error


def read_card(folder: Path) -> dict[str, Any]:
    """The card of a checkpoint folder.

    Raises
    ------
    UsageError
        There is no card, it is not JSON, or another version wrote it.
    """
    try:
        card = json.loads((folder / CARD).read_text())
    except FileNotFoundError:
        raise UsageError(f"{folder} holds no checkpoint: {CARD} is missing. Make one with: catalog train") from None
    except OSError as error:
        raise UsageError(f"{folder} holds no checkpoint: {error.strerror}. Name the folder that was trained.") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{folder / CARD} is not a checkpoint's card: {error}. Train again, or restore it.") from None
    if not isinstance(card, dict) or card.get("format") != FORMAT:
        found = card.get("format") if isinstance(card, dict) else type(card).__name__
        raise UsageError(f"{folder / CARD} has format {found!r}; this version reads {FORMAT}. Train again.")
    return card


def read_weights(folder: Path, card: Mapping[str, Any]) -> bytes:
    """The bytes of the weights that a card describes.

    Raises
    ------
    UsageError
        The weights are missing, are not those that the card describes, or the card is not the one they were saved with.
    """
    try:
        data = (folder / WEIGHTS).read_bytes()
    except OSError:
        raise UsageError(f"{folder} has a card but no {WEIGHTS}; restore the file or train again.") from None
    digest = hashlib.sha256(data).hexdigest()
    if digest != card.get("sha256"):
        raise UsageError(
            f"{folder / WEIGHTS} has sha256 {digest[:8]}..., its card says {str(card.get('sha256'))[:8]}...; "
            "the two files do not belong together. Restore them or train again."
        )
    seal = _seal_of(data)
    if seal is not None and seal != sealed(card)[_SEAL]:
        raise UsageError(
            f"{folder / CARD} was changed after the training: what it says is not what the weights were saved with. "
            "Restore it, or train again."
        )
    return data


def _seal_of(data: bytes) -> str | None:
    """The digest of the card in a header of weights; None in weights that an older version wrote."""
    try:
        length = int.from_bytes(data[:8], "little")
        header = json.loads(data[8 : 8 + length])
        return str(header["__metadata__"][_SEAL])
    except (ValueError, KeyError, TypeError):
        return None


def digest_of(card: Mapping[str, Any]) -> str:
    """sha256 of all in a card that decides a score: weights, configuration, scales of members and prior.

    The digest of the weights alone would call two checkpoints the same that differ in how their outputs are joined.
    """
    decisive = {name: card.get(name) for name in ("sha256", "configuration", "members", "prior")}
    return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()
