"""What TransNAS-Bench-101 measured: its seven tasks on Taskonomy's images, each with a metric of its own."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from catalog.tables.measures import HIGHER
from catalog.tables.plausible import Range

SPLIT = "valid"
"""NAS-Bench-Suite-Zero publishes the values of six tasks, to the last digit, as those on the validation images."""

STAGE = "best"
"""They are the best of a training's epochs, which is what the benchmark's own query gives."""

DIRECTIONS = {"neg_loss": HIGHER}
"""Of the metrics below that no list of usual names has."""

RANGES = {
    "accuracy": Range(0.0, 100.0, "percent"),
    "miou": Range(0.0, 100.0, "percent"),
    "ssim": Range(-1.0, 1.0),
    "neg_loss": Range(-math.inf, 0.0),
}
"""What each metric can be: percent, structural similarity, and a mean square error with its sign turned round."""

IN_PERCENT = frozenset(name for name, values in RANGES.items() if values.unit)


@dataclass(frozen=True)
class Task:
    """One task; its name is the data set's.

    Parameters
    ----------
    metric
        What the table has, under a name of `RANGES`. High values are good, of all of them.
    suite_metric
        What NAS-Bench-Suite-Zero calls ``val_accuracy``.
    head
        Trainable parameters of what follows the encoder in NAS-Bench-Suite-Zero's networks: a linear map to 63, 100, 9
        or (of nine joined pieces) 1,000 numbers, or a decoder of images.
    """

    metric: str
    suite_metric: str
    head: int


TASKS: Mapping[str, Task] = {
    "class_scene": Task("accuracy", "accuracy", 32_319),
    "class_object": Task("accuracy", "accuracy", 51_300),
    "room_layout": Task("neg_loss", "neg_loss", 4_617),
    "jigsaw": Task("accuracy", "accuracy", 4_609_000),
    "segmentsemantic": Task("miou", "accuracy", 11_024_177),
    "normal": Task("ssim", "ssim", 22_871_859),
    "autoencoder": Task("ssim", "ssim", 22_871_859),
}

VALUES: Mapping[str, str] = {
    "class_scene": "54d75aee20cb0226a1eb1c036f9356a4943840013a393174b1104fcb6d2ee586",
    "class_object": "b8e022ea9be60f7d441701fc10071e934ab602ca120fdfbd927a19efd7b92f5f",
    "room_layout": "55dae26a501c63e71a44ed84d844e331346a7b09e0013bfcf641788e0d39cad0",
    "jigsaw": "fe1c501f5918f0818c9315a3967941d00203bcd732d31c51a0432624e5e16849",
    "segmentsemantic": "eb1163960627fb19da099f188bf5d74f520702ab82f6ac54dc97be192e84797b",
    "normal": "1689eb88dc056de8ca8a8b5da621ee43e834cff309adaaacffdd7fca84e59c84",
    "autoencoder": "e5386a00a47217bb76bf0954682a23c1e41d981aa18f9d2502302de73629cdbb",
}
"""SHA-256 of the public table's sorted lines ``id, value`` of each task, by which it is known."""
