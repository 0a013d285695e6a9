"""What a paper takes: twelve files, the same bytes each time, LaTeX that compiles whatever the names are."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest

from catalog.errors import StoreError, UsageError
from catalog.report.paper.display_names import parsed_names
from catalog.report.paper.files import paper_files, write_paper
from catalog.report.paper.latex_text import latex
from catalog.report.paper.main_table import MOST_COLUMNS, paper_tables
from catalog.report.report import Report, build_report
from catalog.storage.store import Store
from tests.catalog.report.conftest import HOSTILE, TARGETS
from tests.catalog.report.paper.conftest import NAMES
from tests.catalog.test_output_file import little_room

FILES = {
    *("table.tex", "table.csv", "tables.json", "references.bib", "reproduce.md", "paper.tex"),
    *(f"{name}.{ending}" for name in ("intervals", "search", "agreement") for ending in ("pdf", "svg")),
}


@pytest.fixture
def pdflatex() -> str:
    found = shutil.which("pdflatex")
    if found is None or shutil.which("bibtex") is None:
        pytest.skip("pdflatex and bibtex are not installed (Debian: texlive-latex-recommended)")
    return found


@pytest.mark.parametrize("which", ["single", "several"])
def test_the_latex_of_hostile_names_compiles_within_the_page(
    which: str, request: pytest.FixtureRequest, pdflatex: str, tmp_path: Path
) -> None:
    write_paper(request.getfixturevalue(which), tmp_path)
    for command in ([pdflatex, "-interaction=nonstopmode", "-halt-on-error", "paper"], ["bibtex", "paper"]) * 2:
        answer = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False, timeout=120)
        assert answer.returncode == 0, answer.stdout.decode(errors="replace")[-3000:]
    log = (tmp_path / "paper.log").read_text(errors="replace")
    assert "Overfull" not in log
    assert "too large for page" not in log
    assert (tmp_path / "paper.pdf").stat().st_size > 10_000


def test_there_are_twelve_files_and_the_same_bytes_each_time(
    files: dict[str, bytes], single: Report, several: Report
) -> None:
    assert set(files) == FILES
    assert len(files) == 12
    assert set(paper_files(several)) == FILES
    assert paper_files(single) == files


def test_a_table_has_eight_columns_at_most_and_its_best_in_bold(files: dict[str, bytes], several: Report) -> None:
    text = files["table.tex"].decode()
    assert "".join(line for line in text.splitlines() if not line.startswith("% ")).isascii()
    assert r"\begin{table*}" in text
    (columns,) = re.findall(r"^\\begin\{tabular\}\{(l\w+)\}$", text, flags=re.MULTILINE)
    assert len(columns) == MOST_COLUMNS
    body = text[text.index(r"\midrule") : text.index(r"\bottomrule")]
    assert body.count(r"\textbf{") >= 5
    assert all(len(table.headings) <= MOST_COLUMNS for table in paper_tables(several.pools, several.names))
    assert r"\textit{params (reference)}" in text


def test_equal_values_are_bold_alike_and_a_small_regret_is_the_best(single: Report) -> None:
    (table,) = paper_tables(single.pools, {})
    place = [column.name for column in table.columns].index("regret_10") - 1
    shown = [(float(row.cells[place].text), row.cells[place].is_best) for row in table.rows if not row.is_reference]
    least = min(value for value, _ in shown)
    assert all(is_best == (value == least) for value, is_best in shown)


def test_names_are_those_of_the_author_and_csv_has_every_digit(files: dict[str, bytes], single: Report) -> None:
    rows = list(csv.DictReader(io.StringIO(files["table.csv"].decode())))
    assert NAMES["good_published"] in {row["proxy"] for row in rows}
    assert "τ" in rows[0]
    first = single.pools[0].table.row(0, named=True)
    assert float(rows[0]["τ"]) == first["kendall_tau"]
    assert float(rows[0]["τ (low)"]) == first["kendall_tau_low"]
    assert latex(NAMES["good_published"]) in files["table.tex"].decode()


def test_no_cell_of_the_csv_is_a_formula(files: dict[str, bytes]) -> None:
    assert not re.search(r"(?m)(^|,)\"?[=@]", files["table.csv"].decode())


def test_every_table_of_the_page_is_in_one_file(files: dict[str, bytes], single: Report) -> None:
    tables = json.loads(files["tables.json"])
    assert list(tables) == [table.identifier for table in single.tables]
    assert len(tables["correlation-few-cifar10_test_accuracy"]["rows"]) > 3


def test_figures_are_whole_and_undated(files: dict[str, bytes]) -> None:
    for name in ("intervals", "search", "agreement"):
        assert files[f"{name}.pdf"].startswith(b"%PDF")
        assert b"CreationDate" not in files[f"{name}.pdf"]
        assert ElementTree.fromstring(files[f"{name}.svg"]).tag.endswith("svg")
        assert b"<dc:date>" not in files[f"{name}.svg"]


def test_what_makes_it_again_names_command_digests_and_sources(files: dict[str, bytes], single: Report) -> None:
    text = files["reproduce.md"].decode()
    assert single.command in text
    assert single.origins.content in text
    sha256 = single.pools[0].sources["sha256"][0]
    assert sha256 in text
    assert "catalog ingest graphs '<b>few&amp;.jsonl' --operators ops.json --space few" in text


def test_every_source_and_proxy_is_cited(files: dict[str, bytes], single: Report) -> None:
    text = files["references.bib"].decode()
    told = re.findall(r"^% (source|proxy) (.*): (\w+)$", text, flags=re.MULTILINE)
    keys = set(re.findall(r"^@\w+\{(\w+),", text, flags=re.MULTILINE))
    assert {key for *_, key in told} <= keys
    assert {name for kind, name, _ in told if kind == "proxy"} == set(single.pools[0].proxy_facts["proxy"])
    assert latex(HOSTILE) in text


def test_a_name_of_nothing_is_refused_with_near_ones(hostile_database: Path) -> None:
    with Store.open(hostile_database) as catalog, pytest.raises(UsageError, match="Did you mean good_published"):
        build_report(catalog, ["few"], ["cifar10_test_accuracy"], names={"good_publishd": "Good"})


def test_progress_knows_how_many_rankings_there_are(hostile_database: Path) -> None:
    told: list[tuple[int, int]] = []
    with Store.open(hostile_database) as catalog:
        where = "architecture_id % 8 = 0"
        build_report(catalog, ["many"], TARGETS, where=where, on_pool=lambda *place: told.append(place))
    assert told == [(0, 2), (1, 2), (2, 2)]


@pytest.mark.parametrize(
    ("options", "names"),
    [
        (None, {}),
        (["a=A", "b=B, C"], {"a": "A", "b": "B, C"}),
        (["a=A,b=B"], {"a": "A", "b": "B"}),
        ("a=x=y", {"a": "x=y"}),
        ({"a": "A"}, {"a": "A"}),
    ],
)
def test_names_are_given_one_by_one_or_together(options: object, names: dict[str, str]) -> None:
    assert parsed_names(options) == names  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["nwot"], "not of the form COLUMN=NAME"),
        (["=x"], "a side is empty"),
        (["a=A", "a=B"], "two names"),
        (["a=A", "b=A"], "would mix them up"),
    ],
)
def test_names_that_cannot_be_meant_are_refused(options: list[str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        parsed_names(options)


def test_a_folder_that_cannot_be_made_is_told(single: Report, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"cannot be written to .*file.*choose another folder"):
        write_paper(single, tmp_path / "file")


def test_files_that_find_no_room_keep_the_old_ones(single: Report, tmp_path: Path) -> None:
    write_paper(single, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with little_room(1), pytest.raises(StoreError, match=r"the tables cannot be written to .*File too large"):
        write_paper(single, tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_latex_sets_texts_as_they_stand() -> None:
    assert latex("a~b^c<d>|e") == r"a\textasciitilde{}b\textasciicircum{}c\textless{}d\textgreater{}\textbar{}e"
    assert latex("0.741 [0.736]") == "0.741 {[}0.736{]}"
    assert (
        latex(r"\input{x} 50 % & more_") == r"\textbackslash{}input\textbraceleft{}x\textbraceright{} 50 \% \& more\_"
    )
    for hostile in ("{", "}", "}{", "a{b"):  # BibTeX counts every brace, whatever stands before it
        assert latex(hostile).count("{") == latex(hostile).count("}")
    assert latex("a--b---c") == "a-{}-b-{}-{}-c"
    assert latex("é中\nα−1") == r"\'{e}\texttt{U+4E2D} $\alpha$$-$1"
