"""A trained ensemble on disk: one safetensors file, and a card that says where it came from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from catalog.errors import UsageError
from predictor.tg_nas.config import TGNASConfig
from predictor.tg_nas.features import feature_size
from predictor.tg_nas.model import TGNASNetwork
from predictor.tg_nas.prior import Prior

WEIGHTS, CARD = "weights.safetensors", "card.json"
FORMAT = 2

_SHIPPED = Path(__file__).parent / "weights"


def shipped(name: str) -> Path:
    """Folder of a checkpoint that comes with the package: ``tg_nas``, ``tg_nas_multi`` or ``tg_nas_paper``."""
    if name not in (known := _shipped_names()):
        raise UsageError(f"no checkpoint {name!r} comes with the package; it has {', '.join(known)}. Or give a folder.")
    return _SHIPPED / name


def folder_of(checkpoint: str | Path) -> Path:
    """Folder of a checkpoint by its name or path.

    A text that is a shipped name means the shipped checkpoint, also where a folder of that name lies beside the user:
    its scores are stored under that name. A `Path` means the folder.
    """
    is_name = isinstance(checkpoint, str) and checkpoint in _shipped_names()
    folder = Path(checkpoint)
    return folder if folder.is_dir() and not is_name else shipped(str(checkpoint))


def _shipped_names() -> list[str]:
    return sorted(path.name for path in _SHIPPED.glob("*") if (path / CARD).is_file())


def save(
    folder: Path,
    members: Sequence[TGNASNetwork],
    prior: Prior,
    scales: Sequence[tuple[float, float]],
    facts: Mapping[str, Any],
) -> str:
    """Write weights and card into `folder`; returns the sha256 of the weights.

    Parameters
    ----------
    folder
        Made if it does not exist; what is in it is replaced.
    members
        Networks of one configuration.
    prior
        The structural prior, standardised on the source.
    scales
        Mean and standard deviation of each member's output on held-out graphs of the source.
    facts
        What the card says besides: data digests, seeds, versions, held-out scores.
    """
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    tensors = {
        f"{place}.{name}": tensor.contiguous()
        for place, member in enumerate(members)
        for name, tensor in member.state_dict().items()
    }
    save_file(tensors, folder / WEIGHTS)
    digest = hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()
    card = {
        "format": FORMAT,
        "sha256": digest,
        "configuration": members[0].config.to_dict(),
        "prior": asdict(prior),
        "members": [{"mean": mean, "deviation": deviation} for mean, deviation in scales],
        **facts,
    }
    (folder / CARD).write_text(json.dumps(card, indent=2, sort_keys=True) + "\n")
    return digest


def read_card(folder: Path) -> dict[str, Any]:
    """The card of a checkpoint folder.

    Raises
    ------
    UsageError
        There is no card, it is not JSON, or a newer version wrote it.
    """
    try:
        card = json.loads((folder / CARD).read_text())
    except FileNotFoundError:
        raise UsageError(
            f"{folder} holds no checkpoint: {CARD} is missing. Make one with: catalog train tg-nas"
        ) from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{folder / CARD} is not a checkpoint's card: {error}. Train again, or restore it.") from None
    if not isinstance(card, dict) or card.get("format") != FORMAT:
        found = card.get("format") if isinstance(card, dict) else type(card).__name__
        raise UsageError(f"{folder / CARD} has format {found!r}; this version reads {FORMAT}. Train again.")
    return card


def digest_of(card: Mapping[str, Any]) -> str:
    """sha256 of all in a checkpoint that decides a score: weights, configuration, scales of members and prior.

    The digest of the weights alone would call two checkpoints the same that differ in how their outputs are joined.
    """
    decisive = {name: card.get(name) for name in ("sha256", "configuration", "members", "prior")}
    return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()


def load_members(folder: Path, card: Mapping[str, Any]) -> list[TGNASNetwork]:
    """The networks of a checkpoint, ready to score.

    Raises
    ------
    UsageError
        The weights are missing, or are not those that the card describes.
    """
    from safetensors.torch import load

    try:
        data = (folder / WEIGHTS).read_bytes()
    except FileNotFoundError:
        raise UsageError(f"{folder} has a card but no {WEIGHTS}; restore the file or train again.") from None
    digest = hashlib.sha256(data).hexdigest()
    if digest != card["sha256"]:
        raise UsageError(
            f"{folder / WEIGHTS} has sha256 {digest[:8]}..., its card says {card['sha256'][:8]}...; "
            "the two files do not belong together. Restore them or train again."
        )
    config = TGNASConfig(**card["configuration"])
    tensors = load(data)
    members = []
    for place in range(len(card["members"])):
        member = TGNASNetwork(feature_size(config), config)
        prefix = f"{place}."
        member.load_state_dict({name[len(prefix) :]: x for name, x in tensors.items() if name.startswith(prefix)})
        members.append(member.eval())
    return members
