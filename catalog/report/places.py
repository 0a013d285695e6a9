"""Where a report is written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from catalog.errors import UsageError
from catalog.output_file import write_text
from catalog.report.paper.files import write_paper
from catalog.report.report import Report


@dataclass(frozen=True)
class Places:
    """Where a report goes: a file for its page, a folder for its tables; None for nowhere."""

    page: Path | None
    tables: Path | None

    @classmethod
    def checked(cls, page: str | Path | None, tables: str | Path | None) -> Places:
        """Before minutes of work: whether the page and the tables have a place.

        Raises
        ------
        UsageError
            One of them has not.
        """
        out = None if page is None else Path(page)
        folder = None if tables is None else Path(tables)
        if out is not None and out.is_dir():
            raise UsageError(f"--out {out} is a folder; name a file, for example {out / 'report.html'}.")
        if out is not None and not out.parent.is_dir():
            raise UsageError(f"--out {out}: there is no folder {out.parent}; make it first.")
        if folder is not None and folder.exists() and not folder.is_dir():
            raise UsageError(f"--tables {folder} is a file; name a folder.")
        return cls(out, folder)

    def write(self, report: Report) -> Iterator[str]:
        """Write what has a place; gives a sentence for each.

        Raises
        ------
        StoreError
            A file cannot be written.
        """
        if self.page is not None:
            write_text(self.page, report.page())
            yield f"wrote {self.page}"
        if self.tables is not None:
            yield f"wrote {len(write_paper(report, self.tables))} files to {self.tables}"
