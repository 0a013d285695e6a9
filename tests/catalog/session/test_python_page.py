"""The pages with Python sessions tell the truth: their examples run in order, and show what comes out."""

from __future__ import annotations

import ast
import io
import re
import shutil
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest

DOCS = Path(__file__).resolve().parents[3] / "docs"


def blocks(page: str) -> list[tuple[str, str | None]]:
    """Each example with the output that is shown below it; None where none is."""
    found = re.finditer(r"```python\n(.*?)```\n(?:\n```text\n(.*?)```)?", (DOCS / page).read_text(), flags=re.DOTALL)
    return [(block[1], block[2]) for block in found]


def run(code: str, names: dict[str, Any]) -> str:
    """What a session prints: the output, and the value of an expression at the end."""
    tree = ast.parse(code)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    printed = io.StringIO()
    with redirect_stdout(printed):
        exec(compile(tree, "page", "exec"), names)
        if last is not None:
            value = eval(compile(ast.Expression(last.value), "page", "eval"), names)
            if value is not None:
                printed.write(f"{value!r}\n")
    return printed.getvalue()


@pytest.mark.parametrize("page", ["python.md", "computation_graphs.md"])
def test_the_examples_run_and_show_what_comes_out(
    page: str, demo_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line that is '...' alone stands for lines left out."""
    pytest.importorskip("pandas", reason="the page converts a frame; pandas is of the extra dev")
    (tmp_path / "demo").mkdir()
    shutil.copy(demo_folder / "catalog.duckdb", tmp_path / "demo")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for code, shown in blocks(page):
        printed = run(code, names)
        if shown is not None:
            parts = re.split(r"(^\.\.\.$)", shown.rstrip("\n"), flags=re.MULTILINE)
            pattern = "".join(".*" if part == "..." else re.escape(part) for part in parts)
            assert re.fullmatch(pattern, printed.rstrip("\n"), flags=re.DOTALL), printed
    assert len(names) > 5
