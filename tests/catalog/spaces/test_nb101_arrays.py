"""Tables of modules as arrays, and the first wrong row by its number."""

from __future__ import annotations

from typing import NoReturn

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.architecture.graph import CellGraph
from catalog.errors import IdentifierError
from catalog.spaces import nb101_identifiers
from catalog.spaces.nb101_arrays import read_arrays
from tests.catalog.spaces.nb101_specs import modules


@given(st.lists(modules(), max_size=12))
def test_every_row_comes_back_where_it_stood(cells: list[CellGraph]) -> None:
    columns = [nb101_identifiers.format_compact(cell).split(":") for cell in cells]
    parts = read_arrays([bits for bits, _ in columns], [operators or None for _, operators in columns])
    found = {row: part.cells.cell(place) for part in parts for place, row in enumerate(part.rows.tolist())}
    assert [found[row] for row in range(len(cells))] == cells
    assert [part.cells.operators.shape[1] for part in parts] == sorted({cell.node_count for cell in cells})


GOOD = ("010001000", "0")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (("01000", ""), "5 digits"),
        (("0" * 64, "000000"), "64 digits"),
        (("01x001000", "0"), "other than 0 and 1"),
        (("010002000", "0"), "other than 0 and 1"),
        (("010001000", "3"), "need 1 operators"),
        (("010001000", ""), "need 1 operators"),
        (("010001000", "00"), "need 1 operators"),
        (("010001000", "²"), "need 1 operators"),
        (("010001100", "0"), "upper triangular"),
        (("001000000", "0"), "on no path"),
        (("0000", None), "on no path"),
        (("0111110" + "0011000" + "0001100" + "0000001" + "0000001" + "0000001" + "0" * 7, "00000"), "more than 9"),
    ],
)
def test_a_wrong_row_is_named_with_the_reason(row: tuple[str, str | None], reason: str) -> None:
    bits, operators = zip(GOOD, row, GOOD, row, strict=True)
    with pytest.raises(IdentifierError, match=rf"^row 1: .*({reason})"):
        read_arrays(bits, operators)


def test_the_caller_words_the_error() -> None:
    def fail(row: int, what: str) -> NoReturn:
        raise ValueError(f"line {row + 2}: {what}")

    with pytest.raises(ValueError, match=r"^line 3: the adjacency matrix is not upper triangular\.$"):
        read_arrays(["0100", "0110"], ["", ""], fail)


def test_the_first_wrong_row_of_the_table_wins_over_smaller_modules() -> None:
    with pytest.raises(IdentifierError, match="^row 0: .*upper"):
        read_arrays(["010001100", "0000"], ["0", ""])


def test_no_rows_make_no_parts() -> None:
    assert read_arrays([], []) == []
    assert [part.rows.tolist() for part in read_arrays(["0100", "0100"], ["", None])] == [[0, 1]]
    assert np.array_equal(read_arrays(["0100"], [""])[0].cells.operators, [[3, 4]])
