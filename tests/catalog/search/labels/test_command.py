"""The user's command: read as a shell would split it, refused where it cannot do what it is for, safe with any id."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import UsageError
from catalog.search.labels.command import PLACE, LabelCommand


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("   ", "is empty"),
        ("sh -c 'echo {id}", "No closing quotation"),
        ("sh train.sh", "does not say where the architecture goes"),
        ("sh train.sh {id} | tail -1", "holds '|', which only a shell understands"),
        ("sh train.sh {id} > log", "holds '>'"),
        ("sh train.sh {id} && echo 1", "holds '&&'"),
        ("no_such_program_anywhere {id}", "there is no program 'no_such_program_anywhere'"),
    ],
)
def test_a_command_that_cannot_work_is_refused_before_anything_runs(text: str, words: str) -> None:
    with pytest.raises(UsageError, match="--label-command") as told:
        LabelCommand.parse(text)
    assert words in str(told.value)


def test_words_are_split_once_and_the_id_is_put_into_them() -> None:
    command = LabelCommand.parse("sh 'my script.sh' --cell={id} '{\"lr\": 0.1}' {id}")
    assert command.words_for("a b") == ["sh", "my script.sh", "--cell=a b", '{"lr": 0.1}', "a b"]


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=60))
def test_any_id_is_one_word_as_it_is(native_id: str) -> None:
    command = LabelCommand.parse(f"sh {PLACE} x{PLACE}y")
    assert command.words_for(native_id) == ["sh", native_id, f"x{native_id}y"]


@pytest.mark.parametrize("native_id", ["$(echo 1)", "; rm -rf .", "`id`", "a'b\"c\\", "{id}", "*", "-x", "\n", "ü|&"])
def test_a_program_sees_the_id_and_no_shell_does(native_id: str) -> None:
    command = LabelCommand.parse(f"{sys.executable} -c 'import sys; sys.stdout.write(sys.argv[1])' {PLACE}")
    seen = subprocess.run(command.words_for(native_id), capture_output=True, check=True).stdout
    assert seen.decode() == native_id
