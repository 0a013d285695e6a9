"""Drawings of architectures: characters for the terminal, SVG for pages and papers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from html import escape

from catalog.architecture.graph import ArchitectureGraph, CellGraph, Edge
from catalog.architecture.layout import Layout, Point, layered_layout
from catalog.architecture.operators import Operator, Vocabulary
from catalog.architecture.sizes import Size, pair
from catalog.errors import UsageError

# ---------------------------------------------------------------------------------------------- text


def draw_text(graph: ArchitectureGraph, form: str = "native") -> str:
    """Draw an architecture with characters: a row a node, a rail down from each node to those it feeds.

    ``├`` and ``┼`` leave or join a rail, ``│`` crosses it, ``×2`` after a junction is a doubled edge (x + x).

    Parameters
    ----------
    graph
        The architecture, in native form.
    form
        ``native`` draws it as it is, ``canonical`` draws what it computes.
    """
    cells = _in_form(graph, form).cells
    ends = [f"whole network: {_ends(graph)}"] if graph.input is not None else []
    return "\n\n".join([*ends, *("\n".join((_caption(cell), *_rows(cell))) for cell in cells)]) + "\n"


def _in_form(graph: ArchitectureGraph, form: str) -> ArchitectureGraph:
    if form not in ("native", "canonical"):
        raise UsageError(f"unknown form {form!r}; a graph has the forms native and canonical.")
    return graph.canonical if form == "canonical" else graph


def _ends(graph: ArchitectureGraph) -> str:
    """What a whole network takes and gives."""
    head = "" if graph.classes is None else f", {graph.classes:,} classes"
    return ("" if graph.input is None else graph.input.words) + head


def _caption(cell: CellGraph) -> str:
    counts = f"{cell.name}: {_counted(cell.node_count, 'node')}, {_counted(len(cell.edges), 'edge')}"
    counts += f", {cell.repeats} times in a row" if cell.repeats != 1 else ""
    return counts if cell.depth() else f"{counts}, no path from input to output"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _rows(cell: CellGraph) -> Iterator[str]:
    step = max(len(_times(multiplicity)) for _, _, multiplicity in [(0, 0, 1), *cell.edges]) + 3
    last_use = {source: target for source, target, _ in sorted(cell.edges, key=lambda edge: edge[1])}
    for node, operator in enumerate(cell.operators):
        feeding = {source: multiplicity for source, target, multiplicity in cell.edges if target == node}
        first = min(feeding, default=node)
        row = ""
        for column in range(node):
            open_rail = column in last_use and last_use[column] >= node
            joined = column >= first
            if column in feeding:
                ends = last_use[column] == node
                corner = ("└" if ends else "├") if column == first else ("┴" if ends else "┼")
                row += (corner + _times(feeding[column])).ljust(step, "─")
            elif open_rail:
                row += "│".ljust(step, "─" if joined else " ")
            else:
                row += ("─" if joined else " ") * step
        if feeding:
            row = row[:-1] + "▸"
        size = cell.size(node)
        yield f"{row}● {operator}" + (f"  {size.words}" if size else "")


def _times(multiplicity: int) -> str:
    return f"×{multiplicity}" if multiplicity > 1 else ""


# ----------------------------------------------------------------------------------------------- SVG

_NODE_HEIGHT = 26.0
_LAYER_HEIGHT = 62.0
_GAP = 18.0
_MARGIN = 14.0
_TITLE_HEIGHT = 26.0
_CELL_GAP = 40.0
_ARROW = 7.0
_PORT_GAP = 14.0

# Fills are light enough for dark text, and lines grey enough for a white or a black page.
_FILLS = {
    "input": "#cbd5e1",
    "output": "#cbd5e1",
    "pool": "#86d9a5",
    "skip": "#fcd34d",
    "none": "#e2e8f0",
    "merge": "#d8b4fe",
}
_CONVOLUTION_FILLS = {  # by window: the larger, the darker
    "plain": {1: "#b3dcff", 3: "#6cb4f5", 5: "#4f9de8"},
    "depthwise": {1: "#c7d2fe", 3: "#a5b4fc", 5: "#8b9cf7"},
    "dilated": {1: "#b5f0ee", 3: "#76dbe0", 5: "#4cc3cc"},
}
_FAMILY_FILLS = ("#fda4af", "#f9a8d4", "#fdba74", "#bef264", "#67e8f9", "#e7c9a9", "#99f6e4")
_LINE = "#7c8799"
_INK = "#0f172a"
_FONT = "ui-sans-serif, system-ui, 'Helvetica Neue', Arial, sans-serif"


def draw_svg(graph: ArchitectureGraph, form: str = "native") -> str:
    """Draw an architecture as a self-contained SVG picture, its cells side by side and data flowing downwards.

    The background is transparent and the lines are readable on a light and a dark page. Fills tell operators apart:
    convolutions are blue, depthwise ones indigo and dilated ones turquoise, darker the larger their window; pooling is
    green, a skip yellow, merging violet, and each family of a user's own operators has its own colour.

    Parameters
    ----------
    graph
        The architecture, in native form.
    form
        ``native`` draws it as it is, ``canonical`` draws what it computes.
    """
    cells = _in_form(graph, form).cells
    pictures = [_cell_picture(cell, graph.vocabulary) for cell in cells]
    width = sum(picture_width for picture_width, _, _ in pictures) + _CELL_GAP * (len(pictures) - 1) + 2 * _MARGIN
    height = max(picture_height for _, picture_height, _ in pictures) + 2 * _MARGIN
    parts = []
    left = _MARGIN
    for picture_width, _, body in pictures:
        parts.append(f'<g transform="translate({left:g} {_MARGIN:g})">\n{body}\n</g>')
        left += picture_width + _CELL_GAP
    told = [] if graph.input is None else [_ends(graph)]
    label = escape(f"{graph.space}: " + "; ".join([*told, *(_caption(cell) for cell in cells)]))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{label}" width="{width:.0f}" '
        f'height="{height:.0f}" viewBox="0 0 {width:.1f} {height:.1f}" font-family="{escape(_FONT)}" font-size="12" '
        f'text-anchor="middle">\n<title>{label}</title>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _cell_picture(cell: CellGraph, vocabulary: Vocabulary) -> tuple[float, float, str]:
    """Width, height and elements of one cell."""
    operators = [vocabulary[name] for name in cell.operators]
    sizes = [cell.size(node) for node in range(cell.node_count)]
    labels = [node_label(*node) for node in zip(cell.operators, sizes, strict=True)]
    widths = [_node_width(label) for label in labels]
    inputs = {node for node, operator in enumerate(operators) if operator.kind == "input"}
    layout = layered_layout(cell, widths, inputs, layer_height=_LAYER_HEIGHT, gap=_GAP)
    title = " ".join(filter(None, (cell.name, _times(cell.repeats))))
    title_width = 7.0 * len(title)
    width = max(layout.width, title_width)
    elements = [
        f'<text x="{width / 2:.1f}" y="14" font-weight="600" fill="{_LINE}">{escape(title)}</text>',
        f'<g transform="translate({(width - layout.width) / 2:.1f} {_TITLE_HEIGHT:g})">',
        *_edge_elements(cell, layout, widths),
        *(_node_element(*node) for node in zip(operators, labels, sizes, layout.centres, widths, strict=True)),
        "</g>",
    ]
    return width, layout.height + _TITLE_HEIGHT, "\n".join(elements)


def node_label(operator: str, size: Size | None) -> str:
    """The operator's name and the few facts that a small picture has room for; the rest is in its title."""
    if size is None:
        return operator
    window = "" if size.kernel is None else "x".join(map(str, pair(size.kernel)))
    strides = "" if size.stride is None else f"/{'x'.join(map(str, dict.fromkeys(pair(size.stride))))}"
    channels = "" if size.channels is None else f"{size.channels:g}"
    times = "" if size.repeats is None else _times(size.repeats)
    return " ".join(filter(None, (operator, window + strides, channels, times)))


