"""How much the loss would notice: norms and products of weights, activations and their gradients."""

from __future__ import annotations

import torch
from torch import Tensor

from catalog.errors import ProxyError
from predictor.zero_cost.passes import GRADIENT, Need, Passes
from predictor.zero_cost.proxy import DRAWN_BY_LAYER, LayerwiseProxy, per_layer


class GradNorm(LayerwiseProxy):
    r"""Sum over layers of the L2 norm of the loss gradient, :math:`\sum_l \|g_l\|_2`.

    Abdelfattah et al., "Zero-cost proxies for lightweight NAS", 2021 (arXiv 2101.08134).

    Direction: higher is better. Cost: one forward and backward of the minibatch. Data: images and labels.
    """

    name = "grad_norm"
    version = DRAWN_BY_LAYER
    needs = GRADIENT

    def layer_values(self, passes: Passes) -> Tensor:
        return per_layer([gradient.norm() for gradient in passes.loss.gradients])


class Snip(LayerwiseProxy):
    r"""Connection sensitivity, :math:`\sum |\theta \cdot g|`.

    Lee et al., "SNIP: Single-shot network pruning based on connection sensitivity", 2019 (arXiv 1810.02340).

    Direction: higher is better. Cost: one forward and backward of the minibatch. Data: images and labels.
    """

    name = "snip"
    version = DRAWN_BY_LAYER
    needs = GRADIENT

    def layer_values(self, passes: Passes) -> Tensor:
        return per_layer([(w * g).abs() for w, g in zip(passes.weights, passes.loss.gradients, strict=True)])


class Plain(LayerwiseProxy):
    r"""Signed sensitivity, :math:`\sum \theta \cdot g`.

    Abdelfattah et al., "Zero-cost proxies for lightweight NAS", 2021 (arXiv 2101.08134).

    Direction: higher is better, by convention; its correlations are small and often negative. A convolution followed
    by BatchNorm in training mode does not change the loss when its weights are scaled, so its term is round-off: what
    remains is the classifier's. Cost: one forward and backward of the minibatch. Data: images and labels.
    """

    name = "plain"
    version = DRAWN_BY_LAYER
    needs = GRADIENT

    def layer_values(self, passes: Passes) -> Tensor:
        return per_layer(
            [(w.double() * g.double()) for w, g in zip(passes.weights, passes.loss.gradients, strict=True)]
        )


class L2Norm(LayerwiseProxy):
    r"""Sum over layers of the L2 norm of the freshly initialised weights, :math:`\sum_l \|\theta_l\|_2`.

    Abdelfattah et al., "Zero-cost proxies for lightweight NAS", 2021 (arXiv 2101.08134).

    Direction: higher is better. It counts layers and widths, no more. Cost: the initialisation. Data: none.
    """

    name = "l2_norm"
    version = DRAWN_BY_LAYER
    needs = Need.NOTHING

    def layer_values(self, passes: Passes) -> Tensor:
        return per_layer([weight.norm() for weight in passes.weights])


class Fisher(LayerwiseProxy):
    r"""Fisher information of the activations, :math:`\sum_c \frac12 \overline{(\sum_p a_{cp}\, g_{cp})^2}` a channel.

    Turner et al., "BlockSwap", 2020 (arXiv 1906.04113), as Abdelfattah et al. 2021 use it: a channel counts as often
    as it has weights (input channels a group times the kernel's area).

    Direction: higher is better. Cost: one forward and backward of the minibatch. Data: images and labels.
    """

    name = "fisher"
    version = DRAWN_BY_LAYER
    needs = GRADIENT | Need.OUTPUTS

    def layer_values(self, passes: Passes) -> Tensor:
        values = torch.zeros(len(passes.layers), dtype=torch.float64)
        layers = list(passes.layers.values())
        for place, output in passes.loss.outputs.items():
            products = output * passes.loss.output_gradients[place]  # (B, C, H, W), (B, tokens, C) or (B, C)
            if products.ndim == 3:
                products = products.transpose(1, 2)
            of_channel = products.flatten(2).sum(dim=2) if products.ndim > 2 else products
            saliency = of_channel.double().square().mean(dim=0).sum() / 2
            values[place] = saliency.cpu() * layers[place].weight[0].numel()
        return values


class Grasp(LayerwiseProxy):
    r"""Gradient signal preservation, :math:`\sum -\theta \cdot (H g)`.

    Wang et al., "Picking winning tickets before training by preserving gradient flow", 2020 (arXiv 2002.07376).

    Direction: higher is better. For a convolution followed by BatchNorm in training mode :math:`H\theta = -g`, so its
    layers together give their squared gradient norm. Cost: a forward, a backward and a second backward through it.
    Data: images and labels.
    """

    name = "grasp"
    version = DRAWN_BY_LAYER
    needs = GRADIENT | Need.HESSIAN

    def layer_values(self, passes: Passes) -> Tensor:
        if passes.loss.hessian_failure is not None:
            raise ProxyError(passes.loss.hessian_failure)
        products = zip(passes.weights, passes.loss.hessian_gradients, strict=True)
        return per_layer([-(weight * product) for weight, product in products])
