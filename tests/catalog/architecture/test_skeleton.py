"""What stands around the cells: stages, channels and resolutions of every space's network."""

from __future__ import annotations

import pytest

from catalog.architecture.skeleton import CIFAR10, Stage
from catalog.spaces import darts_network, nats_network, nb101_network, nb201_network


def test_stages_double_the_channels() -> None:
    skeleton = nb201_network.SKELETON
    assert [stage.channels for stage in skeleton.stages] == [16, 32, 64]
    assert [stage.reduces for stage in skeleton.stages] == [False, True, True]
    assert skeleton.resolutions(CIFAR10) == (32, 16, 8)
    assert skeleton.resolutions("imagenet16-120") == (16, 8, 4)
    assert skeleton.image("imagenet16-120") == (1, 3, 16, 16)
    assert [stage.cells for stage in nb101_network.SKELETON.stages] == [3, 3, 3]
    assert [stage.cells for stage in nats_network.SKELETON.stages] == [1, 1, 1]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [(20, [6, 6, 6]), (8, [2, 2, 2]), (14, [4, 4, 4]), (4, [1, 0, 1]), (3, [1, 0, 0]), (2, [0, 0, 0]), (1, [0, 0])],
)
def test_reduction_cells_stand_at_one_and_two_thirds(cells: int, expected: list[int]) -> None:
    """Liu et al. 2019: at ``layers // 3`` and ``2 * layers // 3``."""
    stages = darts_network.SKELETON.sized(36, cells).stages
    assert [stage.cells for stage in stages] == expected
    assert sum(stage.cells + stage.reduces for stage in stages) == cells
    places = {sum(stage.cells + stage.reduces for stage in stages[:number]) for number in range(1, len(stages))}
    assert places == {cells // 3, 2 * cells // 3}


def test_a_network_without_cells_is_one_empty_stage() -> None:
    assert darts_network.SKELETON.sized(36, 0).stages == (Stage(36, 0, reduces=False),)


def test_the_deep_stem_divides_by_eight() -> None:
    assert darts_network.IMAGENET.resolutions("imagenet") == (28, 14, 7)
    assert darts_network.SKELETON.stem_channels == 3 * 36
    assert darts_network.IMAGENET.stem_channels == 48


def test_skeletons_are_keys() -> None:
    skeleton = darts_network.SKELETON
    assert {skeleton.sized(16, 8): 1}[skeleton.sized(16, 8)] == 1
    assert skeleton.sized(16, 8) != skeleton
