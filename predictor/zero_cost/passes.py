"""The forward and backward passes that proxies look at: each is run once, for whoever needs it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from enum import Flag, auto
from functools import cached_property
from itertools import pairwise

import torch
from torch import Tensor, nn

from catalog.errors import ProxyError
from predictor.networks import Network, NetworkConfig
from predictor.zero_cost.blocks import BlockPass
from predictor.zero_cost.hooks import code, recorded_inputs, recorded_outputs, recorded_signals
from predictor.zero_cost.inputs import Batch, seeded
from predictor.zero_cost.kept import LossPass
from predictor.zero_cost.modules import BATCH_NORMS, conserving, counted, leaves, operations, weighted
from predictor.zero_cost.weights import draw_by_layer, initialise


class Need(Flag):
    """What a proxy looks at. Proxies with a flag in common share the work behind it, and its seconds."""

    NOTHING = 0
    FORWARD = auto()
    """One minibatch through the default-initialised network in training mode; gives the ReLU codes."""
    JACOBIAN = auto()
    """Gradient of the summed logits with respect to the images of that forward pass."""
    ACTIVATIONS = auto()
    """Gradient of the summed logits with respect to what goes into each ReLU."""
    GRADIENT = auto()
    """Gradient of its cross entropy with respect to every convolution and linear weight."""
    OUTPUTS = auto()
    """The gradient with respect to every such layer's output as well, and the output."""
    HESSIAN = auto()
    """The product of the Hessian and the gradient."""
    BATCHES = auto()
    """The gradients of further minibatches at the same weights."""
    SYNAPTIC = auto()
    """Absolute weights, no normalisation, attention as a gate, an image of ones, double precision."""
    NORMED_SYNAPTIC = auto()
    """The same with normalisations in place."""
    GAUSSIAN = auto()
    """Standard normal weights, and noise with and without a small perturbation."""
    BLOCKS = auto()
    """Kaiming-normal weights, noise, the outputs of the blocks and random gradients through each block."""
    MAPS = auto()
    """One noise image, the output of every module."""
    SAMPLES = auto()
    """The gradient of each sample's logits on its own."""
    REGIONS = auto()
    """Many tiny images through a thin network."""
    COUNTS = auto()
    """Two empty images, for the parameters and multiply-accumulates."""


GRADIENT = Need.FORWARD | Need.GRADIENT

IMAGES = Need.FORWARD | Need.JACOBIAN | Need.GRADIENT | Need.OUTPUTS | Need.HESSIAN | Need.BATCHES | Need.SAMPLES
"""Needs that look at the input's images."""

REGION_SAMPLES = 1_000  # TE-NAS: 1,000 images of 3x3 pixels and one channel
REGION_PIXELS = 3
NTK_SAMPLES = 16
PERTURBATION = 0.01
_MOST_NUMBERS = 2**27  # half a gigabyte, and one more while their products are taken


