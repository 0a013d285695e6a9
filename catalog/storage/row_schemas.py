"""The Arrow types of rows on their way into ``metric`` and ``score``, for whoever writes them."""

from __future__ import annotations

import pyarrow as pa

METRIC_FIELDS = (
    ("name", pa.string()),
    ("kind", pa.string()),
    ("dataset", pa.string()),
    ("split", pa.string()),
    ("epochs", pa.int32()),
    ("stage", pa.string()),
    ("device", pa.string()),
    ("seed", pa.int32()),
    ("repeat", pa.int16()),
    ("value", pa.float64()),
)
"""The table ``metric`` without the keys of architecture and source."""

SCORE_FIELDS = (
    ("input", pa.string()),
    ("seed", pa.int32()),
    ("value", pa.float64()),
    ("status", pa.string()),
    ("reason", pa.string()),
    ("seconds", pa.float64()),
)
"""The table ``score`` without the keys of architecture, proxy, source and run."""
