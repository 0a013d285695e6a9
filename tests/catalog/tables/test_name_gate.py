"""One rule for every name: what can be seen, and looks like no other."""

from __future__ import annotations

import pytest

from catalog.errors import UsageError
from catalog.tables.name_gate import checked_name, fault_of_name, fault_of_text, shown_file_name

HOSTILE = {
    "escape": "\x1b[31mred",
    "C1 control": "a\x9b31m",
    "NUL": "a\0b",
    "line end": "a\nb",
    "tab": "a\tb",
    "delete": "a\x7f",
    "right to left": "a\u202eb",
    "isolate": "a\u2066b",
    "mark": "a\u200fb",
    "zero width": "a\u200bb",
    "joiner": "a\u200db",
    "byte order": "\ufeffa",
    "surrogate": "a\ud800",
    "line separator": "a\u2028b",
    "tag": "a\U000e0041",
    "soft hyphen": "a\u00adb",
    "not composed": "e\u0301",
    "space before": " a",
    "space behind": "a\u00a0",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=list(HOSTILE))
def test_hostile_names_are_refused_with_a_message_that_is_safe(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        checked_name("the name", text)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("text", ["a", "=1+1", "-5", "|nor_conv_3x3~0|", "größe", "网络", "a b", "😀", "%s{}"])
def test_whatever_can_be_seen_is_a_name(text: str) -> None:
    assert fault_of_name(text) is None


def test_a_text_may_have_lines_but_nothing_that_is_obeyed() -> None:
    assert fault_of_text("one\n\ttwo") is None
    assert "U+001B" in str(fault_of_text("one\x1b[0m"))
    assert "U+202E" in str(fault_of_text("one\u202e"))


def test_a_files_name_is_escaped() -> None:
    assert shown_file_name("a\x1b\udcff\u202e.csv") == "a\\x1b\\udcff\\u202e.csv"
