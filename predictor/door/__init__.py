"""The door: what a predictor is, what it is given and gives, and where predictors are found by name.

It knows no database, no network and no single predictor; ours come through it as a stranger's do.
"""

from __future__ import annotations

from predictor.door.given import Given, Graphs, Labelled, Training
from predictor.door.layers import Layers
from predictor.door.predictor import DOOR_VERSION, Needs, NoOptions, Predictor, Scores

__all__ = [
    "DOOR_VERSION",
    "Given",
    "Graphs",
    "Labelled",
    "Layers",
    "Needs",
    "NoOptions",
    "Predictor",
    "Scores",
    "Training",
]
