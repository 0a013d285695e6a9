"""DuckDB and Arrow import pandas wherever it is installed, to know its missing values when they see one.

The program has none, and the import takes longer than most commands: 0.4 s beside a question that is answered in 0.3.
"""

from __future__ import annotations

import sys
from typing import Any

_HAVE_NO_PANDAS = frozenset({"catalog", "ingest", "predictor", "duckdb", "pyarrow"})
"""Packages of which none needs pandas here; what DuckDB imports comes from the frame that called DuckDB."""


class NoPandas:
    """An import hook that refuses pandas to packages that only look for it, as if it were not installed.

    Whoever really uses it, such as a user's own module, imports it as ever.
    """

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        """Leave the search to others; raises ModuleNotFoundError for who has no need of it."""
        if name == "pandas" and _importer().partition(".")[0] in _HAVE_NO_PANDAS:
            raise ModuleNotFoundError("No module named 'pandas': the catalog has no use for it", name=name)


def spare_pandas() -> None:
    """Put the hook in its place; for a process that runs nothing but this program."""
    hook: Any = NoPandas()
    sys.meta_path.insert(0, hook)


def _importer() -> str:
    """The module that runs the import statement."""
    frame = sys._getframe(2)  # noqa: SLF001 - `inspect` says the same and takes longer to import
    while frame.f_back is not None and str(frame.f_globals.get("__name__")).startswith("importlib"):
        frame = frame.f_back
    return str(frame.f_globals.get("__name__"))
