"""Every proxy against its definition: one at a time, written the long way, on the same network and images."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from catalog.spaces.nb201 import NASBench201
from predictor.networks import Network, NetworkConfig, build
from predictor.zero_cost import MeasureConfig, Passes, measure, proxies_named, registered
from predictor.zero_cost.inputs import Batch, draw, seeded
from predictor.zero_cost.meco import smallest_eigenvalue
from predictor.zero_cost.weights import draw_by_layer

GRAPH = NASBench201().graph("|nor_conv_3x3~0|+|avg_pool_3x3~0|nor_conv_1x1~1|+|skip_connect~0|none~1|nor_conv_3x3~2|")
CONFIG = MeasureConfig(batch_size=8, batches=2, network=NetworkConfig(channels=4, cells=1, classes=4))


@pytest.fixture(scope="module")
def batches() -> list[Batch]:
    return draw("photos", batch_size=8, batches=2, classes=4, seed=0)


@pytest.fixture(scope="module")
def network() -> Network:
    """The network that `measure` measures, built on its own."""
    network = build(GRAPH.canonical, CONFIG.network).train()
    draw_by_layer(network, 0)
    return network


def layers(network: nn.Module) -> list[nn.Conv2d | nn.Linear]:
    return [module for module in network.modules() if isinstance(module, nn.Conv2d | nn.Linear)]


def backward(network: Network, batch: Batch) -> Network:
    network = copy.deepcopy(network)
    nn.functional.cross_entropy(network(batch.images), batch.labels).backward()
    return network


def jacobian(network: Network, batch: Batch) -> np.ndarray:
    images = batch.images.clone().requires_grad_(True)
    network(images).sum().backward()
    assert images.grad is not None
    return images.grad.flatten(1).double().numpy()


def terms(network: nn.Module) -> list[tuple[Tensor, Tensor]]:
    """Weight and gradient of each layer."""
    return [(layer.weight.detach(), layer.weight.grad) for layer in layers(network)]


def naive_grad_norm(network: Network, batches: list[Batch]) -> float:
    return sum(float(layer.weight.grad.norm()) for layer in layers(backward(network, batches[0])))


def naive_snip(network: Network, batches: list[Batch]) -> float:
    return sum(float((weight * gradient).abs().sum()) for weight, gradient in terms(backward(network, batches[0])))


def naive_plain(network: Network, batches: list[Batch]) -> float:
    return sum(float((weight * gradient).sum()) for weight, gradient in terms(backward(network, batches[0])))


def naive_l2_norm(network: Network, batches: list[Batch]) -> float:
    return sum(math.sqrt(float((layer.weight.detach() ** 2).sum())) for layer in layers(network))


def naive_fisher(network: Network, batches: list[Batch]) -> float:
    network = copy.deepcopy(network)
    kept: list[tuple[nn.Module, Tensor]] = []
    for layer in layers(network):
        layer.register_forward_hook(lambda module, _, output: (output.retain_grad(), kept.append((module, output)))[0])
    nn.functional.cross_entropy(network(batches[0].images), batches[0].labels).backward()
    total = 0.0
    for module, output in kept:
        product = output.detach() * output.grad
        product = product.flatten(2).sum(2) if output.ndim == 4 else product
        channel = 0.5 * (product**2).mean(0)
        total += float(channel.sum()) * module.weight[0].numel()
    return total


def naive_grasp(network: Network, batches: list[Batch]) -> float:
    """-theta . (H g) by a difference quotient of the gradient along itself, in double precision."""

    def gradient(step: float, direction: list[Tensor]) -> list[Tensor]:
        moved = copy.deepcopy(network).double()
        with torch.no_grad():
            for layer, part in zip(layers(moved), direction, strict=True):
                layer.weight += step * part
        loss = nn.functional.cross_entropy(moved(batches[0].images.double()), batches[0].labels)
        return list(torch.autograd.grad(loss, [layer.weight for layer in layers(moved)]))

    own = gradient(0.0, [torch.zeros_like(layer.weight, dtype=torch.double) for layer in layers(network)])
    # A step this small crosses no kink of a ReLU, which the second derivative does not see.
    size = 1e-8 / math.sqrt(sum(float((part**2).sum()) for part in own))
    ahead, behind = gradient(size, own), gradient(-size, own)
    return -sum(
        float((layer.weight.detach() * (more - less) / (2 * size)).sum())
        for layer, more, less in zip(layers(network), ahead, behind, strict=True)
    )


def naive_synflow(network: Network, batches: list[Batch]) -> float:
    network = copy.deepcopy(network).double()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.forward = lambda state: state
    for parameter in network.parameters():
        parameter.data.abs_()
    network(torch.ones(1, 3, 32, 32, dtype=torch.double)).sum().backward()
    return sum(float((weight * gradient).sum()) for weight, gradient in terms(network))


def naive_jacov(network: Network, batches: list[Batch]) -> float:
    values = np.linalg.eig(np.corrcoef(jacobian(network, batches[0])))[0].real
    return -float(np.sum(np.log(values + 1e-5) + 1 / (values + 1e-5)))


def naive_epe_nas(network: Network, batches: list[Batch]) -> float:
    rows, total = jacobian(network, batches[0]), 0.0
    for label in range(4):
        total += abs(np.sum(np.log(np.abs(np.corrcoef(rows[batches[0].labels == label])) + 1e-5)))
    return total


def naive_nwot(network: Network, batches: list[Batch]) -> float:
    kernel = np.zeros((8, 8))

    def add(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        code = (inputs[0].flatten(1) > 0).double().numpy()
        kernel[:] += code @ code.T + (1 - code) @ (1 - code).T

    network = copy.deepcopy(network)
    for module in network.modules():
        if isinstance(module, nn.ReLU):
            module.register_forward_pre_hook(add)
    network(batches[0].images)
    return float(np.linalg.slogdet(kernel)[1])


def naive_swap(network: Network, batches: list[Batch]) -> float:
    patterns: set[tuple[bool, ...]] = set()
    network = copy.deepcopy(network)
    for module in network.modules():
        if isinstance(module, nn.ReLU):
            module.register_forward_pre_hook(
                lambda _, inputs: patterns.update(map(tuple, (inputs[0].flatten(1) > 0).T.tolist()))
            )
    network(batches[0].images)
    return len(patterns)


def naive_zico(network: Network, batches: list[Batch]) -> float:
    found = [[layer.weight.grad.numpy() for layer in layers(backward(network, batch))] for batch in batches]
    total = 0.0
    for parts in zip(*found, strict=True):
        stacked = np.stack(parts).astype(np.float64)
        deviation = stacked.std(axis=0)
        varies = deviation > 0
        total += np.log(np.sum(np.abs(stacked).mean(axis=0)[varies] / deviation[varies]))
    return total


def naive_params(network: Network, batches: list[Batch]) -> float:
    return sum(parameter.numel() for parameter in network.parameters())


NAIVE: dict[str, Callable[[Network, list[Batch]], float]] = {
    "grad_norm": naive_grad_norm,
    "snip": naive_snip,
    "l2_norm": naive_l2_norm,
    "fisher": naive_fisher,
    "grasp": naive_grasp,
    "synflow": naive_synflow,
    "jacov": naive_jacov,
    "epe_nas": naive_epe_nas,
    "nwot": naive_nwot,
    "swap": naive_swap,
    "zico": naive_zico,
    "params": naive_params,
}


@pytest.fixture(scope="module")
def measured() -> dict[str, float | None]:
    """All proxies in one go, so that every pass is shared."""
    return {one.proxy: one.value for one in measure(GRAPH, list(registered().values()), CONFIG)}


@pytest.mark.parametrize("name", NAIVE)
def test_shared_passes_give_what_one_proxy_alone_gives(
    name: str, measured: dict[str, float | None], network: Network, batches: list[Batch]
) -> None:
    assert measured[name] == pytest.approx(NAIVE[name](network, batches), rel=2e-3)


def test_plain_is_what_the_classifier_adds(
    measured: dict[str, float | None], network: Network, batches: list[Batch]
) -> None:
    """A convolution before BatchNorm in training mode is scale invariant: theta . g = 0."""
    of_layers = {one.proxy: one.layers for one in measure(GRAPH, proxies_named(["plain"]), LAYERWISE)}["plain"]
    scale = naive_snip(network, batches)
    invariant = [abs(value) for name, value in of_layers.items() if is_scale_invariant(name)]
    assert len(invariant) == 14  # the stem, three convolutions in each of three cells and two in each of two reductions
    assert max(invariant) < 1e-4 * scale
    assert measured["plain"] == pytest.approx(naive_plain(network, batches), abs=1e-4 * scale)


def is_scale_invariant(name: str) -> bool:
    """Whether BatchNorm follows the layer: it does not in the reduction blocks' shortcuts and in the classifier."""
    return "shortcut" not in name and name != "classifier"


