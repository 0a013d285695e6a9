"""The user's own space, a JSON object a line."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.architecture.canonical_form import canonical_graphs
from catalog.architecture.operators import Operator
from catalog.architecture.sizes import Size
from catalog.errors import IdentifierError, IngestError, UsageError
from ingest.formats import graphs_jsonl
from ingest.formats.graphs_jsonl import GraphsJSONL
from ingest.formats.operator_file import read_operators
from ingest.reading.batch import Batch
from tests.ingest.formats.damage import DAMAGE, Damage, damaged, survives
from tests.ingest.formats.tables import metrics_of, scores_of

OWN = (Operator("my_op", "attention", "Attention", "Attention", "Attention", has_weights=True, size=Size(heads=2)),)
CHAIN: dict[str, Any] = {"ops": ["input", "conv3x3", "my_op", "output"], "edges": [[0, 1], [1, 2], [2, 3]]}
SPELT = ("CIFAR-10", "cifar10")  # one data set
# The example of the documentation, word for word
EXAMPLE = (
    '{"id": "a17", "cells": [{"name": "normal", "ops": ["input", "conv3x3", "my_op", "output"], '
    '"edges": [[0,1],[1,2],[2,3]]}], "metrics": [{"dataset": "cifar10", "split": "test", "name": "accuracy", '
    '"value": 93.1, "epochs": 200, "seed": 0}], "proxies": {"params": 1.2e6}}'
)


def read(path: Path, records: Sequence[Mapping[str, Any] | str], operators: Sequence[Operator] = OWN) -> list[Batch]:
    lines = [record if isinstance(record, str) else json.dumps(record) for record in records]
    path.write_text("\n".join(lines))
    return list(GraphsJSONL("mine", operators).read(path))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "own.jsonl"


def test_the_documented_example(path: Path) -> None:
    batches = read(path, [EXAMPLE])
    assert metrics_of(batches).row(0, named=True) == {
        "architecture": "a17", "name": "accuracy", "kind": "trained", "dataset": "cifar10", "split": "test",
        "epochs": 200, "stage": None, "device": None, "seed": 0, "repeat": None, "value": 93.1,
    }  # fmt: skip
    assert scores_of(batches).select("architecture", "proxy", "value", "status").rows() == [
        ("a17", "params", 1.2e6, "ok")
    ]
    graph = (batches[0].members.graphs or [])[0]
    assert (graph.space, graph.cells[0].name) == ("mine", "normal")
    assert graph.cells[0].operators == ("input", "conv3x3", "my_op", "output")
    assert graph.canonical.cells[0].node_count == 4


def test_a_single_cell_may_stand_at_the_top_level(path: Path) -> None:
    single = read(path, [{"id": "a", **CHAIN}])[0].members
    nested = read(path, [{"id": "a", "cells": [{"name": "cell", **CHAIN}]}])[0].members
    assert [graph.cells for graph in single.graphs or []] == [graph.cells for graph in nested.graphs or []]


def test_nodes_in_any_order_and_doubled_edges(path: Path) -> None:
    """conv + conv by two edges, by a multiplicity, and by two skips is one function."""
    records = [
        {"id": "edges", "ops": ["output", "conv3x3", "input"], "edges": [[2, 1], [1, 0], [1, 0]]},
        {"id": "copies", "ops": ["input", "conv3x3", "output"], "edges": [[0, 1], [1, 2, 2]]},
        {
            "id": "skips",
            "ops": ["input", "conv3x3", "skip_connect", "skip_connect", "output"],
            "edges": [[0, 1], [1, 2], [1, 3], [2, 4], [3, 4]],
        },
    ]
    graphs = canonical_graphs(read(path, records)[0].members.graphs or [])
    assert {graph.cells[0].edges for graph in graphs} == {((0, 1, 1), (1, 2, 2))}


def test_a_reduction_cell_keeps_its_strided_skip(path: Path) -> None:
    cell = {"ops": ["input", "skip_connect", "output"], "edges": [[0, 1], [1, 2]]}
    record = {"id": "a", "cells": [{"name": "n", **cell}, {"name": "reduce", "reduction": True, **cell}]}
    normal, reduce = (read(path, [record])[0].members.graphs or [])[0].canonical.cells
    assert (normal.node_count, reduce.operators) == (2, ("input", "factorized_reduce", "output"))


def test_batches_blank_lines_and_record_counts(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graphs_jsonl, "_GRAPHS_A_BATCH", 3)
    lines = [json.dumps({"id": str(number), **CHAIN}) for number in range(7)]
    batches = read(path, ["", *lines, "  ", ""])
    assert [batch.record_count for batch in batches] == [3, 3, 1]
    assert [name for batch in batches for name in batch.members.native_ids] == [str(number) for number in range(7)]


def test_failed_proxies_are_null_with_a_reason(path: Path) -> None:
    batches = read(path, [json.dumps({"id": "a", **CHAIN, "proxies": {"x": None, "y": float("inf"), "z": 0}})])
    assert scores_of(batches).select("proxy", "value", "status", "reason").rows() == [
        ("x", None, "failed", "the source has no value"),
        ("y", None, "failed", "the source has inf"),
        ("z", 0.0, "ok", None),
    ]


WHAT_MIXES = {"kind": "mixer", "weights": True, "description": "Mixes"}


def test_unknown_operators_are_listed_with_a_template_to_fill_in(path: Path, tmp_path: Path) -> None:
    records = [{"id": "a", **CHAIN}, {"id": "b", "ops": ["input", "strange", "odd one", "output"], "edges": []}]
    with pytest.raises(IngestError, match=r"own\.jsonl line 1: unknown operators.*my_op, strange, odd one") as caught:
        read(path, records, operators=())
    filled = tmp_path / "ops.json"
    text = str(caught.value)
    assert "generic: what it counts as and is built as, one of conv, depthwise_conv, " in text
    empty = json.loads(text[text.index("{") :])
    filled.write_text(json.dumps({name: facts | WHAT_MIXES for name, facts in empty.items()}))
    operators = read_operators(filled)
    assert [operator.name for operator in operators] == ["my_op", "strange", "odd one"]
    assert len(read(path, records[:1], operators)[0].members) == 1


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ("{", "no JSON"),
        ("[1]", "an object with the fields"),
        ("[" * 100_000, "no usable JSON"),
        ('{"id": ' + "1" * 10_000 + "}", "no usable JSON"),
        ({"id": "a", **CHAIN, "colour": 1}, "unknown field 'colour'"),
        ('{"id": "a", "id": "b"}', "the key 'id' stands twice"),
        ('{"id": "a", "ops": [], "proxies": {"x": 1, "x": 2}}', "the key 'x' stands twice"),
        ('{"id": "\\ud800"}', r"near .*ud800.*stands half"),
        ('{"id": "a\\u0000"}', "the character NUL"),
        ({"id": 17, **CHAIN}, "id is 17"),
        ({"id": "", **CHAIN}, "id is ''"),
        ({"id": "first", **CHAIN}, "the id 'first' stands in line 1 already"),
        ({"id": "a"}, "ops of cell 'cell' is None"),
        ({"id": "a", "ops": ["input", 3], "edges": []}, "has as node 1 3; the name of an operator"),
        ({"id": "a", "ops": CHAIN["ops"], "edges": [[0, 1, 2, 3]]}, r"edges of cell 'cell' has \[0, 1, 2, 3\]"),
        ({"id": "a", "ops": CHAIN["ops"], "edges": [[0, 1.5]]}, "pairs of node numbers"),
        ({"id": "a", "ops": CHAIN["ops"], "edges": [[0, 1, 0]]}, "multiplicity of 1 to 1000"),
        ({"id": "a", "ops": CHAIN["ops"], "edges": [[0, 1, 600], [0, 1, 600]]}, "more than 1000 parallel edges"),
        ({"id": "a", "ops": CHAIN["ops"], "edges": [[0, 1], [1, 9]]}, r"edge \(1, 9\) points outside"),
        ({"id": "a", "ops": CHAIN["ops"], "edges": [[-1, 1]]}, r"edge \(-1, 1\) points outside"),
        ({"id": "a", "ops": CHAIN["ops"], "edges": [[0, 1], [1, 2], [2, 1], [2, 3]]}, "has a cycle"),
        ({"id": "a", "ops": CHAIN["ops"], "edges": [[1, 1]]}, "cycle"),
        ({"id": "a", "ops": ["conv3x3", "output"], "edges": [[0, 1]]}, "has no input node"),
        ({"id": "a", "ops": ["input", "conv3x3"], "edges": [[0, 1]]}, "has 0 output nodes"),
        ({"id": "a", "ops": ["input", "output", "output"], "edges": [[0, 1]]}, "has 2 output nodes"),
        ({"id": "a", "ops": ["input", "output", "conv3x3"], "edges": [[1, 2]]}, "leaves the output"),
        ({"id": "a", "ops": ["input"] * 513, "edges": []}, "513 nodes; 512 are possible"),
        ({"id": "a", "cells": []}, "0 cells"),
        ({"id": "a", "cells": [CHAIN], **CHAIN}, "give one or the other"),
        ({"id": "a", "cells": [CHAIN, CHAIN]}, "the same name"),
        ({"id": "a", "cells": [{**CHAIN, "color": 1}]}, "a cell is"),
        ({"id": "a", "cells": [{**CHAIN, "name": 5}]}, "the name 5"),
        ({"id": "a", **CHAIN, "metrics": {}}, "metrics is"),
        ({"id": "a", **CHAIN, "metrics": [{"value": 1}]}, "the name None"),
        ({"id": "a", **CHAIN, "metrics": [{"name": "accuracy", "value": 943.7}]}, "accuracies are percent"),
        ({"id": "a", **CHAIN, "metrics": [{"name": "top-1 accuracy", "value": 943.7}]}, "accuracies are percent"),
        ({"id": "a", **CHAIN, "metrics": [{"name": "Accuracy", "value": 94.3}]}, "call it 'accuracy'"),
        ({"id": "a", **CHAIN, "metrics": [{"name": "ACC", "value": 0.94}]}, "call it 'accuracy'"),
        ({"id": "a", **CHAIN, "metrics": [{"name": "loss", "value": float("nan")}]}, "the value nan"),
        ({"id": "a", **CHAIN, "metrics": [{"name": "loss", "value": True}]}, "the value True; a number is needed"),
        (
            {"id": "a", **CHAIN, "metrics": [{"name": "loss", "value": 1.7e308}]},
            r"1.7e\+308; a number from -1e\+300 to",
        ),
        ({"id": "a", **CHAIN, "metrics": [{"name": "loss", "value": 10**400}]}, r"bits; a number from -1e\+300 to"),
        (
            {"id": "a", **CHAIN, "metrics": [{"name": "loss", "value": 1, "epochs": 1.5}]},
            "epochs of the metric 'loss' is 1.5",
        ),
        ({"id": "a", **CHAIN, "metrics": [{"name": "loss", "value": 1, "seed": 2**40}]}, "seed of the metric"),
        ({"id": "a", **CHAIN, "metrics": [{"name": "loss", "value": 1, "kind": "guessed"}]}, "kind of the metric"),
        ({"id": "a", **CHAIN, "metrics": [{"name": "loss", "value": 1, "unit": "s"}]}, "a metric is"),
        ({"id": "a", **CHAIN, "metrics": [{"name": "accuracy", "value": 93}] * 2}, "accuracy stands there twice"),
        (
            {"id": "a", **CHAIN, "metrics": [{"name": "x", "value": 1}, {"name": "x", "value": 2, "kind": "trained"}]},
            "x stands there twice",
        ),
        (
            {
                "id": "a",
                **CHAIN,
                "metrics": [{"name": "loss", "value": place, "dataset": name} for place, name in enumerate(SPELT)],
            },
            r"loss \(cifar10\) stands there twice",
        ),
        ({"id": "a", **CHAIN, "proxies": []}, "proxies is"),
        ({"id": "a", **CHAIN, "proxies": {"x": "high"}}, "the proxy 'x' is 'high'"),
    ],
)
def test_every_fault_has_its_line_and_reason(record: Any, words: str, path: Path) -> None:
    with pytest.raises(IngestError, match=rf"own\.jsonl line 3[:,] (.|\n)*{words}"):
        read(path, [{"id": "first", **CHAIN}, "", record])


def measured(native_id: str, *accuracies: float, **columns: Any) -> dict[str, Any]:
    metrics = [{"name": "accuracy", "value": value, "seed": seed, **columns} for seed, value in enumerate(accuracies)]
    return {"id": native_id, **CHAIN, "metrics": metrics}


def test_fractions_are_refused_over_all_batches_of_a_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first batch alone could not know: its accuracies may be those of bad networks."""
    monkeypatch.setattr(graphs_jsonl, "_GRAPHS_A_BATCH", 2)
    records = [measured(str(number), 0.1 * number, dataset="cifar10") for number in range(5)]
    with pytest.raises(IngestError, match=r"line 5: accuracy \(cifar10\) is 0\.4, .* so these are fractions"):
        read(path, records)
    assert len(read(path, [*records, measured("good", 93.0, dataset="cifar10")])) == 3


