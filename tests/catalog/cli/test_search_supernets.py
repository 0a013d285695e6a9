"""`catalog search --method pruning` by a predictor that reads the mean embedding of what is left of a supernet."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from catalog.asking.lookup import lookup
from catalog.search import job as search_job
from catalog.search.methods.history import History
from catalog.search.methods.problem import Budget
from catalog.search.methods.running import search
from catalog.search.methods.space_choices import required_choices
from catalog.search.methods.supernet import Supernet, SupernetScorer
from catalog.search.request import Request
from catalog.spaces import space_named
from catalog.storage.store import Store
from predictor.tg_nas.paper import PaperConfig, PaperScorer, feature_table
from tests.catalog.cli.commands import call_catalog
from tests.catalog.cli.searches import rows_of, run_of


class Linear(torch.nn.Module):
    """An additive predictor: each operator on each node, and each edge, has a worth of its own."""

    def __init__(self, nodes: int, seed: int) -> None:
        super().__init__()
        self.config = PaperConfig()
        generator = torch.Generator().manual_seed(seed)
        self.nodes = torch.randn(nodes + 1, 385, generator=generator)
        self.edges = torch.randn(nodes + 1, nodes + 1, generator=generator)
        self.passes: list[int] = []

    def forward(self, nodes: torch.Tensor, adjacency: torch.Tensor) -> torch.Tensor:
        self.passes.append(len(nodes))
        return (nodes * self.nodes).sum(dim=(1, 2)) + (adjacency * self.edges).sum(dim=(1, 2))

    def of_operators(self, table: torch.Tensor, rows: torch.Tensor, adjacency: torch.Tensor) -> torch.Tensor:
        return self(torch.nn.functional.embedding(rows, table), adjacency)


def pruned(path: Path, request: Request) -> tuple[search_job.Prepared, History]:
    with Store.open(path, mode="write", create=True) as catalog:
        prepared = search_job.prepare(catalog, request)
        return prepared, search(prepared.problem, "pruning", Budget(), request.seed)


@pytest.mark.parametrize("space", ["nb201", "darts"])
@pytest.mark.parametrize("sign", ["", "-"])
def test_the_optimum_of_an_additive_predictor_is_found_with_one_batch_a_round(
    space: str, sign: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On DARTS that is predecessors too: their mean is that of the adjacency."""
    network = Linear({"nb201": 8, "darts": 11}[space], 3)
    monkeypatch.setattr(PaperScorer, "load", classmethod(lambda cls, *_: cls(network)))
    prepared, history = pruned(tmp_path / "catalog.duckdb", Request(space, (f"{sign}tg_nas_paper",), "pruning"))
    choices = required_choices(prepared.space)
    most = int(choices.counts.max())
    rounds = [int(np.maximum(choices.counts - k, 0)[choices.counts - k > 1].sum()) for k in range(most - 1)]
    assert network.passes == [*rounds, 1]
    assert history.evaluations == sum(rounds) + 1
    # Of an additive score each decision can be taken for itself, whatever the others are.
    base = np.zeros(len(choices.counts), dtype=np.int64)
    best = base.copy()
    for decision, count in enumerate(choices.counts.tolist()):
        genes = np.repeat(base[None], count, axis=0)
        genes[:, decision] = np.arange(count)
        values = PaperScorer(network).score(choices.decode(genes))
        best[decision] = np.argmin(values) if sign else np.argmax(values)
    expected = float(PaperScorer(network).score(choices.decode(best[None]))[0])
    (visit,) = history.visits
    assert visit.scores == (pytest.approx(-expected if sign else expected, rel=1e-5),)


@pytest.mark.parametrize("space", ["nb201", "darts", "nats-sss"])
def test_a_supernet_of_one_architecture_scores_as_that_architecture(space: str, tmp_path: Path) -> None:
    choices = required_choices(space_named(space))
    genes = choices.sample(20, np.random.default_rng(2))
    supernets = [Supernet(choices, tuple((option,) for option in row)) for row in genes.tolist()]
    with Store.open(tmp_path / "catalog.duckdb", mode="write", create=True) as catalog:
        score = search_job.prepare(catalog, Request(space, ("2*tg_nas_paper - 1",), "pruning")).problem.score
        assert isinstance(score, SupernetScorer)
        found = score.score_supernets(supernets)
    np.testing.assert_allclose(found, 2 * PaperScorer.load().score(choices.decode(genes)) - 1, rtol=1e-6)


