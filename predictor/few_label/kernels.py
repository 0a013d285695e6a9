r"""The covariance of two architectures, from the distances of their inputs group by group.

.. math:: k(x, x') = \sum_g a_g\, M_{5/2}\!\left(\frac{d_g}{l_g}\right)
          + p \exp\!\Bigl(-\frac12 \sum_g \frac{d_g^2}{m_g^2}\Bigr) + \sum_s b_s\, s s' + c, \qquad
    M_{5/2}(r) = \Bigl(1 + \sqrt5 r + \frac53 r^2\Bigr) e^{-\sqrt5 r}

:math:`d_g` is the distance in group g, :math:`M_{5/2}` the Matern kernel (Rasmussen and Williams 2006, chapter 4), s a
zero-shot score. The sum lets each group speak alone, so that one that
says nothing is turned off; the product lets them speak together; the line keeps what the zero-shot score says where
labels are far away; the constant is an unknown mean.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

_ROOT = np.sqrt(5.0)


@dataclass(frozen=True)
class Pairs:
    """What the kernel knows of pairs of architectures.

    Parameters
    ----------
    squares
        (G, A, N) squared distances, group by group.
    lines
        (L, A, N) products of zero-shot scores.
    """

    squares: Values
    lines: Values

    def taken(self, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> Pairs:
        """The pairs of some architectures with some others."""
        index = np.ix_(rows, columns)
        return Pairs(_stacked(self.squares, index), _stacked(self.lines, index))


@dataclass(frozen=True)
class Layout:
    """Where each hyper-parameter, a logarithm, stands: G groups, L lines."""

    groups: int
    lines: int

    @property
    def size(self) -> int:
        """Amplitudes and lengths of the sum, amplitude and lengths of the product, lines, constant."""
        return 3 * self.groups + self.lines + 2

    def parts(self, theta: Values) -> tuple[Values, Values, float, Values, Values, float]:
        """Amplitudes, lengths, the product's amplitude and lengths, the lines' amplitudes, the constant."""
        g, values = self.groups, np.exp(theta)
        widths, lines = values[2 * g + 1 : 3 * g + 1], values[3 * g + 1 : -1]
        return values[:g], values[g : 2 * g], values[2 * g], widths, lines, values[-1]


def covariance(theta: Values, pairs: Pairs) -> Values:
    """(A, N) covariances."""
    layout = Layout(len(pairs.squares), len(pairs.lines))
    amplitudes, lengths, product, widths, lines, constant = layout.parts(theta)
    total = np.full(pairs.squares.shape[1:], constant)
    exponent = np.zeros_like(total)
    for square, amplitude, length, width in zip(pairs.squares, amplitudes, lengths, widths, strict=True):
        scaled = _ROOT / length * np.sqrt(square)
        total += amplitude * (1.0 + scaled + scaled * scaled / 3.0) * np.exp(-scaled)
        exponent += square * (0.5 / width**2)
    total += product * np.exp(-exponent)
    for line, amplitude in zip(pairs.lines, lines, strict=True):
        total += amplitude * line
    return total


def variances(theta: Values, scores: Values) -> Values:
    """(A,) the covariance of each architecture with itself; `scores` are (L, A)."""
    layout = Layout((len(theta) - 2 - len(scores)) // 3, len(scores))
    amplitudes, _, product, _, lines, constant = layout.parts(theta)
    return np.asarray(amplitudes.sum() + product + constant + lines @ scores**2)


def derivatives(theta: Values, pairs: Pairs) -> Iterator[Values]:
    """(A, N) the derivative of the covariance by each hyper-parameter, in their order."""
    layout = Layout(len(pairs.squares), len(pairs.lines))
    amplitudes, lengths, product, widths, lines, constant = layout.parts(theta)
    by_length = []
    for square, amplitude, length in zip(pairs.squares, amplitudes, lengths, strict=True):
        scaled = _ROOT / length * np.sqrt(square)
        decay = amplitude * np.exp(-scaled)
        yield (1.0 + scaled + scaled * scaled / 3.0) * decay
        by_length.append(scaled * scaled * (1.0 + scaled) / 3.0 * decay)
    yield from by_length
    exponent = np.einsum("gan,g->an", pairs.squares, 0.5 / widths**2)
    together = product * np.exp(-exponent)
    yield together
    for square, width in zip(pairs.squares, widths, strict=True):
        yield together * square / width**2
    for line, amplitude in zip(pairs.lines, lines, strict=True):
        yield amplitude * line
    yield np.full(pairs.squares.shape[1:], constant)


def _stacked(values: Values, index: tuple[NDArray[np.intp], ...]) -> Values:
    shape = (len(values), index[0].size, index[1].size)
    return np.stack([one[index] for one in values]) if len(values) else np.empty(shape)
