"""Tables recognised by their bytes: whose numbers they hold and how long the trainings were."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from catalog.errors import IngestError


@dataclass(frozen=True)
class KnownTable:
    """What a table of a certain digest is."""

    source: str
    version: str | None
    epochs: int
    rows: int


KNOWN_TABLES = {
    "157eb8f7cedc6c4d3de8fac556c5ac39576fb0c11a579170ebd357e4c76d7de9": KnownTable("nb201", "v1.1", 200, 15_625),
    "a448cef155e2ebbee495a1b8f957b0fa83dec327d313bff74e34b08cdbe9cee2": KnownTable("nb201", None, 12, 15_625),
    "7c9932ce7dc1e58ed5df7e00459bddecc50aae0b8069c274acaab75931676de0": KnownTable("nats", "v1.0", 200, 15_625),
    "4fe459cf6242689cdd44f4a7422b7862748dbdc0635a373a47f2fae44fc2f47b": KnownTable("nb101", None, 108, 423_624),
    "2724f7a6a016e6f53b66a6de33ff0de58f564ce2a57f83ee1dedf81acb58bbd7": KnownTable("nb101", None, 108, 5_385),
}
"""By SHA-256 of the file as it is, packed or not."""


def known_table(path: Path) -> KnownTable | None:
    """What the file is, if its bytes are known.

    Raises
    ------
    IngestError
        The file cannot be read.
    """
    try:
        with path.open("rb") as stream:
            return KNOWN_TABLES.get(hashlib.file_digest(stream, "sha256").hexdigest())
    except OSError as error:
        raise IngestError(f"{path} cannot be read: {error.strerror or error}; nothing was stored.") from error


def identified(path: Path, **given: str | int | None) -> dict[str, str | int | None]:
    """The user's word on a table where its bytes say nothing, and never against what they say.

    Parameters
    ----------
    given
        ``source``, ``epochs`` or ``version`` as the user gave them; None where nothing was said.

    Raises
    ------
    IngestError
        The file is known as something else than the user says.
    """
    known = known_table(path)
    if known is None:
        return dict(given)
    found: dict[str, str | int | None] = {name: getattr(known, name) for name in given}
    for name, value in given.items():
        if value is not None and found[name] is not None and value != found[name]:
            raise IngestError(
                f"{path.name} is known by its digest: its {name} is {found[name]}, not {value}. Leave the option out; "
                "nothing was stored."
            )
        found[name] = value if found[name] is None else found[name]
    return found
