"""The pages: what they answer, with which status, and that nothing in them becomes markup."""

from __future__ import annotations

import html
import io
import json
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import polars
import pytest
from starlette.testclient import TestClient

from catalog.serving.catalog_reader import CatalogReader, Overview
from catalog.serving.worker_tasks import Limits
from catalog.storage.store import Store
from predictor.scoring.architecture_vectors import Embedding
from tests.catalog.hostile_sql import CANARY
from tests.catalog.hostile_sql import HOSTILE as HOSTILE_SQL
from tests.catalog.processes import python
from tests.catalog.serving.conftest import ADDRESS, HOSTILE, client_of, embedding_of

if TYPE_CHECKING:
    from predictor.scoring.architecture_vectors import Embedding

CELL = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_1x1~2|"


def text_of(page: str) -> str:
    """What a reader sees of a page."""
    body = re.sub(r"<(script|style)\b.*?</\1>", "", page, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


def asked(client: TestClient, sql: str) -> tuple[int, str]:
    answer = client.get("/query", params={"sql": sql})
    return answer.status_code, answer.text


def test_home_shows_what_the_catalog_holds(client: TestClient) -> None:
    answer = client.get("/")
    assert answer.status_code == 200
    assert "nb201 15,625 15,625" in text_of(answer.text)
    assert 'href="/spaces/nb201"' in answer.text


def test_a_query_becomes_a_table_that_leads_to_architectures(client: TestClient) -> None:
    status, page = asked(client, "SELECT architecture_id, params FROM nb201 WHERE index IN (6111, 9930) ORDER BY index")
    assert status == 200
    assert "2 rows in" in text_of(page)
    assert re.findall(r'<a href="(/architectures/\d+)">', page) == ["/architectures/6112", "/architectures/9931"]
    assert 'data-order="1073466.0"' in page


@pytest.mark.parametrize("kind", ["csv", "json", "parquet"])
def test_all_rows_of_a_result_can_be_downloaded(client: TestClient, kind: str) -> None:
    sql = "SELECT index, cell, is_connected FROM nb201 WHERE index < 600 ORDER BY index"
    assert f"/query/download?format={kind}" in asked(client, sql)[1]
    answer = client.get("/query/download", params={"sql": sql, "format": kind})
    assert answer.status_code == 200
    assert answer.headers["content-disposition"] == f'attachment; filename="result.{kind}"'
    read = {"csv": polars.read_csv, "json": polars.read_json, "parquet": polars.read_parquet}[kind]
    frame = read(io.BytesIO(answer.content))
    assert frame["index"].to_list() == list(range(600))
    assert frame.columns == ["index", "cell", "is_connected"]


def test_a_downloaded_csv_holds_nothing_that_a_spreadsheet_runs(client: TestClient) -> None:
    answer = client.get("/query/download", params={"sql": "SELECT '=1+1' AS x"})
    assert answer.text == "x\n'=1+1\n"


@pytest.mark.parametrize("sql", HOSTILE_SQL)
def test_a_download_is_refused_what_a_query_is_refused(client: TestClient, sql: str) -> None:
    answer = client.get("/query/download", params={"sql": sql})
    assert answer.status_code == 400
    assert CANARY not in answer.text
    assert "content-disposition" not in answer.headers


def test_a_download_keeps_its_limits_and_knows_its_formats(nb201_path: Path, client: TestClient) -> None:
    unknown = client.get("/query/download", params={"sql": "SELECT 1 AS x", "format": "parket"})
    assert (unknown.status_code, "Did you mean parquet" in text_of(unknown.text)) == (400, True)
    assert client.get("/query/download").status_code == 400
    with client_of(nb201_path, Limits(download=1000)) as small:
        large = small.get("/query/download", params={"sql": "SELECT cell FROM nb201"})
    assert (large.status_code, "1,000 is the most" in text_of(large.text)) == (400, True)


def test_every_question_of_the_first_page_has_an_answer(client: TestClient, hostile_path: Path) -> None:
    for server in (client, client_of(hostile_path)):
        with server if server is not client else nullcontext():
            links = re.findall(r'<a href="(/query\?sql=[^"]+)">', server.get("/").text)
            assert len(links) >= 3
            for link in links:
                answer = server.get(html.unescape(link))
                assert answer.status_code == 200, link
                assert 'id="result"' in answer.text, link


def test_the_chart_gets_numbers_and_the_texts_that_colours_can_tell_apart(client: TestClient) -> None:
    _, page = asked(client, "SELECT index, params, is_connected, cell FROM nb201 WHERE index < 300")
    found = re.search(r'<script type="application/json" id="chart-data">(.*?)</script>', page)
    assert found is not None
    data = json.loads(found[1])
    assert (data["count"], data["total"], list(data["numbers"])) == (300, 300, ["index", "params"])
    assert list(data["groups"]) == ["is_connected"]
    assert data["groups"]["is_connected"]["words"] == ["false", "true"]


def test_a_large_result_is_shown_in_part_and_says_so(client: TestClient) -> None:
    status, page = asked(client, "SELECT index FROM nb201")
    assert status == 200
    assert "The first 500 of 15,625 rows" in text_of(page)
    assert page.count("<tr") == 501


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("SELECT 1 AS a, 2 AS a", "1 row in"),
        ("SELECT NULL AS nothing, [1, 2] AS list, now() AS time, 'nan'::DOUBLE AS number", "1 row in"),
        ("SELECT 1 WHERE false", "0 rows in"),
        ("EXPLAIN SELECT index FROM nb201", "SEQ_SCAN"),
        ("DESCRIBE nb201", "canonical_digest"),
    ],
)
def test_every_shape_of_result_has_a_page(client: TestClient, sql: str, words: str) -> None:
    status, page = asked(client, sql)
    assert status == 200
    assert words in text_of(page)


