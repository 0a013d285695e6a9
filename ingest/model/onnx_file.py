"""An ONNX file as a message: parsed within limits, and without functions of its own."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalog.architecture.computation.primitives import Shape
from catalog.errors import IngestError, MissingExtraError
from catalog.message import readable_bytes

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto, TensorProto

SIZE_LIMIT = 2**31
"""Bytes of a file; protobuf itself reads no larger message."""

MOST_ELEMENTS = 2**48  # of one tensor
_MOST_INLINED = 50_000  # operators that the functions of a file may come to


def parsed(path: Path, size_limit: int) -> ModelProto:
    """The model in a file."""
    try:
        import onnx
    except ImportError:
        raise MissingExtraError(
            "reading ONNX files needs the package onnx; install it with `pip install 'nas-catalog[onnx]'`."
        ) from None
    from google.protobuf.message import DecodeError

    try:
        size = path.stat().st_size
        if size > size_limit:
            raise IngestError(
                f"{path.name} has {readable_bytes(size)}, more than the limit of {readable_bytes(size_limit)}; nothing "
                "was stored. If the file is what it should be, raise the size limit."
            )
        content = path.read_bytes()
    except OSError as error:
        raise IngestError(f"{path.name}: cannot be read ({error.strerror}); check the path.") from None
    model = onnx.ModelProto()
    try:
        model.ParseFromString(content)
    except DecodeError:
        raise IngestError(f"{path.name} is no ONNX file: it is no protobuf message of a model.") from None
    if not model.graph.node:
        raise IngestError(f"{path.name} is no ONNX model, or an empty one: it has no operators.")
    for function in model.functions:
        _require_texts(path, function.node)
    _require_texts(path, model.graph.node, (*model.graph.input, *model.graph.output, *model.graph.initializer))
    return model


def _require_texts(path: Path, nodes: Iterable[NodeProto], values: Iterable[Any] = ()) -> None:
    """Refuse names that are no UTF-8: protobuf gives them as bytes, which nothing here expects."""
    for value in values:
        _require_text(path, value.name)
    for node in nodes:
        for text in (node.name, node.op_type, node.domain, *node.input, *node.output):
            _require_text(path, text)
        for _, graph in subgraphs(node):
            _require_texts(path, graph.node, (*graph.input, *graph.output, *graph.initializer))


def _require_text(path: Path, text: str | bytes) -> None:
    if isinstance(text, bytes):
        raise IngestError(f"{path.name}: the name {text!r:.120} is no UTF-8 text; nothing was stored. Export it again.")


def inputs_of(graph: GraphProto) -> list[Any]:
    """The inputs that a caller gives: older files list the weights among them."""
    weights = {tensor.name for tensor in graph.initializer}
    weights.update(tensor.values.name for tensor in graph.sparse_initializer)
    return [item for item in graph.input if item.name not in weights]


def set_shapes(path: Path, inputs: Sequence[Any], shapes: Sequence[Shape]) -> None:
    """Put the shapes that a caller gives in the place of the file's."""
    if len(inputs) != len(shapes):
        names = ", ".join(item.name for item in inputs)
        raise IngestError(f"{path.name} has {len(inputs)} inputs ({names[:200]}), but {len(shapes)} shapes were given.")
    for item, shape in zip(inputs, shapes, strict=True):
        tensor = item.type.tensor_type
        del tensor.shape.dim[:]
        for size in shape:
            tensor.shape.dim.add().dim_value = size


def checked(path: Path, name: str, tensor: TensorProto) -> TensorProto:
    """A tensor of the file whose size is a possible one."""
    if any(size < 0 for size in tensor.dims) or math.prod(tensor.dims) > MOST_ELEMENTS:
        raise IngestError(f"{path.name}: the weight {name!r:.100} has the shape {list(tensor.dims)[:10]}.")
    return tensor


def constant_of(node: NodeProto) -> TensorProto | None:
    """The tensor that a Constant node holds, if it is one with axes."""
    if node.op_type != "Constant" or node.domain not in ("", "ai.onnx"):
        return None
    held = [item for item in node.attribute if item.name == "value" and item.HasField("t")]
    return held[0].t if held else None


