"""What the graph of a traced network leaves out: the shapes, windows and costs of its nodes as rows of a table."""

from __future__ import annotations

import pyarrow as pa

from catalog.architecture.computation.graph import ComputationGraph
from catalog.message import visible
from ingest.reading.batch import ATTRIBUTE_SCHEMA


def node_attributes(network: ComputationGraph, row: int = 0) -> pa.Table:
    """The attributes of a network's nodes as a table in `ingest.reading.batch.ATTRIBUTE_SCHEMA`."""
    nodes = [node.primitive for node in network.nodes]
    columns = {
        "row": [row] * len(nodes),
        "form": ["native"] * len(nodes),
        "cell": [network.cell().name] * len(nodes),
        "position": range(len(nodes)),
        "name": [visible(node.name) for node in network.nodes],
        "shape": [node.shape for node in network.nodes],
        "kernel": [node.kernel for node in nodes],
        "stride": [node.stride for node in nodes],
        "groups": [node.groups for node in nodes],
        "parameters": [node.parameters for node in network.nodes],
        "multiply_accumulates": [node.multiply_accumulates for node in nodes],
        "settings": [node.settings or None for node in network.nodes],
    }
    return pa.table([pa.array(columns[item.name], item.type) for item in ATTRIBUTE_SCHEMA], schema=ATTRIBUTE_SCHEMA)