@pytest.mark.parametrize("sql", [statement for statement in HOSTILE_SQL[::12] if statement.strip()])
def test_hostile_sql_is_refused_as_on_the_command_line(client: TestClient, sql: str) -> None:
    status, page = asked(client, sql)
    assert status == 400
    assert 'role="alert"' in page
    assert CANARY not in page


def test_a_query_must_be_short(client: TestClient) -> None:
    status, page = asked(client, f"SELECT '{'x' * 20_000}'")
    assert status == 400
    assert "20,000 is the most" in text_of(page)


def test_a_query_is_stopped_in_time_and_others_go_on(nb201_path: Path) -> None:
    endless = "SELECT count(*) FROM range(1000000000) a, range(1000000000) b WHERE a.range % 7 = b.range % 11"
    with client_of(nb201_path, Limits(seconds=1.0)) as client:
        answers = []
        slow = threading.Thread(target=lambda: answers.append(asked(client, endless)))
        slow.start()
        assert client.get("/").status_code == 200
        assert not answers
        slow.join()
    assert answers[0][0] == 400
    assert "stopped after 1 seconds" in text_of(answers[0][1])


def test_an_architecture_is_found_by_any_native_id(client: TestClient) -> None:
    for identifier in ("6111", CELL, "(2, 2, 0, 2, 2, 3)"):
        answer = client.get("/spaces/nb201/architecture", params={"id": identifier})
        assert (answer.status_code, answer.headers["location"]) == (307, "/architectures/6112")


def test_the_page_of_an_architecture_shows_everything_known(client: TestClient) -> None:
    page = client.get("/architectures/6112").text
    text = text_of(page)
    assert page.count("<svg") == 2
    assert CELL in text
    assert "99.7" in text  # of params; 6111 has 1,073,466
    assert "24 stored architectures are one edit away" in text
    assert "cosine" not in text
    assert "cosine" in text_of(client.get("/architectures/6112?embedding=yes").text)


def test_architectures_are_compared_side_by_side(client: TestClient) -> None:
    page = client.get("/spaces/nb201/compare", params={"id": "6111\n9930"})
    assert page.status_code == 200
    assert page.text.count('class="card"') == 2
    assert text_of(page.text).count("24 stored architectures are one edit away") == 2


def test_a_pattern_is_counted_listed_and_drawn(client: TestClient) -> None:
    page = client.get("/spaces/nb201/match", params={"pattern": "(:conv)->(:pool)", "by": "params"})
    assert page.status_code == 200
    assert "3,780 architectures hold the pattern, 4,540 times in all" in text_of(page.text)
    assert page.text.count("<svg") == 6


def test_a_report_can_be_chosen(client: TestClient) -> None:
    page = client.get("/spaces/nb201/report")
    assert page.status_code == 200
    assert "has 0 metric columns" in text_of(page.text)


@pytest.mark.parametrize(
    ("address", "status", "words"),
    [
        ("/nowhere", 404, "/nowhere"),
        ("/architectures/99999", 404, "no architecture with the id 99999"),
        ("/architectures/x", 404, "/architectures/x"),
        ("/spaces/nb202", 404, "no search space 'nb202'"),
        ("/spaces/nb201/architecture?id=99999", 404, "name no architecture"),
        ("/spaces/nb201/architecture", 400, "lacks id="),
        ("/spaces/nb201/compare?id=6111", 400, "takes 2 to 12"),
        ("/spaces/nb201/compare?id=6111&id=(2,2,0,2,2,3)", 400, "name one architecture"),
        ("/spaces/nb201/match?pattern=(:conv", 400, "Expected ')'"),
        ("/spaces/nb201/match?pattern=(:conv)&by=nothing", 400, "no column 'nothing'"),
        ("/spaces/nb201/match?pattern=(:conv)&form=x", 400, "unknown form 'x'"),
        ("/spaces/nb201/report?target=nothing", 400, "no column 'nothing'"),
        ("/spaces/nb201/report?target=params&pool=x", 400, "unknown pool 'x'"),
        (f"/{quote(HOSTILE, safe='')}", 404, HOSTILE),
    ],
)
def test_what_cannot_be_answered_has_a_clear_page(client: TestClient, address: str, status: int, words: str) -> None:
    answer = client.get(address)
    assert (answer.status_code, words in text_of(answer.text)) == (status, True), text_of(answer.text)


