"""The ingest job: loader, checked batches, store, provenance; all of a source or nothing of it."""

from __future__ import annotations

import dataclasses
import gc
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from catalog.errors import GraphError, IdentifierError, IngestError, UsageError
from catalog.spaces.base import SearchSpace
from catalog.storage.runs import Run
from catalog.storage.store import Store
from catalog.tables import registration, views
from catalog.tables.aliases import ALIASES
from catalog.tables.confirmed_counts import compared
from catalog.tables.disagreements import disagreements
from catalog.tables.name_gate import shown_file_name
from catalog.tables.official_sources import KNOWN_TABLES
from catalog.tables.proxies import PUBLISHED_VERSION, ProxyFacts, ensure_proxies, known_direction, published
from catalog.tables.registration import Identifiers
from catalog.tables.removal_scope import of_source
from catalog.tables.removing import take_out
from catalog.tables.stored_spaces import admitted, space_of
from ingest.reading.batch import Batch, Loader, OwnProxiesLoader, OwnSpaceLoader, SourceFacts
from ingest.reading.batch_gate import BatchGate
from ingest.reading.content import Content, same_content
from ingest.reading.directions import DirectedLoader, Directions, settle
from ingest.reading.earlier import earlier_reading

_MEMORY = "2GB"  # for the database: the rebuilt wide view of a record file would take twice as much, and need not

_COLLECT_AFTER = 5_000_000  # objects more than before

_READ_WITH = ("epochs", "curves", "mapping")
"""Options of readers by which one file gives other rows."""

Progress = Callable[[int], None]
"""Called after each batch with the number of records read so far."""


@dataclass(frozen=True)
class IngestReport:
    """What one ingest did.

    Parameters
    ----------
    was_known
        Whether the catalog held this very file already, so that none of it was read again.
    same_as
        Where other bytes said what the catalog holds already: ``source.id`` of the source that says it.
    new_operators
        Operators that the user's own space has got; also from an operators file that comes with a known file.
    notes
        What was left out and what a person should look at, a sentence each.
    """

    source: str
    space: str
    records: int
    new_architectures: int
    metrics: int
    scores: int
    was_known: bool = False
    new_operators: int = 0
    same_as: int | None = None
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.was_known:
            rest = f"{self.new_operators:,} new operators stored" if self.new_operators else "nothing to do"
            if self.same_as is not None:
                same = f"the same content as source {self.same_as} ({self.source})"
                return f"{same}, under other bytes or another name; {rest}."
            return f"already in the catalog as {self.source} ({self.records:,} records); {rest}."
        counts = (
            f"{self.records:,} records of {self.source} into {self.space}: {self.new_architectures:,} new "
            f"architectures, {self.metrics:,} metrics, {self.scores:,} scores."
        )
        return "\n  note: ".join((counts, *self.notes))


def ingest(
    catalog: Store,
    loader: Loader,
    path: Path,
    progress: Progress | None = None,
    *,
    replace: bool = False,
    typed: Sequence[str] = (),
) -> IngestReport:
    """Read `path` with `loader` and store everything in one transaction; see `ingest_content`.

    The row of the run tells `typed`, the command's words.

    Raises
    ------
    IngestError
        The file is unreadable or wrong; nothing of it was stored.
    """
    if not path.exists():
        raise IngestError(f"{path} does not exist; nothing was stored. Check the path and run the command again.")
    return ingest_content(catalog, loader, path, content_digest(path), progress, replace=replace, typed=typed)


