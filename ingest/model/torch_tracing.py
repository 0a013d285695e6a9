"""PyTorch modules into traced graphs: symbolically where that works, by `torch.export` where it does not."""

from __future__ import annotations

import operator
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, fx, nn

from catalog.errors import IngestError
from ingest.model import primitives
from ingest.model.operands import Operand, constants_in, operands_in
from ingest.model.primitives import Shape
from ingest.model.torch_functions import Call
from ingest.model.torch_modules import is_primitive, primitive_of
from ingest.model.traced import GraphBuilder, TracedGraph
from ingest.model.words import word_of

_UNTRACEABLE = (
    fx.proxy.TraceError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    NotImplementedError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What PyTorch and a module's own code raise where symbolic values do not fit."""

_PARTS = ("split",)  # words of operators that give several tensors, of which each is a part


def trace_module(module: nn.Module, inputs: Sequence[int] | Sequence[Tensor]) -> TracedGraph:
    """The computation graph of a module in evaluation mode.

    The module's code runs: symbolically (torch.fx) and once on `inputs` for the shapes. Where its control flow depends
    on tensors, torch.export takes over, which records the ATen operators of one run. Neither changes the module.

    Parameters
    ----------
    module
        The module.
    inputs
        The shape of the one input, batch first, or example inputs in the order of ``forward``; costs are those of
        these shapes.

    Raises
    ------
    IngestError
        The module can be traced in neither way, or does not take these inputs.
    """
    examples = [item for item in inputs if isinstance(item, Tensor)]
    if len(examples) < len(inputs):
        examples = [torch.zeros(*(int(size) for size in inputs))]
    with _evaluating(module):
        try:
            return _trace_symbolically(module, examples)
        except _UNTRACEABLE as symbolic:
            try:
                return _trace_by_export(module, examples)
            except _UNTRACEABLE as exported:
                shapes = ", ".join(str(tuple(tensor.shape)) for tensor in examples)
                raise IngestError(
                    f"{type(module).__name__} cannot be traced with inputs of shape {shapes}; nothing was stored. "
                    f"torch.fx says {_first_line(symbolic)}; torch.export says {_first_line(exported)}"
                ) from None


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0] if lines else ''}"


@contextmanager
def _evaluating(module: nn.Module) -> Iterator[None]:
    """Evaluation mode for a while, without the fused kernels that would hide what a transformer computes."""
    training = {part: part.training for part in module.modules()}
    fast = torch.backends.mha.get_fastpath_enabled()
    module.eval()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what tracing says of the user's code is not ours to pass on
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
        for part, mode in training.items():
            part.training = mode


