"""The official files: address, digest, size, licence, citation, and the command that reads them.

All of it is what the benchmarks' own pages say; where a page publishes no digest or size, there is none here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from catalog.errors import UsageError
from catalog.nearest import did_you_mean

if TYPE_CHECKING:
    import polars

Packing = Literal["tar", "zip", "hw-nas-bench"]


@dataclass(frozen=True)
class OfficialFile:
    """One file that a benchmark's authors publish.

    Parameters
    ----------
    name
        What ``catalog fetch`` calls it.
    file_name
        The file's own name.
    url
        Its address; None where only the page leads to it.
    page
        The page on which the authors publish it.
    command
        The subcommand of ``catalog ingest`` that reads it.
    size
        Bytes as the page gives them, which is rounded; None where it does not say.
    sha256
        Published SHA-256; None where there is none.
    md5_ending
        Last digits of the MD5, where the authors publish them as part of the file's name.
    packing
        How the file is packed; None for a file that is read as it is.
    contents
        What the command reads of an unpacked file, as glob patterns.
    """

    name: str
    file_name: str
    url: str | None
    page: str
    command: str
    licence: str
    citation: str
    size: int | None = None
    sha256: str | None = None
    md5_ending: str | None = None
    packing: Packing | None = None
    contents: tuple[str, ...] = ()


def official_files() -> polars.DataFrame:
    """One row an official file: ``name``, ``file``, ``bytes``, ``digest``, ``ingest``, ``licence``, ``page``."""
    import polars

    files = list(OFFICIAL_FILES.values())
    return polars.DataFrame(
        {
            "name": [file.name for file in files],
            "file": [file.file_name for file in files],
            "bytes": [file.size for file in files],
            "digest": [_published_digest(file) for file in files],
            "ingest": [file.command for file in files],
            "licence": [file.licence for file in files],
            "page": [file.page for file in files],
        }
    )


def _published_digest(file: OfficialFile) -> str | None:
    if file.sha256:
        return f"sha256:{file.sha256}"
    return f"md5:...{file.md5_ending}" if file.md5_ending else None


def official_file(name: str) -> OfficialFile:
    """The official file of this name.

    Raises
    ------
    UsageError
        There is none.
    """
    if name not in OFFICIAL_FILES:
        hint = did_you_mean(name, OFFICIAL_FILES)
        raise UsageError(
            f"no official file is called {name!r}. {hint}Known are {', '.join(OFFICIAL_FILES)}; `catalog fetch` "
            "lists them."
        )
    return OFFICIAL_FILES[name]


def _drive(file_id: str) -> str:
    """The address behind a Google Drive page: the page itself is no file."""
    return f"https://drive.usercontent.google.com/download?id={file_id}&export=download&confirm=t"


_NB101 = "Ying et al., NAS-Bench-101, ICML 2019, arXiv 1902.09635"
_NB201 = "Dong and Yang, NAS-Bench-201, ICLR 2020, arXiv 2001.00326"
_NATS = "Dong et al., NATS-Bench, TPAMI 2021, arXiv 2009.00437"
_NB301 = "Zela et al., Surrogate NAS benchmarks, ICLR 2022, arXiv 2008.09777"
_SUITE_ZERO = "Krishnakumar et al., NAS-Bench-Suite-Zero, NeurIPS 2022, arXiv 2210.03230"
_HW = "Li et al., HW-NAS-Bench, ICLR 2021, arXiv 2103.10584"
_NDS = "Radosavovic et al., On network design spaces for visual recognition, ICCV 2019, arXiv 1905.13214"

_NB101_PAGE = "https://github.com/google-research/nasbench"
_NB201_PAGE = "https://github.com/D-X-Y/NAS-Bench-201"
_NATS_PAGE = "https://github.com/D-X-Y/NATS-Bench"
_SUITE_ZERO_PAGE = "https://github.com/automl/NASLib/tree/zerocost"
_HW_COMMIT = "393bb8a02554dcd28e091fbbdb4d7aefe590018a"


def _suite_zero(name: str, command: str, drive_id: str) -> OfficialFile:
    return OfficialFile(
        name,
        f"zc_{command}.json",
        _drive(drive_id),
        _SUITE_ZERO_PAGE,
        command,
        "Apache-2.0",
        _SUITE_ZERO,
    )


_FILES = (
    OfficialFile(
        "nasbench101",
        "nasbench_full.tfrecord",
        "https://storage.googleapis.com/nasbench/nasbench_full.tfrecord",
        _NB101_PAGE,
        "nasbench101",
        "Apache-2.0",
        _NB101,
        size=1_950_000_000,
        sha256="3d64db8180fb1b0207212f9032205064312b6907a3bbc81eabea10db2f5c7e9c",
    ),
    OfficialFile(
        "nasbench101-108",
        "nasbench_only108.tfrecord",
        "https://storage.googleapis.com/nasbench/nasbench_only108.tfrecord",
        _NB101_PAGE,
        "nasbench101",
        "Apache-2.0",
        _NB101,
        size=499_000_000,
        sha256="4c39c3936e36a85269881d659e44e61a245babcb72cb374eacacf75d0e5f4fd1",
    ),
    OfficialFile(
        "nasbench201",
        "NAS-Bench-201-v1_1-096897.pth",
        _drive("16Y0UwGisiouVRxW-W5hEtbxmcHw_0hF_"),
        _NB201_PAGE,
        "nasbench201",
        "MIT",
        _NB201,
        size=4_700_000_000,
        md5_ending="096897",
    ),
    OfficialFile(
        "nasbench201-v1.0",
        "NAS-Bench-201-v1_0-e61699.pth",
        _drive("1SKW0Cu0u8-gb18zDpaAGi0f74UdXeGKs"),
        _NB201_PAGE,
        "nasbench201",
        "MIT",
        _NB201,
        size=2_200_000_000,
        md5_ending="e61699",
    ),
    OfficialFile(
        "nats-tss",
        "NATS-tss-v1_0-3ffb9-simple.tar",
        _drive("17_saCsj_krKjlCBLOJEpNtzPXArMCqxU"),
        _NATS_PAGE,
        "nasbench201",
        "MIT",
        _NATS,
        packing="tar",
        contents=("NATS-tss-v1_0-3ffb9-simple",),
    ),
    OfficialFile(
        "nats-sss",
        "NATS-sss-v1_0-50262-simple.tar",
        _drive("1scOMTUwcQhAMa_IMedp9lTzwmgqHLGgA"),
        _NATS_PAGE,
        "nasbench201",
        "MIT",
        _NATS,
        packing="tar",
        contents=("NATS-sss-v1_0-50262-simple",),
    ),
    OfficialFile(
        "nasbench301",
        "nasbench301_full_data.zip",
        None,
        "https://figshare.com/articles/dataset/nasbench301_full_data/13286105",
        "nasbench301",
        "Apache-2.0",
        _NB301,
        packing="zip",
        contents=("*",),
    ),
    _suite_zero("suite-zero-101", "nasbench101", "1Rkse44EWgYdBS34iyhjSs9Y2l0fxPCpU"),
    _suite_zero("suite-zero-201", "nasbench201", "1R7n7GpFHAjUZpPISzbhxH0QjubnvZM5H"),
    _suite_zero("suite-zero-301", "nasbench301", "1RddgmwqjWJ1czGT8gEPB8qqhUHazp92G"),
    OfficialFile(
        "hw-nas-bench",
        "HW-NAS-Bench-v1_0.pickle",
        f"https://raw.githubusercontent.com/GATECH-EIC/HW-NAS-Bench/{_HW_COMMIT}/HW-NAS-Bench-v1_0.pickle",
        "https://github.com/GATECH-EIC/HW-NAS-Bench",
        "hw-nas-bench",
        "MIT",
        _HW,
        packing="hw-nas-bench",
        contents=("hw_nas_bench_*.csv",),
    ),
    OfficialFile(
        "nds",
        "data.zip",
        "https://dl.fbaipublicfiles.com/nds/data.zip",
        "https://github.com/facebookresearch/nds",
        "darts",
        "MIT",
        _NDS,
        packing="zip",
        contents=("nds_data/DARTS*.json",),
    ),
)

OFFICIAL_FILES: Mapping[str, OfficialFile] = MappingProxyType({file.name: file for file in _FILES})
"""The official files by name."""
