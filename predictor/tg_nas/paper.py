"""TG-NAS as released (Qiao, Xu and Huang 2024, arXiv 2404.00271), for comparison: `tg_nas_paper`.

Graphs, features, four layers, squared error on accuracy and the schedule are those of the released code, its
peculiarities included: a global node that padding feeds too, no degree normalisation, DARTS by its normal cell only.
One thing differs, on purpose: the epoch is chosen on held-out NAS-Bench-101 graphs, not on the target.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from catalog.architecture.cell_arrays import CellArrays
from catalog.architecture.graph import ArchitectureGraph, CellGraph
from catalog.architecture.operators import VOCABULARY, Vocabulary
from catalog.errors import UsageError
from catalog.output_file import make_folder, write_bytes, write_text
from predictor.encoding.embedding import embed

SMALLEST = 7
"""Nodes that smaller graphs are padded to, before the global node."""


@dataclass(frozen=True)
class PaperConfig:
    """The released hyper-parameters; `epochs` and `graphs` bound the run where there is no GPU."""

    width: int = 64
    layers: int = 4
    style: str = "short"
    learning_rate: float = 1e-3
    step: int = 40
    decay: float = 0.1
    batch: int = 128
    epochs: int = 100
    graphs: int = 423_624


class PaperNetwork(nn.Module):
    r"""Four layers :math:`H' = \mathrm{ReLU}(\mathrm{BN}(\hat A H W))`, read out at the global node."""

    def __init__(self, features: int, config: PaperConfig) -> None:
        super().__init__()
        self.config = config
        sizes = [features, *([config.width] * config.layers)]
        self.weights = nn.ModuleList(nn.Linear(before, after) for before, after in pairwise(sizes))
        self.norms = nn.ModuleList(nn.BatchNorm1d(config.width) for _ in range(config.layers))
        self.head = nn.Linear(config.width, 1)

    def forward(self, nodes: Tensor, adjacency: Tensor) -> Tensor:
        """Accuracies (B,) from node features (B, N + 1, F) and row-receives adjacency (B, N + 1, N + 1)."""
        return self._read_out(self.weights[0](nodes), adjacency)

    def of_operators(self, table: Tensor, rows: Tensor, adjacency: Tensor) -> Tensor:
        """The same from features of operators (V, F) and their rows (B, N + 1).

        The first product is taken once an operator instead of once a node, which halves the time.
        """
        return self._read_out(nn.functional.embedding(rows, self.weights[0](table)), adjacency)

    def _read_out(self, first: Tensor, adjacency: Tensor) -> Tensor:
        hidden = first
        for layer, norm in enumerate(self.norms):
            heard = torch.bmm(adjacency, self.weights[layer](hidden) if layer else first)  # (B, N + 1, D)
            hidden = torch.relu(norm(heard.flatten(0, 1))).view_as(heard)  # over all nodes, padding too
        score: Tensor = self.head(hidden[:, -1]).squeeze(-1)  # (B,)
        return score

    def __repr__(self) -> str:
        return f"PaperNetwork({self.config.layers} x {self.config.width})"


@dataclass(frozen=True)
class PaperGraphs:
    """Graphs of one size in the released encoding: operator rows (B, N + 1) and adjacency (B, N + 1, N + 1)."""

    rows: NDArray[np.int64]
    adjacency: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.rows)

    def taken(self, index: NDArray[Any]) -> PaperGraphs:
        """Some of the graphs."""
        return PaperGraphs(self.rows[index], self.adjacency[index])

    @classmethod
    def joined(cls, parts: Sequence[PaperGraphs]) -> PaperGraphs:
        """Graphs that were padded to one size, and whose rows mean the same operators."""
        return cls(np.concatenate([one.rows for one in parts]), np.concatenate([one.adjacency for one in parts]))

    def batch(self, index: NDArray[Any] | slice) -> tuple[Tensor, Tensor]:
        """Rows and adjacency of some of the graphs."""
        return torch.from_numpy(self.rows[index]), torch.from_numpy(self.adjacency[index].astype(np.float32))

    def mixtures(self, shares: NDArray[np.float64], table: Tensor) -> tuple[Tensor, Tensor]:
        """Features and adjacency of weighted means of all the graphs, one for each row of shares (M, B)."""
        rows, adjacency = self.batch(slice(None))
        nodes = nn.functional.embedding(rows, table)
        weights = torch.from_numpy(shares)  # in double precision, so that a mixture of one graph is that graph exactly
        mixed = [torch.einsum("mb,bnf->mnf", weights, part.double()).float() for part in (nodes, adjacency)]
        return mixed[0], mixed[1]


def feature_table(names: Sequence[str], vocabulary: Vocabulary = VOCABULARY, style: str = "short") -> Tensor:
    """(V + 2, 385): the operators' embeddings, then padding (zeros) and the global node (its own column is 1)."""
    return table_of(embed([vocabulary[name] for name in names], style))


