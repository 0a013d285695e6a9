"""What the doctor found, as a user holds it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from catalog.asking.frame_result import FrameResult
from catalog.tables.doctor import examine
from catalog.tables.finding import Finding

if TYPE_CHECKING:
    import polars

    from catalog.storage.store import Store


@dataclass(frozen=True, repr=False)
class Examination(FrameResult):
    """All that was checked of a file, in order."""

    findings: tuple[Finding, ...]

    @property
    def failed(self) -> tuple[str, ...]:
        """Names of the checks that failed."""
        return tuple(finding.check for finding in self.findings if finding.result == "failed")

    @property
    def frame(self) -> polars.DataFrame:
        """One row a check: ``check``, ``result``, ``detail``."""
        import polars

        return polars.DataFrame([vars(finding) for finding in self.findings], schema=["check", "result", "detail"])


def examined(store: Store, *, full: bool = False) -> Examination:
    """The findings of `catalog.tables.doctor.examine`, all of them."""
    return Examination(tuple(examine(store, full=full)))