def ingest_content(
    catalog: Store,
    loader: Loader,
    path: Path,
    digest: str,
    progress: Progress | None = None,
    *,
    replace: bool = False,
    typed: Sequence[str] = (),
) -> IngestReport:
    """`ingest` for content whose digest the caller knows; `path` needs to exist only if the loader reads it.

    With `replace` the earlier reading of the file, or of the user's table of this name, goes in the same transaction.

    Raises
    ------
    IngestError
        The content is unreadable or wrong; nothing of it was stored.
    UsageError
        The loader's own space cannot be stored under its name, or changes an operator that is stored; or it is not
        clear what is to be replaced.
    """
    facts = loader.facts(path)
    file = shown_file_name(path.name)
    read_with = {name: getattr(loader, name) for name in _READ_WITH if getattr(loader, name, None)}
    parameters = {"loader": facts.kind, "space": loader.space, "file": file, "sha256": digest, "read_with": read_with}
    if typed:
        parameters["command"] = list(typed)
    mapping = read_with.get("mapping")
    earlier = earlier_reading(catalog, loader.space, facts, file, digest, mapping) if replace else None
    if not replace and (known := _known_source(catalog, loader.space, facts, digest, read_with)):
        return _nothing_to_do(catalog, loader, path, parameters, facts.name, known)
    catalog.execute(f"SET memory_limit = '{_MEMORY}'")
    with Run.start(catalog, "ingest", parameters) as run:
        try:
            with catalog.transaction():
                if earlier is not None:
                    take_out(catalog, of_source(catalog, earlier), run.id)
                report = _stored(catalog, loader, path, facts, run, parameters, progress)
            if replace:
                report = dataclasses.replace(report, notes=(_told_of(earlier), *report.notes))
            run.detail = f"{report.records} records of {facts.name}"
        except _SameContentError as found:
            same = found
            run.detail = str(same)
        else:
            return report
    return _nothing_to_do(catalog, loader, path, parameters, same.source, same.records, same.source_id)


def _told_of(earlier: int | None) -> str:
    if earlier is None:
        return "no earlier reading of it was there to be replaced."
    return f"source {earlier}, the earlier reading, was taken out in the same step."


class _SameContentError(Exception):
    """The file says what a source says already: the transaction is rolled back, and that is no failure."""

    def __init__(self, source_id: int, source: str, records: int) -> None:
        super().__init__(f"the same content as source {source_id} ({source}); nothing was stored")
        self.source_id = source_id
        self.source = source
        self.records = records


def _stored(
    catalog: Store,
    loader: Loader,
    path: Path,
    facts: SourceFacts,
    run: Run,
    parameters: Mapping[str, object],
    progress: Progress | None,
) -> IngestReport:
    """Read and store the file, inside the transaction of a run."""
    gate = BatchGate(path.name)
    if isinstance(loader, OwnSpaceLoader):
        space: SearchSpace = loader.own_space
        gate.check_source(facts, loader.own_space.own_operators)
        own_operators = new_operators = admitted(catalog, loader.own_space)
    else:
        space = space_of(catalog, loader.space)
        gate.check_source(facts, ())
        own_operators, new_operators = space.own_operators, ()
    job = _Job(catalog, space, facts, run.id, loader.proxies if isinstance(loader, OwnProxiesLoader) else {})
    said = loader.directions if isinstance(loader, DirectedLoader) else Directions()
    registration.ensure_space(catalog, space, own_operators)
    try:
        with _rare_collections():
            for batch in loader.read(path):
                gate.check(batch)
                job.store(batch)
                if progress is not None:
                    progress(job.records)
    except (IdentifierError, GraphError) as error:
        raise IngestError(f"{path.name}: {error} Nothing was stored.") from error
    if not job.records:
        raise IngestError(f"{path} holds no records; nothing was stored.")
    job.refuse_same_content(parameters)
    settle(catalog, path.name, job.metric_names, job.proxies_found(), said)
    job.finish(str(parameters["file"]), str(parameters["sha256"]))
    return IngestReport(
        facts.name,
        loader.space,
        job.records,
        job.new_architectures,
        job.metrics,
        job.scores,
        new_operators=len(new_operators),
        notes=tuple(job.notes),
    )


@contextmanager
def _rare_collections() -> Iterator[None]:
    """Look for circles of dead objects rarely: rows and graphs have none, and millions of them are looked through."""
    before = gc.get_threshold()
    gc.set_threshold(_COLLECT_AFTER)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _nothing_to_do(
    catalog: Store,
    loader: Loader,
    path: Path,
    parameters: Mapping[str, object],
    source: str,
    records: int,
    same_as: int | None = None,
) -> IngestReport:
    """The report on a file that is known; operators and directions that come with it may be new all the same."""
    operators = _enter_new_operators(catalog, loader, parameters)
    _enter_directions(catalog, loader, path.name)
    return IngestReport(
        source, loader.space, records, 0, 0, 0, was_known=True, new_operators=operators, same_as=same_as
    )