def test_hostile_names_never_become_markup(hostile_path: Path) -> None:
    with client_of(hostile_path) as client:
        addresses = {
            "/spaces/mine": 1,
            "/architectures/1": 2,
            "/spaces/mine/compare?" + "&".join(f"id={quote(f'{HOSTILE}{number}')}" for number in range(3)): 3,
            "/spaces/mine/match?pattern=(conv3x3)": 2,
            "/spaces/mine/match?pattern=" + quote(HOSTILE): 1,
            "/spaces/mine/report": 0,
            "/spaces/mine/report?target=cifar10_test_accuracy": 0,
            "/query?sql=" + quote(f'SELECT *, 1 AS "{HOSTILE}" FROM mine'): 2,
            "/query?sql=" + quote(f"SELECT '{HOSTILE}"): 1,
            "/query?sql=" + quote("FROM source"): 0,
            "/": 0,
        }
        for address, least in addresses.items():
            answer = client.get(address)
            assert answer.status_code in (200, 400), address
            page = answer.text
            assert "<img" not in page, address
            assert page.count(html.escape(HOSTILE, quote=False)) >= least, address


def test_many_pages_at_once_are_all_right(client: TestClient) -> None:
    def question(number: int) -> bool:
        if number % 3 == 0:
            return "nb201 15,625" in text_of(client.get("/").text)
        if number % 3 == 1:
            return CELL in text_of(client.get("/architectures/6112").text)
        return "1 row in" in text_of(asked(client, f"SELECT cell FROM nb201 WHERE index = {number}")[1])

    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(question, range(18)))


def test_the_file_is_free_between_pages_and_a_writer_is_named(catalog_path: Path) -> None:
    writer = (
        "import sys\nfrom catalog.storage.store import Store\n"
        "with Store.open(sys.argv[1], mode='write'):\n    print('open', flush=True)\n    sys.stdin.readline()\n"
    )
    with client_of(catalog_path) as client:
        assert client.get("/").status_code == 200
        with python(writer, catalog_path) as process:
            for address in ("/", "/query?sql=SELECT%201"):
                answer = client.get(address)
                assert answer.status_code == 503
                assert f"in use by process {process.pid}" in text_of(answer.text)
            assert client.get("/").headers["retry-after"] == "5"
            process.communicate("\n")
        assert client.get("/").status_code == 200


def test_a_fault_shows_no_trace(empty_catalog: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fault(_: CatalogReader) -> Overview:
        raise ZeroDivisionError("the inside of the machine")

    monkeypatch.setattr(CatalogReader, "overview", fault)
    client = client_of(empty_catalog)
    client = TestClient(client.app, base_url=ADDRESS, raise_server_exceptions=False)
    answer = client.get("/")
    assert answer.status_code == 500
    assert "a fault of the catalog's server" in text_of(answer.text)
    assert "inside of the machine" not in answer.text
    assert "frame-ancestors" in answer.headers["content-security-policy"]


def test_a_missing_file_is_said(tmp_path: Path, empty_catalog: Path) -> None:
    path = tmp_path / "catalog.duckdb"
    path.write_bytes(empty_catalog.read_bytes())
    with client_of(path) as client:
        assert "no search space yet" in text_of(client.get("/").text)
        path.unlink()
        answer = client.get("/")
        assert answer.status_code == 503
        assert "there is no catalog at" in text_of(answer.text)


def recorded(catalog: Store, space: str) -> Embedding | str:
    """`embedding_of`, which leaves a line for each time that it is asked."""
    with catalog.path.with_suffix(".asked").open("a") as asked_for:
        asked_for.write(f"{space}\n")
    return embedding_of(catalog, space)


def test_vectors_are_made_once_for_each_state_of_the_file(catalog_path: Path, nb201_path: Path) -> None:
    catalog_path.write_bytes(nb201_path.read_bytes())
    reader = CatalogReader(catalog_path, Limits(), recorded)
    asked_for = catalog_path.with_suffix(".asked")
    found = [reader.comparison("nb201", [1], with_embedding=True).by_embedding for _ in range(2)]
    assert found[0] == found[1]
    assert asked_for.read_text() == "nb201\n"
    time.sleep(0.01)
    catalog_path.touch()
    reader.comparison("nb201", [1], with_embedding=True)
    assert asked_for.read_text() == "nb201\n" * 2
