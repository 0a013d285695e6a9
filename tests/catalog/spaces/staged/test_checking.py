"""What is found out of a described space before it is taken: rare faults as well as those that every network has."""

from __future__ import annotations

import pytest

from catalog.errors import SpaceFileError
from catalog.spaces.staged.covering import covering
from tests.catalog.spaces.staged.small import SMALL, small

RESOLUTIONS = list(range(16, 1016))


def of(*changes: tuple[str, str]) -> str:
    text = SMALL
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


def test_few_architectures_show_each_option_in_each_network():
    every = small().assignments
    shown = covering(every, 1000)
    assert len(shown) == len(set(shown)) == 2 * 2 * 3  # networks, depths, blocks
    for stage in (0, 1):
        begun = {(one.network, one.stages[stage].option, one.stages[stage].blocks[0]) for one in shown}
        assert len(begun) == len(shown)


def test_where_a_space_is_larger_each_option_is_shown_once():
    every = small(of(("[16, 32]", str(RESOLUTIONS[:50])))).assignments
    shown = covering(every, 60)
    assert len(shown) <= 60
    assert {one.network for one in shown} == set(range(50))
    assert {(one.stages[1].option, one.stages[1].blocks[0]) for one in shown} == {
        (a, b) for a in (0, 1) for b in range(3)
    }


def test_a_layer_that_fits_in_all_networks_but_few_is_found():
    text = of(
        ("[16, 32]", str(RESOLUTIONS[:300])),
        ("channels = 32, kernel = 1 }", 'channels = 32, kernel = 1, groups = "=3 if resolution == 200 else 4" }'),
    )
    with pytest.raises(SpaceFileError, match="small.toml: its architecture 'r200:.*groups is 3.*Nothing was stored"):
        small(text)


def test_a_block_that_fits_in_one_network_and_not_in_another_is_found():
    """The groups of the second stage are those of the network's other width."""
    groups = 'groups = "=17 if kernel == 5 and stage > 1 else 1"'
    text = of(
        ("[16, 32] }", "[16, 32], wide = [1, 2] }"),
        ("r{resolution}", "r{resolution}w{wide}"),
        ("width = 16", 'width = "=18 * wide - 1"'),
        ("[[tail]]", f'[[block.parts]]\nnodes = [{{ op = "conv", kernel = 1, {groups} }}]\n[[tail]]'),
    )
    with pytest.raises(SpaceFileError, match="its architecture 'r(16|32)w2:.*groups is 17"):
        small(text)


@pytest.mark.parametrize(
    ("kernels", "expansions"),
    [
        ([3, *range(100, 190), 32], [1, 21, *range(30, 99)]),  # 3 and 21, 32 and 1
        ([3, *range(100, 190), 31], [2, *range(30, 99), "1x"]),  # 31 is read where 3 and 1x stand
    ],
)
def test_blocks_whose_numbers_run_into_one_another_are_found_however_rare(kernels, expansions):
    said = f"kernel = {kernels}, expansion = {expansions}".replace("'", '"')
    text = of(
        ("kernel = [3, 5], expansion = [1, 4]", said),
        ("k{kernel}e{expansion}", "{kernel}{expansion}"),
        ('rules = ["kernel == 3 or expansion == 4"]', ""),
        ('expansion = "=expansion"', "expansion = 1"),
    )
    with pytest.raises(SpaceFileError, match="its id '3(21|1x)' does not say which architecture it is"):
        small(text)


def test_a_choice_that_follows_from_the_rest_may_be_left_out_and_only_then():
    said = f"choices = {{ resolution = {RESOLUTIONS}, odd = [0, 1] }}"
    text = of(("choices = { resolution = [16, 32] }", f'{said}\nrules = ["odd == resolution % 2"]'))
    assert small(text).assignments.count == 500 * small().assignments.count
    with pytest.raises(SpaceFileError, match="its id 'r700:...' does not say"):
        small(text.replace("resolution % 2", "resolution % 2 or resolution == 700"))


def test_a_depth_follows_from_the_number_of_blocks():
    assert small(of(("d{depth} {", "{"))).locate("r16:k3e1|k3e1") == "r16:k3e1|k3e1"
    text = of(("d{depth} {", "{"), ('blocks = "=depth"', 'blocks = "=min(depth, 2)"'), ("[1, 3]", "[1, 2, 3]"))
    with pytest.raises(SpaceFileError, match="does not say"):
        small(text)


def test_a_space_may_be_larger_than_any_number_of_a_computer():
    text = of(('blocks = "=depth"', "blocks = 300"), ("width = 16", "width = 16" + "\n[[stages]]\nwidth = 9" * 2))
    text = text.replace("k{kernel}e{expansion}", "{kernel}{expansion}").replace("{blocks:-}", "{blocks:}")
    assert small(text).assignments.counted.startswith("about 10^")
    assert small().assignments.counted == "720"