def table_of(vectors: NDArray[np.float32]) -> Tensor:
    """(V + 2, F + 1): vectors of any kind, one an operator (V, F), then padding and the global node."""
    table = np.zeros((len(vectors) + 2, vectors.shape[1] + 1), dtype=np.float32)
    table[: len(vectors), :-1] = vectors
    table[-1, -1] = 1.0
    return torch.from_numpy(table)


def encode(cells: CellArrays, smallest: int = SMALLEST) -> PaperGraphs:
    """Cells of one size, as the benchmark gives them, in the released encoding."""
    count, nodes = cells.operators.shape
    size = max(nodes, smallest)
    padding, everywhere = len(cells.vocabulary), len(cells.vocabulary) + 1
    rows = np.full((count, size + 1), padding, dtype=np.int64)
    rows[:, :nodes], rows[:, -1] = cells.operators, everywhere
    adjacency = np.zeros((count, size + 1, size + 1), dtype=np.uint8)
    adjacency[:, :nodes, :nodes] = cells.adjacency > 0
    adjacency[:, :-1, -1] = 1
    diagonal = np.arange(size + 1)
    adjacency[:, diagonal, diagonal] = 1
    return PaperGraphs(rows, adjacency.transpose(0, 2, 1).copy())


def first_cells(graphs: Sequence[ArchitectureGraph]) -> list[CellGraph]:
    """The cell that the released code scores, the first, with its sums and its concatenation left out."""
    return [_without_merges(graph.cells[0], graph.vocabulary) for graph in graphs]


def _without_merges(cell: CellGraph, vocabulary: Vocabulary) -> CellGraph:
    merges = [vocabulary[name].kind == "merge" for name in cell.operators]
    if not any(merges):
        return cell
    feeds: list[set[int]] = [set() for _ in cell.operators]  # what reaches a node once merges are seen through
    for source, target, _ in cell.edges:  # sorted by source, so a merge is complete before it is read
        feeds[target] |= feeds[source] if merges[source] else {source}
    edges = [(source, target) for target, sources in enumerate(feeds) if not merges[target] for source in sources]
    kept = [node for node, merge in enumerate(merges) if not merge]
    place = {node: index for index, node in enumerate(kept)}
    return CellGraph(
        cell.name,
        tuple(cell.operators[node] for node in kept),
        tuple(sorted((place[source], place[target], 1) for source, target in edges)),
    )


