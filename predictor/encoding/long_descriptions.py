"""What a predictor does not see: the ends of descriptions that are longer than the encoder reads."""

from __future__ import annotations

from predictor.door import Given
from predictor.door.predictor import Form
from predictor.encoding.embedding import cut_short
from predictor.encoding.encoder import Encoder


def remarks_on_descriptions(given: Given, form: Form, style: str, encoder: Encoder) -> list[str]:
    """Sentences for the user about operators in graphs of a form whose descriptions the encoder reads in part only."""
    if cut_short(given.vocabulary, style, encoder) is None:
        return []
    found = {name for graph in given.forms[form].graphs for cell in graph.cells for name in cell.operators}
    remark = cut_short([one for one in given.vocabulary if one.name in found], style, encoder)
    return [] if remark is None else [remark]