class Passes:
    """One architecture's network and the passes over it, run when a proxy first asks.

    Parameters
    ----------
    make
        Builds the live network of a given size.
    config
        The size that is measured.
    batches
        The minibatches; most proxies look at the first.
    needs
        Everything that any proxy of this run needs, so that a shared pass keeps it.
    thin
        The size of the network for the tiny images, which have one channel; None where there is no thinner network.
    make_native
        Builds the network of the native form, for counting, where dead operators make it another than the live one.
    count
        Counts parameters and multiply-accumulates where the graph says them, so that no network is run for it.
    seed
        Of the initialisations and of the noise.
    """

    def __init__(
        self,
        make: Callable[[NetworkConfig], Network],
        config: NetworkConfig,
        batches: Sequence[Batch],
        needs: Need,
        *,
        thin: NetworkConfig | None = None,
        make_native: Callable[[NetworkConfig], Network] | None = None,
        count: Callable[[], tuple[int, int]] | None = None,
        seed: int = 0,
        device: str = "cpu",
    ) -> None:
        self.config = config
        self.batches = [Batch(_laid_out(batch.images.to(device)), batch.labels.to(device)) for batch in batches]
        self.needs = needs
        self.seed = seed
        self.device = device
        self.seconds: dict[Need, float] = {}
        self._make = make
        self._make_native = make_native
        self._count = count
        self._thin = thin

    @contextmanager
    def timed(self, need: Need) -> Generator[None, None, None]:
        """Add the seconds spent inside to those of `need`."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[need] = self.seconds.get(need, 0.0) + time.perf_counter() - start

    @cached_property
    def network(self) -> Network:
        """The network with PyTorch's default initialisation, in training mode."""
        return self._built()

    def _vectors(self, inputs: Tensor) -> Tensor:
        """What the network computes with: images and vectors as they are, tokens looked up."""
        return inputs if inputs.is_floating_point() else self.network.vectors(inputs).detach()

    @cached_property
    def _vector_shape(self) -> tuple[int, ...]:
        """Of the first minibatch as the network computes with it."""
        with torch.no_grad():
            return tuple(self._vectors(self.batches[0].images).shape)

    def _built(self, *, looks_up: bool = True) -> Network:
        """The network anew, every time with the same weights: cheaper than a copy.

        A look-up of many words is not drawn for whoever computes with vectors of their own.
        """
        with seeded("initialisation", self.seed):  # whatever draws besides the layers
            network = self._make(self.config).to(self.device).train()
        if not looks_up:
            network.forget_words()
        draw_by_layer(network, self.seed)
        for parameter in network.parameters():
            parameter.data = _laid_out(parameter.data)
        return network

    def _initialised(self, draw_weights: Callable[[Tensor], Tensor], purpose: str) -> Network:
        """The network with other weights."""
        network = self._built(looks_up=False)
        initialise(network, draw_weights, purpose, self.seed)
        return network

    @cached_property
    def layers(self) -> dict[str, nn.Conv2d | nn.Linear]:
        """The convolutions and linear layers by name."""
        return weighted(self.network)

    @property
    def weights(self) -> list[Tensor]:
        """The weights of `layers`."""
        return [layer.weight for layer in self.layers.values()]

    @cached_property
    def loss(self) -> LossPass:
        """The first minibatch: one forward pass, and the backward passes that are needed."""
        return self._measure_loss(self.batches[0], self.needs)

    @cached_property
    def batch_gradients(self) -> list[Sequence[Tensor]]:
        """dL/dtheta of each layer for each minibatch, the first one shared with `loss`."""
        first = self.loss.gradients
        with self.timed(Need.BATCHES):
            return [first, *(self._plain_gradients(batch) for batch in self.batches[1:])]

    def _measure_loss(self, batch: Batch, needs: Need) -> LossPass:
        images = self._vectors(batch.images).clone().requires_grad_(Need.JACOBIAN in needs)
        backward = bool(needs & (Need.JACOBIAN | Need.ACTIVATIONS | Need.GRADIENT))
        with self.timed(Need.FORWARD):
            watched = list(self.layers.values()) if Need.OUTPUTS in needs else []
            with (
                recorded_signals(self.network) as signals,
                recorded_outputs(watched) as outputs,
                torch.set_grad_enabled(backward),
            ):
                logits = self.network.from_vectors(images)
        codes = {name: code(signal) for name, signal in signals.items()}
        found = LossPass(codes, outputs={place: output.detach() for place, output in outputs.items()})
        if Need.JACOBIAN in needs:
            with self.timed(Need.JACOBIAN):
                keep = bool(needs & (Need.GRADIENT | Need.ACTIVATIONS))
                (jacobian,) = torch.autograd.grad(logits.sum(), images, retain_graph=keep)
                found = replace(found, jacobian=jacobian.flatten(1))
        if Need.ACTIVATIONS in needs:
            with self.timed(Need.ACTIVATIONS):
                derived = _gradients(logits.sum(), list(signals.values()), retain_graph=Need.GRADIENT in needs)
                of_names = {name: gradient.flatten(1) for name, gradient in zip(signals, derived, strict=True)}
                found = replace(found, activation_gradients=of_names)
        if Need.GRADIENT in needs:
            found = self._with_gradients(found, logits, batch.labels, outputs, needs)
        return found

    def _with_gradients(
        self, found: LossPass, logits: Tensor, labels: Tensor, outputs: dict[int, Tensor], needs: Need
    ) -> LossPass:
        weights = self.weights
        hessian = Need.HESSIAN in needs
        with self.timed(Need.GRADIENT):
            loss = nn.functional.cross_entropy(logits, labels)
            gradients = _gradients(loss, [*weights, *outputs.values()], create_graph=hessian)
        of_weights = gradients[: len(weights)]
        if hessian:
            with self.timed(Need.HESSIAN):
                product = sum((g.detach() * g).sum() for g in of_weights)
                assert isinstance(product, Tensor)
                try:
                    found = replace(found, hessian_gradients=_gradients(product, weights))
                except RuntimeError as error:  # which must not take the first derivatives away
                    found = replace(found, hessian_failure=str(error).partition("\n")[0])
        return replace(
            found,
            gradients=[gradient.detach() for gradient in of_weights],
            output_gradients={
                place: gradient.detach() for place, gradient in zip(outputs, gradients[len(weights) :], strict=True)
            },
        )

    def _plain_gradients(self, batch: Batch) -> Sequence[Tensor]:
        loss = nn.functional.cross_entropy(self.network(batch.images), batch.labels)
        return _gradients(loss, self.weights)

    @cached_property
    def synaptic(self) -> list[Tensor]:
        """|theta| dR/d|theta| of each layer, R the summed output; every entry is positive."""
        with self.timed(Need.SYNAPTIC):
            return self._flows(conserving(self._built(looks_up=False)))

    @cached_property
    def normed_synaptic(self) -> list[Tensor]:
        """The same with normalisations in place, so that entries have signs."""
        with self.timed(Need.NORMED_SYNAPTIC):
            return self._flows(self._built(looks_up=False))

    def _flows(self, network: Network) -> list[Tensor]:
        """Absolute weights times the gradients of the summed output for an input of ones, in double precision."""
        network = network.double()
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.abs_()
        weights = [layer.weight for layer in weighted(network).values()]
        ones = torch.ones(1, *self._vector_shape[1:], dtype=torch.float64, device=self.device)
        gradients = _gradients(network.from_vectors(ones).sum(), weights)
        flows = [(w * g).detach() for w, g in zip(weights, gradients, strict=True)]
        if not all(bool(flow.isfinite().all()) for flow in flows):
            raise ProxyError(
                "the signal of positive weights grows beyond all numbers: gates multiply it with itself, and no "
                "normalisation holds it"
            )
        if len(flows) > 1 and not any(bool(flow.any()) for flow in flows[:-1]):
            raise ProxyError("no signal flows through the network: its activations are at their bounds")
        return flows

    @cached_property
    def gaussian(self) -> tuple[float, list[float]]:
        """Mean L1 difference before pooling that the perturbation makes, and each BatchNorm's mean running variance."""
        with self.timed(Need.GAUSSIAN), torch.no_grad(), seeded("gaussian", self.seed):
            if not any(isinstance(module, BATCH_NORMS) for module in self.network.modules()):
                raise ProxyError("the network has no BatchNorm, whose variances belong to the score")
            network = self._initialised(nn.init.normal_, "gaussian")
            norms = [module for module in network.modules() if isinstance(module, BATCH_NORMS)]
            shape = self._vector_shape
            images = _laid_out(torch.randn(shape, device=self.device))
            moved = images + PERTURBATION * _laid_out(torch.randn(shape, device=self.device))
            with recorded_inputs(network.pool) as before_pooling:
                network.from_vectors(images)
                network.from_vectors(moved)
            changed = (before_pooling[0] - before_pooling[1]).abs()
            difference = changed.sum(dim=tuple(range(1, changed.ndim))).mean()
            variances = [float(norm.running_var.mean()) for norm in norms if norm.running_var is not None]
            return float(difference), variances

    @cached_property
    def blocks(self) -> BlockPass:
        """Features and random gradients of the blocks."""
        with self.timed(Need.BLOCKS), seeded("blocks", self.seed):
            network = self._initialised(nn.init.kaiming_normal_, "blocks")
            noise = _laid_out(torch.randn(self._vector_shape, device=self.device))
            with recorded_outputs(network.blocks()) as outputs:
                network.from_vectors(noise)
            features = list(outputs.values())
            gradients = []
            for before, after in pairwise(features):
                coins = torch.randint(2, after.shape, dtype=torch.int8, device=self.device)
                signs = _laid_out(coins.to(after.dtype) * 2 - 1)
                (found,) = torch.autograd.grad(after, before, signs, retain_graph=True, materialize_grads=True)
                gradients.append((signs, found))
            return BlockPass([feature.detach() for feature in features], gradients)

    @cached_property
    def maps(self) -> list[Tensor]:
        """The output (1, C, H, W), or (1, tokens, C), of every module without parts for one noise image."""
        with self.timed(Need.MAPS), torch.no_grad(), seeded("maps", self.seed):
            with recorded_outputs(leaves(self.network)) as outputs:
                self.network.from_vectors(_laid_out(torch.randn(1, *self._vector_shape[1:], device=self.device)))
            return [output for output in outputs.values() if output.ndim in (3, 4)]

    @cached_property
    def sample_gradients(self) -> Tensor:
        """(samples, weights): the gradient of the summed logits of each of the first `NTK_SAMPLES` images."""
        with self.timed(Need.SAMPLES):
            numbers = NTK_SAMPLES * sum(weight.numel() for weight in self.weights)
            if numbers > _MOST_NUMBERS:
                raise ProxyError(
                    f"the gradients of the samples are {numbers:,} numbers; {_MOST_NUMBERS:,} are the most"
                )
            images = self.batches[0].images[:NTK_SAMPLES]
            rows = []
            if not any(isinstance(module, BATCH_NORMS) for module in self.network.modules()):
                for image in images.split(1):  # which no other one changes: one alone costs far less
                    rows.append(_flat(_gradients(self.network(image).sum(), self.weights)))
                return torch.stack(rows)
            logits = self.network(images).sum(dim=1)
            for sample in range(len(images)):
                last = sample == len(images) - 1
                rows.append(_flat(_gradients(logits[sample], self.weights, retain_graph=not last)))
            return torch.stack(rows)

    @cached_property
    def region_codes(self) -> list[Tensor]:
        """ReLU codes of `REGION_SAMPLES` noise images of 3x3 pixels in a network as thin as its space allows."""
        if self._thin is None:
            raise ProxyError("a network that states its own channels has no thinner form")
        with self.timed(Need.REGIONS), torch.no_grad(), seeded("regions", self.seed):
            network = self._make(self._thin).to(self.device).train()
            initialise(network, nn.init.kaiming_normal_, "regions", self.seed)
            with recorded_signals(network) as signals:
                network(torch.randn(REGION_SAMPLES, 1, REGION_PIXELS, REGION_PIXELS, device=self.device))
            return [code(signal) for signal in signals.values()]

    @cached_property
    def counts(self) -> tuple[int, int]:
        """Trainable parameters and multiply-accumulates of one image, of the native network."""
        if self._count is not None:
            return self._count()
        with self.timed(Need.COUNTS), torch.no_grad():  # on the meta device this takes several times as long
            network = self._make_native(self.config).to(self.device) if self._make_native else self.network
            layers = counted(network)
            with recorded_outputs(layers) as outputs:
                network(
                    torch.zeros(2, *self.batches[0].images.shape[1:], device=self.device)
                )  # one image: no BatchNorm
            cost = sum(operations(layers[place], output) for place, output in outputs.items())
            return network.parameter_count(), cost


def _laid_out(tensor: Tensor) -> Tensor:
    """Maps and kernels with channels last in memory: processors convolve and pool up to three times as fast."""
    return tensor.to(memory_format=torch.channels_last) if tensor.ndim == 4 else tensor


def _gradients(
    value: Tensor, wanted: Sequence[Tensor], *, create_graph: bool = False, retain_graph: bool | None = None
) -> tuple[Tensor, ...]:
    """Gradients, zeros in place of those that no path gives."""
    return torch.autograd.grad(
        value, list(wanted), create_graph=create_graph, retain_graph=retain_graph, materialize_grads=True
    )


def _flat(gradients: Sequence[Tensor]) -> Tensor:
    return torch.cat([gradient.flatten() for gradient in gradients])


def finite(value: float, meaning: str) -> float:
    """`value`, or a `ProxyError` that says why it is none."""
    if not math.isfinite(value):
        raise ProxyError(f"{meaning} is {value}")
    return value
