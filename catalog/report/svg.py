"""Drawings of architectures as parts of a page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from markupsafe import Markup

from catalog.architecture.drawing import draw_svg

if TYPE_CHECKING:
    from catalog.architecture.graph import ArchitectureGraph

_SIZE = re.compile(r'width="(\d+)" height="(\d+)" ')


def picture(graph: ArchitectureGraph, form: str = "native", *, tallest: int | None = None) -> Markup:
    """An architecture's drawing for a template: never larger than its own size, smaller where there is less room.

    Parameters
    ----------
    graph
        The architecture, in native form.
    form
        ``native`` draws it as it is, ``canonical`` draws what it computes.
    tallest
        Largest height in pixels; a deeper graph is drawn smaller. None for no limit.
    """
    drawing = draw_svg(graph, form).strip()
    size = _SIZE.search(drawing)
    assert size is not None
    width, height = int(size[1]), int(size[2])
    if tallest is not None and height > tallest:
        width, height = round(width * tallest / height), tallest
    style = f'style="width: 100%; max-width: {width}px; height: auto; max-height: {height}px" '
    return Markup(_SIZE.sub(style, drawing, count=1))  # draw_svg escapes every name