def train_paper(
    graphs: PaperGraphs,
    accuracy: NDArray[np.float64],
    table: Tensor,
    config: PaperConfig,
    seed: int,
    *,
    held_out: float = 0.02,
    progress: Callable[[int, float, float], None] | None = None,
) -> tuple[PaperNetwork, dict[str, Any]]:
    """Train on accuracy as a fraction; keep the epoch with the best tau on held-out graphs of the source."""
    from scipy.stats import kendalltau

    generator = np.random.default_rng(seed)
    torch.manual_seed(seed)
    order = generator.permutation(len(graphs))[: config.graphs]
    cut = max(1, int(held_out * len(order)))
    held, train = np.sort(order[:cut]), order[cut:]
    labels = torch.from_numpy(accuracy.astype(np.float32))
    network = PaperNetwork(table.shape[1], config)
    optimiser = torch.optim.AdamW(network.parameters(), lr=config.learning_rate, fused=True)
    schedule = torch.optim.lr_scheduler.StepLR(optimiser, config.step, config.decay)
    best, taus = copy.deepcopy(network.state_dict()), []
    for epoch in range(config.epochs):
        network.train()
        for index in np.array_split(generator.permutation(train), -(-len(train) // config.batch)):
            loss = nn.functional.mse_loss(network.of_operators(table, *graphs.batch(index)), labels[index])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        schedule.step()
        taus.append(float(kendalltau(paper_scores(network, graphs, table, held), accuracy[held])[0]))
        if taus[-1] == max(taus):
            best = copy.deepcopy(network.state_dict())
        if progress is not None:
            progress(epoch + 1, float(loss.detach()), taus[-1])
    network.load_state_dict(best)
    return network.eval(), {"held_out_kendall_tau": taus, "chosen_epoch": int(np.argmax(taus)) + 1, "seed": seed}


def paper_scores(
    network: PaperNetwork, graphs: PaperGraphs, table: Tensor, index: NDArray[Any] | None = None
) -> NDArray[np.float64]:
    """Predicted accuracies, (B,) as fractions."""
    chosen = np.arange(len(graphs)) if index is None else index
    network.eval()
    with torch.inference_mode():
        parts = [
            network.of_operators(table, *graphs.batch(chosen[start : start + 4096])).numpy()
            for start in range(0, len(chosen), 4096)
        ]
    return np.concatenate(parts).astype(np.float64) if parts else np.zeros(0)


class PaperScorer:
    """`tg_nas_paper`: scores native graphs of any space by their first cell."""

    def __init__(self, network: PaperNetwork, card: dict[str, Any] | None = None) -> None:
        self.network = network
        self.card = card or {}

    def score(self, graphs: Sequence[ArchitectureGraph]) -> NDArray[np.float64]:
        """(A,) predicted accuracy as a fraction, of graphs in native form."""
        cells = first_cells(graphs)
        scores = np.full(len(cells), np.nan)
        sizes: dict[int, list[int]] = {}
        for row, cell in enumerate(cells):
            sizes.setdefault(cell.node_count, []).append(row)
        for rows in sizes.values():
            arrays = CellArrays.of([cells[row] for row in rows])
            vocabulary = graphs[rows[0]].vocabulary
            table = feature_table(arrays.vocabulary, vocabulary, self.network.config.style)
            scores[rows] = paper_scores(self.network, encode(arrays), table)
        return scores

    def score_mixtures(self, graphs: Sequence[ArchitectureGraph], shares: NDArray[np.float64]) -> NDArray[np.float64]:
        """Predicted accuracies, as fractions, of graphs in between: one forward pass for all of them.

        A mixture has the weighted mean of the node features and of the adjacency of `graphs`. That is how the paper's
        search scores a supernet: every edge by the mean embedding of the operators that are left on it.

        Parameters
        ----------
        graphs
            In native form, of one space and with equally many nodes; a node has the same meaning in all of them.
        shares
            (M, graphs) the weights of each mixture, with a sum of 1; they may be negative.

        Returns
        -------
        numpy.ndarray
            (M,). A mixture of one graph alone has that graph's `score`.

        Raises
        ------
        UsageError
            The graphs differ in their number of nodes, or `shares` does not have one column a graph.
        """
        cells = first_cells(graphs)
        sizes = sorted({cell.node_count for cell in cells})
        if len(sizes) != 1:
            raise UsageError(
                f"graphs of {', '.join(map(str, sizes)) or 'no'} nodes have no mean; mix graphs of one size, whose "
                "nodes correspond."
            )
        if shares.ndim != 2 or shares.shape[1] != len(graphs):
            raise UsageError(
                f"shares of shape {shares.shape} do not fit {len(graphs)} graphs; give (mixtures, {len(graphs)})."
            )
        arrays = CellArrays.of(cells)
        table = feature_table(arrays.vocabulary, graphs[0].vocabulary, self.network.config.style)
        self.network.eval()
        with torch.inference_mode():
            scores: Tensor = self.network(*encode(arrays).mixtures(shares, table))
        return scores.numpy().astype(np.float64)

    def save(self, folder: Path) -> None:
        """Write weights and card."""
        import hashlib
        import json

        from safetensors.torch import save as saved

        from predictor.door.checkpoint import CARD, FORMAT, WEIGHTS, sealed

        make_folder(folder)
        card = {**self.card, "format": FORMAT, "configuration": asdict(self.network.config)}
        data = saved({name: x.contiguous() for name, x in self.network.state_dict().items()}, sealed(card))
        write_bytes(folder / WEIGHTS, data)
        self.card = {**card, "sha256": hashlib.sha256(data).hexdigest()}
        write_text(folder / CARD, json.dumps(self.card, indent=2, sort_keys=True) + "\n")

    @classmethod
    def load(cls, checkpoint: str | Path = "tg_nas_paper") -> PaperScorer:
        """Read a checkpoint: the shipped one, or a folder."""
        from safetensors.torch import load

        from predictor.door.checkpoint import read_card, read_weights
        from predictor.tg_nas.checkpoint import folder_of

        folder = folder_of(checkpoint)
        card = read_card(folder)
        if "members" in card or card.get("predictor") not in (None, "tg_nas_paper"):
            what = card.get("predictor", "an ensemble")
            raise UsageError(f"{folder} holds weights of {what}, not of the paper's network.")
        config = PaperConfig(**card["configuration"])
        weights = load(read_weights(folder, card))
        network = PaperNetwork(weights["weights.0.weight"].shape[1], config)
        network.load_state_dict(weights)
        return cls(network.eval(), card)

    def __repr__(self) -> str:
        return f"PaperScorer({self.network!r})"
