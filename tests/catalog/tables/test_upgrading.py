"""An older file gets the newest schema, and views that say what their columns show."""

from __future__ import annotations

from pathlib import Path

from catalog.asking.top import top
from catalog.spaces import space_named
from catalog.storage import migration
from catalog.storage.revisions import NEWEST
from catalog.storage.store import Store
from catalog.tables.upgrading import upgrade
from ingest.formats.nb201_digits import TABLE, NB201Digits
from ingest.reading.job import ingest


def test_an_upgraded_file_knows_its_directions(catalog_path: Path) -> None:
    with Store.open(catalog_path, mode="write") as store:
        ingest(store, NB201Digits(), TABLE)
        store.execute("UPDATE metric SET name = 'error' WHERE name = 'accuracy'")  # as an older version took any name
        store.execute("INSERT INTO proxy SELECT 99, 'ntk_cond', 'ntk_cond', 'published', 1, '{}', NULL, ''")
        store.execute("INSERT INTO proxy SELECT 98, 'odd', 'odd', 'published', 1, '{}', NULL, ''")
    migration.downgrade(catalog_path, "0005")
    assert upgrade(catalog_path) == ("0005", NEWEST)
    with Store.open(catalog_path) as store:
        assert top(store, "nb201", "digits_test_error", k=1).sql.endswith("ASC, architecture_id LIMIT 1")
        assert store.rows("SELECT name, direction FROM proxy WHERE version = 'published' ORDER BY 1") == [
            ("ntk_cond", -1),
            ("odd", None),  # nobody had said it
        ]
        before = store.rows("SELECT * FROM wide_column ORDER BY ALL")
    assert upgrade(catalog_path) == (NEWEST, NEWEST)
    with Store.open(catalog_path) as store:
        assert store.rows("SELECT * FROM wide_column ORDER BY ALL") == before


def test_an_upgrade_that_was_cut_short_is_finished(nb201_path: Path, tmp_path: Path) -> None:
    path = tmp_path / "cut.duckdb"
    path.write_bytes(nb201_path.read_bytes())
    with Store.open(path, mode="write") as store:
        expected = store.rows("SELECT name FROM wide_column ORDER BY 1")
        store.execute("DELETE FROM wide_column")
    upgrade(path)
    with Store.open(path) as store:
        assert store.rows("SELECT name FROM wide_column ORDER BY 1") == expected
        assert space_named("nb201").size == store.rows("SELECT count(*) FROM nb201")[0][0]
