import math
import shutil
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from catalog.errors import MissingDatabaseError, SchemaVersionError, StoreError, UsageError
from catalog.storage import migration, revisions
from catalog.storage.revisions import NEWEST, REVISIONS, SchemaStatus
from catalog.storage.runs import Run
from catalog.storage.schema import TABLES, Base
from catalog.storage.store import Store

NEXT = f"{int(NEWEST) + 1:04}"
"""A revision that does not exist yet."""

BROKEN = f"""
from alembic import op

revision = "{NEXT}"
down_revision = "{NEWEST}"


def upgrade():
    op.execute("CREATE TABLE half_way (a INTEGER)")
    op.execute("INSERT INTO run SELECT * FROM nothing")


def downgrade():
    pass
"""


def tables(path: Path) -> set[str]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return {name for (name,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()}


def broken_scripts(folder: Path) -> Path:
    """The real revisions and one that fails half way."""
    scripts = folder / "scripts"
    shutil.copytree(migration.scripts(), scripts)
    (scripts / "versions" / f"{NEXT}_broken.py").write_text(BROKEN)
    return scripts


def test_known_revisions_are_those_of_the_folder() -> None:
    config = Config()
    config.set_main_option("script_location", str(migration.scripts()))
    steps = list(ScriptDirectory.from_config(config).walk_revisions())
    assert tuple(step.revision for step in reversed(steps)) == REVISIONS


def test_init_creates_every_table(catalog_path: Path) -> None:
    assert tables(catalog_path) == {*TABLES, "alembic_version"}
    assert migration.status(catalog_path) == SchemaStatus(catalog_path, NEWEST)
    assert migration.status(catalog_path).word == "current"


def test_autogenerate_finds_no_difference(catalog_path: Path) -> None:
    """Wide views are tables, too, and no difference."""
    with duckdb.connect(str(catalog_path)) as database:
        database.execute("CREATE TABLE nb201 AS SELECT 1 AS architecture_id")
        with migration._configured(database) as config:
            command.check(config)  # raises where there is one


def test_autogenerate_would_find_a_difference(catalog_path: Path) -> None:
    with duckdb.connect(str(catalog_path)) as database:
        database.execute("ALTER TABLE run DROP COLUMN detail")
        with migration._configured(database) as config, pytest.raises(Exception, match="detail"):
            command.check(config)


def test_comments_of_the_models_are_in_the_file(catalog_path: Path) -> None:
    with Store.open(catalog_path) as catalog:
        stored = catalog.arrow("SELECT table_name, column_name, comment FROM duckdb_columns()").to_pylist()
    comments = {(row["table_name"], row["column_name"]): row["comment"] for row in stored}
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            assert comments[table.name, column.name] == column.comment


@pytest.mark.parametrize(
    ("table", "column", "kind"),
    [
        ("architecture", "operator_counts", "MAP(VARCHAR, INTEGER)"),
        ("operator_embedding", "vector", "FLOAT[]"),
        ("score", "value", "DOUBLE"),
        ("run", "started_at", "TIMESTAMP WITH TIME ZONE"),
    ],
)
def test_types_are_those_of_the_design(catalog_path: Path, table: str, column: str, kind: str) -> None:
    with Store.open(catalog_path) as catalog:
        sql = "SELECT data_type FROM duckdb_columns() WHERE table_name = ? AND column_name = ?"
        assert catalog.arrow(sql, [table, column])["data_type"].to_pylist() == [kind]


def test_init_overwrites_nothing(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("mine")
    with pytest.raises(StoreError, match=r"exists already and was left as it is.*catalog db status"):
        migration.init(path)
    assert path.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [path]


def test_init_needs_the_folder(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="mkdir -p"):
        migration.init(tmp_path / "none" / "catalog.duckdb")


def test_init_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scripts = broken_scripts(tmp_path)
    monkeypatch.setattr(migration, "scripts", lambda: scripts)
    monkeypatch.setattr(migration, "NEWEST", NEXT)
    folder = tmp_path / "new"
    folder.mkdir()
    with pytest.raises(StoreError):
        migration.init(folder / "catalog.duckdb")
    assert list(folder.iterdir()) == []


def test_init_works_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, target: Path) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    path = tmp_path / "catalog.duckdb"
    migration.init(path)
    assert migration.status(path).word == "current"
    assert list(tmp_path.iterdir()) == [path]


def test_init_yields_to_a_file_that_appears_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "catalog.duckdb"
    monkeypatch.setattr(migration, "_create", lambda database: path.write_text("faster"))
    with pytest.raises(StoreError, match="exists already"):
        migration.init(path)
    assert path.read_text() == "faster"


def test_downgrade_and_upgrade_keep_the_rows(catalog_path: Path) -> None:
    with Store.open(catalog_path, mode="write") as catalog:
        Run.start(catalog, "ingest", {"rows": 3})
        catalog.execute("CREATE TABLE nb201 AS SELECT 7 AS architecture_id")
        catalog.append("training_member", pa.table({"proxy_id": [1], "architecture_id": [7]}))
        before = catalog.query("FROM run")
    assert migration.downgrade(catalog_path, "0001").current == NEWEST
    later = {
        "training_member",
        "operator_embedding",
        "node_attribute",
        "layer_score",
        "training_curve",
        "search_visit",
        "measure",
        "wide_column",
        "seal",
    }
    assert tables(catalog_path) == {*TABLES, "alembic_version", "nb201"} - later
    old = migration.status(catalog_path)
    assert (old.current, old.word, old.pending) == ("0001", "older", REVISIONS[1:])
    with pytest.raises(SchemaVersionError, match=f"catalog db upgrade --db {catalog_path}"):
        Store.open(catalog_path)
    assert migration.upgrade(catalog_path) == old
    with Store.open(catalog_path) as catalog:
        assert catalog.query("FROM run").equals(before)
        assert catalog.arrow("SELECT count(*) FROM training_member").column(0).to_pylist() == [0]


def test_upgrade_makes_logarithms_of_the_layers_of_synflow(catalog_path: Path) -> None:
    with Store.open(catalog_path, mode="write") as catalog:
        for number, name in ((1, "synflow"), (2, "snip")):
            catalog.execute(
                """
                INSERT INTO proxy BY NAME SELECT ? AS id, ? AS name, ? AS "column", '2' AS version, 1 AS direction,
                    '{}' AS configuration, '' AS description
                """,
                [number, name, name],
            )
            for position, value in enumerate((2.0, None)):
                catalog.execute(
                    "INSERT INTO layer_score (architecture_id, proxy_id, position, layer, value, run_id, role) "
                    "VALUES (1, ?, ?, 'stem', ?, 1, 'stem')",
                    [number, position, value],
                )
    migration.downgrade(catalog_path, "0010")
    with duckdb.connect(str(catalog_path)) as database:
        rows = database.execute("SELECT proxy_id, value FROM layer_score ORDER BY ALL").fetchall()
        assert rows == [(1, pytest.approx(math.exp(2.0))), (2, 2.0)]
        for proxy, position, value in ((1, 1, 0.0), (1, 2, math.inf), (1, 3, math.nan), (2, 1, math.inf)):
            database.execute(
                "INSERT INTO layer_score VALUES (1, ?, NULL, NULL, ?, 'body', ?, 1)", [proxy, position, value]
            )
    migration.upgrade(catalog_path)
    with Store.open(catalog_path) as catalog:
        rows = catalog.rows("SELECT proxy_id, position, value, role FROM layer_score ORDER BY ALL")
        unknown = [(1, place, None, None) for place in (1, 2, 3)]
        assert rows == [(1, 0, pytest.approx(2.0), None), *unknown, (2, 0, 2.0, None), (2, 1, None, None)]


def test_upgrade_of_a_current_file_does_nothing(catalog_path: Path) -> None:
    content = catalog_path.read_bytes()
    assert migration.upgrade(catalog_path).word == "current"
    assert catalog_path.read_bytes() == content


@pytest.mark.parametrize("revision", [NEWEST, "0000", "base", "head"])
def test_downgrade_wants_an_older_revision(catalog_path: Path, revision: str) -> None:
    with pytest.raises(UsageError, match="allowed are 0001"):
        migration.downgrade(catalog_path, revision)


def test_newer_files_are_refused(catalog_path: Path) -> None:
    with duckdb.connect(str(catalog_path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    assert migration.status(catalog_path).word == "newer"
    assert migration.status(catalog_path).pending == ()
    for change in (migration.upgrade, lambda path: migration.downgrade(path, "0001")):
        with pytest.raises(SchemaVersionError, match="a newer version wrote the file"):
            change(catalog_path)


@pytest.mark.parametrize("ask", [migration.status, migration.upgrade])
def test_files_without_a_catalog_are_told(tmp_path: Path, ask: object) -> None:
    path = tmp_path / "other.duckdb"
    with pytest.raises(MissingDatabaseError):
        ask(path)  # type: ignore[operator]
    duckdb.connect(str(path)).close()
    with pytest.raises(StoreError, match="not a catalog"):
        ask(path)  # type: ignore[operator]


def test_upgrade_that_fails_leaves_the_file_as_it_was(
    catalog_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The revisions before the failing one are taken back, too."""
    migration.downgrade(catalog_path, "0001")
    before = tables(catalog_path)
    scripts = broken_scripts(tmp_path)
    monkeypatch.setattr(migration, "scripts", lambda: scripts)
    monkeypatch.setattr(migration, "NEWEST", NEXT)
    monkeypatch.setattr(revisions, "REVISIONS", (*REVISIONS, NEXT))
    with pytest.raises(StoreError, match="could not be upgraded and was left as it was: .*nothing does not exist"):
        migration.upgrade(catalog_path)
    monkeypatch.undo()
    assert tables(catalog_path) == before
    assert migration.status(catalog_path).current == "0001"
    migration.upgrade(catalog_path)
    with Store.open(catalog_path) as catalog:
        assert catalog.next_id("run") == 1


def test_draft_writes_the_difference_to_the_models(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "migrations"
    shutil.copytree(migration.scripts(), folder)
    script = migration.draft("change nothing", NEXT, folder)
    assert script == folder / "versions" / f"{NEXT}_change_nothing.py"
    text = script.read_text()
    assert f'revision = "{NEXT}"\ndown_revision = "{NEWEST}"' in text.replace("'", '"')
    assert "op." not in text


def test_installed_package_brings_its_revisions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wheel holds them inside the package, a checkout beside it."""
    package = tmp_path / "catalog"
    (package / "migrations").mkdir(parents=True)
    assert migration.scripts().parent == Path(migration.__file__).parents[2]
    monkeypatch.setattr(migration, "__file__", str(package / "storage" / "migration.py"))
    assert migration.scripts() == package / "migrations"
