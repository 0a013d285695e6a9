"""What an operators file may say, and what is refused with the operator and the field."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from catalog.architecture.operators import RULES, VOCABULARY, Operator
from catalog.architecture.sizes import Size
from catalog.errors import IngestError
from ingest.formats.operator_file import read_operators, template


def read(tmp_path: Path, **operators: Any) -> tuple[Operator, ...]:
    path = tmp_path / "ops.json"
    path.write_text(json.dumps(operators))
    return read_operators(path)


CONV = {"kind": "conv", "description": "d"}


@pytest.mark.parametrize(
    ("operators", "words"),
    [
        ([], "an object from operator names"),
        ({"x": 1}, "operator 'x': it is 1"),
        ({"x": {"kind": "conv"}}, "it has no description"),
        ({"x": {"kind": "a b", "description": "d"}}, "kind is 'a b'"),
        ({"x": {"description": "d"}}, "kind is null; one of input"),
        ({"x": {"kind": "conv", "description": "d", "size": 1}}, "field 'size'"),
        ({"x": {"kind": "conv", "description": "d", "kernel": 0}}, "kernel is 0"),
        ({"x": {"kind": "conv", "description": "d", "weights": "yes"}}, "weights is 'yes'; true or false is needed"),
        ({"input": {"kind": "conv", "description": "d"}}, "built in as input"),
        ({"": {"kind": "conv", "description": "d"}}, "a name of at most"),
        ({"x": {**CONV, "depthwise": None}}, "depthwise is null; true or false is needed"),
        ({"x": {**CONV, "generic": "pool"}}, "generic is 'pool'; one of conv, .*, or null, is needed"),
        ({"x": {**CONV, "generic": ""}}, "generic is ''"),
        ({"x": {**CONV, "generic": ["conv"]}}, "generic is .'conv'.; one of"),
        ({"x": {**CONV, "generic": "max_pool"}}, "generic is max_pool, which is of kind pool, and kind is conv"),
        ({"x": {**CONV, "generic": "conv", "weights": False}}, "generic is conv, and weights is false"),
        ({"x": {**CONV, "generic": "conv", "depthwise": True}}, "generic is conv, and depthwise is true"),
        ({"x": {**CONV, "groups": 0}}, "groups is 0; a whole number from 1 on is needed"),
        ({"x": {**CONV, "groups": "four"}}, "groups is 'four'"),
        ({"x": {**CONV, "kernel": [1, 2, 3]}}, r"kernel is \[1, 2, 3\]"),
        ({"x": {**CONV, "stride": 0.5}}, "stride is 0.5"),
        ({"x": {**CONV, "expansion": -1}}, "expansion is -1; a positive number is needed"),
        ({"x": {**CONV, "repeats": True}}, "repeats is True"),
        ({"x": {**CONV, "activation": 3}}, "activation is 3; true, false or a word is needed"),
    ],
)
def test_faults_of_the_operator_file_are_named(operators: Any, words: str, tmp_path: Path) -> None:
    path = tmp_path / "ops.json"
    path.write_text(json.dumps(operators))
    with pytest.raises(IngestError, match=rf"ops\.json: .*{words}"):
        read_operators(path)


def test_operators_take_their_facts_from_the_file(tmp_path: Path) -> None:
    path = tmp_path / "ops.json"
    facts = {"kind": "attention", "description": "Self-attention", "long": "Multi-head self-attention with 4 heads"}
    path.write_text(
        json.dumps({"attn": facts, "pool": {"kind": "pool", "kernel": 5, "short": "Pooling", "dilation": 2}})
    )
    attention, pooling = read_operators(path)
    assert attention == Operator(
        "attn", "attention", "Self-attention", "Self-attention", facts["long"], has_weights=True
    )
    assert pooling == Operator("pool", "pool", "Pooling", "Pooling", "Pooling", kernel=5, dilation=2)


@pytest.mark.parametrize(
    ("said", "left_open"),
    [
        ({}, "kind is null"),
        ({"kind": "conv"}, "it has no description"),
        ({"kind": "conv", "description": " "}, "it has no description"),
        ({"kind": "conv", "description": "d"}, "weights is null; true or false is needed"),
    ],
)
def test_a_template_that_is_not_filled_in_is_refused(tmp_path: Path, said: dict[str, Any], left_open: str) -> None:
    empty = json.loads(template(["mine"]))
    assert not any(empty["mine"].values())
    with pytest.raises(IngestError, match=f"operator 'mine': {left_open}.*Nothing was stored"):
        read(tmp_path, mine=empty["mine"] | said)


def test_a_filled_template_says_what_it_says_and_no_more(tmp_path: Path) -> None:
    empty = json.loads(template(["mine"]))["mine"]
    (found,) = read(tmp_path, mine=empty | {"kind": "pool", "weights": False, "description": "Max pooling 3 by 3"})
    assert (found.generic, found.kernel, found.size) == (None, None, None)
    assert found.missing() == "generic"


def test_the_facts_of_a_node_may_be_said_once_for_its_operator(tmp_path: Path) -> None:
    facts = {"generic": "depthwise_conv", "kernel": 5, "stride": 2, "expansion": 6, "squeeze": 0.25, "norm": True}
    (found,) = read(tmp_path, mbconv={"kind": "conv", **facts, "description": "MBConv"})
    assert (found.counts_as, found.depthwise, found.has_weights) == ("depthwise_conv", True, True)
    assert found.sized() == Size(kernel=5, stride=2, expansion=6, squeeze=0.25, norm=True)
    (plain,) = read(tmp_path, plain={"kind": "conv", "kernel": 3, "dilation": 1, "description": "d"})
    assert (plain.kernel, plain.dilation, plain.size) == (3, 1, None)
    (tall,) = read(tmp_path, tall={"kind": "conv", "kernel": [7, 1], "description": "Tall"})
    assert (tall.kernel, tall.sized().kernel, tall.missing()) == (None, (7, 1), None)


@pytest.mark.parametrize("generic", RULES)
def test_each_generic_operator_can_be_said(tmp_path: Path, generic: str) -> None:
    for kind in (RULES[generic].kind, "mine"):
        (found,) = read(tmp_path, x={"kind": kind, "generic": generic, "description": "d"})
        assert (found.counts_as, found.family) == (generic, RULES[generic].kind)
        assert (found.has_weights, found.depthwise) == (RULES[generic].has_weights, RULES[generic].depthwise)


@pytest.mark.parametrize("name", ["conv3x3", "avg_pool_3x3", "sep_conv_3x3", "sum"])
def test_a_built_in_operator_that_is_described_anew_keeps_its_facts(tmp_path: Path, name: str) -> None:
    known = VOCABULARY[name]
    facts = {"kind": known.kind, "kernel": known.kernel, "dilation": known.dilation}
    (found,) = read(tmp_path, **{name: {**facts, "description": "In my words"}})
    assert (found.generic, found.size, found.has_weights, found.depthwise) == (
        known.generic, known.size, known.has_weights, known.depthwise,
    )  # fmt: skip
