"""The checkpoints that come with the package are the ones that every stored score names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from predictor.door.checkpoint import read_card
from predictor.door.registry import predictor_named
from predictor.encoding.encoder import DEFAULT, Encoder
from predictor.tg_nas.checkpoint import shipped
from predictor.tg_nas.config import TGNASConfig, digest_of

DIGESTS = {
    "tg_nas": "53d078780318b5ef447378a2d8b430b8e318dd8bf8209aac6c610ef2fcfce2cf",
    "tg_nas_multi": "a750f23c50ad7ce8e1684e02678e21983c7c5fc3e50a7c4ec7db037534b0fcbf",
    "tg_nas_paper": "7e9783608b7e547da887661f98e55f550adc65e58538276023971ed521908b19",
}
SMALL = Encoder("small-bert", "ab" * 32, 48, 16)


@pytest.mark.parametrize("name", DIGESTS)
def test_digests_do_not_change(name: str) -> None:
    """Recorded when a card could not name its encoder yet."""
    card = read_card(shipped(name))
    assert digest_of(card) == predictor_named(name).digest(card) == DIGESTS[name]


@pytest.mark.parametrize("name", ["tg_nas", "tg_nas_multi"])
def test_a_card_without_an_encoder_means_the_default_one(name: str) -> None:
    written = read_card(shipped(name))["configuration"]
    config = TGNASConfig.from_dict(written)
    assert (config.encoder, config.style) == (DEFAULT, "short")
    assert config.to_dict() == written


def test_a_card_names_another_encoder() -> None:
    config = TGNASConfig(encoder=SMALL, embedding="minilm-long")
    written = config.to_dict()
    assert written["encoder"] == {"name_or_folder": "small-bert", "digest": "ab" * 32, "width": 48, "max_tokens": 16}
    assert TGNASConfig.from_dict(written) == config
    assert config.style == "long"
    assert TGNASConfig(embedding="one-hot").style is None


def test_a_checkpoint_is_known_by_its_encoder_and_not_by_where_that_lies() -> None:
    def digest(encoder: Encoder) -> str:
        return digest_of({"sha256": "c0ffee", "configuration": TGNASConfig(encoder=encoder).to_dict()})

    moved = replace(SMALL, name_or_folder=str(Path("elsewhere")))
    another = replace(SMALL, digest="cd" * 32)
    assert digest(SMALL) == digest(moved)
    assert len({digest(SMALL), digest(another), digest(DEFAULT)}) == 3