@pytest.mark.parametrize(
    ("space", "by"),
    [
        ("nb201", ("tg_nas",)),  # reads canonical graphs
        ("nb201", ("tg_nas_paper - 0.1*log10(params)",)),
        ("nb201", ("tg_nas_paper", "-params")),
        ("nb101", ("tg_nas_paper",)),
    ],
)
def test_what_has_no_mean_keeps_to_architectures(space: str, by: tuple[str, ...], tmp_path: Path) -> None:
    with Store.open(tmp_path / "catalog.duckdb", mode="write", create=True) as catalog:
        prepared = search_job.prepare(catalog, Request(space, by, "pruning" if len(by) == 1 else "nsga2"))
    assert not isinstance(prepared.problem.score, SupernetScorer)


ASKED = ("search", "nb201", "--by", "tg_nas_paper", "--method", "pruning")


def test_pruning_visits_one_architecture_and_counts_its_supernets(tmp_path: Path) -> None:
    answers = [call_catalog(*ASKED, "--seed", seed, database=tmp_path / "catalog.duckdb") for seed in "01"]
    ((row,), (other,)) = (rows_of(answer) for answer in answers)
    assert row == other  # nothing is drawn
    assert row["evaluation"] == "85"
    assert "pruning, 85 evaluations" in answers[0].stderr
    (graph,) = [space_named("nb201").graph(row["cell"])]
    assert float(row["tg_nas_paper"]) == pytest.approx(PaperScorer.load().score([graph])[0], rel=1e-5)


@pytest.mark.parametrize(("budget", "used"), [("60", 54), ("5", 0)])
def test_a_budget_that_ends_among_supernets_says_what_is_needed(budget: str, used: int, tmp_path: Path) -> None:
    path = tmp_path / "catalog.duckdb"
    answer = call_catalog(*ASKED, "--budget", budget, database=path)
    assert answer.returncode == 1
    assert answer.stdout == ""
    (command,) = [line for line in answer.stderr.splitlines() if "comes to its first architecture" in line]
    assert f"after {used} evaluations of supernets" in command
    assert f"with evaluation 85: catalog search nb201 --resume {run_of(answer)} --budget 85" in command
    resumed = call_catalog("search", "nb201", "--resume", str(run_of(answer)), "--budget", "85", database=path)
    assert rows_of(resumed) == rows_of(call_catalog(*ASKED, database=path))


def test_an_answer_that_computes_nothing_is_told_and_can_be_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The score reads dead operators like any other; one that likes them best ends in a cell without a path."""
    likes_none = Linear(8, 0)
    likes_none.nodes, likes_none.edges = feature_table(("none",))[0].expand(9, 385), torch.zeros(9, 9)
    monkeypatch.setattr(PaperScorer, "load", classmethod(lambda cls, *_: cls(likes_none)))
    answer = call_catalog(*ASKED, database=tmp_path / "catalog.duckdb")
    (row,) = rows_of(answer)
    assert not space_named("nb201").graph(row["cell"]).is_connected
    assert "no path from input to output in 1 of 1 answers" in answer.stderr
    other = call_catalog(*ASKED, "--min", "depth=1", database=tmp_path / "catalog.duckdb")
    assert all(space_named("nb201").graph(row["cell"]).is_connected for row in rows_of(other))
    assert "no path" not in other.stderr


def test_constraints_are_kept_by_trying_architectures(tmp_path: Path) -> None:
    answer = call_catalog(*ASKED, "--max", "params=5e5", database=tmp_path / "catalog.duckdb")
    rows = rows_of(answer)
    assert len(rows) == 10
    assert all(float(row["params"]) <= 5e5 for row in rows)


def test_a_stored_score_is_pruned_as_one_that_is_computed(searched: Path, tmp_path: Path) -> None:
    (computed,) = rows_of(call_catalog(*ASKED, database=tmp_path / "catalog.duckdb"))
    assert call_catalog("score", "nb201", "--proxy", "tg_nas_paper", database=searched).returncode == 0
    (stored,) = rows_of(call_catalog(*ASKED, database=searched))
    assert stored["cell"] == computed["cell"]
    assert stored["evaluation"] == computed["evaluation"]
    bench = call_catalog(
        *("search-bench", "nb201", "--by", "tg_nas_paper", "--methods", "pruning", "--budget", "100", "--seeds", "2"),
        database=searched,
    )
    (*_, last) = [row for row in rows_of(bench) if row["method"] == "pruning"]
    with Store.open(searched) as catalog:
        truth = lookup(catalog, [stored["cell"]], space="nb201")["cifar10_test_accuracy"].item()
    assert (float(last["mean"]), float(last["sd"])) == (pytest.approx(truth), 0)
    with Store.open(searched, mode="write") as catalog:
        catalog.execute("UPDATE proxy SET checkpoint_digest = 'another' WHERE name = 'tg_nas_paper'")
    answer = call_catalog(*ASKED, database=searched)
    assert answer.returncode == 2
    assert "catalog score nb201 --proxy tg_nas_paper" in answer.stderr
