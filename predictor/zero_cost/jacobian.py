"""How differently the images of a minibatch pull on the logits: correlations of input gradients."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from catalog.errors import ProxyError
from predictor.zero_cost.passes import Need, Passes
from predictor.zero_cost.proxy import DRAWN_BY_LAYER, LayeredProxy, Proxy, compared_images

_SMALL = 1e-5  # k of both papers: keeps the logarithm finite


class JacobianCovariance(LayeredProxy):
    r"""Diversity of the images' input gradients, :math:`-\sum_i \log(v_i + k) + 1/(v_i + k)`, k = 1e-5.

    :math:`v` are the eigenvalues of the correlation matrix of the rows :math:`J_n = \partial \sum y / \partial x_n`.
    Mellor et al., "Neural architecture search without training", first version, 2020 (arXiv 2006.04647v1).

    Direction: higher is better. Cost: one forward, and a backward to the images alone. Data: at least two images. A
    layer is a ReLU, and its value the same formula of the gradients with respect to what goes into it: the score of the
    part of the network behind; these do not add up to the score.
    """

    name = "jacov"
    version = DRAWN_BY_LAYER
    needs = Need.FORWARD | Need.JACOBIAN
    layer_needs = Need.ACTIVATIONS

    def measure(self, passes: Passes) -> float:
        compared_images(passes)
        return _diversity(_jacobian(passes))

    def layer_parts(self, passes: Passes) -> dict[str, float | None]:
        compared_images(passes)
        found: dict[str, float | None] = {}
        for name, gradients in passes.loss.activation_gradients.items():
            try:
                found[name] = _diversity(np.asarray(gradients.cpu().double().numpy()))
            except ProxyError:  # an image's gradient is the same for all neurons
                found[name] = None
        return found


class EPENAS(Proxy):
    r"""Correlation of input gradients within each class, :math:`\sum_c |\sum_{ij} \log(|\rho^c_{ij}| + k)|`.

    Lopes et al., "EPE-NAS: Efficient performance estimation without training for NAS", 2021 (arXiv 2102.08099).

    Direction: higher is better. Cost: that of ``jacov``, which it shares. Data: images and labels; with fewer than two
    images of every class it says nothing, and more of them make it steadier.
    """

    name = "epe_nas"
    version = DRAWN_BY_LAYER
    needs = Need.FORWARD | Need.JACOBIAN

    def measure(self, passes: Passes) -> float:
        jacobian = _jacobian(passes)
        labels = passes.batches[0].labels.cpu().numpy()
        classes = [jacobian[labels == label] for label in np.unique(labels)]
        if all(len(rows) < 2 for rows in classes):
            raise ProxyError("no class has two images in the minibatch; use a larger one")
        logarithms = [np.log(np.abs(_correlations(rows)) + _SMALL).sum() for rows in classes]
        return float(np.abs(logarithms).sum())


def _diversity(rows: NDArray[np.float64]) -> float:
    """The score of the gradients of each image, (B, numbers)."""
    eigenvalues = np.linalg.eigvalsh(_correlations(rows)) + _SMALL
    return -float(np.sum(np.log(eigenvalues) + 1.0 / eigenvalues))


def _jacobian(passes: Passes) -> NDArray[np.float64]:
    jacobian = passes.loss.jacobian
    assert jacobian is not None  # the proxy's needs ask for it
    return np.asarray(jacobian.cpu().double().numpy())


def _correlations(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    centred = rows - rows.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(centred, axis=1, keepdims=True)
    if not np.all(lengths > 0):
        raise ProxyError("an image has the same gradient in every pixel, so it correlates with nothing")
    unit = centred / lengths
    return np.asarray(unit @ unit.T)
