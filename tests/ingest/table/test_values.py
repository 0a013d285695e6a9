"""Cells as numbers: every number that is written comes out as it is, whatever its text looks like."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from ingest.table.mapping import ProxyColumn, TableMapping, mapping_of, read_mapping
from ingest.table.rows import Rows
from ingest.table.values import Values

NUMBERS = st.floats(allow_nan=False) | st.integers(-(2**53), 2**53)


@given(st.lists(NUMBERS, min_size=1, max_size=30), st.booleans())
def test_every_number_comes_out(numbers: list[float], as_text: bool) -> None:
    cells = [repr(number) for number in numbers] if as_text else numbers
    rows = Rows("mine.csv", {"x": cells}, [f"line {place}" for place in range(len(cells))], "")
    owners = [f"a{place}" for place in range(len(cells))]
    values = Values(rows, owners, [ProxyColumn("x", "x")])
    _, scores = values.tables({owner: place for place, owner in enumerate(owners)})
    found = dict(zip(scores["row"].to_pylist(), scores["value"].to_pylist(), strict=True))
    assert [found[place] for place in range(len(cells))] == [n if math.isfinite(n) else None for n in numbers]


TEXTS = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=20)


@given(
    st.dictionaries(TEXTS, st.tuples(TEXTS, st.sampled_from(["higher", "lower", None])), max_size=4),
    st.none() | TEXTS.filter(lambda text: text.isalnum()),
)
def test_a_mapping_that_is_written_is_read(columns: dict[str, tuple[str, str | None]], source: str | None) -> None:
    from unicodedata import normalize

    said = {normalize("NFC", name): {"metric": "x", "direction": way, "device": normalize("NFC", device)}
            for name, (device, way) in columns.items()}  # fmt: skip
    mapping = mapping_of({"source": None if source is None else normalize("NFC", source), "columns": said}, "here")
    assert read_mapping(mapping.to_toml(), "there") == mapping
    assert isinstance(mapping, TableMapping)
