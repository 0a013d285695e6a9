"""Verbs that ask: what the catalog holds, the best, given ones, patterns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.message import readable_bytes
from catalog.session.handle import Handle, several

if TYPE_CHECKING:
    import polars

    from catalog.architecture.computation.arrays import ComputationBatch
    from catalog.asking.computation_view import ComputationView
    from catalog.asking.profile import Profile
    from catalog.asking.side_by_side import SideBySide
    from catalog.tables.exporting import Exported


class Asking(Handle):
    """Questions; none of them changes the file but ``spaces(enumerate=...)``.

    Where the file is open for writing, ``operators(similar=...)`` stores the sentence embeddings that it had to make.
    """

    def spaces(self, enumerate: str | None = None) -> polars.DataFrame:  # noqa: A002 - the command's word
        """The search spaces: architectures stored, functions by canonical form, metrics and scores.

        Parameters
        ----------
        enumerate
            First enter every architecture of this space, built in or added; the catalog must be open for writing.
        """
        from catalog.asking.overview import spaces

        if enumerate is not None:
            from catalog.spaces import SPACES, space_named
            from ingest.entry import enter_space

            if not self.path.exists():
                space_named(enumerate)  # an unknown name leaves no file behind
            with self._writing(create=enumerate in SPACES) as store:
                enter_space(store, enumerate, self._listener)
        with self._reading() as store:
            return self._frame(spaces(store))

    def operators(
        self, space: str | None = None, *, similar: str | None = None, style: str = "short"
    ) -> polars.DataFrame:
        """The operators with kind, window and description.

        Parameters
        ----------
        space
            Only operators that occur in this space.
        similar
            Nearest first, by the cosine of the descriptions' sentence embeddings to this operator's.
        style
            The sentence that `similar` compares: ``short``, ``medium`` or ``long``.

        Raises
        ------
        UnknownOperatorError
            There is no operator `similar`.
        """
        from catalog.asking.overview import OPERATOR_COLUMNS, operators

        with self._reading() as store:
            listed = operators(store, space, OPERATOR_COLUMNS).frame()
            if similar is not None:
                from catalog.extras import require_predict

                require_predict()
                from predictor.encoding.operator_similarity import by_similarity

                named = operators(store, columns=OPERATOR_COLUMNS, name=similar).frame()
                listed = by_similarity(store, listed, named, similar, style, listener=self._listener)
        if similar is not None:
            self._keep_vectors()
        return listed.drop("medium", "long").rename({"short": "description"})

    def measures(self, direction: str | Sequence[str] | Mapping[str, str] = ()) -> polars.DataFrame:
        """What the catalog knows of its metrics, and of the proxies that came with files: unit and direction.

        Parameters
        ----------
        direction
            First set directions: ``{"perplexity": "lower"}``, or texts such as ``perplexity=lower``; the catalog must
            be open for writing.

        Raises
        ------
        UsageError
            A text has another form, no metric and no such proxy has the name, or its direction is fixed.
        """
        from catalog.tables import measures, views

        if declared := measures.parsed(direction):
            with self._writing() as store, store.transaction():
                for space in measures.declare(store, declared):
                    views.rebuild(store, space)
        with self._reading() as store:
            return self._frame(measures.measures(store))

    def query(self, sql: str, *, timeout: float | None = None, memory_limit: str | None = None) -> polars.DataFrame:
        """The rows of one reading SQL statement, which reaches the catalog's tables and nothing else on the machine.

        Parameters
        ----------
        sql
            One statement that reads.
        timeout
            Seconds after which it is stopped.
        memory_limit
            Memory that it may use, for example ``"500MB"``.

        Raises
        ------
        QueryError
            The statement is refused, is wrong, or runs out of time or memory.
        """
        return self._limited(sql, timeout=timeout, memory_limit=memory_limit)

    def top(
        self,
        space: str,
        by: str,
        k: int = 10,
        where: str | None = None,
        *,
        columns: str | Sequence[str] | None = None,
        ascending: bool | None = None,
    ) -> polars.DataFrame:
        """The `k` best architectures of a space by a column, the best first.

        Parameters
        ----------
        space
            A stored space.
        by
            The column of its wide view that ranks: a metric or a proxy. Architectures without a value are left out.
        k
            How many.
        where
            SQL condition on the wide view.
        columns
            The columns to give; by default the index, `by`, those that `where` mentions, and the native id.
        ascending
            Whether small is good; by default what the column's direction says.

        Raises
        ------
        UnknownSpaceError, UnknownColumnError
            A name is unknown.
        ConditionError
            `where` is not one harmless condition, or it failed.
        """
        from catalog.storage.user_query import starting_early

        with starting_early(where is not None, self._file_to_read):
            from catalog.asking.top import top

            with self._reading() as store:
                return self._frame(top(store, space, by, k, where, several(columns), ascending))

    def lookup(
        self, ids: Iterable[object] | int, space: str | None = None, *, columns: str | Sequence[str] | None = None
    ) -> polars.DataFrame:
        """The wide rows of given architectures, in their order, repeated ones repeated.

        Parameters
        ----------
        ids
            Native ids in any notation that the space accepts: text, the benchmark's objects, native indices; one text
            or number counts as one id.
        space
            A stored space; by default the only one that knows all of them.
        columns
            The columns of the wide view to give; by default all.

        Raises
        ------
        IdentifierError
            An identifier names no stored architecture of the space.
        UnknownSpaceError, UnknownColumnError
            A name is unknown.
        """
        from catalog.asking.lookup import lookup

        with self._reading() as store:
            return lookup(store, ids, space, several(columns))

    def show(self, space: str, identifier: object) -> Profile:
        """Everything known about one architecture; in a notebook the result draws itself.

        Parameters
        ----------
        space
            A stored space.
        identifier
            A native id in any notation that the space accepts.

        Raises
        ------
        IdentifierError
            The identifier names no stored architecture of the space.
        """
        from catalog.asking.lookup import lookup
        from catalog.asking.profile import read_profiles

        with self._reading() as store:
            found = lookup(store, [identifier], space)["architecture_id"].to_list()
            (profile,) = read_profiles(store, space, found)
        return profile

    def computation_graphs(
        self,
        space: str,
        ids: Iterable[object] | None = None,
        *,
        fuse: bool = True,
        compress: bool = True,
        batch_size: int = 1000,
    ) -> Iterator[ComputationBatch]:
        """The whole networks of architectures as graphs of primitive operators, in batches of arrays.

        Parameters
        ----------
        space
            A built-in space, or one of networks that ``ingest("model", ...)`` traced.
        ids
            Native ids in any notation that the space accepts, in the order of the graphs; by default all architectures
            of the space, by ascending ``architecture.id``, which each batch has as ``ids``.
        fuse
            Whether normalisations and activations are columns of the nodes beside them, what only moves numbers is
            passed through, and chains of sums are one.
        compress
            Whether equal cells in a row are one, whose nodes have `repeats`.
        batch_size
            Graphs in a batch; the last one has fewer.

        Raises
        ------
        IdentifierError
            An identifier names no stored architecture of the space.
        UsageError
            The catalog does not know the networks of the space's architectures.
        """
        from catalog.asking.lookup import lookup
        from catalog.tables.computation_graphs import computation_batch
        from catalog.tables.space_view import SpaceView

        with self._reading() as store:
            if ids is None:
                SpaceView.of(store, space)
                rows = store.rows("SELECT id FROM architecture WHERE space = ? ORDER BY id", [space])
                wanted = [int(row[0]) for row in rows]
            else:
                wanted = lookup(store, ids, space, ["architecture_id"])["architecture_id"].to_list()
        for start in range(0, len(wanted), batch_size):
            with self._reading() as store:
                part = wanted[start : start + batch_size]
                batch = computation_batch(store, space, part, fuse=fuse, compress=compress)
            yield batch

    def computation(
        self, space: str, identifier: object, *, fuse: bool = True, compress: bool = True
    ) -> ComputationView:
        """The computation graph of one architecture; in a notebook the result draws itself.

        Parameters
        ----------
        space, fuse, compress
            As of `computation_graphs`.
        identifier
            A native id in any notation that the space accepts.

        Raises
        ------
        IdentifierError
            The identifier names no stored architecture of the space.
        UsageError
            The catalog does not know the networks of the space's architectures.
        """
        from catalog.asking.computation_view import ComputationView

        (batch,) = self.computation_graphs(space, [identifier], fuse=fuse, compress=compress)
        return ComputationView(f"{space} {identifier}", batch)

    def compare(self, space: str, identifiers: Sequence[object], *, out: str | Path | None = None) -> SideBySide:
        """Architectures side by side: one row a column of the wide view, one column an architecture.

        Parameters
        ----------
        space
            A stored space.
        identifiers
            Two native ids or more.
        out
            A file for an HTML page with graphs, metrics, proxies and near neighbours.

        Raises
        ------
        UsageError
            There are fewer than two architectures, or one is named twice.
        """
        from catalog.asking.side_by_side import side_by_side

        with self._reading() as store:
            beside = side_by_side(store, space, identifiers)
            if out is not None:
                from catalog.report.architecture_comparison import write_comparison

                path = Path(out)
                size = write_comparison(store, space, identifiers, path)
                self._listener.note(f"wrote {path}: {len(identifiers)} architectures, {readable_bytes(size)}.")
        return beside

    def match(
        self,
        space: str,
        pattern: str,
        *,
        form: str = "canonical",
        count: bool = False,
        by: str | None = None,
        limit: int | None = None,
        timeout: float | None = None,
        memory_limit: str | None = None,
    ) -> polars.DataFrame:
        """Architectures whose graph contains a pattern, or with `count` only how many.

        Parameters
        ----------
        space
            A stored space.
        pattern
            For example ``"(conv3x3)->(a:conv), NOT (input)->(output)"``; docs/patterns.md has the language.
        form
            Whether the ``canonical`` or the ``native`` graphs are looked at.
        count
            Whether only architectures and matches are counted.
        by
            Sort by this column of the wide view, the best first.
        limit
            Give at most so many.
        timeout, memory_limit
            As of `query`.

        Raises
        ------
        PatternError
            The pattern is wrong; the message points at the place.
        QueryError
            It runs out of time or memory.
        """
        from catalog.storage.user_query import starting_early

        with starting_early(file=self._file_to_read):
            from catalog.asking import patterns

            with self._reading() as store:
                if count:
                    question = patterns.counted(store, space, pattern, form=form)
                else:
                    question = patterns.match(store, space, pattern, form=form, by=by, limit=limit)
            return self._limited(question.sql, is_judged=True, timeout=timeout, memory_limit=memory_limit)

    def export(
        self,
        space: str,
        out: str | Path | None = None,
        *,
        where: str | None = None,
        format: str | None = None,  # noqa: A002
    ) -> Exported:
        """Write a space's wide view to a file.

        Parameters
        ----------
        space
            A stored space.
        out
            The file; by default ``SPACE.parquet`` in this folder. Its ending gives the format.
        where
            SQL condition on the wide view.
        format
            ``"parquet"``, ``"csv"`` or ``"json"``, where the ending does not say it; or ``"spreadsheet"``, which is CSV
            whose texts no spreadsheet runs as formulas.

        Raises
        ------
        UsageError
            The format is unknown.
        StoreError
            The file cannot be written.
        """
        from catalog.tables.exporting import export_space

        ending = {None: "parquet", "spreadsheet": "csv"}.get(format, format)
        path = Path(f"{space}.{ending}") if out is None else Path(out)
        with self._reading() as store:
            exported = export_space(store, space, path, format or path.suffix.removeprefix("."), where)
        self._listener.note(str(exported))
        return exported
