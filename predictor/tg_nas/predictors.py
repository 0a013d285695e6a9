"""TG-NAS behind the door: the ensemble, its variant with two sources, the paper's recipe, and the fusion.

The facts are stated here without PyTorch, which is imported only to fit or to score.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from predictor.door import Given, Labelled, Needs, Predictor, Scores, Training
from predictor.door.checkpoint import digest_of
from predictor.door.predictor import Values
from predictor.encoding.encoder import DEFAULT, Encoder, find_model
from predictor.encoding.long_descriptions import remarks_on_descriptions
from predictor.tg_nas import config
from predictor.tg_nas.config import TGNASConfig

if TYPE_CHECKING:
    from predictor.tg_nas.ensemble import Scorer
    from predictor.tg_nas.paper import PaperScorer

DEVELOPED_WITH = ("nb201", "darts")
"""Spaces whose labels were in sight while form and weights of the prior were chosen."""

_WEIGHTS = Path(__file__).parent / "weights"


@dataclass(frozen=True)
class TGNASOptions:
    """What a training can be told.

    Parameters
    ----------
    members
        Networks in the ensemble, one seed each.
    encoder
        What reads the operators' descriptions: see `predictor.encoding.encoder.Encoder.named`.
    """

    members: int = 5
    encoder: str = DEFAULT.name_or_folder


class TGNAS(Predictor):
    """Predicted rank of the accuracy; TG-NAS, an ensemble beside a structural prior."""

    name = "tg_nas"
    version = "2"  # 1 read facts of a user's operators from their descriptions
    needs = Needs(labels=True, graphs=("canonical",), extra="predict")
    has_spread: ClassVar[bool] = True
    developed_with: ClassVar[tuple[str, ...]] = DEVELOPED_WITH
    Options = TGNASOptions

    def __init__(self, options: TGNASOptions | None = None) -> None:
        super().__init__(options)
        self._scorer: Scorer | None = None

    @classmethod
    def configured(cls, options: Mapping[str, object]) -> Self:
        made = super().configured(options)
        if made.options.encoder != DEFAULT.name_or_folder:
            find_model(made.options.encoder)  # so that an unknown one is told before labels are read
        return made

    def remarks(self, given: Given) -> Sequence[str]:
        read = TGNASConfig.from_dict(self.card["configuration"])
        if read.style is None:
            return ()
        return remarks_on_descriptions(given, "canonical", read.style, read.encoder)

    def fit(self, sources: Sequence[Labelled], training: Training) -> Self:
        if training.folder is None:
            with tempfile.TemporaryDirectory(prefix="tg-nas-") as passing:
                return self.fit(sources, replace(training, folder=Path(passing)))
        from predictor.tg_nas.ensemble import Scorer
        from predictor.tg_nas.job import train_ensemble
        from predictor.tg_nas.sources import source_of

        read = [source_of(one.require(self.fewest_labels)) for one in sources]
        seeds = range(training.seed, training.seed + self.options.members)

        def progress(member: int, step: int, steps: int, _loss: float) -> None:
            training.progress((member - seeds.start) * steps + step, len(seeds) * steps)

        chosen = TGNASConfig(encoder=Encoder.named(self.options.encoder))
        train_ensemble(read, chosen, seeds, training.folder, progress=progress)
        self._scorer = Scorer.load(training.folder)
        self.card = self._scorer.card
        return self

    def score(self, given: Given) -> Scores:
        from predictor.tg_nas.sources import batches_of

        found = self.scorer.score_batches(batches_of(given), len(given), given.vocabulary)
        return Scores(found.mean, found.std)

    @property
    def scorer(self) -> Scorer:
        """The ensemble itself."""
        assert self._scorer is not None
        return self._scorer

    def save(self, folder: Path) -> dict[str, Any]:
        from predictor.tg_nas.checkpoint import save

        scorer = self.scorer
        save(folder, scorer.members, scorer.prior, scorer.scales, scorer.card)
        return self.card

    @classmethod
    def load(cls, folder: Path) -> Self:
        from predictor.tg_nas.ensemble import Scorer

        loaded = cls()
        loaded._scorer = Scorer.load(folder)
        loaded.card = loaded._scorer.card
        return loaded

    @classmethod
    def shipped(cls) -> Path | None:
        return _WEIGHTS / cls.name

    @classmethod
    def digest(cls, card: Mapping[str, Any]) -> str | None:
        return config.digest_of(card)


class TGNASMulti(TGNAS):
    """Predicted rank of the accuracy; TG-NAS trained on two benchmarks."""

    name = "tg_nas_multi"


class TGNASPaper(Predictor):
    """Predicted rank of the accuracy; TG-NAS as its authors released it, to compare with.

    Qiao, Xu and Huang, 2024 (arXiv 2404.00271). It reads native graphs, and scores cells without a path like others.
    """

    name = "tg_nas_paper"
    needs = Needs(labels=True, graphs=("native",), extra="predict")
    scores_mixtures: ClassVar[bool] = True

    def __init__(self, options: Any = None) -> None:
        super().__init__(options)
        self._scorer: PaperScorer | None = None

    def remarks(self, given: Given) -> Sequence[str]:
        return remarks_on_descriptions(given, "native", str(self.card["configuration"]["style"]), DEFAULT)

    def score(self, given: Given) -> Scores:
        return Scores(self.scorer.score(given.native.graphs))

    def score_mixtures(self, graphs: Sequence[Any], shares: Values) -> Values:
        return self.scorer.score_mixtures(graphs, shares)

    def save(self, folder: Path) -> dict[str, Any]:
        self.scorer.save(folder)
        self.card = self.scorer.card
        return self.card

    @property
    def scorer(self) -> PaperScorer:
        """The network itself."""
        assert self._scorer is not None
        return self._scorer

    @classmethod
    def load(cls, folder: Path) -> Self:
        from predictor.tg_nas.paper import PaperScorer

        loaded = cls()
        loaded._scorer = PaperScorer.load(folder)
        loaded.card = loaded._scorer.card
        return loaded

    @classmethod
    def shipped(cls) -> Path | None:
        return _WEIGHTS / cls.name

    @classmethod
    def digest(cls, card: Mapping[str, Any]) -> str | None:
        return digest_of(card)


class TGNASZeroCost(Predictor):
    """Log ranks of TG-NAS and zero-cost proxies, with votes by what they agree on beyond TG-NAS.

    docs/tg_nas_zc.md says how rule and members were chosen.
    """

    name = "tg_nas_zc"
    needs = Needs(
        columns=(TGNAS.name, "az_expressivity", "az_progressivity", "az_trainability", "jacov"), extra="predict"
    )
    depends_on_pool: ClassVar[bool] = True
    version = "2"  # 1 voted by each proxy's own agreement with the leader
    developed_with: ClassVar[tuple[str, ...]] = DEVELOPED_WITH

    def score(self, given: Given) -> Scores:
        from predictor.pooled.ranks import led, votes

        leader, *members = given.columns.T
        weights = dict(zip(self.needs.columns[1:], votes(leader, *members).tolist(), strict=True))
        return Scores(led(leader, *members), facts={"weights": weights})
