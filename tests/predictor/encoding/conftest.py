"""What the tests of encoders share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.predictor.encoding.small_bert import save_small_bert


@pytest.fixture(scope="session")
def small_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an encoder of width 48 with random weights; never write it."""
    return save_small_bert(tmp_path_factory.mktemp("encoders") / "small-bert")