@pytest.mark.parametrize("other", [{"split": "valid"}, {"epochs": 12}, {"dataset": "cifar100"}, {"stage": "half"}])
def test_each_column_is_judged_by_itself(other: dict[str, Any], path: Path) -> None:
    """Percents of another column do not make these fractions percents."""
    usual = {"dataset": "cifar10", "split": "test", "epochs": 200}
    with pytest.raises(IngestError, match="line 1: accuracy .* fractions"):
        read(path, [measured("a", 0.9, **{**usual, **other}), measured("b", 93.0, **usual)])


def test_a_split_has_one_word(path: Path) -> None:
    (batch,) = read(path, [measured("a", 93.0, split="val"), measured("b", 92.0, split="validation")])
    assert batch.metrics["split"].to_pylist() == ["valid", "valid"]


def test_small_values_among_percents_are_stored_and_said(path: Path) -> None:
    (batch,) = read(path, [measured("a", 93.0, 0.94), measured("b", 0.0)])
    assert sorted(batch.metrics["value"].to_pylist()) == [0.0, 0.94, 93.0]
    assert [note[:32] for note in batch.notes] == ["accuracy: 1 of 3 values are 1 or"]


@pytest.mark.parametrize(("name", "source"), [("a-b.jsonl", "a-b"), ("nb201.jsonl", "my_nb201"), (".jsonl", "table")])
def test_the_source_is_called_as_its_file(name: str, source: str) -> None:
    """But never as a benchmark."""
    assert GraphsJSONL("mine").facts(Path(name)).name == source


