"""Motifs: what is counted, what is a unit, and the statistics of the comparison."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from catalog.analysis.motifs import SHAPES, fisher_p_values, motifs, odds_ratios
from catalog.architecture.graph import ArchitectureGraph, CellGraph
from catalog.architecture.operators import VOCABULARY, Operator
from catalog.asking import patterns
from catalog.errors import UnknownColumnError, UsageError
from catalog.storage.store import Store
from catalog.tables.stored_operators import operator_rows
from tests.catalog.asking.test_patterns import store

CONVOLUTION = CellGraph.build("cell", ("input", "conv3x3", "output"), [(0, 1), (1, 2)])
POOLING = CellGraph.build("cell", ("input", "maxpool3x3", "output"), [(0, 1), (1, 2)])
# The same function as CONVOLUTION: a skip beside it leads nowhere.
TWIN = CellGraph.build("cell", ("input", "conv3x3", "skip_connect", "output"), [(0, 1), (1, 3), (0, 2)])
DIAMOND = CellGraph.build("cell", ("input", "conv3x3", "maxpool3x3", "output"), [(0, 1), (0, 2), (1, 3), (2, 3)])


@pytest.fixture
def toy(catalog_path: Path) -> Iterator[Store]:
    with Store.open(catalog_path, mode="write") as catalog:
        yield catalog


def functions_with(catalog: Store, space: str, pattern: str) -> int:
    found = patterns.match(catalog, space, pattern).frame()
    digests = catalog.query(f"SELECT architecture_id, canonical_digest FROM {space}")
    return found.join(digests, on="architecture_id")["canonical_digest"].n_unique()


def test_every_motif_is_a_pattern_that_finds_as_many_functions(nb201: Store) -> None:
    frame = motifs(nb201, "nb201", "live_params", share=0.05)
    assert set(frame["shape"]) == set(SHAPES)
    assert frame["pattern"].is_unique().all()
    for row in frame.sample(40, seed=1).iter_rows(named=True):
        expected = row["top_with"] + row["rest_with"]
        assert functions_with(nb201, "nb201", row["pattern"]) == expected, row["pattern"]


def test_functional_twins_count_once(nb201: Store) -> None:
    """15,625 cells are 5,260 functions; the best 1 % are 53 of them, and those that tie with the last."""
    frame = motifs(nb201, "nb201", "flops", share=0.01)
    functions = nb201.query("SELECT avg(flops) AS flops FROM nb201 GROUP BY canonical_digest ORDER BY flops DESC")
    assert len(functions) == 5260
    best = functions.filter(pl.col("flops") >= functions["flops"][52])
    assert frame["top_total"].unique().to_list() == [len(best)]
    assert frame["rest_total"].unique().to_list() == [5260 - len(best)]


def test_a_planted_motif_comes_first(nb201_path: Path, tmp_path: Path) -> None:
    """The best cells are exactly those with a pooling that feeds a 3x3 convolution and a 1x1 convolution."""
    planted = "(a:avg_pool_3x3)->(nor_conv_1x1), (a)->(nor_conv_3x3)"
    copy = tmp_path / "catalog.duckdb"
    copy.write_bytes(nb201_path.read_bytes())
    with Store.open(copy, mode="write") as catalog:
        sql = patterns.compiled(catalog, "nb201", planted).sql
        catalog.execute("ALTER TABLE nb201 ADD COLUMN quality DOUBLE DEFAULT 0")
        catalog.execute(f"UPDATE nb201 SET quality = 1 WHERE architecture_id IN (SELECT architecture_id FROM ({sql}))")
        frame = motifs(catalog, "nb201", "quality")
    first = frame.row(0, named=True)
    assert first["pattern"] == planted
    assert first["top_with"] == first["top_total"] > 54
    assert first["rest_with"] == 0


def test_the_table_of_a_small_space(toy: Store) -> None:
    """Three functions: two twins with a convolution (quality 2 and 4), a pooling (3.5), both beside each other (1)."""
    cells = (CONVOLUTION, TWIN, POOLING, DIAMOND)
    store(toy, "toy", [ArchitectureGraph("toy", (cell,)) for cell in cells])
    toy.execute("UPDATE toy SET quality = 0")
    toy.execute("ALTER TABLE toy ALTER quality TYPE DOUBLE")
    for place, quality in enumerate((2, 4, 3.5, 1)):
        toy.execute("UPDATE toy SET quality = ? WHERE index = (SELECT min(index) FROM toy) + ?", [quality, place])
    frame = motifs(toy, "toy", "quality", share=0.3)
    columns = ["pattern", "top_with", "top_total", "rest_with", "rest_total"]
    assert sorted(frame.select(columns).rows()) == [
        ("(a:input)->(conv3x3), (a)->(maxpool3x3)", 0, 1, 1, 2),
        ("(conv3x3)->(a:output), (maxpool3x3)->(a)", 0, 1, 1, 2),
        ("(conv3x3)->(output)", 0, 1, 2, 2),
        ("(input)->(conv3x3)", 0, 1, 2, 2),
        ("(input)->(conv3x3)->(output)", 0, 1, 2, 2),
        ("(input)->(maxpool3x3)", 1, 1, 1, 2),
        ("(input)->(maxpool3x3)->(output)", 1, 1, 1, 2),
        ("(maxpool3x3)->(output)", 1, 1, 1, 2),
    ]
    lowest = motifs(toy, "toy", "quality", share=0.3, direction=-1, shapes=["fork"])
    assert lowest.select(columns).rows() == [("(a:input)->(conv3x3), (a)->(maxpool3x3)", 1, 1, 0, 2)]
    toy.execute("UPDATE toy SET quality = 'nan' WHERE quality = 1")
    assert motifs(toy, "toy", "quality", share=0.3, shapes=["fork"]).is_empty()
    toy.execute("UPDATE toy SET quality = NULL WHERE quality > 2")
    with pytest.raises(UsageError, match="has values for fewer than two functions"):
        motifs(toy, "toy", "quality")


def test_alike_operators_share_a_word_that_finds_them_all(toy: Store) -> None:
    """Both inputs of a DARTS cell are (input); an own operator that a kind or a variable could hide is spelled out."""
    own = [Operator("pool", "other", "a swimming pool", "", ""), Operator("a", "other", "the letter", "", "")]
    vocabulary = VOCABULARY.extended(own)
    names = ("input_0", "input_1", "pool", "a", "maxpool3x3", "output")
    edges = [(0, 2), (1, 2), (2, 3), (2, 4), (3, 5), (4, 5)]
    cell = CellGraph.build("cell", names, edges, vocabulary=vocabulary)
    store(toy, "own", [ArchitectureGraph("own", (one,), vocabulary) for one in (cell, CONVOLUTION)])
    toy.append("operator", operator_rows("own", own))
    frame = motifs(toy, "own", "index")
    assert "(input)->(b:`pool`), (input)->(b)" in frame["pattern"]
    assert "(b:`pool`)->(a), (b)->(maxpool3x3)" in frame["pattern"]
    for row in frame.iter_rows(named=True):
        assert patterns.count(toy, "own", row["pattern"])[0] == 1, row["pattern"]


def test_odds_ratios_are_finite_and_their_intervals_are_woolfs() -> None:
    """(3.5 * 3.5) / (1.5 * 1.5), and the interval of its logarithm worked out by hand."""
    ratio, low, high = odds_ratios([3, 0, 5], [4, 5, 5], [1, 5, 0], [4, 5, 5])
    assert ratio == pytest.approx([49 / 9, 1 / 121, 121])
    margin = 1.959963984540054 * np.sqrt(2 / 3.5 + 2 / 1.5)
    assert np.log([low[0], high[0]]) == pytest.approx([np.log(49 / 9) - margin, np.log(49 / 9) + margin])
    assert np.isfinite([low, high]).all()


def test_fisher_on_the_lady_tasting_tea() -> None:
    """Fisher, "The design of experiments", 1935: three of four cups right has one-sided p = 17/70, two-sided 34/70."""
    assert fisher_p_values([3, 4], [4, 4], [1, 0], [4, 4]) == pytest.approx([34 / 70, 2 / 70])


def test_a_wrong_question_is_refused(nb201: Store) -> None:
    with pytest.raises(UnknownColumnError, match="no column 'parms'"):
        motifs(nb201, "nb201", "parms")
    with pytest.raises(UsageError, match="holds no numbers"):
        motifs(nb201, "nb201", "cell")
    with pytest.raises(UsageError, match=r"the share is 1\.5; it must lie between 0 and 1"):
        motifs(nb201, "nb201", "params", share=1.5)
    with pytest.raises(UsageError, match="the direction is 0"):
        motifs(nb201, "nb201", "params", direction=0)
    with pytest.raises(UsageError, match=r"unknown motif shapes \['ring'\]; allowed are one or more of edge, path"):
        motifs(nb201, "nb201", "params", shapes=["ring"])
