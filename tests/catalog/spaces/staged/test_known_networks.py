"""Published networks are ids of the families and have their published counts."""

from __future__ import annotations

import pytest

from catalog.architecture.computation.sized import SizedNetworks
from catalog.errors import IdentifierError
from catalog.spaces import staged
from catalog.spaces.staged import built_in
from catalog.spaces.staged.space import StagedSpace
from tests.catalog.spaces.staged.known_networks import KNOWN

FAMILIES = (
    "face_landmark",
    "proxyless",
    "resnet",
    "resnext",
    "regnet",
    "nds_vanilla",
    "nds_resnet",
    "nds_resnext_a",
    "nds_resnext_b",
)


@pytest.mark.parametrize("name", KNOWN)
def test_a_known_network_has_its_published_counts(name):
    place, native_id, parameters, billions = KNOWN[name]
    space = built_in(place)
    facts = SizedNetworks(space.vocabulary).facts(space.graph(native_id))
    assert facts.parameters == parameters
    assert facts.multiply_accumulates is not None
    assert round(facts.multiply_accumulates / 1e9, 2) == billions


def test_once_for_alls_wider_channels_are_those_of_a_published_network():
    """The specialised network of 595 million multiply-accumulates and 80.0 % has width 1.2, at 236 pixels."""
    text = (staged.FILES / "ofa.toml").read_text().replace("resolution = [128,", "resolution = [236, 128,")
    space = StagedSpace.from_text(text.replace('name = "ofa"', 'name = "wider"'), "wider.toml")
    graph = space.graph(
        "w1.2r236:d3:k3e3.k5e4.k3e3_d4:k5e4.k5e4.k3e6.k5e3_d4:k7e6.k5e6.k3e3.k5e4"
        "_d4:k3e6.k5e6.k7e6.k3e4_d4:k3e6.k3e6.k5e6.k3e3"
    )
    channels = [cell.size(cell.node_count - 2 if cell.name == "tail" else 1) for cell in graph.cells]
    assert [size.channels for size in channels if size is not None] == [24, 32, 48, 96, 136, 192, 1536]
    facts = SizedNetworks(space.vocabulary).facts(graph)
    assert (facts.multiply_accumulates or 0) // 1_000_000 == 595


@pytest.mark.parametrize(
    ("name", "of_a_stage"),
    [
        ("nds_vanilla", 9 * 12),
        ("nds_resnet", 9 * 12),
        ("nds_resnext_a", 5 * 5 * 3 * 3),
        ("nds_resnext_b", 5 * 5 * 3 * 5),
    ],
)
def test_the_three_stages_of_a_design_space_are_chosen_independently(name, of_a_stage):
    """Depths times widths times ratios times groups."""
    assert built_in(name).assignments.count == of_a_stage**3


@pytest.mark.parametrize("name", FAMILIES)
def test_ids_and_graphs_of_a_family_stand_for_each_other(name):
    space = built_in(name)
    space.check()
    for graph in space.sample(4, seed=1):
        assert space.graph(space.native_id(graph)) == graph
    assert space.neighbours(space.sample(1, seed=2)[0])


@pytest.mark.parametrize(
    ("name", "native_id", "said"),
    [
        ("resnet", "basic:d2w64_d2w128_d2w256_d2w500", "at character 30 stands '500', and one of 256, 384, 512"),
        (
            "resnext",
            "d3w64b4g64_d4w512b2g32_d6w1024b2g32_d3w2048b2g32",
            "in stage 1, d = 3, w = 64, b = 4, g = 64 is against the rule 'w % (b * g) == 0'",
        ),
        ("regnet", "z:d1w8b1g1_d1w8b1g1_d1w8b1g1_d1w8b1g1", "one of x, y for family"),
        ("regnet", "x:d1w9b1g1_d1w8b1g1_d1w8b1g1_d1w8b1g1", "stands '9b1g1"),
        ("proxyless", "googlew1.1r224:d2:k3e3", "one of 1.0, 1.3 for width"),
        ("nds_resnet", "d5w16_d1w16_d1w16", "at character 2 stands '5w16_d1w16_d1w16'"),
    ],
)
def test_an_id_outside_a_family_is_refused_with_its_place(name, native_id, said):
    with pytest.raises(IdentifierError) as error:
        built_in(name).graph(native_id)
    assert said in str(error.value)