class _Tracer(fx.Tracer):
    """Looks into every module that is not a primitive operator of PyTorch's own."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return is_primitive(m)


class _Shapes(fx.Interpreter):
    """Runs a graph once and remembers what each node gave: a shape, or shapes of several tensors."""

    def __init__(self, module: fx.GraphModule) -> None:
        super().__init__(module)
        self.found: dict[fx.Node, Any] = {}
        self.constants: dict[fx.Node, Any] = {}

    def run_node(self, n: fx.Node) -> Any:
        result = super().run_node(n)
        self.found[n] = _shapes(result)
        if self.found[n] is None:
            self.constants[n] = result
        return result


def _shapes(result: Any) -> Any:
    if isinstance(result, Tensor):
        return tuple(int(size) for size in result.shape)
    if isinstance(result, list | tuple) and any(isinstance(item, Tensor) for item in result):
        return [_shapes(item) for item in result]
    return None


def _trace_symbolically(module: nn.Module, inputs: Sequence[Tensor]) -> TracedGraph:
    tracer = _Tracer()
    graph = tracer.trace(module)
    runner = _Shapes(fx.GraphModule(tracer.root, graph))
    with torch.no_grad():
        runner.run(*inputs)
    reader = _GraphReader(runner.found, runner.constants, _weights(module))
    return reader.read(graph, dict(module.named_modules()), {})


def _trace_by_export(module: nn.Module, inputs: Sequence[Tensor]) -> TracedGraph:
    program = torch.export.export(module, tuple(inputs), strict=False)
    found = {node: _shapes(node.meta.get("val")) for node in program.graph.nodes}
    signature = program.graph_signature
    lifted = {**signature.inputs_to_parameters, **signature.inputs_to_buffers}
    lifted |= dict.fromkeys(signature.inputs_to_lifted_tensor_constants, "")
    constants = {node: node.meta.get("val") for node, shape in found.items() if shape is None}
    return _GraphReader(found, constants, _weights(module)).read(program.graph, {}, lifted)


def _weights(module: nn.Module) -> dict[str, Tensor]:
    """Trainable weights under every name that they have."""
    named = module.named_parameters(remove_duplicate=False)
    return {name: weight for name, weight in named if weight.requires_grad}


class _GraphReader:
    """Turns the nodes of an fx graph into those of a traced graph.

    What is computed from weights and constants alone is no node; its weights count where they are used.
    """

    def __init__(
        self, shapes: Mapping[fx.Node, Any], constants: Mapping[fx.Node, Any], weights: Mapping[str, Tensor]
    ) -> None:
        self._shapes = shapes
        self._constants = constants
        self._weights = weights
        self._builder = GraphBuilder()
        self._values: dict[fx.Node, Operand] = {}

    def read(self, graph: fx.Graph, modules: Mapping[str, nn.Module], lifted: Mapping[str, str]) -> TracedGraph:
        """The traced graph; `lifted` names the placeholders that stand for weights and buffers."""
        results: list[Operand] = []
        for node in graph.nodes:
            if node.op == "placeholder":
                self._values[node] = self._input(node, lifted)
            elif node.op == "get_attr":
                self._values[node] = Operand(self._shape(node), weights=self._named(str(node.target)))
            elif node.op == "output":
                results = operands_in(self._resolved(node.args))
            elif node.users or node.target is not operator.getitem:  # unpacking takes even what nobody wants
                self._values[node] = self._computed(node, modules)
        places = dict.fromkeys(result.node for result in results if result.node is not None)
        return self._builder.finish(list(places), primitives.plain("gather_outputs"))

    def _input(self, node: fx.Node, lifted: Mapping[str, str]) -> Operand:
        if node.name in lifted:
            return Operand(self._shape(node), weights=self._named(lifted[node.name]))
        shape = self._shape(node)
        if shape is None:
            return Operand(None)
        return Operand(shape, self._builder.input(node.name, shape))

    def _computed(self, node: fx.Node, modules: Mapping[str, nn.Module]) -> Operand:
        positional, named = self._resolved(node.args), self._resolved(node.kwargs)
        operands = operands_in([positional, named])
        places = [operand.node for operand in operands if operand.node is not None]
        weights = {key: count for operand in operands for key, count in operand.weights.items()}
        if self._shapes.get(node) is None:
            return Operand(None)
        shape = self._shape(node)
        module = modules.get(str(node.target)) if node.op == "call_module" else None
        if module is not None:
            weights |= self._named(*(f"{node.target}.{name}" for name, _ in module.named_parameters()))
            primitive = primitive_of(module, [operand.shape for operand in operands], shape)
            name, settings = str(node.target), module.extra_repr()
        else:
            if _takes_the_first(node):
                return operands[0]
            primitive = Call(_name(node), positional, named, shape).primitive()
            name, settings = node.name, constants_in(positional, named)
        if not places:
            return Operand(shape, weights=weights)
        return Operand(shape, self._builder.add(primitive, places, name, shape, weights=weights, settings=settings))

    def _resolved(self, value: Any) -> Any:
        """Arguments with operands, or sizes and the like, in the place of nodes."""
        return fx.node.map_arg(value, self._operand)

    def _operand(self, node: fx.Node) -> Any:
        return self._constants[node] if node in self._constants else self._values[node]

    def _shape(self, node: fx.Node) -> Shape | None:
        """The shape of what a node gives; of its first tensor where it gives several."""
        shape = self._shapes.get(node)
        return next((item for item in shape if item is not None), None) if isinstance(shape, list) else shape

    def _named(self, *names: str) -> dict[object, int]:
        return {id(self._weights[name]): self._weights[name].numel() for name in names if name in self._weights}


def _takes_the_first(node: fx.Node) -> bool:
    """Whether a node takes the main result of one that gives several, as attention does; parts are nodes."""
    if node.target is not operator.getitem or node.args[1] != 0 or not isinstance(node.args[0], fx.Node):
        return False
    source = node.args[0]
    if source.op == "call_module":
        return True
    return isinstance(source.meta.get("val", ()), list | tuple) and word_of(_name(source)) not in _PARTS


def _name(node: fx.Node) -> str:
    """The bare name of the function or method that a node calls."""
    target: Any = node.target
    if isinstance(target, str):
        return target
    target = getattr(target, "overloadpacket", target)  # of an ATen operator
    return str(getattr(target, "__name__", type(target).__name__))