def test_grasp_of_scale_invariant_layers_is_their_squared_gradient_norm() -> None:
    """H theta = -g where BatchNorm follows, so those layers' terms add up to their squared gradient norm."""
    found = measure(GRAPH, proxies_named(["grasp", "grad_norm"]), LAYERWISE)
    grasp, norms = ({name: value for name, value in one.layers.items() if is_scale_invariant(name)} for one in found)
    assert sum(grasp.values()) == pytest.approx(sum(norm**2 for norm in norms.values()), rel=1e-2)


LAYERWISE = MeasureConfig(batch_size=8, network=CONFIG.network, layerwise=True)


def test_layer_values_add_up_to_the_score(measured: dict[str, float | None]) -> None:
    names = ["snip", "grad_norm", "synflow", "fisher", "plain", "l2_norm", "grasp", "zico", "synflow_normed"]
    for one in measure(GRAPH, proxies_named(names), LAYERWISE):
        assert one.layers.keys() == dict(build(GRAPH.canonical, CONFIG.network).named_modules()).keys() & one.layers
        assert one.layers.keys() == one.facts.keys()
        parts = [math.exp(part) if "synflow" in one.proxy else part for part in one.layers.values()]
        assert sum(parts) == pytest.approx(measured[one.proxy], rel=1e-4), one.proxy
        assert list(one.layers)[-1] == "classifier"


