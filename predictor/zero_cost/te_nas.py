"""TE-NAS: trainability from the neural tangent kernel, expressivity from linear regions."""

from __future__ import annotations

import torch

from catalog.errors import ProxyError
from predictor.zero_cost.activations import distinct_rows
from predictor.zero_cost.passes import Need, Passes
from predictor.zero_cost.proxy import DRAWN_BY_LAYER, Proxy, compared_images


class NTKCondition(Proxy):
    r"""Condition number of the neural tangent kernel, :math:`\lambda_{max}/\lambda_{min}` of :math:`G G^\top`.

    Row n of :math:`G` is the gradient of image n's summed logits with respect to all convolution and linear weights.
    Chen et al., "Neural architecture search on ImageNet in four GPU hours", 2021 (arXiv 2102.11535).

    Direction: lower is better. Cost: one forward, and a backward for each of at most 16 images. Data: at least two
    images; of networks of more than 8 million weights the gradients of 16 images are too large.
    """

    name = "ntk_cond"
    version = DRAWN_BY_LAYER
    needs = Need.SAMPLES
    direction = -1

    def measure(self, passes: Passes) -> float:
        compared_images(passes)
        gradients = passes.sample_gradients.double()
        eigenvalues = torch.linalg.eigvalsh(gradients @ gradients.T)
        if float(eigenvalues[0]) <= 0:
            raise ProxyError("the smallest eigenvalue of the neural tangent kernel is not positive")
        return float(eigenvalues[-1] / eigenvalues[0])


class LinearRegions(Proxy):
    """Number of linear regions that 1,000 noise images of 3x3 pixels fall into, in the thinnest network of the cell.

    Chen et al., "Neural architecture search on ImageNet in four GPU hours", 2021 (arXiv 2102.11535).

    Direction: higher is better. Cost: one forward of tiny images. Data: none. At most 1,000. A network that states its
    own channels has no thinner form, and no score.
    """

    name = "linear_regions"
    version = DRAWN_BY_LAYER
    needs = Need.REGIONS

    def measure(self, passes: Passes) -> float:
        return float(distinct_rows(torch.cat(passes.region_codes, dim=1).cpu().numpy()))