def content_digest(path: Path) -> str:
    """SHA-256 of a file's bytes; of a folder, of the names and digests of its files in sorted order."""
    if path.is_dir():
        parts = hashlib.sha256()
        for file in sorted(item for item in path.rglob("*") if item.is_file()):
            parts.update(f"{file.relative_to(path).as_posix()}\0{content_digest(file)}\n".encode())
        return parts.hexdigest()
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _known_source(
    catalog: Store, space: str, facts: SourceFacts, digest: str, read_with: Mapping[str, object]
) -> int | None:
    """Records of the source that these very bytes are; None for bytes that the catalog does not hold.

    Raises
    ------
    UsageError
        It was read with other options, by which the same bytes say something else.
    """
    rows = catalog.arrow(
        """
        SELECT row_count, source.id, parameters->>'$.read_with' AS read_with
        FROM source LEFT JOIN run ON run.id = run_id
        WHERE sha256 = $1 AND source.kind = $2 AND source.name = $3 AND coalesce(parameters->>'$.space', $4) = $4
        """,
        [digest, facts.kind, facts.name, space],
    ).to_pylist()
    for row in rows:  # earlier versions did not write down with what they read
        row["read_with"] = json.loads(row["read_with"] or json.dumps(dict(read_with)))
    rows = [row for row in rows if row["read_with"].get("mapping") == read_with.get("mapping")]
    if not rows:
        return None
    before = rows[0]["read_with"]
    is_longer = before.get("epochs") != read_with.get("epochs") and digest not in KNOWN_TABLES  # which say theirs
    if is_longer or (read_with.get("curves") and not before.get("curves")):
        told = [", ".join(f"{name} {value}" for name, value in one.items()) or "none" for one in (before, read_with)]
        raise UsageError(
            f"the catalog holds this file as {facts.name}, read with the options {told[0]} and not {told[1]}; nothing "
            "was stored. To read it anew in place of that, give --replace."
        )
    return int(rows[0]["row_count"])


def _enter_new_operators(catalog: Store, loader: Loader, parameters: Mapping[str, object]) -> int:
    """Look at the operators that come with a file whose graphs are known: how many are new, and are stored now."""
    if not isinstance(loader, OwnSpaceLoader):
        return 0
    new = admitted(catalog, loader.own_space)
    if new:
        with Run.start(catalog, "ingest", parameters) as run, catalog.transaction():
            registration.ensure_space(catalog, loader.own_space, new)
            run.detail = f"the operators {', '.join(operator.name for operator in new)}"
    return len(new)


def _enter_directions(catalog: Store, loader: Loader, where: str) -> None:
    """Take in what the user says of the directions in a file that is known, where nobody has said it yet."""
    if not isinstance(loader, DirectedLoader) or not loader.directions.by_user:
        return
    names = list(loader.directions.by_user)
    metrics = [name for (name,) in catalog.rows("SELECT name FROM measure WHERE list_contains(?, name)", [names])]
    proxies = catalog.rows(
        "SELECT name, id FROM proxy WHERE version = ? AND list_contains(?, name)", [PUBLISHED_VERSION, names]
    )
    with catalog.transaction():
        settle(catalog, where, metrics, {name: (number, False) for name, number in proxies}, loader.directions)
        views.rebuild(catalog, loader.space)


