"""PyTorch modules into traced graphs: symbolically where that works, by `torch.export` where it does not."""

from __future__ import annotations

import inspect
import operator
import warnings
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, fx, nn

from catalog.architecture.computation import primitives
from catalog.architecture.computation.graph import ComputationGraph, GraphBuilder
from catalog.architecture.computation.primitives import Primitive, Shape
from catalog.architecture.computation.vocabulary import bare_word
from catalog.errors import IngestError
from ingest.model.operands import Operand, are_compared, constants_in, operands_in
from ingest.model.torch_arguments import arguments_of, numbers_of, settings_of, told_apart
from ingest.model.torch_functions import Call, changing_word, gives_more
from ingest.model.torch_modules import is_primitive, primitive_of
from ingest.model.torch_running import HiddenChangeError, InPlaceProxy, Run, is_known, shapes_of

_UNTRACEABLE = (
    fx.proxy.TraceError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    NameError,
    NotImplementedError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What PyTorch and a module's own code raise where symbolic values do not fit."""

_FILLING = ("copy", "fill", "zero")
_UNORDERED = ("add", "multiply")


def trace_module(module: nn.Module, inputs: Sequence[int] | Sequence[Tensor]) -> ComputationGraph:
    """The computation graph of a module in evaluation mode.

    The module's code runs: symbolically (torch.fx) and once on `inputs` for the shapes. Where its control flow depends
    on tensors, or it changes a tensor in place that is read through another view, torch.export takes over, which
    records the ATen operators of one run. Neither changes the module or the inputs.

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

    def proxy(self, node: fx.Node) -> fx.Proxy:
        """A symbolic value that tells in-place operations from others."""
        return InPlaceProxy(node, self)


def _trace_symbolically(module: nn.Module, inputs: Sequence[Tensor]) -> ComputationGraph:
    if is_primitive(module):
        name = type(module).__name__.lower()
        root: nn.Module = nn.ModuleDict({name: module})
        graph = _single_call(module, name, len(inputs))
    else:
        tracer = _Tracer()
        with _kept(module) as changed:
            graph = tracer.trace(module)
        if changed:
            raise HiddenChangeError("the module changes a tensor of its own")  # which the graph does not show
        root = tracer.root
    run = Run(fx.GraphModule(root, graph))
    run.run(*inputs)
    taken = {node.target for node in graph.nodes if node.op == "get_attr"}
    own = {str(name): operator.attrgetter(str(name))(root) for name in taken}
    reader = _GraphReader(_weights(root), numbers_of(root, own), run)
    return reader.read(graph, dict(root.named_modules()), {})


@contextmanager
def _kept(module: nn.Module) -> Iterator[list[Tensor]]:
    """Put back what a module does to its own tensors while it is traced; gives those to which it did something."""
    own = {id(tensor): tensor for part in module.modules() for tensor in _own_tensors(part)}
    before = {key: (tensor._version, tensor.clone()) for key, tensor in own.items()}  # noqa: SLF001
    changed: list[Tensor] = []
    try:
        yield changed
    finally:
        with torch.no_grad():
            for key, (version, value) in before.items():
                if own[key]._version != version:  # noqa: SLF001
                    changed.append(own[key].copy_(value))


def _own_tensors(module: nn.Module) -> Iterator[Tensor]:
    """A module's own tensors that are no parameters."""
    for value in (*module.buffers(recurse=False), *vars(module).values()):
        if isinstance(value, Tensor) and not isinstance(value, nn.Parameter | nn.UninitializedBuffer):
            yield value


def _single_call(module: nn.Module, name: str, inputs: int) -> fx.Graph:
    """The graph of one module that is an operator itself."""
    graph = fx.Graph()
    names = [*inspect.signature(module.forward).parameters][:inputs]
    taken = tuple(graph.placeholder(word) for word in names)
    graph.output(graph.call_module(name, taken))
    return graph


def _trace_by_export(module: nn.Module, inputs: Sequence[Tensor]) -> ComputationGraph:
    with _kept(module), torch.no_grad():  # with gradients, parts of a split tensor cannot be changed in place
        program = torch.export.export(module, tuple(inputs), strict=False)
    if any(_is_mutable(node.target) for node in program.graph.nodes):
        program = program.run_decompositions({})  # which puts a new value in the place of every change
    found = {node: shapes_of(node.meta.get("val")) for node in program.graph.nodes}
    signature = program.graph_signature
    lifted = {**signature.inputs_to_parameters, **signature.inputs_to_buffers}
    lifted |= signature.inputs_to_lifted_tensor_constants
    constants = {node: node.meta.get("val") for node, shape in found.items() if shape is None}
    given = set(signature.user_outputs)  # changed buffers and inputs are outputs too
    numbers = numbers_of(module, {**program.constants, **program.state_dict})
    reader = _GraphReader(_weights(module), numbers, _Exported(found, constants))
    return reader.read(program.graph, {}, lifted, given)


def _is_mutable(target: Any) -> bool:
    schema = getattr(target, "_schema", None)
    return schema is not None and schema.is_mutable


@dataclass(frozen=True)
class _Exported:
    """What `Run` finds out, of a graph in which nothing is overwritten."""

    found: Mapping[fx.Node, Any]
    constants: Mapping[fx.Node, Any]
    overwritten: Mapping[fx.Node, list[fx.Node]] = field(default_factory=dict)
    unchanged: Set[fx.Node] = frozenset()


def _weights(module: nn.Module) -> dict[str, Tensor]:
    """Trainable weights under every name that they have."""
    named = module.named_parameters(remove_duplicate=False)
    return {name: weight for name, weight in named if weight.requires_grad}


class _GraphReader:
    """Turns the nodes of an fx graph into those of a traced graph.

    What is computed from weights and constants alone is no node; its weights count where they are used. What is
    overwritten in place is from then on what overwrote it.
    """

    def __init__(self, weights: Mapping[str, Tensor], numbers: Mapping[str, str], facts: Run | _Exported) -> None:
        self._weights = weights
        self._numbers = numbers
        self._facts = facts
        self._builder = GraphBuilder()
        self._values: dict[fx.Node, Operand] = {}

    def read(
        self,
        graph: fx.Graph,
        modules: Mapping[str, nn.Module],
        lifted: Mapping[str, str],
        given: Set[str] | None = None,
    ) -> ComputationGraph:
        """The traced graph.

        Parameters
        ----------
        lifted
            The placeholders that stand for weights and buffers, and whose.
        given
            Names of the nodes that the module gives, where the graph gives more.
        """
        results: list[Operand] = []
        for node in graph.nodes:
            if node.op == "placeholder":
                self._values[node] = self._input(node, lifted)
            elif node.op == "get_attr":
                self._values[node] = self._own(node, str(node.target))
            elif node.op == "output":
                wanted = [part for part in node.all_input_nodes if given is None or part.name in given]
                results = operands_in([self._operand(part) for part in wanted])
            elif node.users or node.target is not operator.getitem:  # unpacking takes even what nobody wants
                self._values[node] = self._computed(node, modules)
            for earlier in self._facts.overwritten.get(node, ()):
                self._values[earlier] = self._values[node]
        places = dict.fromkeys(result.node for result in results if result.node is not None)
        return self._builder.finish(list(places), primitives.plain("gather_outputs"))

    def _input(self, node: fx.Node, lifted: Mapping[str, str]) -> Operand:
        if node.name in lifted:
            return self._own(node, lifted[node.name])
        shape = self._shape(node)
        if shape is None:
            return Operand(None)
        return Operand(shape, self._builder.input(node.name, shape))

    def _own(self, node: fx.Node, name: str) -> Operand:
        """A tensor of the module's: a weight, a buffer, or a constant, whose numbers are part of what is computed."""
        return Operand(self._shape(node), weights=self._named(name), said=self._numbers.get(name))

    def _computed(self, node: fx.Node, modules: Mapping[str, nn.Module]) -> Operand:
        positional, named = self._resolved(node.args), self._resolved(node.kwargs)
        arguments = arguments_of(None if node.op == "call_module" else node.target, positional, named)
        operands = operands_in([value for _, value in arguments])
        places = [operand.node for operand in operands if operand.node is not None]
        weights = {key: count for operand in operands for key, count in operand.weights.items()}
        if self._facts.found.get(node) is None:
            return Operand(None)
        shape = self._shape(node)
        module = modules.get(str(node.target)) if node.op == "call_module" else None
        if module is not None:
            weights |= self._named(*(f"{node.target}.{name}" for name, _ in module.named_parameters()))
            primitive = primitive_of(module, [operand.shape for operand in operands], shape)
            name, settings = str(node.target), ", ".join(filter(None, [settings_of(module), constants_in(arguments)]))
        else:
            if self._takes_the_first(node):
                return operands[0]
            if bare_word(_name(node)) in _FILLING:
                return self._filled(node.name, operands[1:], shape)
            primitive = self._function(node, positional, named, shape)
            ordered = primitive.operator.name not in _UNORDERED or "alpha" in named
            name, settings = node.name, told_apart(_name(node), constants_in(arguments, ordered=ordered))
        compared = are_compared(operands) and not weights
        if not places:
            said = f"{bare_word(_name(node))}({settings})" if compared and module is None else None
            return Operand(shape, weights=weights, said=said)
        return Operand(
            shape,
            self._builder.add(primitive, places, name, shape, weights=weights, settings=settings, is_compared=compared),
        )

    def _takes_the_first(self, node: fx.Node) -> bool:
        """Whether a node takes the main result of one that gives several, as attention does; parts are nodes."""
        if node.target is not operator.getitem or node.args[1] != 0 or not isinstance(node.args[0], fx.Node):
            return False
        source = node.args[0]
        several = isinstance(self._facts.found.get(source), list)
        return several and (source.op == "call_module" or gives_more(_name(source)))

    def _filled(self, name: str, filling: Sequence[Operand], shape: Shape | None) -> Operand:
        """What overwrites a tensor whole is what it is filled with, whatever was there before."""
        if not filling or filling[0].node is None:
            return Operand(shape, weights=filling[0].weights if filling else {})
        if filling[0].shape == shape:
            return filling[0]
        return Operand(shape, self._builder.add(primitives.plain("expand"), [filling[0].node], name, shape))

    def _function(
        self, node: fx.Node, positional: Sequence[Any], named: Mapping[str, Any], shape: Shape | None
    ) -> Primitive:
        name, known = _name(node), is_known(node.target)
        if known and (word := changing_word(name, positional, named)):
            return primitives.plain(word)
        primitive = Call(name, positional, named, shape).primitive() if known else primitives.foreign(name)
        is_open = primitive.multiply_accumulates is None and primitive.operator.kind == "other"
        return primitives.plain("identity") if is_open and node in self._facts.unchanged else primitive

    def _resolved(self, value: Any) -> Any:
        """Arguments with operands, or sizes and the like, in the place of nodes."""
        return fx.node.map_arg(value, self._operand)

    def _operand(self, node: fx.Node) -> Any:
        return self._facts.constants[node] if node in self._facts.constants else self._values[node]

    def _shape(self, node: fx.Node) -> Shape | None:
        """The shape of what a node gives; of its first tensor where it gives several."""
        shape = self._facts.found.get(node)
        return next((item for item in shape if item is not None), None) if isinstance(shape, list) else shape

    def _named(self, *names: str) -> dict[object, int]:
        return {id(self._weights[name]): self._weights[name].numel() for name in names if name in self._weights}


def _name(node: fx.Node) -> str:
    """The bare name of the function or method that a node calls."""
    target: Any = node.target
    if isinstance(target, str):
        return target
    if target is getattr:
        return str(node.args[1])
    target = getattr(target, "overloadpacket", target)  # of an ATen operator
    return str(getattr(target, "__name__", type(target).__name__))
