"""One run of a symbolically traced module: the shape of every value, and what is overwritten in place.

A graph of calls does not show that `x.relu_()` changes what every later reader of `x` sees. The run does: PyTorch
counts the versions of a tensor, and two tensors of one memory are two names of it.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, fx, nn

_IN_PLACE = "iadd isub imul itruediv ifloordiv imod ipow iand ior ixor ilshift irshift imatmul".split()


class HiddenChangeError(RuntimeError):
    """Something is overwritten through another view of its memory; a graph of calls cannot tell what comes of it."""


class InPlaceProxy(fx.Proxy):
    """A symbolic value that keeps `x += y` apart from `x = x + y`, and refuses to lose `x.data = y`."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name in ("tracer", "node"):
            return super().__setattr__(name, value)
        raise HiddenChangeError(f"the attribute {name!r} of a tensor is set")


def _in_place(name: str) -> Any:
    target = getattr(operator, name)

    def method(self: fx.Proxy, other: Any) -> fx.Proxy:
        return self.tracer.create_proxy("call_function", target, (self, other), {})

    return method


for _name in _IN_PLACE:
    setattr(InPlaceProxy, f"__{_name}__", _in_place(_name))


class Run(fx.Interpreter):
    """Runs a graph once, on copies of its inputs and of the tensors that it names.

    Attributes
    ----------
    found
        Shape of what each node gave; a list of shapes where it gave several tensors, None where it gave none.
    constants
        What the nodes gave that gave no tensor.
    overwritten
        For a node that changes tensors in place, the earlier nodes whose values are from then on that node's.
    unchanged
        Nodes that gave back the very tensor that they took.
    """

    def __init__(self, module: fx.GraphModule) -> None:
        super().__init__(module)
        self.found: dict[fx.Node, Any] = {}
        self.constants: dict[fx.Node, Any] = {}
        self.overwritten: dict[fx.Node, list[fx.Node]] = {}
        self.unchanged: set[fx.Node] = set()
        self._copies: dict[int, Tensor] = {}

    def run(self, *inputs: Tensor) -> None:  # type: ignore[override]
        """Run the graph.

        Raises
        ------
        HiddenChangeError
            A tensor is overwritten that is read later through another view of its memory.
        """
        with torch.no_grad():
            super().run(*(tensor.clone() for tensor in inputs))

    def run_node(self, n: fx.Node) -> Any:
        """The value of one node."""
        before = [(tensor, tensor._version) for tensor in self._tensors()]  # noqa: SLF001 -- PyTorch's own count
        result = super().run_node(n)
        self.found[n] = shapes_of(result)
        if self.found[n] is None:
            self.constants[n] = result
        changed = {_memory(tensor) for tensor, version in before if tensor._version != version}  # noqa: SLF001
        if changed:
            self._overwrite(n, result, changed)
        elif self._is_taken(n, result):
            self.unchanged.add(n)
        return result

    def _is_taken(self, n: fx.Node, result: Any) -> bool:
        """Whether a node gives back a tensor that it took."""
        return isinstance(result, Tensor) and any(result is self.env.get(taken) for taken in n.all_input_nodes)

    def fetch_attr(self, target: str) -> Any:
        """A tensor of the module, as a copy: the run must not change the module."""
        value = super().fetch_attr(target)
        if not isinstance(value, Tensor) or isinstance(value, nn.UninitializedParameter):
            return value
        return self._copies.setdefault(id(value), value.detach().clone())

    def _tensors(self) -> Iterator[Tensor]:
        for value in self.env.values():
            yield from _tensors_in(value)

    def _overwrite(self, n: fx.Node, result: Any, changed: set[Any]) -> None:
        """Note which earlier values are the result of `n` from now on."""
        if any(_memory(copy) in changed for copy in self._copies.values()):
            raise HiddenChangeError(f"{n.name} changes a tensor that belongs to the module")
        dead = self.user_to_last_uses.get(n, [])
        alone = is_known(n.target) and self._is_taken(n, result)  # then it is what it gives that it changed
        for node, value in self.env.items():
            touched = [tensor for tensor in _tensors_in(value) if _memory(tensor) in changed]
            if node in dead or not touched or (alone and not any(_overlap(tensor, result) for tensor in touched)):
                continue
            if not (isinstance(value, Tensor) and isinstance(result, Tensor) and _same_view(value, result)):
                raise HiddenChangeError(f"{n.name} changes {node.name} through another view of its memory")
            self.overwritten.setdefault(n, []).append(node)


def is_known(target: Any) -> bool:
    """Whether a call's target is PyTorch's own or Python's: another library's `conv2d` need not be one."""
    if isinstance(target, str):
        return True  # a tensor's method, or a module that is an operator
    if hasattr(target, "overloads"):  # torch.ops.aten.relu, of which there are several
        target = getattr(target, target.overloads()[0])
    if isinstance(target, torch._ops.OperatorBase):  # noqa: SLF001 -- the base of what torch.ops holds
        return getattr(target, "namespace", None) in ("aten", "prims")
    return str(getattr(target, "__module__", "")).partition(".")[0] in ("torch", "_operator", "builtins", "math")


def shapes_of(result: Any) -> Any:
    """Shape of a tensor, shapes of several, or None."""
    if isinstance(result, Tensor):
        return tuple(int(size) for size in result.shape)
    if isinstance(result, list | tuple) and any(isinstance(item, Tensor) for item in result):
        return [shapes_of(item) for item in result]
    return None


def _tensors_in(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _tensors_in(item)
    elif isinstance(value, dict):
        yield from _tensors_in(list(value.values()))


def _memory(tensor: Tensor) -> Any:
    """What two views of one memory have in common."""
    if tensor.layout is torch.strided:
        return tensor.untyped_storage()._cdata  # noqa: SLF001 -- the identity of a storage has no other name
    return id(tensor), tensor.layout


def _same_view(one: Tensor, other: Tensor) -> bool:
    if _memory(one) != _memory(other) or one.layout is not torch.strided:
        return one is other
    return (one.shape, one.stride(), one.storage_offset(), one.dtype) == (
        other.shape, other.stride(), other.storage_offset(), other.dtype,
    )  # fmt: skip


def _overlap(one: Tensor, other: Tensor) -> bool:
    """Whether two views of one memory have an element in common."""
    if _memory(one) != _memory(other) or one.layout is not torch.strided or one.dtype != other.dtype:
        return one.layout is torch.strided
    size = one.untyped_storage().nbytes() // one.element_size()
    marks = torch.zeros(size, dtype=torch.bool)
    marks.as_strided(one.shape, one.stride(), one.storage_offset()).fill_(True)
    return bool(marks.as_strided(other.shape, other.stride(), other.storage_offset()).any())
