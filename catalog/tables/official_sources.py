"""Whose name is whose: the sources of benchmarks, and their tables that are known by their bytes."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from catalog.errors import UsageError
from catalog.spaces.staged import NAMES as STAGED


@dataclass(frozen=True)
class OfficialSource:
    """Licence and citation of a benchmark, which only its own files are given."""

    licence: str | None
    citation: str | None


OFFICIAL_SOURCES = {
    "nb101": OfficialSource("Apache-2.0", "Ying et al., NAS-Bench-101, ICML 2019, arXiv 1902.09635"),
    "nb201": OfficialSource("MIT", "Dong and Yang, NAS-Bench-201, ICLR 2020, arXiv 2001.00326"),
    "nats": OfficialSource("MIT", "Dong et al., NATS-Bench, TPAMI 2021, arXiv 2009.00437"),
    "darts_trained": OfficialSource("GPL-3.0", "Yang et al., NAS evaluation is frustratingly hard, arXiv 1912.12522"),
}
"""The benchmarks that have tables among `KNOWN_TABLES`."""

_RESERVED = (
    *OFFICIAL_SOURCES, "nats_sss", "nats_tss", "nb301", "hw_nas_bench", "nb201-digits", "own-training", "published",
    "darts_published", "proxies-by-space", "transnas_micro", *STAGED,
)  # fmt: skip
_RESERVED_FAMILIES = ("suite_zero", "nds", "own_training")  # nds_darts, suite_zero_nasbench201, ...
_BENCHMARK_NAMES = ("nasbench101", "nasbench201", "nasbench301", "natsbench", "nasbenchsuitezero")
LONGEST_NAME = 60
"""Characters of the name of a user's source."""

_VERSION = re.compile(r"_v\d+(?:_.*)?")
_SUFFIXES = re.compile(
    r"\d+ep|half|best|surrogate|reported|supernet|published|metric"
)  # what else ends a wide column's name


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
    "6d7996bd6854d8e65244fb64011960a1663dad894dc22c5dffae39402ddb13a5": KnownTable("darts_trained", None, 600, 214),
}
"""By SHA-256 of the file as it is, packed or not."""


def is_reserved(name: str) -> bool:
    """Whether a source's name belongs to a benchmark, to the catalog itself, or means something else in a column.

    Names are compared as the wide view spells them, so that neither ``NB-201`` nor ``nb201_v1_1`` nor digits of full
    width are a way around ``nb201``.
    """
    word = re.sub(r"\W+", "_", unicodedata.normalize("NFKC", name).casefold()).strip("_")
    bare = _VERSION.sub("", word).replace("_", "")
    return (
        bare in {re.sub(r"[\W_]", "", reserved) for reserved in _RESERVED}
        or bare.startswith(_BENCHMARK_NAMES)
        or any(word == family or word.startswith(f"{family}_") for family in _RESERVED_FAMILIES)
        or _SUFFIXES.fullmatch(word) is not None
    )


def checked_source(name: str) -> str:
    """A name that a user gives a source.

    Raises
    ------
    UsageError
        The name is a benchmark's, or is no word that a column's name could end with.
    """
    if not re.fullmatch(r"[^\W_](?:[\w-]*[^\W_])?", name) or len(name) > LONGEST_NAME:
        raise UsageError(
            f"the source is called {name[:LONGEST_NAME]!r}; a word of letters, digits, '_' and '-' is needed, at most "
            f"{LONGEST_NAME} characters: its columns end with it."
        )
    if is_reserved(name):
        word = re.sub(r"\W+", "_", name.lower())
        raise UsageError(
            f"the source {name!r} is a name of the catalog's own or a benchmark's, and only files that are known to be "
            "the benchmark's, by their digest or their format, get it: its licence, its citation and its columns come "
            f"with the name. Nothing was stored. Name your source, for example --source my_{word}."
        )
    return name
