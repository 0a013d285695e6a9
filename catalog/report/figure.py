"""Figures of a page: plotly's specification in a compact form that the page's script completes and draws.

A specification holds data and layout as plotly means them, with two additions that ``figures.js`` resolves. A colour
may be a name such as ``"series-1"`` or ``"ink"``, which becomes the page's colour, light or dark. A trace of the type
``"hexbin"`` holds centres and counts and becomes hexagons. Arrays travel as base64 of 32-bit floats.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

Specification = dict[str, Any]

HEIGHT = 420

_LARGEST = 1e38  # four bytes hold little more


@dataclass(frozen=True)
class Figure:
    """One figure.

    Parameters
    ----------
    identifier
        Of its element on the page; see `catalog.report.table.slug`.
    title, caption
        What it shows, and how to read it.
    alternative
        What it says, for people who do not see it.
    specification
        ``data`` and ``layout`` as the module says.
    height
        In pixels.
    """

    identifier: str
    title: str
    caption: str
    alternative: str
    specification: Specification
    height: int = HEIGHT


@dataclass(frozen=True)
class Chooser:
    """One list of a `Choice`.

    Parameters
    ----------
    name
        Lists of one name on a page always show the same option.
    label
        What is written before it.
    options
        What can be chosen.
    is_shown
        Whether it stands beside the figure; a list that the whole page follows stands elsewhere.
    """

    name: str
    label: str
    options: tuple[str, ...]
    is_shown: bool = True


@dataclass(frozen=True)
class Choice:
    """Figures of which one is shown, chosen from lists.

    Parameters
    ----------
    identifier, title, caption, height
        As in `Figure`.
    choosers
        The lists, in the order in which their options key `figures`.
    figures
        Option numbers (one a list) to the figure; a combination that has none is said to have none.
    is_wide
        Whether a narrow screen shows it in a frame that scrolls sideways instead of narrowing it.
    """

    identifier: str
    title: str
    caption: str
    choosers: tuple[Chooser, ...]
    figures: Mapping[tuple[int, ...], Figure]
    height: int = HEIGHT
    is_wide: bool = False

    @property
    def specification(self) -> Specification:
        """All figures under their option numbers, with their text alternatives."""
        return {
            " ".join(map(str, key)): {"alternative": figure.alternative, **figure.specification}
            for key, figure in self.figures.items()
        }


def packed(values: ArrayLike) -> dict[str, str]:
    """Numbers as plotly reads them from base64, four bytes each where those hold them; what is not known is NaN."""
    array = np.asarray(values, dtype=np.float64)
    largest = np.abs(array[np.isfinite(array)]).max(initial=0)
    kind = "f4" if largest < _LARGEST else "f8"
    return {"dtype": kind, "bdata": base64.b64encode(array.astype(f"<{kind}").tobytes()).decode()}


def packed_numbers(values: ArrayLike) -> dict[str, str]:
    """Whole numbers in as few bytes as they need."""
    array = np.asarray(values, dtype=np.int64)
    largest = int(array.max(initial=0))
    kind = "i4" if largest >= 1 << 16 or array.min(initial=0) < 0 else "u2" if largest >= 1 << 8 else "u1"
    return {"dtype": kind, "bdata": base64.b64encode(array.astype(f"<{kind}").tobytes()).decode()}


def words(text: object) -> str:
    """A name for a label of a figure: plotly reads some markup in its texts, and names may hold any character."""
    return escape(str(text), quote=False)


def axis(title: str, **settings: Any) -> dict[str, Any]:
    """An axis with its title."""
    return {"title": {"text": words(title)}, **settings}


def layout(horizontal: Mapping[str, Any], vertical: Mapping[str, Any], **settings: Any) -> dict[str, Any]:
    """A layout with two axes."""
    return {"xaxis": dict(horizontal), "yaxis": dict(vertical), **settings}


def listed(names: Sequence[str], limit: int = 5) -> str:
    """Names as a phrase: ``a, b and c``; beyond `limit` their number."""
    shown = list(names[:limit])
    if len(names) > limit:
        return f"{', '.join(shown)} and {len(names) - limit} more"
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}" if shown else "none"