def test_activations_have_layers_by_the_formula_of_the_whole(network: Network, batches: list[Batch]) -> None:
    """Each ReLU's own determinant, and the gradients of what goes into it in place of those of the images."""
    nwot, jacov = measure(GRAPH, proxies_named(["nwot", "jacov"]), LAYERWISE)
    own = copy.deepcopy(network)
    signals: dict[str, torch.Tensor] = {}
    for name, module in own.named_modules():
        if isinstance(module, nn.ReLU):
            module.register_forward_pre_hook(lambda _, given, name=name: signals.update({name: given[0]}))
    logits = own(batches[0].images)
    assert list(nwot.layers) == list(jacov.layers) == list(signals)
    name = "body.1.convolutions.1.0"
    codes = (signals[name] > 0).flatten(1).double()
    kernel = codes @ codes.T + (1 - codes) @ (1 - codes).T
    assert nwot.layers[name] == pytest.approx(float(torch.linalg.slogdet(kernel).logabsdet), rel=1e-6)
    (gradient,) = torch.autograd.grad(logits.sum(), signals[name])
    eigenvalues = np.linalg.eigvalsh(np.corrcoef(gradient.flatten(1).double().numpy())) + 1e-5
    assert jacov.layers[name] == pytest.approx(-float(np.sum(np.log(eigenvalues) + 1 / eigenvalues)), rel=1e-3)
    assert {facts.parameters for facts in nwot.facts.values()} == {0}


def test_normed_synflow_leaves_normalisation_in_place(measured: dict[str, float | None], network: Network) -> None:
    doubled = copy.deepcopy(network).double()
    for parameter in doubled.parameters():
        parameter.data.abs_()
    doubled(torch.ones(1, 3, 32, 32, dtype=torch.float64)).sum().backward()
    expected = sum((layer.weight * layer.weight.grad).abs().sum().item() for layer in layers(doubled))
    assert measured["synflow_normed"] == pytest.approx(expected, rel=1e-6)


def test_logsynflow_is_the_logarithm(measured: dict[str, float | None]) -> None:
    assert measured["logsynflow"] == pytest.approx(math.log(measured["synflow"]))


def test_zen_follows_its_definition(measured: dict[str, float | None], network: Network) -> None:
    """A Gaussian network, x and x + 0.01 x', both in training mode (Lin et al. 2021)."""
    with seeded("gaussian", 0), torch.no_grad():
        gaussian = copy.deepcopy(network)
        for name, module in gaussian.named_modules():
            if isinstance(module, nn.BatchNorm2d):
                module.reset_parameters()
            elif isinstance(module, nn.Conv2d | nn.Linear):
                with seeded(f"gaussian:{name}", 0):
                    module.weight.normal_()
        first, second = torch.randn(8, 3, 32, 32), torch.randn(8, 3, 32, 32)
        outputs = []
        for images in (first, first + 0.01 * second):
            state = gaussian.stem(images)
            for block in gaussian.body:
                state = block(state)
            outputs.append(gaussian.head(state))
        expected = float((outputs[0] - outputs[1]).abs().flatten(1).sum(1).mean().log())
        norms = [module for module in gaussian.modules() if isinstance(module, nn.BatchNorm2d)]
        expected += sum(float(norm.running_var.mean().sqrt().log()) for norm in norms)
    assert measured["zen"] == pytest.approx(expected, rel=1e-4)


