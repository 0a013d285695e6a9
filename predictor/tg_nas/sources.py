"""Architectures as TG-NAS reads them: batches of cells out of what a predictor is given."""

from __future__ import annotations

from predictor.door import Given, Labelled
from predictor.encoding.padded_graphs import CellBatch
from predictor.tg_nas.ensemble import cell_batches
from predictor.tg_nas.job import Source


def batches_of(given: Given) -> list[CellBatch]:
    """The cells of all given architectures."""
    parts = given.canonical.cells
    return cell_batches(given.space, parts)


def source_of(labelled: Labelled) -> Source:
    """Labelled architectures as `train_ensemble` takes them."""
    given = labelled.given
    return Source(labelled.name, tuple(batches_of(given)), labelled.labels, labelled.native_ids, given.vocabulary)