def test_a_line_that_is_no_text(path: Path) -> None:
    path.write_bytes(b'{"id": "\xff"}')
    with pytest.raises(IngestError, match="line 1: byte 8 is no UTF-8"):
        list(GraphsJSONL("mine").read(path))


def test_the_own_space_knows_what_it_cannot_do() -> None:
    space = GraphsJSONL("mine", OWN).own_space
    assert space.locate("a17") == "a17"
    assert "my_op" in space.vocabulary
    with pytest.raises(IdentifierError, match="catalog show mine a17"):
        space.graph("a17")
    with pytest.raises(UsageError, match="drawn from"):
        space.sample(1, seed=0)
    with pytest.raises(IdentifierError):
        space.locate(17)


NODES = st.integers(2, 7)


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_acyclic_graph_comes_back_as_it_was(path: Path, data: st.DataObject) -> None:
    size = data.draw(NODES)
    inner = data.draw(st.lists(st.sampled_from(["conv3x3", "my_op", "sum"]), min_size=size - 2, max_size=size - 2))
    possible = [[source, target] for target in range(1, size) for source in range(target)]
    edges = data.draw(st.lists(st.sampled_from(possible), unique_by=tuple))
    record = {"id": "a", "ops": ["input", *inner, "output"], "edges": edges}
    cell = (read(path, [record])[0].members.graphs or [])[0].cells[0]
    assert list(cell.operators) == record["ops"]
    assert sorted([source, target] for source, target, _ in cell.edges) == sorted(edges)


