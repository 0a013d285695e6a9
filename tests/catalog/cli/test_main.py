"""The commands as a whole: which there are, and how they are listed."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
import typer
import typer.main

from catalog.cli.main import MODULES
from catalog.storage.no_pandas import NoPandas
from tests.catalog.cli.commands import run_catalog


@pytest.mark.parametrize("module", sorted(set(MODULES.values())))
def test_each_module_adds_the_commands_it_is_listed_with(module: str) -> None:
    part = typer.Typer()
    import_module(f"catalog.cli.{module}").add_to(part)
    assert set(typer.main.get_group(part).commands) == {name for name, home in MODULES.items() if home == module}


@pytest.mark.parametrize("words", [(), ("ingest",), ("db",)])
def test_help_lists_whole_sentences(words: tuple[str, ...]) -> None:
    answer = run_catalog(*words, "--help")
    assert answer.returncode == 0
    listed = answer.stdout.split("Commands:")[1]
    assert "..." not in listed.replace("Genotype(...)", "")
    assert listed.rstrip().endswith(".")


def test_a_command_that_does_not_exist_is_refused() -> None:
    answer = run_catalog("tpo", "nb201")
    assert (answer.returncode, answer.stdout) == (2, "")
    assert "No such command 'tpo'" in answer.stderr


def test_a_question_imports_no_array_library(demo_folder) -> None:
    """Each of them takes longer to import than the whole of a small answer."""
    code = (
        "import sys; from catalog.__main__ import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print([name for name in ('numpy', 'pyarrow', 'polars', 'pandas', 'torch', 'rich') if name in sys.modules])"
    )
    top = ("top", "nb201", "--by", "params")
    for words in (top, (*top, "--where", "params < 1e6"), ("query", "SELECT count(*) FROM nb201"), ("--help",)):
        database = () if words == ("--help",) else ("--db", str(demo_folder / "catalog.duckdb"))
        command = [sys.executable, "-c", code, *words, *database]
        answer = subprocess.run(command, capture_output=True, text=True, check=True)
        assert answer.stdout.splitlines()[-1] == "[]", words


@pytest.mark.parametrize("importer", ["catalog.storage.store", "ingest.entry", "pyarrow"])
def test_pandas_is_there_for_those_alone_who_use_it(importer: str) -> None:
    """What DuckDB imports comes from the frame that called it: one of the catalog's."""
    asked = "hook.find_spec('pandas')"
    with pytest.raises(ModuleNotFoundError, match="pandas"):
        exec(asked, {"__name__": importer, "hook": NoPandas()})
    exec(asked, {"__name__": "mine", "hook": NoPandas()})
    exec("hook.find_spec('polars')", {"__name__": importer, "hook": NoPandas()})


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_can_be_installed(shell: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")  # the shell is an argument then
    assert "_CATALOG_COMPLETE" in run_catalog("--show-completion", shell).stdout
    answer = run_catalog("--install-completion", shell)
    assert answer.returncode == 0, answer.stderr
    assert any("_CATALOG_COMPLETE" in path.read_text() for path in tmp_path.rglob("*catalog*"))


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        (["sea"], ["search", "search-bench"]),
        (["search", "--bud"], ["--budget"]),
        (["ingest", "darts"], ["darts", "darts-published"]),
        (["correlate", "nb201", "--form"], ["--format"]),
    ],
)
def test_completion_offers_what_fits(typed: list[str], offered: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_CATALOG_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", " ".join(["catalog", *typed]))
    monkeypatch.setenv("COMP_CWORD", str(len(typed)))
    answer = run_catalog()
    assert answer.stdout.split() == offered
