"""The notebooks of examples/ run from beginning to end on the demo's catalog, and are kept without their outputs."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[3]
NOTEBOOKS = sorted((CHECKOUT / "examples").glob("*.ipynb"))


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_from_beginning_to_end(notebook: Path, demo_folder: Path, tmp_path: Path) -> None:
    reason = "a notebook needs nbclient, ipykernel, matplotlib and pandas, of the extra dev"
    for needed in ("nbclient", "ipykernel", "pandas"):
        pytest.importorskip(needed, reason=reason)
    import nbclient
    import nbformat

    (tmp_path / "demo").mkdir()
    shutil.copy(demo_folder / "catalog.duckdb", tmp_path / "demo")
    content = nbformat.read(notebook, as_version=4)
    assert all(not cell.get("outputs") and not cell.get("execution_count") for cell in content.cells)
    nbclient.NotebookClient(content, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = {kind for cell in content.cells for output in cell.get("outputs", ()) for kind in output.get("data", ())}
    assert {"text/html", "image/svg+xml", "image/png"} <= shown
