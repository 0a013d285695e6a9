"""Bits of a file turned over and its end cut off."""

from __future__ import annotations

from pathlib import Path

from hypothesis import strategies as st

from catalog.errors import IngestError
from ingest.model.attributes import node_attributes
from ingest.model.onnx_reading import read_onnx


def check_damaged(data: st.DataObject, content: bytes, folder: Path) -> None:
    """A damaged file is refused with an error of ours, or gives a whole graph."""
    damaged = bytearray(content)
    for _ in range(data.draw(st.integers(1, 5))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path = folder / "damaged.onnx"
    path.write_bytes(bytes(damaged[: data.draw(st.integers(0, len(damaged)))]))
    try:
        traced = read_onnx(path)
    except IngestError:
        return
    assert len(node_attributes(traced)) == len(traced.nodes)
    assert len(traced.graph("mine").digest) == 32
