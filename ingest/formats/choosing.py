"""Which reader a file needs, by the benchmark that the user names and by the file's name or header."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.errors import UsageError
from ingest.reading.sources import BLOCK, DEFAULT_SIZE_LIMIT, JSON_SIZE_LIMIT, open_stream, read_json

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
        The user's name for the source of a table or list of his own.
    size_limit
        Unpacked bytes that the file may have.
    """
    if benchmark == "hw-nas-bench":
        from ingest.formats.hw_nas_bench import HWNASBench

        return HWNASBench(source=source, size_limit=size_limit)
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

        return SuiteZero(_SUITE_SPACES[benchmark], source=source, size_limit=size_limit)
    _refuse_foreign(benchmark, path)
    return None


def nds_cells_loader(path: Path, *, source: str | None = None, size_limit: int = JSON_SIZE_LIMIT) -> Loader:
    """The reader of NDS's logs of cells; the file's name says the family, and DARTS's are those of any other name.

    Raises
    ------
    UsageError
        The cells are of another family, and the name does not say which.
    """
    from catalog.spaces.nds import FAMILIES
    from ingest.formats.genotypes import Genotypes
    from ingest.formats.nds_cells import NDSCells, family_in, has_five_nodes

    family = family_in(path.name)
    if family is None and ".json" in path.suffixes and has_five_nodes(read_json(path, size_limit)):
        raise UsageError(
            f"{path.name}: its cells have five nodes, so they are none of DARTS's, and the family stands nowhere but "
            "in the name of a file of NDS, such as NASNet.json or Amoeba_in.json. Name it after one of "
            f"{', '.join(FAMILIES)}; nothing was stored."
        )
    if family in (None, "darts"):
        return Genotypes(source=source, size_limit=size_limit)
    return NDSCells(str(family), source=source, size_limit=size_limit)


def transnas_loader(path: Path, *, source: str | None = None, size_limit: int = DEFAULT_SIZE_LIMIT) -> Loader:
    """The reader of a file of TransNAS-Bench-101's micro space: NAS-Bench-Suite-Zero's JSON, or one with values alone.

    Raises
    ------
    IngestError
        A JSON file cannot be read.
    """
    from ingest.formats.suite_zero import SuiteZero
    from ingest.formats.transnas_records import is_of_pairs
    from ingest.formats.transnas_table import TransNASTable

    if ".json" in path.suffixes and not is_of_pairs(read_json(path, size_limit)):
        return SuiteZero(TransNASTable.space, source=source, size_limit=size_limit)
    return TransNASTable(source=source, size_limit=size_limit)


def _refuse_foreign(benchmark: str, path: Path) -> None:
    """Name the right reason for a file that is no table either."""
    if {".csv", ".parquet"} & set(path.suffixes) or benchmark not in _READ:
        return
    fits = [f"ingest {name}" for name, words in _READ.items() if any(word in path.name for word in words[1])]
    hint = f" Files of this name are read by {' or '.join(fits)}." if fits else ""
    raise UsageError(
        f"{path.name} is no file of {benchmark}, which are {_READ[benchmark][0]}, or tables (.csv, .csv.gz, .parquet)."
        f"{hint} Nothing was stored."
    )


_READ: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "nasbench101": ("record files (.tfrecord), NAS-Bench-Suite-Zero's zc_nasbench101.json", (".tfrecord",)),
    "nasbench201": (
        "archives (.pth, .pickle.pbz2 or a folder of them), NAS-Bench-Suite-Zero's zc_nasbench201.json",
        (".pth", ".pbz2"),
    ),
    "graphs": ("JSON lines", (".jsonl",)),
    "model": ("ONNX files", (".onnx",)),
}
"""By command: what its files are, and what their names have."""


def _has_proxies(path: Path) -> bool:
    """Whether a table's header names a proxy that every file of NAS-Bench-Suite-Zero has."""
    if ".csv" not in path.suffixes:
        return False
    with open_stream(path) as stream:
        header = stream.read(BLOCK).partition(b"\n")[0]
    return b"grad_norm" in header.strip().split(b",")
