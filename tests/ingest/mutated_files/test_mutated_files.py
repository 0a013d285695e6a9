"""Every reader takes a mutated file or refuses it with a clear error.

Each trial is told by its number alone, so a failure comes again; ``python -m tests.ingest.mutated_files`` runs more.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from catalog.storage.store import Store
from tests.ingest.mutated_files.good_files import GOOD_FILES, GoodFile
from tests.ingest.mutated_files.trial import Trials, read

TRIALS_OF_EACH = 6
SEED = 2026


@pytest.fixture(scope="module")
def trials(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trials]:
    opened = Trials(tmp_path_factory.mktemp("mutated"), SEED)
    yield opened
    opened.close()


@pytest.mark.parametrize("good", GOOD_FILES, ids=repr)
def test_the_file_is_good_as_it_is(good: GoodFile, catalog_path: Path, tmp_path: Path) -> None:
    needed = [other for other in GOOD_FILES if other.name == good.after]
    with Store.open(catalog_path, mode="write") as store:
        for one in (*needed, good):
            path = tmp_path / one.file
            path.write_bytes(one.pack(one.encode(one.value)))
            read(one, path, store)
        assert store.query("SELECT count(*) AS sources FROM source")["sources"][0] == 1 + len(needed)


@pytest.mark.parametrize("place", range(len(GOOD_FILES)), ids=[good.name for good in GOOD_FILES])
def test_mutated_files_are_taken_or_refused(place: int, trials: Trials) -> None:
    for number in range(place, place + TRIALS_OF_EACH * len(GOOD_FILES), len(GOOD_FILES)):
        outcome = trials.run(number)
        assert outcome.fault is None, f"trial {number} of {SEED}"