def _node_width(label: str) -> float:
    return max(34.0, 6.9 * len(label) + 18.0)


def _node_element(operator: Operator, label: str, size: Size | None, centre: Point, width: float) -> str:
    x, y = centre
    corner = _NODE_HEIGHT / 2 if operator.kind in ("input", "output", "merge") else 6.0
    dashes = ' stroke-dasharray="3 3"' if operator.is_zero else ""
    title = operator.medium if size is None else f"{operator.medium}: {size.words}"
    return (
        f'<g><title>{escape(title)}</title><rect x="{x - width / 2:.1f}" y="{y - _NODE_HEIGHT / 2:.1f}" '
        f'width="{width:.1f}" height="{_NODE_HEIGHT:g}" rx="{corner:g}" fill="{_fill(operator, size)}" stroke="{_LINE}"'
        f'{dashes}/><text x="{x:.1f}" y="{y + 4:.1f}" fill="{_INK}">{escape(label)}</text></g>'
    )


def _fill(operator: Operator, size: Size | None) -> str:
    if operator.kind == "conv":
        said = operator.sized(size)
        family = "dilated" if (said.dilation or 1) > 1 else "depthwise" if operator.depthwise else "plain"
        window = max(pair(said.kernel or 3))
        return _CONVOLUTION_FILLS[family][1 if window == 1 else 5 if window > 3 else 3]
    if operator.kind in _FILLS:
        return _FILLS[operator.kind]
    return _FAMILY_FILLS[hashlib.sha256(operator.kind.encode()).digest()[0] % len(_FAMILY_FILLS)]


