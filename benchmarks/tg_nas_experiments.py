"""What the parts of TG-NAS are worth: embeddings and controls, share of the source, form of the graphs, priors.

    python benchmarks/tg_nas_experiments.py embeddings|share|graphs|prior|earlier [--graphs 6000] [--seeds 1]

Each row trains small members on NAS-Bench-101 (network alone, no prior, so that the part shows) and ranks the targets.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import fields, replace
from itertools import chain

import numpy as np
import tg_nas_data as data
from numpy.typing import NDArray
from scipy.optimize import nnls
from tg_nas_evaluate import quality
from tg_nas_parts import Parts

from predictor.encoding.structural_prior import Terms, structure, terms_of
from predictor.tg_nas.config import TGNASConfig
from predictor.tg_nas.ensemble import Scorer, joined, member_outputs
from predictor.tg_nas.job import use_threads
from predictor.tg_nas.training import TrainingSet, normal_scores, train_member

Values = NDArray[np.float64]
EMBEDDINGS = {
    "descriptors, no embedding": {"embedding": "none"},
    "short sentences": {"embedding": "minilm-short"},
    "medium sentences": {"embedding": "minilm-medium"},
    "long sentences": {"embedding": "minilm-long"},
    "short sentences, PCA-64": {"embedding_size": 64},
    "one-hot": {"embedding": "one-hot"},
    "random": {"embedding": "random"},
    "short sentences, no descriptors": {"descriptors": False},
    "one-hot, no descriptors": {"embedding": "one-hot", "descriptors": False},
    "random, no descriptors": {"embedding": "random", "descriptors": False},
}
SHARES = (0.9, 0.5, 0.1, 0.05, 0.01)


def row(name: str, outputs: list[list[Values]], targets: list[data.Target]) -> str:
    """One Markdown row: mean over seeds of tau and rho on each target."""
    cells = []
    for place, target in enumerate(targets):
        truth = next(iter(target.labels.values()))
        values = np.array([quality(one[place], truth)[:2] for one in outputs])
        spread = f" ± {values[:, 0].std(ddof=1):.3f}" if len(values) > 1 else ""
        cells.append(f"{values[:, 0].mean():.3f}{spread} / {values[:, 1].mean():.3f}")
    return f"| {name} | " + " | ".join(cells) + " |"


def network_rows(
    variants: dict[str, tuple[TGNASConfig, list[data.Target]]], source: TrainingSet, seeds: int
) -> Iterator[str]:
    """Train every variant with every seed and rank its targets."""
    for name, (config, targets) in variants.items():
        outputs = []
        for seed in range(seeds):
            member = train_member([source], config, seed)
            outputs.append([_ranked(member_outputs([member], one.cells, len(one))[0], one) for one in targets])
        yield row(name, outputs, targets)


def _with_share(base: TGNASConfig, available: int) -> TGNASConfig:
    """As many graphs are shown to each network, whatever the share: a small share is shown more often."""
    shown = base.graphs * base.epochs
    graphs = min(available, shown)
    return replace(base, graphs=graphs, epochs=max(1, round(shown / graphs)))


def _ranked(scores: Values, target: data.Target) -> Values:
    """Cells that compute nothing rank last, as the scorer has it."""
    dead = np.array([not graph.is_connected for graph in target.graphs])
    return np.where(dead, np.nanmin(scores) - 1.0, scores)


def prior_rows(checkpoint: str, targets: list[data.Target]) -> Iterator[str]:
    """The shipped weights, those fitted to NAS-Bench-101 under theory's signs, and each weight changed by itself."""
    everything = data.nb101()
    parts, terms = Parts(everything), terms_of(everything.cells, len(everything))
    scorer = Scorer.load(checkpoint)
    shipped = scorer.prior
    names = [field.name for field in fields(Terms)]
    variants = {"as shipped": {}, "fitted to NAS-Bench-101": _fitted(terms, everything.labels["cifar10_test"])}
    variants |= {f"without {name}": {name: 0.0} for name in names}
    variants |= {
        f"{name} {change}": {name: factor * getattr(shipped, name)}
        for name in names
        for change, factor in (("halved", 0.5), ("half as much again", 1.5))
    }
    outputs = [scorer.standard_outputs(target.cells, len(target)) for target in targets]
    for name, changes in variants.items():
        if name.startswith("fitted"):
            name += ": " + ", ".join(f"{key} {value:.2f}" for key, value in changes.items())
        prior = replace(shipped, **changes).standardised(terms)
        cells = [f"{parts.mean(prior.score(terms)):.3f}"]
        for target, members in zip(targets, outputs, strict=True):
            alone = prior.score(terms_of(target.cells, len(target)))
            for scores in (alone, joined(alone, members).mean(axis=0)):
                tau, rho = quality(_ranked(scores, target), next(iter(target.labels.values())))[:2]
                cells.append(f"{tau:.3f} / {rho:.3f}")
        yield f"| {name} | " + " | ".join(cells) + " |"


def _fitted(terms: Terms, accuracy: Values) -> dict[str, float]:
    """Weights of least squares with the signs that theory gives; the sum has the scale of the labels."""
    signs = {"detail": -1.0, "excess": -1.0, "route": -1.0}
    columns = {field.name: getattr(terms, field.name) for field in fields(Terms)}
    usable = np.all([np.isfinite(column) for column in columns.values()], axis=0)
    signed = np.array([signs.get(name, 1.0) * (column - column[usable].mean()) for name, column in columns.items()])
    labels = normal_scores(accuracy).astype(float)[usable]
    return dict(zip(columns, nnls(signed[:, usable].T, labels)[0].tolist(), strict=True))