def test_flops_of_the_benchmark_network() -> None:
    """7.78305 M + 35.38944 M n3 + 3.93216 M n1: published for C = 16, N = 5 on CIFAR-10."""
    graph = NASBench201().graph("|nor_conv_3x3~0|+|none~0|nor_conv_1x1~1|+|skip_connect~0|none~1|none~2|")
    config = MeasureConfig(batch_size=2, network=NetworkConfig(channels=16, cells=5))
    flops, params = measure(graph, proxies_named(["flops", "params"]), config)
    assert flops.value == 7_783_050 + 35_389_440 + 3_932_160  # the dead convolution counts
    assert params.value == 73_306 + 243_040 + 28_000


def test_ntk_condition_is_that_of_the_gram_matrix(
    measured: dict[str, float | None], network: Network, batches: list[Batch]
) -> None:
    rows = []
    for sample in range(8):
        own = copy.deepcopy(network)
        own(batches[0].images)[sample].sum().backward()
        rows.append(torch.cat([layer.weight.grad.flatten() for layer in layers(own)]).double().numpy())
    singular = np.linalg.svd(np.stack(rows), compute_uv=False)
    assert measured["ntk_cond"] == pytest.approx((singular[0] / singular[-1]) ** 2, rel=1e-2)


def test_meco_is_zero_where_channels_exceed_positions() -> None:
    assert smallest_eigenvalue(torch.randn(65, 64)) == 0.0
    assert smallest_eigenvalue(torch.randn(3, 64)) > 0.1


def test_meco_of_uncorrelated_channels_is_one() -> None:
    channels = torch.tensor([[1.0, 1, -1, -1], [1, -1, 1, -1], [1, -1, -1, 1]])
    assert smallest_eigenvalue(channels) == pytest.approx(1.0)


def test_meco_takes_a_constant_channel_as_uncorrelated() -> None:
    assert smallest_eigenvalue(torch.stack([torch.ones(16), torch.randn(16)])) == pytest.approx(0.0)


def test_az_nas_components_follow_their_definitions(
    measured: dict[str, float | None], network: Network, batches: list[Batch]
) -> None:
    passes = Passes(lambda _: network, CONFIG.network, batches, proxies_named(["az_expressivity"])[0].needs)
    entropies, trainability = [], []
    for feature in passes.blocks.features:
        values = feature.permute(0, 2, 3, 1).reshape(-1, feature.shape[1]).double().numpy()
        share = np.linalg.eigvalsh(np.cov(values.T, bias=True))
        share = share / share.sum()
        entropies.append(-(share * np.log(share + 1e-8)).sum())
    for outgoing, incoming in passes.blocks.gradients:
        if incoming.shape[2] != outgoing.shape[2]:
            incoming = nn.PixelUnshuffle(2)(incoming)
        pairs = torch.einsum("bchw,bdhw->cd", incoming, outgoing) / outgoing[:, 0].numel()
        largest = float(torch.linalg.svdvals(pairs)[0])
        trainability.append(2 - largest - 1 / (largest + 1e-6))
    assert measured["az_expressivity"] == pytest.approx(sum(entropies), rel=1e-4)
    assert measured["az_progressivity"] == pytest.approx(min(np.diff(entropies)), rel=1e-3, abs=1e-5)
    assert measured["az_trainability"] == pytest.approx(np.mean(trainability), rel=1e-3)
    assert measured["az_complexity"] == measured["flops"]


def test_equal_layers_of_two_architectures_start_equal() -> None:
    other = NASBench201().graph("|nor_conv_3x3~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|none~1|nor_conv_1x1~2|")
    networks = [build(graph.canonical, CONFIG.network) for graph in (GRAPH, other)]
    for one in networks:
        torch.manual_seed(id(one) % 1000)
        draw_by_layer(one, 0)
    first, second = (one.state_dict() for one in networks)
    equal = [name for name in first.keys() & second.keys() if first[name].shape == second[name].shape]
    assert len(equal) > 20
    assert all(torch.equal(first[name], second[name]) for name in equal if name.endswith("weight"))