def _edge_elements(cell: CellGraph, layout: Layout, widths: list[float]) -> Iterator[str]:
    ports = _ports(cell, layout, widths)
    for edge in cell.edges:
        source, target, multiplicity = edge
        leave, enter = ports[edge]
        points = [(leave, layout.centres[source][1]), *layout.routes[edge][1:-1], (enter, layout.centres[target][1])]
        end = points[-1][1] - _NODE_HEIGHT / 2
        stroke = 1.4 if multiplicity == 1 else 2.6
        yield f'<path d="{_curve(points)}" fill="none" stroke="{_LINE}" stroke-width="{stroke:g}"/>'
        yield (f'<path d="M{enter:.1f},{end:.1f} l{-_ARROW / 2:g},{-_ARROW:g} h{_ARROW:g} z" fill="{_LINE}"/>')
        if multiplicity > 1:
            middle = len(points) // 2
            x = (points[middle - 1][0] + points[middle][0]) / 2
            y = (points[middle - 1][1] + points[middle][1]) / 2
            yield (
                f'<rect x="{x - 12:.1f}" y="{y - 8:.1f}" width="24" height="15" rx="7.5" fill="{_LINE}"/>'
                f'<text x="{x:.1f}" y="{y + 3.5:.1f}" font-size="10" fill="#ffffff">{_times(multiplicity)}</text>'
            )


def _ports(cell: CellGraph, layout: Layout, widths: list[float]) -> dict[Edge, tuple[float, float]]:
    """Where each edge leaves its source and enters its target: side by side in the order of their other ends."""
    leaving: dict[Edge, float] = {}
    entering: dict[Edge, float] = {}
    for node, (x, _) in enumerate(layout.centres):
        outgoing = sorted((e for e in cell.edges if e[0] == node), key=lambda e: layout.routes[e][1][0])
        incoming = sorted((e for e in cell.edges if e[1] == node), key=lambda e: layout.routes[e][-2][0])
        for edges, places in ((outgoing, leaving), (incoming, entering)):
            step = min(_PORT_GAP, (widths[node] - 16.0) / max(len(edges), 1))
            for index, edge in enumerate(edges):
                places[edge] = x + (index - (len(edges) - 1) / 2) * step
    return {edge: (leaving[edge], entering[edge]) for edge in cell.edges}


def _curve(points: list[Point]) -> str:
    """A path through the centres of layers: straight beside nodes, bent in the space between layers."""
    half = _NODE_HEIGHT / 2
    x, y = points[0]
    path = f"M{x:.1f},{y + half:.1f}"
    for index, (next_x, next_y) in enumerate(points[1:], 1):
        last = index == len(points) - 1
        start, end = y + half, next_y - half - (_ARROW - 1 if last else 0)
        middle = (start + end) / 2
        path += f" C{x:.1f},{middle:.1f} {next_x:.1f},{middle:.1f} {next_x:.1f},{end:.1f}"
        if not last:
            path += f" V{next_y + half:.1f}"
        x, y = next_x, next_y
    return path