def subgraphs(node: NodeProto) -> Iterator[tuple[str, GraphProto]]:
    """The graphs that a node holds: branches and bodies of loops, by the names of its attributes."""
    for item in node.attribute:
        if item.HasField("g"):
            yield item.name, item.g
        for number, graph in enumerate(item.graphs):
            yield f"{item.name}{number}", graph


def take_branches(graph: GraphProto, conditions: Mapping[str, bool]) -> int:
    """Put the branch that is taken in the place of each If whose condition is known; returns how many."""
    taken = 0
    nodes = [*graph.node]
    kept: list[Any] = []
    for node in nodes:
        branches = dict(subgraphs(node)) if node.op_type == "If" and node.domain in ("", "ai.onnx") else {}
        known = conditions.get(node.input[0]) if branches and node.input else None
        branch = None if known is None else branches.get("then_branch" if known else "else_branch")
        if branch is None or len(branch.output) != len(node.output):
            kept.append(node)
            continue
        taken += 1
        graph.initializer.extend(branch.initializer)
        kept += _opened(branch, [*node.output])
    if taken:
        copies = [type(node).FromString(node.SerializeToString()) for node in kept]  # a message's parts die with it
        del graph.node[:]
        graph.node.extend(copies)
    return taken


def _opened(branch: GraphProto, outputs: Sequence[str]) -> list[NodeProto]:
    """The operators of a branch, giving what the branch gives under the names that the reader of it knows."""
    from onnx import helper

    inner = {name for node in branch.node for name in node.output}
    names: dict[str, str] = {}
    nodes = [*branch.node]
    for item, name in zip(branch.output, outputs, strict=True):
        if item.name in inner and item.name not in names:
            names[item.name] = name
        else:  # handed through from outside, or given twice
            nodes.append(helper.make_node("Identity", [names.get(item.name, item.name)], [name]))
    for node in branch.node:
        _rename(node, names)
    return nodes


def _rename(node: NodeProto, names: Mapping[str, str]) -> None:
    for part in (node.input, node.output):
        part[:] = [names.get(name, name) for name in part]
    for _, graph in subgraphs(node):
        for inner in graph.node:
            _rename(inner, names)
        for item in graph.output:
            item.name = names.get(item.name, item.name)


def inlined(model: ModelProto) -> ModelProto:
    """The model with its own functions put in the place of their calls.

    Functions that call themselves, or that come to an absurd number of operators, stay calls; their domain then begins
    with ``local``, so that nobody takes them for operators of the standard.
    """
    if not model.functions:
        return model
    from onnx import inliner

    if _size(model) <= _MOST_INLINED:
        for convert in (True, False):  # functions may be written for another version of the operators
            try:
                model = inliner.inline_local_functions(model, convert_version=convert)
                break
            except (RuntimeError, ValueError, TypeError):
                continue
    left = {(function.domain, function.name) for function in model.functions}
    _set_apart(model.graph, left)
    del model.functions[:]
    return model


def _set_apart(graph: GraphProto, functions: set[tuple[str, str]]) -> None:
    for node in graph.node:
        if (node.domain, node.op_type) in functions:
            node.domain = f"local.{node.domain}"
        for _, inner in subgraphs(node):
            _set_apart(inner, functions)


def _size(model: ModelProto) -> float:
    """How many operators the model has without functions; infinite where one calls itself."""
    functions = {(function.domain, function.name): function for function in model.functions}
    calls = {key: _calls(function.node) for key, function in functions.items()}
    sizes: dict[tuple[str, str], float] = {}
    waiting = dict(calls)
    while waiting:
        ready = [key for key, called in waiting.items() if all(one in sizes or one not in calls for one in called)]
        if not ready:
            return math.inf
        for key in ready:
            sizes[key] = _total(waiting.pop(key), sizes)
    return _total(_calls(model.graph.node), sizes)


def _calls(nodes: Iterable[NodeProto]) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    for node in nodes:
        found[node.domain, node.op_type] += 1
        for _, graph in subgraphs(node):
            found += _calls(graph.node)
    return found


def _total(calls: Mapping[tuple[str, str], int], sizes: Mapping[tuple[str, str], float]) -> float:
    return sum(times * sizes.get(key, 1) for key, times in calls.items())
