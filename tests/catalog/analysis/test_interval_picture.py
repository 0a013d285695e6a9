"""The picture of coefficients and their intervals."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from catalog.analysis.interval_picture import Row, draw_intervals

SVG = "{http://www.w3.org/2000/svg}"


def dots(picture: str) -> list[float]:
    return [float(circle.attrib["cx"]) for circle in ElementTree.fromstring(picture).iter(f"{SVG}circle")]


def test_a_larger_coefficient_stands_further_right() -> None:
    picture = draw_intervals([Row("a", 0.8, 0.7, 0.9), Row("b", -0.2, -0.3, -0.1), Row("c", 0.1)], "taus")
    first, second, third = dots(picture)
    assert second < third < first
    assert "0.800 [0.700, 0.900]" in picture
    assert ">0.100<" in picture


def test_an_interval_reaches_from_end_to_end_around_its_dot() -> None:
    picture = draw_intervals([Row("a", 0.5, 0.25, 0.75)], "taus")
    low, high = (float(number) for number in re.search(r"M([\d.]+),[\d.]+ H([\d.]+) ", picture).groups())  # type: ignore[union-attr]
    (dot,) = dots(picture)
    assert dot == pytest.approx((low + high) / 2, abs=0.1)


@pytest.mark.parametrize("rows", [[], [Row("a", None)], [Row("a", 0.0)], [Row("a", -1.0), Row("b", 1.0)]])
def test_whatever_there_is_can_be_drawn(rows: list[Row]) -> None:
    picture = draw_intervals(rows, "taus")
    assert len(dots(picture)) == sum(row.value is not None for row in rows)
    assert picture.count("not defined</text>") == sum(row.value is None for row in rows)


def test_names_stay_text() -> None:
    name = "</text><script>alert(1)</script>\"'&"
    picture = draw_intervals([Row(name, 0.5)], name)
    tags = {element.tag.removeprefix(SVG) for element in ElementTree.fromstring(picture).iter()}
    assert tags == {"svg", "g", "title", "text", "path", "circle"}
    assert f"{name}: 0.500" in [element.text for element in ElementTree.fromstring(picture).iter(f"{SVG}title")]
