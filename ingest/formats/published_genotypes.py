"""The DARTS cells that papers published, with the accuracies that they report."""

from __future__ import annotations

from dataclasses import dataclass

from catalog.spaces.genotype import ALL_STATES, Genotype, parse

_OPERATORS = {
    "s3": "sep_conv_3x3",
    "s5": "sep_conv_5x5",
    "d3": "dil_conv_3x3",
    "d5": "dil_conv_5x5",
    "sk": "skip_connect",
    "mx": "max_pool_3x3",
    "av": "avg_pool_3x3",
}


@dataclass(frozen=True)
class PublishedCell:
    """One published architecture.

    Parameters
    ----------
    name, paper
        What its paper calls it, and the paper.
    genotype
        Its two cells.
    accuracies
        Data set to reported test accuracy in percent.
    parameters
        Data set to reported parameters of the network, rounded as the paper does.
    """

    name: str
    paper: str
    genotype: Genotype
    accuracies: dict[str, float]
    parameters: dict[str, float]


def _cell(
    name: str, paper: str, normal: str, reduce: str, accuracies: dict[str, float], parameters: dict[str, float]
) -> PublishedCell:
    pairs = [[(_OPERATORS[word[:2]], int(word[2])) for word in text.split()] for text in (normal, reduce)]
    fields = {"normal": pairs[0], "normal_concat": ALL_STATES, "reduce": pairs[1], "reduce_concat": ALL_STATES}
    return PublishedCell(name, paper, parse(fields), accuracies, parameters)


def published_cells() -> tuple[PublishedCell, ...]:
    """All cells of the list; a cell is written as operator and predecessor of its eight inputs."""
    return (
        _cell(
            "DARTS_V1",
            "Liu et al. 2019, arXiv 1806.09055, first order",
            "s31 s30 sk0 s31 sk0 s31 s30 sk2",
            "mx0 mx1 sk2 mx0 mx0 sk2 sk2 av0",
            {"cifar10": 97.00},
            {"cifar10": 3.3e6},
        ),
        _cell(
            "DARTS_V2",
            "Liu et al. 2019, arXiv 1806.09055, second order",
            "s30 s31 s30 s31 s31 sk0 sk0 d32",
            "mx0 mx1 sk2 mx1 mx0 sk2 sk2 mx1",
            {"cifar10": 97.24, "imagenet": 73.3},
            {"cifar10": 3.3e6, "imagenet": 4.7e6},
        ),
        _cell(
            "P-DARTS",
            "Chen et al. 2019, arXiv 1904.12760",
            "sk0 d31 sk0 s31 s31 s33 s30 d54",
            "av0 s51 s30 d52 mx0 d31 d31 d53",
            {"cifar10": 97.50},
            {"cifar10": 3.4e6},
        ),
        _cell(
            "PC-DARTS C10",
            "Xu et al. 2020, arXiv 1907.05737, searched on CIFAR-10",
            "s31 sk0 s30 d31 s50 s31 av0 d31",
            "s51 mx0 s51 s52 s30 s33 s31 s32",
            {"cifar10": 97.43},
            {"cifar10": 3.6e6},
        ),
        _cell(
            "PC-DARTS IN",
            "Xu et al. 2020, arXiv 1907.05737, searched on ImageNet",
            "sk1 s30 s30 sk1 s31 s33 s31 d54",
            "s30 sk1 d52 mx1 s32 s31 s50 s33",
            {"imagenet": 75.8},
            {"imagenet": 5.3e6},
        ),
        _cell(
            "TE-NAS C10",
            "Chen et al. 2021, arXiv 2102.11535, searched on CIFAR-10",
            "d30 s51 s30 s32 sk0 d51 s31 s53",
            "s50 s51 s51 s52 s31 s33 s52 s34",
            {"cifar10": 97.37},
            {"cifar10": 3.8e6},
        ),
        _cell(
            "TE-NAS IN",
            "Chen et al. 2021, arXiv 2102.11535, searched on ImageNet",
            "s30 sk1 d51 s32 s30 d53 s30 d34",
            "d30 s51 d30 s32 s30 d31 s30 s54",
            {"imagenet": 75.5},
            {"imagenet": 5.4e6},
        ),
    )
