"""Verbs that fill the catalog: benchmark files, scores, trainings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from catalog.errors import SpaceFileError, UsageError
from catalog.session.handle import Handle
from catalog.session.seeds import checked_seed

if TYPE_CHECKING:
    import polars

    from ingest.fetch.fetched import Fetched
    from ingest.reading.job import IngestReport
    from predictor.own_training.job import EvaluationReport
    from predictor.scoring.outcome import ColumnReport


_LARGEST_SPACE = 2**20
"""Bytes of the description of a space."""

_MOST_DRAWN = 1_000_000
"""Architectures of one draw, which are in memory together."""


class Filling(Handle):
    """Everything here stores something; the catalog must be open for writing, and ``ingest`` makes a missing file."""

    def ingest(self, benchmark: str, *files: str | Path, **options: Any) -> list[IngestReport]:
        """Read benchmark files into the catalog; each is stored whole or not at all.

        Parameters
        ----------
        benchmark
            The name of a command of ``catalog ingest``, for example ``"nasbench201"``.
        files
            What to read, in this order; ``nasbench101`` and ``nasbench201`` without a file are enumerated.
        options
            The command's options by their names, for example ``epochs=12`` or, for ``graphs``, ``space="mine"``.

        Raises
        ------
        UsageError
            There is no such benchmark or option.
        IngestError
            A file is unreadable or wrong; nothing of it was stored.
        """
        from ingest.entry import prepared

        jobs = prepared(benchmark, [Path(file) for file in files], options, self._listener)
        with self._writing(create=True) as store:
            return [job(store) for job in jobs]

    def add_space(self, file: str | Path) -> str:
        """Store what a staged space of your own is, as a file describes it (docs/spaces.md); returns its name.

        Parameters
        ----------
        file
            A TOML file.

        Raises
        ------
        SpaceFileError
            It describes no space.
        UsageError
            The name is taken.
        """
        from catalog.spaces.staged.space import StagedSpace
        from catalog.tables.stored_spaces import add_space
        from ingest.reading.text_table import read_bytes

        path = Path(file)
        try:
            text = read_bytes(path, _LARGEST_SPACE).decode()
        except UnicodeDecodeError as error:
            raise SpaceFileError(
                f"{path.name}: byte {error.start} is no UTF-8 text; nothing was stored. A space is described in TOML."
            ) from None
        space = StagedSpace.from_text(text, path.name)
        with self._writing(create=True) as store:
            new = add_space(store, space)
        known = "" if new else "; the space is stored already"
        self._listener.note(f"{space.name}: {space.assignments.counted} architectures{known}.")
        return space.name

    def draw_space(self, space: str, count: int = 1000, *, seed: int = 0) -> int:
        """Enter different architectures drawn uniformly from a space; returns how many the catalog did not hold.

        Parameters
        ----------
        space
            Built in or added, however large.
        count
            How many; all there are where they are fewer.
        seed
            Of the draw.

        Raises
        ------
        UnknownSpaceError
            There is no such space.
        UsageError
            The count is impossible, or nothing is known of the space but what is stored.
        """
        from catalog.spaces import SPACES, space_named
        from ingest.entry import draw_space

        if not 1 <= count <= _MOST_DRAWN:
            raise UsageError(f"the count is {count!r}; a whole number from 1 to {_MOST_DRAWN:,} is needed.")
        checked_seed(seed)
        if not self.path.exists():
            space_named(space)  # an unknown name leaves no file behind
        with self._writing(create=space in SPACES) as store:
            return draw_space(store, space, count, seed, self._listener)

    @overload
    def fetch(self, name: None = None) -> polars.DataFrame: ...

    @overload
    def fetch(
        self, name: str, *, mirror: str | None = None, out: str | Path = "downloads", ingest: bool = True
    ) -> Fetched: ...

    def fetch(
        self,
        name: str | None = None,
        *,
        mirror: str | None = None,
        out: str | Path = "downloads",
        ingest: bool = True,
    ) -> polars.DataFrame | Fetched:
        """List the official files, or fetch one: download, verify, unpack, and read it into the catalog.

        Parameters
        ----------
        name
            Which; without it the files are listed.
        mirror
            Another address: of the file, or of a folder that has it.
        out
            Folder for the file.
        ingest
            Whether to read the file afterwards.

        Raises
        ------
        DownloadError
            The file cannot be had, or is not the one that was published.
        """
        from ingest.fetch.fetched import fetch_official
        from ingest.fetch.registry import official_files

        if name is None:
            return official_files()
        fetched = fetch_official(name, Path(out), mirror=mirror, listener=self._listener)
        if ingest:
            self.ingest(*fetched.command)
        else:
            self._listener.note(f"Read it with: catalog ingest {' '.join(map(str, fetched.command))}")
        return fetched

    def score(
        self,
        space: str,
        proxy: str | Sequence[str],
        *,
        where: str | None = None,
        sample: int | None = None,
        seed: int = 0,
        input: str = "photos",  # noqa: A002 - the command's word
        batch_size: int | None = None,
        channels: int | None = None,
        cells: int | None = None,
        seeds: int = 1,
        layerwise: bool = False,
        retry_failed: bool = False,
        workers: int | None = None,
        device: str = "cpu",
        engine: str = "local",
        address: str | None = None,
        checkpoint: str | Path | None = None,
        column: str | None = None,
    ) -> list[ColumnReport]:
        """Score architectures with proxies and predictors, as columns of the wide view; see `predictor.scoring.entry`.

        The arguments are the options of ``catalog score``; `column` is its ``--as``. Only missing scores are measured,
        and finished work is stored every few seconds: after an interruption the same call goes on.

        Raises
        ------
        UnknownProxyError
            A name is unknown.
        MissingExtraError
            The predictors' packages are not installed.
        UsageError
            Another argument is wrong.
        """
        from catalog.extras import require_predict

        require_predict()
        from predictor.scoring.engines import engine_named
        from predictor.scoring.entry import ScoreOptions
        from predictor.scoring.entry import score as score_stored
        from predictor.zero_cost import measure_config

        config = measure_config(space, input, batch_size, channels, cells, device=device, layerwise=layerwise)
        with self._writing() as store, self._listener.watch(f"measuring {space}") as advance:
            return score_stored(
                store,
                space,
                [proxy] if isinstance(proxy, str) else list(proxy),
                ScoreOptions(
                    config=config,
                    seeds=seeds,
                    where=where,
                    sample=sample,
                    sample_seed=checked_seed(seed),
                    retry_failed=retry_failed,
                    engine=engine_named(engine, address, workers),
                    checkpoint=None if checkpoint is None else Path(checkpoint),
                    column=column,
                    progress=advance,
                    listener=self._listener,
                ),
            )

    def train(
        self,
        predictor: str,
        space: str | Sequence[str],
        target: str,
        out: str | Path,
        *,
        sample: int | None = None,
        seed: int = 0,
        **options: object,
    ) -> dict[str, Any]:
        """Train a predictor on stored spaces and write its weights and card into a folder; gives the card.

        Parameters
        ----------
        predictor
            Its name, or ``module:Class`` of a file in the current folder.
        space
            Stored spaces whose labels it learns.
        target
            Column of their wide views that is the label.
        out
            Folder for weights and card; a call that was interrupted goes on where it was.
        sample
            Draw so many labels of each space.
        seed
            Seed of the draw, and of everything random in the training.
        options
            The predictor's own options, for example ``members=5``.

        Raises
        ------
        UnknownProxyError
            There is no such predictor.
        UsageError
            It learns nothing, has no such option, a space or a column is unknown, or the labels are unusable.
        """
        from predictor.scoring.training import train

        spaces = [space] if isinstance(space, str) else list(space)
        with self._reading() as store:
            card = train(
                store,
                predictor,
                spaces,
                target,
                Path(out),
                sample=sample,
                seed=checked_seed(seed),
                options=options,
                listener=self._listener,
            )
        self._keep_vectors()
        return card

    def pretrain(
        self, predictor: str, space: str | Sequence[str], out: str | Path, *, seed: int = 0, **options: object
    ) -> dict[str, Any]:
        """Train a predictor on the architectures of stored spaces without any label; gives the card.

        Parameters
        ----------
        predictor, out, options
            As of `train`.
        space
            Stored spaces whose architectures it looks at.
        seed
            Seed of everything random.

        Raises
        ------
        UnknownProxyError
            There is no such predictor.
        UsageError
            It learns nothing without labels, has no such option, or a space is unknown.
        """
        from predictor.scoring.training import pretrain

        spaces = [space] if isinstance(space, str) else list(space)
        with self._reading() as store:
            return pretrain(store, predictor, spaces, Path(out), seed=seed, options=options, listener=self._listener)

    def evaluate(
        self,
        space: str,
        *,
        dataset: str = "digits",
        where: str | None = None,
        sample: int | None = None,
        seed: int = 0,
        epochs: int | None = None,
        seeds: int = 3,
        channels: int | None = None,
        cells: int | None = None,
        workers: int | None = None,
    ) -> EvaluationReport:
        """Train the networks of a space for real, as ground truth of your own; see `predictor.own_training.job`.

        The arguments are the options of ``catalog evaluate``.

        Raises
        ------
        UsageError
            A name is unknown.
        CatalogError
            No architecture could be trained.
        """
        from catalog.extras import require_predict

        require_predict()
        from predictor.own_training.job import EvaluationRequest, evaluate_space
        from predictor.own_training.recipes import length, recipe
        from predictor.own_training.workers import Recipe
        from predictor.zero_cost.engine import available_cores

        request = EvaluationRequest(
            space,
            Recipe(dataset, length(dataset, epochs), recipe(space, dataset, channels=channels, cells=cells)),
            tuple(range(seeds)),
            where,
            sample,
            checked_seed(seed),
        )
        with self._writing() as store, self._listener.watch(f"training {space} on {dataset}") as advance:
            return evaluate_space(store, request, workers=workers or available_cores(), progress=advance)
