"""Space files: what they get wrong is refused with file, table, key, value and what is allowed."""

from __future__ import annotations

import pytest

from catalog.errors import IdentifierError, SpaceFileError
from tests.catalog.spaces.staged.small import SMALL, small


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('name = "small"', 'name = "Small space"', "the key 'name' is 'Small space'; a lower-case letter"),
        ('name = "small"', "", "the key 'name' is missing; a text is needed"),
        ('name = "small"', 'name = "small"\ncolour = 1', "the key 'colour' is 1; one of the keys name"),
        ("[network]", "[netwok]", "the key 'netwok'"),
        ("[16, 32] }", "[16, 16] }", "the key 'choices.resolution' is [16, 16]; a list of different numbers or words"),
        ("[16, 32] }", "[] }", "the key 'choices.resolution' is []"),
        ("classes = 10", "classes = 0", "table [network]: the key 'classes' is 0; a whole number from 1 on"),
        ('op = "conv", channels = 8', 'op = "konv", channels = 8', "the key 'nodes.op' is 'konv'; one of input"),
        ('op = "conv", channels = 8', 'op = "conv", chanels = 8', "the key 'nodes.chanels' is 8; one of the fields op"),
        ('kernel = "=kernel"', 'kernel = "=kernal"', "'kernal' is not known here. Did you mean kernel?"),
        ('kernel = "=kernel"', 'kernel = "=kernel("', "a formula is needed"),
        ('rules = ["kernel == 3 or expansion == 4"]', 'rules = ["depth == 1"]', "'depth' is not known here"),
        ('rules = ["kernel == 3 or expansion == 4"]', 'rules = ["kernel == 9"]', "keeps the rules 'kernel == 9'"),
        (
            'op = "conv", channels = 8',
            'op = "conv", when = "kernel == 3", channels = 8',
            "the key 'nodes.when' is 'kernel",
        ),
        (
            'op = "conv", channels = 8',
            'op = "conv", when = true, channels = 8',
            "the key 'nodes.when' is True; a formula",
        ),
        ('id = "d{depth} {blocks:-}"', 'id = "d{depth}{wide} {blocks:-}"', "table [stage]: the key 'id' is"),
        ('id = "k{kernel}e{expansion}"', 'id = "k{kernel}x{width}"', "table [block]: the key 'id' is"),
        ('id = "k{kernel}e{expansion}"', 'id = "k{kernel"', "a text with choices in braces"),
        ('id = "k{kernel}e{expansion}"', 'id = "k{kernel}"', "does not say which architecture it is"),
        ("width = 16", "with = 16", "table [[stages]] number 2: the key 'width' is missing"),
        ("width = 16", "width = 16\nheight = 2", "table [[stages]] number 2: the key 'height' is 2"),
        ("choices = { depth = [1, 3] }", "choices = { deep = [1, 3] }", "a table with other values of depth"),
        ('blocks = "=depth"', 'blocks = "=depth - 1"', "stage 1: blocks is 0; a whole number from 1 to 500"),
        ('blocks = "=depth"', "blocks = 0", "the key 'blocks' is 0; a number from 1 to 500"),
        ('blocks = "=depth"', "", "the key 'blocks' is missing"),
        ("choices = { depth = [1, 2] }", "choices = { depth = [1, 2], kernel = [1] }", "another name"),
        ('residual = "=entering', "residual = 3 #", "the key 'residual' is 3; true, false or a formula"),
        ("shape = [3,", "shap = [3,", "is needed"),
        ("[network]", "[network", "small.toml is no TOML"),
        ("shape = [3,", f"shape = [{'9' * 5000},", "small.toml is no TOML"),
        ("[16, 32] }", "[16, 16.0] }", "the key 'choices.resolution' is [16, 16.0]; a list of different numbers"),
        ("[16, 32] }", "[16, nan] }", "the key 'choices.resolution' is [16, nan]"),
        ("[16, 32] }", f"[16, {10**400}] }}", "the key 'choices.resolution' is [16, 1000"),
        ("[16, 32] }", '[16, "a\\nb"] }', "the key 'choices.resolution' is [16, 'a"),
        ('id = "r{resolution}:{stages:|}"', 'id = "r{resolution!r}:{stages:|}"', "braces hold a name"),
        ('id = "r{resolution}:{stages:|}"', 'id = "r{resolution:3}:{stages:|}"', "{resolution}, a choice as it stands"),
        ('id = "r{resolution}:{stages:|}"', 'id = "r{resolution}\\n{stages:|}"', "printable characters"),
        ('id = "r{resolution}:{stages:|}"', 'id = " r{resolution}:{stages:|}"', "begins or ends with a blank"),
        ('id = "r{resolution}:{stages:|}"', f'id = "{"r" * 4000}{{resolution}}{{stages:|}}"', "4,000 are the most"),
        ('kernel = "=kernel"', f"kernel = {10**400}", "kernel is 1000"),
        ('channels = "=width"', f"channels = {10**400}", "channels is 1000"),
        (
            'channels = "=width"',
            'channels = "=width / 0"',
            "small.toml: the space 'small', stage 1, block 1: 'width / 0'",
        ),
    ],
)
def test_a_fault_is_named(old, new, said):
    assert old in SMALL
    with pytest.raises(SpaceFileError) as error:
        small(SMALL.replace(old, new, 1))
    assert said in str(error.value)


def test_networks_that_do_not_fit_together_are_refused():
    with pytest.raises(SpaceFileError, match="small.toml: its architecture 'r16:.*it adds.*Nothing was stored"):
        small(SMALL.replace('residual = "=entering == width and not first"', "residual = true"))


def test_a_size_that_no_operator_has_is_refused():
    with pytest.raises(SpaceFileError, match="stage 1, block 1.*stride is 0"):
        small(SMALL.replace('stride = "=1 + first"', "stride = 0"))


def test_too_many_options_of_one_block_are_refused():
    values = list(range(1, 600))
    with pytest.raises(SpaceFileError, match="358,801 combinations; 200,000 are the most"):
        small(SMALL.replace("kernel = [3, 5], expansion = [1, 4]", f"kernel = {values}, expansion = {values}"))


def test_an_id_may_name_settings_of_its_stage():
    """A setting stands there as it is, and nothing else may."""
    space = small(SMALL.replace('id = "d{depth} {blocks:-}"', 'id = "w{width}d{depth} {blocks:-}"'))
    native_id = "r16:w8d1 k3e1|w16d1 k3e1"
    assert space.locate(native_id) == native_id
    with pytest.raises(IdentifierError, match="at character 6 stands '9d1 k3e1"):
        space.locate(native_id.replace("w8", "w9"))


def test_a_node_is_there_when_its_condition_holds():
    text = SMALL.replace(
        'nodes = [\n    { op = "depthwise', 'nodes = [\n    { op = "norm", when = "first" },\n    { op = "depthwise'
    )
    graph = small(text).graph("r16:d1 k3e1|d3 k3e1-k3e1-k3e1")
    assert [cell.operators.count("norm") for cell in graph.cells] == [0, 1, 1, 0]


def test_formulas_come_after_the_values_that_they_use():
    text = SMALL.replace('blocks = "=depth"', 'blocks = "=depth"\nwidth = "=2 * half"', 1)
    half = small(text.replace("\nwidth = 8", "\nhalf = 4").replace("\nwidth = 16", "\nhalf = 8"))
    assert half.graph("r16:d1 k3e1|d1 k3e1").cells == small().graph("r16:d1 k3e1|d1 k3e1").cells
