"""Scoring a stored space: predictors, zero-cost proxies and proxies of a pool, by name, into columns.

It is the top of this package: every predictor is reached through it, and it alone stores scores.
"""

from __future__ import annotations

from predictor.scoring.entry import ScoreOptions, score
from predictor.scoring.outcome import ColumnReport
from predictor.scoring.predictors import ScoringReport, score_space

__all__ = ["ColumnReport", "ScoreOptions", "ScoringReport", "score", "score_space"]
