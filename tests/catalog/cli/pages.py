"""Pages as tests run them: their fenced blocks, in a shell, as commands with what they show, and as Python."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.catalog.cli.commands import call_catalog

CHECKOUT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Block:
    """One fenced block of a page: its language and its lines."""

    page: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(page: Path, *languages: str) -> Iterator[Block]:
    text = page.read_text()
    for found in re.finditer(r"^```(\w+)\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE):
        if found[1] in languages:
            yield Block(page.name, text.count("\n", 0, found.start()) + 1, found[1], found[2])


def written_files(page: Path) -> dict[str, str]:
    """The files that a page says to write: blocks below a comment with the file's name."""
    found = re.finditer(r"^<!-- ([\w.]+) -->\n```\w+\n(.*?)^```$", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    return {match[1]: match[2] for match in found}


def run_console(block: Block, database: Path, tolerance: float = 0.0) -> None:
    """Every command of a block prints what stands below it, as tables; '...' stands for lines left out.

    Where figures are of what was learned, another processor's rounding may change their last digits: `tolerance`.
    """
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        command, _, shown = part.partition("\n")
        words = shlex.split(command)
        assert words[0] == "catalog", command
        arguments = words[1:] if "--format" in words or words[1] in NOT_ROWS else [*words[1:], "--format", "table"]
        answer = call_catalog(*arguments, database=database)
        assert answer.returncode == 0, answer.stderr
        parts = re.split(r"(^\.\.\.$)", shown.rstrip("\n"), flags=re.MULTILINE)
        pattern = "".join(".*" if part == "..." else re.escape(part) for part in parts)
        is_shown = re.fullmatch(pattern, answer.stdout.rstrip("\n"), flags=re.DOTALL)
        assert is_shown or (tolerance and agree(shown.split(), answer.stdout.split(), tolerance)), answer.stdout


def agree(shown: list[str], printed: list[str], tolerance: float) -> bool:
    """Word for word the same, but for decimal fractions, which may differ a little."""
    return len(shown) == len(printed) and all(
        one == other or (is_fraction(one) and is_fraction(other) and abs(float(one) - float(other)) <= tolerance)
        for one, other in zip(shown, printed, strict=True)
    )


def is_fraction(word: str) -> bool:
    return re.fullmatch(r"-?\d+\.\d+(e-?\d+)?", word) is not None


NOT_ROWS = ("show", "demo", "db", "report", "ingest", "remove")


def run_shell(block: Block, database: Path, programs: Path) -> None:
    """The lines as they are, in a shell that stops at the first failure."""
    environment = {name: value for name, value in os.environ.items() if name != "CATALOG_DATA"}
    environment |= {"CATALOG_DB": str(database), "PATH": f"{programs}{os.pathsep}{environment['PATH']}"}
    answer = subprocess.run(
        ["sh", "-e"], env=environment, input=block.text, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr


def run_python(block: Block) -> None:
    exec(compile(block.text, str(block), "exec"), {"__name__": "__main__"})


def first_line(block: Block) -> str:
    return block.text.partition("\n")[0].partition("#")[0].strip()


def link_programs(folder: Path) -> Path:
    """A folder for the PATH with `catalog` and `python`, as an installation has them; gives it."""
    for name, words in (("catalog", " -m catalog"), ("python", "")):
        program = folder / name
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}"{words} "$@"\n')
        program.chmod(0o755)
    return folder
