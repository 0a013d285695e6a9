"""All that `--tables` writes: twelve files, whatever the report is about."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from catalog.errors import StoreError
from catalog.output_file import make_folder, write_bytes
from catalog.report.paper import table_text
from catalog.report.paper.bibliography import SOFTWARE, Cited, bibliography
from catalog.report.paper.figures import paper_figures
from catalog.report.paper.main_table import notes, paper_tables
from catalog.report.paper.reproduction import Origins, reproduction
from catalog.report.pool_analysis import PoolAnalysis
from catalog.report.table import Table

_PAPER = r"""% Shows all that is here: pdflatex paper, bibtex paper, and pdflatex paper twice.
\documentclass{article}
\usepackage{booktabs,graphicx,textcomp}
\begin{document}
\input{table.tex}
\begin{figure}\centering\includegraphics[width=\textwidth,height=0.85\textheight,keepaspectratio]{intervals.pdf}
\caption{How well the proxies rank.}\end{figure}
\begin{figure}\centering\includegraphics[width=\textwidth,height=0.85\textheight,keepaspectratio]{search.pdf}
\caption{What a search finds that trains the $k$ architectures that a proxy likes best.}\end{figure}
\begin{figure}\centering\includegraphics[width=\textwidth,height=0.85\textheight,keepaspectratio]{agreement.pdf}
\caption{Which proxies rank alike.}\end{figure}
\nocite{*}
\bibliographystyle{plain}
\bibliography{references}
\end{document}
"""


class Built(Protocol):
    """What a paper needs of a report; see `catalog.report.report.Report`."""

    @property
    def pools(self) -> tuple[PoolAnalysis, ...]:
        """One for each space and target."""

    @property
    def tables(self) -> list[Table]:
        """All tables of the page."""

    @property
    def names(self) -> Mapping[str, str]:
        """What columns are called."""

    @property
    def command(self) -> str:
        """The command that makes the report again."""

    @property
    def origins(self) -> Origins:
        """Where its columns come from."""

    @property
    def versions(self) -> Mapping[str, str]:
        """Versions of what changes the numbers."""


def write_paper(report: Built, folder: Path) -> list[Path]:
    """Write the files of a paper into a folder; gives their paths.

    Raises
    ------
    StoreError
        The folder cannot be made, or a file cannot be written.
    """
    files = {folder / name: content for name, content in paper_files(report).items()}
    try:
        make_folder(folder)
        for path, content in files.items():
            write_bytes(path, content)
    except StoreError as error:
        raise StoreError(f"the tables cannot be written to {folder}; choose another folder: {error}") from error
    return list(files)


def paper_files(report: Built) -> dict[str, bytes]:
    """File name to content."""
    pools, names = report.pools, report.names
    tables = paper_tables(pools, names)
    texts = {
        "table.tex": table_text.as_latex(tables, notes(pools), report.command),
        "table.csv": table_text.as_csv(tables, names),
        "tables.json": tables_json(report.tables),
        "references.bib": bibliography(_sources(pools), _proxies(pools), report.versions["nas-catalog"]),
        "reproduce.md": reproduction(pools, report.origins, report.command, report.versions),
        "paper.tex": _PAPER,
    }
    return {name: text.encode() for name, text in texts.items()} | paper_figures(pools, names)


def tables_json(tables: Sequence[Table]) -> str:
    """Every table of the page with all its columns; what is not known is null."""
    content = {
        table.identifier: {
            "title": table.title,
            "rows": [
                {name: _json_value(value) for name, value in row.items()} for row in table.frame.iter_rows(named=True)
            ],
        }
        for table in tables
    }
    return json.dumps(content, indent=1, ensure_ascii=False, default=str) + "\n"


def _json_value(value: object) -> object:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _sources(pools: Sequence[PoolAnalysis]) -> list[Cited]:
    """The files and publications behind the columns, once each."""
    found: dict[str, Cited] = {}
    for pool in pools:
        for row in pool.sources.iter_rows(named=True):
            digest = f"File with the SHA-256 {row['sha256']}." if row["sha256"] else ""
            found.setdefault(str(row["source"]), Cited(str(row["source"]), row["citation"], digest))
    return list(found.values())


def _proxies(pools: Sequence[PoolAnalysis]) -> list[Cited]:
    """The proxies behind the columns, once each; those that the catalog counts itself are cited as it."""
    from catalog.architecture.structural import STRUCTURAL_PROXIES

    counted = {proxy.name for proxy in STRUCTURAL_PROXIES}
    found: dict[str, Cited] = {}
    for pool in pools:
        for row in pool.proxy_facts.iter_rows(named=True):
            name = str(row["proxy"])
            checkpoint = f"Weights with the SHA-256 {row['checkpoint_digest']}." if row["checkpoint_digest"] else ""
            note = " ".join(filter(None, [row["description"], checkpoint]))
            found.setdefault(name, Cited(name, SOFTWARE if name in counted else None, note))
    return list(found.values())
