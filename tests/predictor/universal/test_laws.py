"""The laws of `benchmarks/universal_laws.py` on a sample of its pairs: what the benchmark tries ten thousand times."""

from __future__ import annotations

import pytest

from benchmarks.laws.judging import Score, cut_networks, judged

UNIVERSAL = Score("tg_nas_universal")
KINDS = (
    "nb101",
    "nb201",
    "darts",
    "transnas_micro",
    "nds_vanilla",
    "nasbench_macro",
    "flexibert",
    "resnet",
    "own plain chains",
    "own residual networks",
    "own random graphs",
    "own image transformers",
    "own text transformers",
)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_network_scores_the_same_and_a_better_one_no_lower(kind: str) -> None:
    found = judged(UNIVERSAL, kind, 6, seed=3)
    assert {one.law for one in found} >= {"words", "alone"}
    assert [(one.law, one.worst) for one in found if not one.holds] == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_network_without_a_path_has_no_score(kind: str) -> None:
    made, scored = cut_networks(UNIVERSAL, kind, 4, seed=3)
    assert (made, scored) == (4, 0)