class _Job:
    """State of one running ingest, inside its transaction."""

    def __init__(
        self,
        catalog: Store,
        space: SearchSpace,
        facts: SourceFacts,
        run_id: int,
        own_proxies: Mapping[str, ProxyFacts],
    ) -> None:
        self.catalog = catalog
        self._own_proxies = own_proxies
        self.space = space
        self.facts = facts
        self.run_id = run_id
        self.source_id = catalog.next_id("source")
        self.records = 0
        self.new_architectures = 0
        self.metrics = 0
        self.scores = 0
        self.notes: list[str] = []
        self.metric_names: set[str] = set()
        self._proxies: dict[str, int] = {}  # name to proxy.id
        self._first_proxy = catalog.next_id("proxy")
        self._content = Content()
        self._aliases: dict[str, list[str]] = {}

    def store(self, batch: Batch) -> None:
        """Append one batch: unknown architectures, then metrics and published scores."""
        first_new = self.catalog.next_id("architecture")
        ids, new = registration.enter(self.catalog, self.space, batch.members, self.run_id)
        self.catalog.append("metric", self._with_ids(batch.metrics, ids))
        if len(batch.scores):
            self.catalog.append("score", self._published(batch.scores, ids))
        if len(batch.node_attributes):
            self.catalog.append("node_attribute", _of_new_architectures(batch.node_attributes, ids, first_new))
        self._content.add(batch, ids)
        self.new_architectures += new
        self.records += batch.record_count
        self.metrics += len(batch.metrics)
        self.metric_names |= set(pc.unique(batch.metrics["name"]).to_pylist())
        self.scores += len(batch.scores)
        self.notes += batch.notes
        for name, places in batch.aliases.items():
            known = self._aliases.setdefault(name, [])
            known += [one for place in places if (one := batch.members.native_ids[place]) not in known]

    def proxies_found(self) -> dict[str, tuple[int, bool]]:
        """The proxies of the published scores: name to ``proxy.id``, and whether this file brought it."""
        return {name: (number, number >= self._first_proxy) for name, number in self._proxies.items()}

    def refuse_same_content(self, parameters: Mapping[str, object]) -> None:
        """Write down the digest of what was read, unless a source of the space says the same already.

        Raises
        ------
        _SameContentError
            One does, and the user did not ask for another name.
        """
        content = self._content.digest(self.catalog, self.source_id)
        if same := same_content(self.catalog, self.space.name, self.facts.kind, content):
            if not self.facts.is_named_by_user or same[1] == self.facts.name:
                raise _SameContentError(*same)
            self.notes.append(
                f"the catalog holds the same content already, as the source {same[1]}; its numbers are now there twice."
            )
        names = {ALIASES: self._aliases} if self._aliases else {}
        entered = json.dumps({**parameters, **names, "content": content}, sort_keys=True)
        self.catalog.execute("UPDATE run SET parameters = ? WHERE id = ?", [entered, self.run_id])

    def finish(self, file: str, digest: str) -> None:
        """Write the source's row, link functional twins and rebuild the wide view."""
        self.catalog.append(
            "source",
            pa.table(
                {
                    "id": pa.array([self.source_id], pa.int32()),
                    "name": [self.facts.name],
                    "kind": [self.facts.kind],
                    "path": [file],
                    "sha256": [digest],
                    "version": pa.array([self.facts.version], pa.string()),
                    "licence": pa.array([self.facts.licence], pa.string()),
                    "citation": pa.array([self.facts.citation], pa.string()),
                    "row_count": [self.records],
                    "ingested_at": [self.catalog.now()],
                    "run_id": pa.array([self.run_id], pa.int32()),
                }
            ),
        )
        self.notes += map(str, disagreements(self.catalog, self.source_id))
        if self.new_architectures:
            registration.link_twins(self.catalog, self.space.name)
        views.rebuild(self.catalog, self.space.name)
        self.notes += [str(one) for one in compared(self.catalog, self.space.name) if one.source_id == self.source_id]

    def _with_ids(self, rows: pa.Table, ids: Identifiers) -> pa.Table:
        source = pa.array(np.full(len(rows), self.source_id, dtype=np.int32))
        return _owned(rows, ids).append_column("source_id", source)

    def _published(self, scores: pa.Table, ids: Identifiers) -> pa.Table:
        names = [name for name in pc.unique(scores["proxy"]).to_pylist() if name not in self._proxies]
        unknown = published({name: known_direction(name) or 1 for name in names if name not in self._own_proxies})
        own = [self._own_proxies[name] for name in names if name in self._own_proxies]
        self._proxies |= ensure_proxies(self.catalog, [*unknown, *own])
        numbers = pa.array([self._proxies[name] for name in scores["proxy"].to_pylist()], pa.int32())
        return (
            self._with_ids(scores, ids)
            .drop_columns(["proxy"])
            .append_column("proxy_id", numbers)
            .append_column("run_id", pa.array(np.full(len(scores), self.run_id, dtype=np.int32)))
        )


def _owned(rows: pa.Table, ids: Identifiers) -> pa.Table:
    """Rows of a batch with the ids of their architectures instead of places in the batch."""
    return rows.drop_columns(["row"]).append_column("architecture_id", pa.array(ids[rows["row"].to_numpy()]))


def _of_new_architectures(rows: pa.Table, ids: Identifiers, first_new: int) -> pa.Table:
    owned = _owned(rows, ids)
    return owned.filter(pc.greater_equal(owned["architecture_id"], first_new))
