"""What NAS-Bench-Suite-Zero publishes: its proxies, and what ``val_accuracy`` is on each benchmark's data sets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from catalog.tables.transnas_facts import SPLIT, STAGE, TASKS

PROXIES = (
    "epe_nas", "fisher", "flops", "grad_norm", "grasp", "jacov", "l2_norm", "nwot", "params", "plain", "snip",
    "synflow", "zen",
)  # fmt: skip
"""The proxies of the suite, by its own names."""

DESCRIPTIVE = ("idx", "id", "arch")
"""Fields of an architecture that say which one it is."""

BENCHMARKS = {
    "nb101": "nasbench101",
    "nb201": "nasbench201",
    "darts": "nasbench301",
    "transnas_micro": "transbench101_micro",
}
"""The suite's word for each space that is read here."""

KNOWN_FILES = frozenset(
    {
        # Tables of NAS-Bench-201.
        "66759888860b0b1968bed4fdb93c71579115a0ba9e065309746117e061a0a417",
        "3726cbe640e8794b876622e4f841a5be05121b7d1a57c98d78cef56f92368b24",
        # Files of NAS-Bench-301 without the benchmark's key, and NASLib's list of a run of NAS-Bench-201.
        "537e9abd6f0b14fdffdfcb3c07b18a037647b5c80808b3b2cf9a51b1b491aba1",
        "f52d686c02ed5906e5ea6c52a965d1e2bd8713bb718bc61b1e4b91726ec01ee5",
        "0bbaabd77dc0cdd125d1d1b9220a880a21b6cb86514a09d12b68213240863eff",
    }
)
"""SHA-256 of files of the suite whose contents alone would not prove it."""

OTHER_BENCHMARKS = ("transbench101_macro",)
"""The suite's words for its further benchmarks."""


@dataclass(frozen=True)
class Accuracy:
    """What the field ``val_accuracy`` of one data set is: kind, data set, split, ... as in the table ``metric``.

    None stands for what the suite does not say. Of TransNAS-Bench-101 it is each task's own metric, and no accuracy of
    all of them.
    """

    kind: str
    dataset: str
    split: str | None
    epochs: int | None
    name: str = "accuracy"
    stage: str | None = None

    @property
    def is_single_run(self) -> bool:
        """Whether each value is the end of one training."""
        return self.kind != "surrogate"


def unsaid(dataset: str, name: str = "accuracy") -> Accuracy:
    """An accuracy, or a task's own metric, of which nobody says of which images and training it is."""
    return Accuracy("reported", dataset, None, None, name)


ACCURACIES: Mapping[str, Mapping[str, Accuracy]] = {
    "nb101": {"cifar10": Accuracy("reported", "cifar10", "valid", 108)},
    "nb201": {
        # Counted in images of 10,000 on CIFAR-10: its test images, and not the 25,000 of cifar10-valid's x-valid. Where
        # the benchmark has a single seed, CIFAR-100's value is that seed's x-test.
        "cifar10": Accuracy("reported", "cifar10-valid", "test", 200),
        "cifar100": Accuracy("reported", "cifar100", "test", 200),
        "imagenet16-120": Accuracy("reported", "imagenet16-120", "test", 200),
        "svhn": unsaid("svhn"),
        "ninapro": unsaid("ninapro"),
        "scifar100": unsaid("scifar100"),
    },
    "darts": {
        "cifar10": Accuracy("surrogate", "cifar10", "valid", None),
        "svhn": unsaid("svhn"),
        "ninapro": unsaid("ninapro"),
        "scifar100": unsaid("scifar100"),
    },
    "transnas_micro": {
        name: Accuracy("reported", name, SPLIT, None, task.suite_metric, STAGE) for name, task in TASKS.items()
    },
}
"""By space and the file's data set; no other data sets belong to these benchmarks."""
