"""What a search found, as a user holds it: rows, what is to be known about them, and a figure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from catalog.asking.frame_result import FrameResult
from catalog.asking.html_parts import html_sentences, html_table
from catalog.asking.text_table import as_text
from catalog.errors import UsageError
from catalog.progress import Listener
from catalog.search.answer import answered, as_rows, failures, panels_of, pathless, summary, truth_of
from catalog.search.figures import check_path, draw
from catalog.search.job import Outcome, prepare, rehearse, run
from catalog.search.methods.history import History
from catalog.search.request import Request
from catalog.search.resuming import resumed
from catalog.search.stored_values import best_known
from catalog.tables.space_view import SpaceView

if TYPE_CHECKING:
    from catalog.search.methods.history import Visit
    from catalog.storage.store import Store


@dataclass(frozen=True, eq=False, repr=False)
class SearchResult(FrameResult):
    """The answer of a search.

    Parameters
    ----------
    frame
        One row a candidate, the best first, or the Pareto front of a search by several scores; no row where the search
        found nothing.
    run_id
        The run under which all visits are stored, for ``resume``; None of a dry search.
    stopped
        Why it ended: ``finished``, ``exhausted``, ``budget``, ``seconds`` or ``interrupted``.
    summary
        How the search went, a sentence each.
    remarks
        What is to be known about the answer: candidates that compute nothing, and how good the answer really is.
    nothing_found
        Why there is no row, and what to do; None where there is one.
    native_id_name
        The column with the benchmark's own identifiers.
    """

    frame: pl.DataFrame
    run_id: int | None
    stopped: str
    summary: tuple[str, ...]
    remarks: tuple[str, ...]
    nothing_found: str | None
    native_id_name: str
    outcome: Outcome
    visits: tuple[Visit, ...]

    def plot(self, path: str | Path) -> Path:
        """Draw the any-time curve, or the Pareto front, into a png, svg, pdf or html file.

        Raises
        ------
        UsageError
            The ending is unknown, or the folder does not exist.
        StoreError
            The file cannot be written.
        """
        request = self.outcome.prepared.request
        title = f"{request.method} on {request.space}, seed {request.seed}"
        draw(Path(path), title, panels_of(self.outcome, self.visits))
        return Path(path)

    def __repr__(self) -> str:
        rows = as_text(self.frame, uncut=(self.native_id_name,)) if self.frame.height else str(self.nothing_found)
        return "\n".join([*self.summary, rows, *self.remarks])

    def _repr_html_(self) -> str:
        if not self.frame.height:
            return html_sentences([*self.summary, str(self.nothing_found), *self.remarks])
        rows = html_table(self.frame, uncut=(self.native_id_name,))
        return "\n".join([html_sentences(self.summary), rows, html_sentences(self.remarks)])


def search_space(
    store: Store,
    given: Request,
    *,
    seed: int | None = None,
    resume: int | None = None,
    top: int = 10,
    truth: str | None = None,
    plot: Path | None = None,
    workers: int = 1,
    dry: bool = False,
    listener: Listener,
) -> SearchResult:
    """Search a space, store what is visited, and say what was found.

    Parameters
    ----------
    store
        Open for writing, or with `dry` for reading.
    given
        What is searched.
    seed
        The seed if it was asked for; a resumed search must have had the same one.
    resume
        The run to go on with.
    top
        How many candidates to give; of several scores the whole front is given.
    truth
        Column that says how good the answer really is; by default a test accuracy, where there is one.
    plot
        A file to draw into, checked before the search begins.
    workers
        How many commands that print a label run at once.
    dry
        Whether nothing is stored.
    listener
        Hears how the request was understood, and how far the search is.

    Raises
    ------
    UsageError
        The request names something that does not exist or does not fit together.
    """
    if plot is not None:
        check_path(plot)
    if dry and resume is not None:
        raise UsageError("--dry stores nothing, and --resume goes on with what is stored; leave one of them out.")
    asked = given if resume is None else resumed(Request.of_run(store, resume), given, seed, resume)
    measure = _truth(store, asked.space, truth)
    prepared = prepare(store, asked, [measure] if measure else [], workers)
    for sentence in prepared.notes:
        listener.note(sentence)
    with _followed(listener, asked.space, prepared.request.budget) as progress:
        outcome = rehearse(prepared, progress) if dry else run(store, prepared, resume, progress)
    result = _result(store, outcome, top, measure)
    if plot is not None and result.visits:
        result.plot(plot)
    return result


@contextmanager
def _followed(listener: Listener, space: str, budget: int | None) -> Iterator[Callable[[History], None]]:
    watched: AbstractContextManager[Callable[..., None]] = listener.watch(f"searching {space}")
    with watched as advance:
        yield lambda history: advance(history.evaluations, budget)


def _truth(store: Store, space: str, column: str | None) -> str | None:
    """The column of the ground truth: the one asked for, or a test accuracy where there is one."""
    if column is not None:
        return SpaceView.of(store, space).checked(column)
    held = store.rows("SELECT 1 FROM architecture WHERE space = ? LIMIT 1", [space])
    return best_known(SpaceView.of(store, space).columns) if held else None


def _result(store: Store, outcome: Outcome, top: int, truth: str | None) -> SearchResult:
    visits = answered(outcome, top)
    frame = pl.from_arrow(as_rows(outcome, visits)) if visits else pl.DataFrame()
    assert isinstance(frame, pl.DataFrame)
    remarks = [pathless(store, outcome, visits)] if visits else []
    if visits and truth is not None:
        remarks.append(truth_of(store, outcome, visits, truth))
    return SearchResult(
        frame,
        outcome.run_id,
        outcome.history.stopped,
        (*summary(outcome), *failures(store, outcome)),
        tuple(remark for remark in remarks if remark is not None),
        None if visits else _nothing_found(outcome),
        outcome.prepared.space.native_id_name,
        outcome,
        tuple(visits),
    )


def _nothing_found(outcome: Outcome) -> str:
    history = outcome.history
    if not history.evaluations and history.infeasible:
        return (
            f"none of the {history.infeasible:,} different candidates that the search looked at keeps the constraints; "
            "relax --max, --min or --where."
        )
    if not history.evaluations and history.stopped != "budget":
        return "there is nothing to search: no stored architecture keeps --where, --max and --min."
    if not history.visits:
        from catalog.search.methods.pruning import supernets_to_score
        from catalog.search.methods.space_choices import required_choices

        space = outcome.prepared.space
        needed = supernets_to_score(required_choices(space)) + 1
        again = (
            "search again with" if outcome.run_id is None else f"catalog search {space.name} --resume {outcome.run_id}"
        )
        return (
            f"the search ended after {history.evaluations:,} evaluations of supernets, which are no answer; "
            f"{history.method} on {space.name} comes to its first architecture with evaluation {needed:,}: "
            f"{again} --budget {needed}"
        )
    request = outcome.prepared.request
    if request.label_command is not None:
        return (
            f"none of the {history.evaluations:,} candidates has a label; try the command by hand, correct it, and "
            "search again: what failed is asked again by a new search."
        )
    return (
        f"none of the {history.evaluations:,} candidates has a value of {', '.join(request.by)}; choose another score."
    )
