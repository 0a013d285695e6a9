"""Which reader a file needs, by the benchmark that the user names and by the file's name or header."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ingest.reading.sources import BLOCK, DEFAULT_SIZE_LIMIT, open_stream

if TYPE_CHECKING:
    from ingest.reading.batch import Loader

_SUITE_SPACES = {"nasbench101": "nb101", "nasbench201": "nb201", "nasbench301": "darts"}


def loader_for(
    benchmark: str,
    path: Path,
    *,
    curves: bool = False,
    epochs: int | None = None,
    source: str | None = None,
    size_limit: int = DEFAULT_SIZE_LIMIT,
) -> Loader | None:
    """The reader of an official file, or None for a file that is none (such as a table of accuracies).

    Parameters
    ----------
    benchmark
        ``nasbench101``, ``nasbench201``, ``nasbench301``, ``darts`` or ``hw-nas-bench``.
    curves
        Whether to read training curves, where the format has them.
    epochs
        Length of the trainings of a genotype list.
    source
        The user's name for the source of a genotype list.
    size_limit
        Unpacked bytes that the file may have.
    """
    if benchmark == "hw-nas-bench":
        from ingest.formats.hw_nas_bench import HWNASBench

        return HWNASBench(size_limit=size_limit)
    if benchmark == "darts":
        from ingest.formats.genotypes import Genotypes

        return Genotypes(epochs=epochs, size_limit=size_limit, source=source)
    if benchmark == "nasbench101" and ".tfrecord" in path.suffixes:
        from ingest.formats.nasbench101 import NASBench101Records

        return NASBench101Records(size_limit=size_limit)
    if benchmark == "nasbench201" and (path.is_dir() or path.suffix in (".pth", ".pbz2", ".pickle")):
        from ingest.formats.nasbench201 import NASBench201Archive, space_of

        return NASBench201Archive(space_of(path), curves=curves, size_limit=size_limit)
    if benchmark == "nasbench301" and (path.is_dir() or path.name.startswith("results")):
        from ingest.formats.nasbench301 import NASBench301Logs

        return NASBench301Logs(curves=curves)
    if benchmark in _SUITE_SPACES and (".json" in path.suffixes or _has_proxies(path)):
        from ingest.formats.suite_zero import SuiteZero

        return SuiteZero(_SUITE_SPACES[benchmark], size_limit=size_limit)
    return None


def _has_proxies(path: Path) -> bool:
    """Whether a table's header names a proxy that every file of NAS-Bench-Suite-Zero has."""
    if ".csv" not in path.suffixes:
        return False
    with open_stream(path) as stream:
        header = stream.read(BLOCK).partition(b"\n")[0]
    return b"grad_norm" in header.strip().split(b",")