def earlier_rows(checkpoint: str, targets: list[data.Target]) -> Iterator[str]:
    """The two priors of docs/tg_nas_protocol.md that NAS-Bench-201 was scored with before it could shape them."""
    source = data.nb101(100_000, seed=0)
    scorer = Scorer.load(checkpoint)
    labels = normal_scores(source.labels["cifar10_test"]).astype(float)
    found = [_means(target) for target in (source, *targets)]
    outputs = [scorer.standard_outputs(target.cells, len(target)) for target in targets]
    recipes = {
        "three terms, fitted to NAS-Bench-101 (before no. 1)": (_first_terms, None),
        "no. 407": (_blind_terms, 1.0 / np.array(_BLIND_SPREADS)),
    }
    for name, (terms_of_recipe, chosen) in recipes.items():
        known, *asked = (terms_of_recipe(one) for one in found)
        mean = known.mean(axis=1, keepdims=True)
        weights = nnls((known - mean).T, labels)[0] if chosen is None else chosen
        scale = (weights @ known).std()
        priors = [weights @ (one - mean) / scale for one in asked]
        both = [joined(prior, members).mean(axis=0) for prior, members in zip(priors, outputs, strict=True)]
        for title, scores in ((f"{name}; prior alone", priors), ("with the networks", both)):
            yield row(title, [[_ranked(*one) for one in zip(scores, targets, strict=True)]], targets)


_BLIND_SPREADS = (0.3295, 0.3512, 0.5950, 1.3073, 1.4683)
"""Of the terms of no. 407 over NAS-Bench-101: capacity, lost detail, whole depth, and twice excess and route."""


def _means(target: data.Target) -> dict[str, Values]:
    """What the prior reads off each cell, as the weighted mean over an architecture's cells."""
    sums: dict[str, Values] = {}
    total = np.zeros(len(target))
    for batch in target.cells:
        np.add.at(total, batch.owner, batch.weight)
        for name, values in vars(structure(batch)).items():
            np.add.at(sums.setdefault(name, np.zeros(len(target))), batch.owner, values * batch.weight)
    return {name: values / total for name, values in sums.items()}


def _first_terms(found: dict[str, Values]) -> Values:
    """(3, A) capacity, pooling and the shortest way, with theory's signs."""
    return np.stack([np.log1p(found["weights"]), -found["pooling"], -found["route"]])


def _blind_terms(found: dict[str, Values]) -> Values:
    """(5, A) capacity, lost detail, shallowness, excess depth and the shortest way, with theory's signs."""
    is_chain = found["ways"] <= 1
    depth, route = found["depth"], np.where(is_chain, 3.0, found["route"])
    excess = np.where(is_chain | (found["route"] < 0.5), 0.0, np.clip(depth - 2.0, 0.0, 3.0))
    shallowness = np.maximum(2.0 - depth, 0.0)
    return np.stack([np.log1p(found["weights"]), -np.log1p(found["pooling"]), -shallowness, -excess, -route])


def baseline_rows(targets: list[data.Target]) -> Iterator[str]:
    """What every row stands beside."""
    for name in ("params", "flops", "live_params"):
        yield row(f"`{name}`", [[target.baselines[name] for target in targets]], targets)


def main() -> None:
    """Print one Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("experiment", choices=("embeddings", "share", "graphs", "prior", "earlier"))
    parser.add_argument("--graphs", type=int, default=6_000)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--checkpoint", default="tg_nas")
    arguments = parser.parse_args()
    use_threads(1)
    base = replace(TGNASConfig(), graphs=arguments.graphs)
    columns = ["nb201 CIFAR-10 tau / rho", "darts tau / rho"]
    if arguments.experiment == "prior":
        columns = ["nb101 parts", *(f"{name}, {what}" for name in ("nb201", "darts") for what in ("prior", "both"))]
    sys.stdout.write("| | " + " | ".join(columns) + " |\n|---|" + "---|" * len(columns) + "\n")
    for line in _rows(arguments.experiment, base, arguments.seeds, arguments.checkpoint):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


def _rows(experiment: str, base: TGNASConfig, seeds: int, checkpoint: str) -> Iterator[str]:
    targets = [data.nb201(), data.darts()]
    if experiment == "prior":
        return prior_rows(checkpoint, targets)
    if experiment == "earlier":
        return earlier_rows(checkpoint, targets)
    everything = data.nb101()
    source = TrainingSet.of(everything.cells, everything.labels["cifar10_test"])
    if experiment == "embeddings":
        variants = {name: (replace(base, **change), targets) for name, change in EMBEDDINGS.items()}  # type: ignore[arg-type]
    elif experiment == "share":
        variants = {f"{share:.0%}": (_with_share(base, int(share * len(everything))), targets) for share in SHARES}
    else:
        native = [data.nb201(canonical=False), data.darts(canonical=False)]
        variants = {"canonical": (base, targets), "native": (base, native)}
    return chain(baseline_rows(targets), network_rows(variants, source, seeds))


if __name__ == "__main__":
    main()
