"""A traced network into the catalog, as one architecture of a user's own space."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.architecture.computation.graph import ComputationGraph
from catalog.architecture.graph import ArchitectureGraph
from catalog.architecture.members import Members
from catalog.spaces.own import OwnSpace
from catalog.storage.store import Store
from ingest.model.attributes import node_attributes
from ingest.reading.batch import Batch, SourceFacts
from ingest.reading.job import IngestReport, content_digest, ingest_content


class TracedSpace(OwnSpace):
    """A user's own space whose member at hand was traced, so that its parameters and costs are known."""

    def __init__(self, name: str, traced: ComputationGraph) -> None:
        super().__init__(name, traced.operators, "networks traced from modules and files")
        self._traced = traced

    def structural_scores(
        self, native: Sequence[ArchitectureGraph], canonical: Sequence[ArchitectureGraph]
    ) -> Mapping[str, NDArray[np.float64]]:
        totals = {
            "params": self._traced.parameters,
            "flops": self._traced.multiply_accumulates,
            "live_params": self._traced.live_parameters,
            "live_flops": self._traced.live_multiply_accumulates,
        }
        return {name: np.array([np.nan if total is None else float(total)]) for name, total in totals.items()}


class TracedNetwork:
    """Hands one traced network to the ingest job.

    Parameters
    ----------
    traced
        The network.
    space, native_id
        Where it is stored: a user's own space, and the id in it.
    kind
        ``torch-module`` or ``onnx``.
    """

    def __init__(self, traced: ComputationGraph, space: str, native_id: str, kind: str) -> None:
        self.space = space
        self.own_space: OwnSpace = TracedSpace(space, traced)
        self.native_id = native_id
        self.kind = kind
        self._traced = traced

    def facts(self, path: Path) -> SourceFacts:
        return SourceFacts(re.sub(r"\W+", "_", f"{self.space}_{self.native_id}"), self.kind)

    def read(self, path: Path) -> Iterator[Batch]:
        graph = self._traced.graph(self.space, self.own_space.vocabulary)
        members = Members([self.native_id], graphs=[graph])
        yield Batch(members, 1, node_attributes=node_attributes(self._traced))


def ingest_traced(
    catalog: Store, traced: ComputationGraph, space: str, native_id: str, source: Any, *, replace: bool = False
) -> IngestReport:
    """Store a traced network.

    Parameters
    ----------
    source
        Where it came from: the path of an ONNX file, whose digest is recorded, or the text ``MODULE:callable``, for
        which the digest of what was traced is recorded.
    replace
        Whether the network that was stored from there goes in the same step.

    Raises
    ------
    IngestError
        The space holds another network under this id.
    UsageError
        The space's name cannot be that of a user's own space.
    """
    if isinstance(source, Path):
        network = TracedNetwork(traced, space, native_id, "onnx")
        return ingest_content(catalog, network, source, content_digest(source), replace=replace)
    digest = hashlib.sha256(traced.digest.encode()).hexdigest()
    network = TracedNetwork(traced, space, native_id, "torch-module")
    return ingest_content(catalog, network, Path(str(source)), digest, replace=replace)