def dense(native_id: str, operators: Sequence[str], copies: int = 1) -> dict[str, Any]:
    """A cell in which every node feeds every later one."""
    names = ["input", *operators, "output"]
    edges = [[source, target, copies] for target in range(1, len(names)) for source in range(target)]
    return {"id": native_id, "ops": names, "edges": edges}


def test_a_cell_whose_canonical_form_has_too_many_copies_is_named(path: Path) -> None:
    """16 skips in a row, all joined: 2^16 parallel identities."""
    with pytest.raises(IngestError, match=r"line 2: the graph of 'skips' cannot be kept: .* 65536 parallel copies"):
        read(path, [{"id": "good", **CHAIN}, dense("skips", ["skip_connect"] * 16)])
    assert len(read(path, [dense("skips", ["skip_connect"] * 14)])[0].members) == 1


@given(
    st.lists(st.sampled_from(["skip_connect", "conv3x3", "concat", "sum", "none"]), max_size=20), st.integers(1, 1000)
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_dense_cell_is_read_or_named(path: Path, operators: list[str], copies: int) -> None:
    """What the reader lets through has a canonical form."""
    try:
        batches = read(path, [dense("a", operators, copies)])
    except IngestError as error:
        assert "own.jsonl line 1: the graph of 'a'" in str(error)
    else:
        assert canonical_graphs(batches[0].members.graphs or [])


@given(DAMAGE)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damage_is_a_clean_error(path: Path, damage: Damage) -> None:
    survives(
        GraphsJSONL("mine", OWN).read, path, damaged(f"{EXAMPLE}\n{EXAMPLE.replace('a17', 'a18')}\n".encode(), damage)
    )
