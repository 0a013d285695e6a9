"""A trained ensemble on disk: one safetensors file, and a card that says where it came from."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from catalog.errors import UsageError
from catalog.output_file import make_folder, write_bytes
from predictor.door.checkpoint import CARD, FORMAT, WEIGHTS, read_weights, sealed, write_card
from predictor.encoding.structural_prior import Prior
from predictor.tg_nas.config import TGNASConfig
from predictor.tg_nas.features import feature_size
from predictor.tg_nas.model import TGNASNetwork

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
    from safetensors.torch import save as saved

    make_folder(folder)
    tensors = {
        f"{place}.{name}": tensor.contiguous()
        for place, member in enumerate(members)
        for name, tensor in member.state_dict().items()
    }
    card = {
        **facts,
        "format": FORMAT,
        "configuration": members[0].config.to_dict(),
        "prior": asdict(prior),
        "members": [{"mean": mean, "deviation": deviation} for mean, deviation in scales],
    }
    data = saved(tensors, sealed(card))
    write_bytes(folder / WEIGHTS, data)
    digest = hashlib.sha256(data).hexdigest()
    write_card(folder, {**card, "sha256": digest})
    return digest


def load_members(folder: Path, card: Mapping[str, Any]) -> list[TGNASNetwork]:
    """The networks of a checkpoint, ready to score.

    Raises
    ------
    UsageError
        The weights are missing, or are not those that the card describes.
    """
    from safetensors.torch import load

    data = read_weights(folder, card)
    config = TGNASConfig.from_dict(card["configuration"])
    tensors = load(data)
    members = []
    for place in range(len(card["members"])):
        member = TGNASNetwork(feature_size(config), config)
        prefix = f"{place}."
        member.load_state_dict({name[len(prefix) :]: x for name, x in tensors.items() if name.startswith(prefix)})
        members.append(member.eval())
    return members
