"""Scores computed on the fly are the scores that the catalog stores."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from catalog.architecture.canonical_form import canonical_graphs
from catalog.architecture.graph import ArchitectureGraph
from catalog.architecture.graph_tables import placed_cells
from catalog.architecture.members import Members
from catalog.architecture.structural import STRUCTURAL_PROXIES
from catalog.errors import UnknownProxyError, UsageError
from catalog.spaces import SPACES, space_named
from catalog.storage.runs import Run
from catalog.storage.store import Store
from catalog.tables.enumeration import enumerate_space
from catalog.tables.registration import ensure_space, enter
from catalog.tables.space_view import SpaceView
from catalog.tables.stored_graphs import read_graphs
from catalog.tables.views import rebuild
from predictor.scoring.candidates import CandidateScorer, computable_names, direction, is_computable, structural_scores
from predictor.scoring.predictors import score_space
from predictor.zero_cost import MeasureConfig, measure
from predictor.zero_cost.registry import proxies_named
from tests.catalog.processes import run_python
from tests.predictor.scored_cells import CONV, CUT, SKIP

SMALL = MeasureConfig(input="noise", batch_size=4)


def test_what_can_be_computed_is_known_without_torch() -> None:
    ended = run_python(
        "import sys; sys.modules['torch'] = None\n"
        "from catalog.spaces import space_named\n"
        "from predictor.scoring.candidates import is_computable\n"
        "print(*(is_computable(space_named('nb201'), name) for name in ('params', 'synflow', 'digits_test_accuracy')))"
    )
    assert ended.stdout.split() == ["True", "False", "False"], ended.stderr


@pytest.fixture(scope="module")
def nb201(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("candidates") / "catalog.duckdb"
    with Store.open(path, mode="write", create=True) as catalog:
        enumerate_space(catalog, space_named("nb201"))
        score_space(catalog, "nb201", "tg_nas")
    return path


def drawn(space: str, count: int = 40) -> tuple[list[ArchitectureGraph], list[ArchitectureGraph]]:
    graphs = space_named(space).sample(count, seed=3)
    return graphs, canonical_graphs(graphs)


def test_predictions_on_the_fly_are_those_of_scoring_the_whole_space(nb201: Path) -> None:
    with Store.open(nb201) as catalog:
        frame = SpaceView.of(catalog, "nb201").frame(columns=["architecture_id", "tg_nas", "tg_nas_std"])[::313]
        ids = frame["architecture_id"].to_list()
        native, canonical = (read_graphs(catalog, "nb201", ids, form) for form in ("native", "canonical"))
        found = CandidateScorer(space_named("nb201"), ["tg_nas", "tg_nas_std"]).score(native, canonical)
        for name, values in found.items():
            np.testing.assert_allclose(values, frame[name].fill_null(np.nan).to_numpy(), atol=1e-5)
        assert np.isnan(found["tg_nas"]).any()  # a cell without a path has no score, here as there


def test_how_a_prediction_is_recorded_is_how_catalog_score_recorded_it(nb201: Path) -> None:
    with Store.open(nb201) as catalog:
        rows = catalog.query(
            "SELECT name, version, configuration, checkpoint_digest FROM proxy WHERE name LIKE 'tg_nas%'"
        )
    recorded = CandidateScorer(space_named("nb201"), ["tg_nas"]).recorded
    assert {how.facts.key for how in recorded.values()} == set(rows.rows())


@pytest.mark.parametrize("space", SPACES)
def test_structural_scores_are_those_that_entering_an_architecture_stores(space: str, tmp_path: Path) -> None:
    definition = space_named(space)
    native, _ = drawn(space)
    native = list({definition.native_id(graph): graph for graph in native}.values())
    ids_given = [definition.native_id(graph) for graph in native]
    members = (
        Members(ids_given, cells=list(placed_cells(native)))
        if definition.forms_are_equal
        else Members(ids_given, graphs=native)
    )
    with Store.open(tmp_path / "catalog.duckdb", mode="write", create=True) as catalog:
        with Run.start(catalog, "ingest", {}) as run, catalog.transaction():
            ensure_space(catalog, definition)
            ids, _ = enter(catalog, definition, members, run.id)
            rebuild(catalog, space)
        frame = SpaceView.of(catalog, space).frame()
    rows = np.searchsorted(frame["architecture_id"].to_numpy(), ids)
    found = structural_scores(definition, native, canonical_graphs(native))
    names = {proxy.name for proxy in STRUCTURAL_PROXIES} & set(frame.columns)
    assert names == set(found)
    for name in names:
        np.testing.assert_array_equal(found[name], frame[name].fill_null(np.nan).to_numpy()[rows], err_msg=name)


def test_zero_cost_proxies_are_measured_and_recorded_like_any_other() -> None:
    native, canonical = drawn("nb201", 3)
    scorer = CandidateScorer(space_named("nb201"), ["synflow", "nwot", "params"], SMALL)
    found = scorer.score(native, canonical)
    for row, graph in enumerate(native):
        for one in measure(graph, proxies_named(["synflow", "nwot"]), SMALL):
            assert found[one.proxy][row] == pytest.approx(one.value if one.value is not None else np.nan, nan_ok=True)
    assert "params" not in scorer.recorded  # a structural proxy, which entering an architecture stores
    how = scorer.recorded["nwot"]
    assert (how.input, how.seed) == ("noise", 0)
    assert json.loads(how.facts.configuration)["batch_size"] == 4


def test_a_failure_comes_with_its_reason() -> None:
    """A cell that hands on its input has no trainability; one without a path is not measured and has not failed."""
    graphs = [space_named("nb201").graph(cell) for cell in (SKIP, CONV, CUT)]
    found = CandidateScorer(space_named("nb201"), ["az_trainability", "depth"], SMALL).compute(graphs, graphs)
    skip, *others = found["az_trainability"].reasons
    assert "unchanged" in (skip or "")
    assert others == [None, None]
    np.testing.assert_array_equal(np.isnan(found["az_trainability"].values), [True, False, True])
    assert list(found["depth"].reasons) == [None] * 3


def test_a_network_s_parameters_are_measured_where_no_formula_gives_them() -> None:
    native, canonical = drawn("darts", 2)
    found = CandidateScorer(space_named("darts"), ["params", "depth"]).score(native, canonical)
    assert (found["params"] > 1e5).all()
    assert (found["depth"] > 0).all()


def test_no_graphs_give_no_scores() -> None:
    assert CandidateScorer(space_named("nb201"), ["depth"]).score([], [])["depth"].shape == (0,)


def test_an_unknown_name_is_told_with_the_known_ones() -> None:
    with pytest.raises(UnknownProxyError, match="'accuracy'.*params.*tg_nas.*synflow"):
        CandidateScorer(space_named("nb201"), ["tg_nas", "accuracy"])


def test_names_and_directions() -> None:
    nb201, darts = space_named("nb201"), space_named("darts")
    assert {"params", "tg_nas", "tg_nas_std", "tg_nas_paper", "synflow"} <= set(computable_names(nb201))
    assert all(is_computable(darts, name) for name in ("depth", "tg_nas_multi", "params"))
    assert not is_computable(nb201, "cifar10_test_accuracy")
    assert [direction(name) for name in ("params", "shortest_path", "tg_nas", "tg_nas_std")] == [1, -1, 1, -1]
    assert direction("ntk_cond") == proxies_named(["ntk_cond"])[0].direction


def test_only_what_reads_native_graphs_scores_their_means() -> None:
    native, canonical = drawn("nb201", 3)
    paper = CandidateScorer(space_named("nb201"), ["tg_nas_paper"])
    found = paper.score_mixtures(native, np.eye(3))["tg_nas_paper"]
    np.testing.assert_allclose(found, paper.score(native, canonical)["tg_nas_paper"], rtol=1e-6)
    for name in ("tg_nas", "depth"):
        with pytest.raises(UsageError, match=f"{name}.* cannot score a mean of graphs; only tg_nas_paper can"):
            CandidateScorer(space_named("nb201"), [name]).score_mixtures(native, np.eye(3))
