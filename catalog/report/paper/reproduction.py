"""What makes a report again: the command, the versions, and the digests of all that it read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from catalog.asking.origin import Origin, origin_of
from catalog.asking.origin_parts import told
from catalog.message import visible
from catalog.report.pool_analysis import PoolAnalysis

if TYPE_CHECKING:
    from catalog.analysis.pool import Pool
    from catalog.storage.store import Store


@dataclass(frozen=True, eq=False)
class Origins:
    """Where the numbers of a report come from.

    Parameters
    ----------
    content
        SHA-256 over the seals of the catalog's tables: what the file holds, whatever it is called.
    columns
        The origin of every target and proxy.
    """

    content: str
    columns: tuple[Origin, ...]


def read_origins(catalog: Store, pools: Sequence[PoolAnalysis]) -> Origins:
    """Look up where the columns of a report come from."""
    used = dict.fromkeys(
        (found.pool.space, column) for found in pools for column in (found.pool.target, *found.pool.scores)
    )
    return Origins(_content(catalog), tuple(origin_of(catalog, *column) for column in used))


def _content(catalog: Store) -> str:
    rows = catalog.rows("SELECT subject, part, rows, value FROM seal WHERE subject != 'run' ORDER BY ALL")
    return hashlib.sha256("\n".join(map(repr, rows)).encode()).hexdigest()


def numbers_digest(pool: Pool) -> str:
    """SHA-256 of the numbers that one ranking compares, in the order of native ids: equal wherever they are equal."""
    order = np.argsort(np.asarray(pool.native_ids.to_list(), dtype=str), kind="stable")
    digest = hashlib.sha256("\n".join(pool.native_ids.gather(order)).encode())
    for name, values in [(pool.target, pool.plain_truth), *((one, pool.plain_scores(one)) for one in pool.scores)]:
        digest.update(f"\n{name}\n".encode())
        digest.update(np.where(np.isnan(values), np.nan, values)[order].astype("<f8").tobytes())
    return digest.hexdigest()


def reproduction(pools: Sequence[PoolAnalysis], origins: Origins, command: str, versions: Mapping[str, str]) -> str:
    """The page that tells how to make the report again, in Markdown."""
    return "\n".join(_lines(pools, origins, command, versions)) + "\n"


def _lines(pools: Sequence[PoolAnalysis], origins: Origins, command: str, versions: Mapping[str, str]) -> Iterator[str]:
    yield from ("# How these numbers are made again", "", "The report, its table and its figures:", "")
    yield from _code([command])
    yield from ("", f"With {', '.join(f'{name} {number}' for name, number in versions.items())}.", "")
    yield "What the catalog file holds (SHA-256 over the seals of its tables but `run`):"
    yield from (
        "",
        *_code([origins.content]),
        "",
        "The numbers that are compared (SHA-256, equal in any catalog that has",
    )
    yield from ("the same numbers, whatever its file is):", "")
    yield from _code([f"{numbers_digest(found.pool)}  {found.label}" for found in pools])
    commands = dict.fromkeys(command for origin in origins.columns for command in _commands(origin))
    yield from ("", "The commands that filled the catalog with them, as far as its runs tell:", "")
    yield from _code(commands or ["none is recorded"])
    yield from ("", "## Where each column comes from", "")
    for origin in origins.columns:
        yield from _code([visible(origin.text)])
        yield ""


def _code(lines: Sequence[str] | Mapping[str, object]) -> list[str]:
    return [f"    {part}" for line in lines for part in str(line).splitlines() or [""]]


def _commands(origin: Origin) -> Iterator[str]:
    for part in origin.parts:
        yield from (told(value) for fact, value in part.facts.items() if is_command(fact, value))


def is_command(fact: str, value: object) -> bool:
    """Whether a fact of a part is the command of one of its runs."""
    return fact.startswith("command of run") and told(value).startswith("catalog ")
