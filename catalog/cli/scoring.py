"""``catalog score`` and ``catalog train``: proxies and predictors as columns."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from catalog.cli.opened import opened
from catalog.cli.options import DEFAULT_DATABASE, Database, Space, Wait, Where
from catalog.cli.progress import note
from catalog.errors import CatalogError, UsageError

_TRAIN_EXAMPLE = (
    "Example: catalog train tg_nas --space nb201 --target digits_test_accuracy --sample 300 --set members=2 --out mine"
)


_SCORE_EXAMPLE = "Example: catalog score nb201 --proxy snip --proxy nwot --sample 4 --workers 1"


class EngineName(StrEnum):
    """Where a scoring job measures."""

    LOCAL = "local"
    RAY = "ray"


def add_to(parent: typer.Typer) -> None:
    """Add the group's commands."""
    parent.command("train", epilog=_TRAIN_EXAMPLE)(train)
    parent.command("score", epilog=_SCORE_EXAMPLE)(score)


def score(
    space: Space,
    proxies: Annotated[
        list[str],
        typer.Option(
            "--proxy",
            metavar="NAME",
            help="A predictor, a zero-cost proxy, MODULE:CLASS of a file in this folder, or all; may be repeated.",
        ),
    ],
    where: Where = None,
    sample: Annotated[
        int | None, typer.Option("--sample", min=1, help="Draw so many architectures at random.", show_default="all")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the draw of --sample.")] = 0,
    given: Annotated[
        str, typer.Option("--input", metavar="NAME", help="Images: photos, noise, digits or cifar10:DIR.")
    ] = "photos",
    batch_size: Annotated[
        int | None, typer.Option("--batch-size", min=1, help="Images of a minibatch.", show_default="16")
    ] = None,
    channels: Annotated[
        int | None,
        typer.Option("--channels", min=1, help="Channels of the network's first stage.", show_default="the space's"),
    ] = None,
    cells: Annotated[
        int | None,
        typer.Option("--cells", min=1, help="Cells a stage; in DARTS, in all.", show_default="the space's"),
    ] = None,
    seeds: Annotated[int, typer.Option("--seeds", metavar="K", min=1, help="Measure with seeds 0 to K - 1.")] = 1,
    layerwise: Annotated[
        bool, typer.Option("--layerwise", help="Keep the value of each layer, in the table layer_score.")
    ] = False,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Measure again what failed before.")] = False,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="Processes that measure.", show_default="one a core")
    ] = None,
    device: Annotated[str, typer.Option("--device", help="Where PyTorch computes, for example cuda.")] = "cpu",
    engine: Annotated[EngineName, typer.Option("--engine", help="Measure on this machine or on a Ray cluster.")] = (
        EngineName.LOCAL
    ),
    address: Annotated[
        str | None,
        typer.Option("--address", help="The Ray cluster.", show_default="one that is started on this machine"),
    ] = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option("--checkpoint", metavar="DIR", help="Weights that `catalog train` wrote, not the shipped ones."),
    ] = None,
    column: Annotated[
        str | None,
        typer.Option(
            "--as",
            metavar="COLUMN",
            help="The column of a predictor's scores.",
            show_default="its name, or NAME_DIGEST",
        ),
    ] = None,
    db: Database = DEFAULT_DATABASE,
    wait: Wait = None,
) -> None:
    """Score architectures of a space and store the result as columns of its wide view.

    A zero-cost proxy builds the real network of each architecture and measures it. Only missing scores are measured,
    functionally equal architectures once, and finished work is stored every few seconds: after an interruption the same
    command goes on. In the default configuration the column is the proxy's name; another input or network has its own.

    Predictors that rank the chosen architectures among one another have their components measured first, where they are
    missing. All other predictors score the whole space; their spread is stored as NAME_std. "all" means the 13 proxies
    of NAS-Bench-Suite-Zero. A wrong name lists those that are known.
    """
    with opened(db, wait, mode="write") as catalog:
        reports = catalog.score(
            space,
            proxies,
            where=where,
            sample=sample,
            seed=seed,
            input=given,
            batch_size=batch_size,
            channels=channels,
            cells=cells,
            seeds=seeds,
            layerwise=layerwise,
            retry_failed=retry_failed,
            workers=workers,
            device=device,
            engine=engine.value,
            address=address,
            checkpoint=checkpoint,
            column=column,
        )
        for one in reports:
            note(str(one))
        if worthless := [one.column for one in reports if one.is_worthless]:
            raise CatalogError(f"{', '.join(worthless)}: not one architecture could be measured.")


def train(
    predictor: Annotated[
        str, typer.Argument(metavar="NAME", help="A predictor that learns, or MODULE:CLASS of a file in this folder.")
    ],
    spaces: Annotated[
        list[str],
        typer.Option("--space", metavar="SPACE", help="Stored space whose labels it learns; may be repeated."),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for weights and card.")],
    target: Annotated[
        str | None, typer.Option("--target", metavar="COLUMN", help="Column of the wide views that is the label.")
    ] = None,
    sample: Annotated[
        int | None,
        typer.Option("--sample", metavar="N", min=1, help="Draw so many labels of each space.", show_default="all"),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the draw and of the training.")] = 0,
    encoder: Annotated[
        str | None,
        typer.Option(
            "--encoder",
            metavar="NAME|DIR",
            help="Sentence encoder that reads operator descriptions: an installed model, or a folder.",
            show_default="all-MiniLM-L6-v2",
        ),
    ] = None,
    pretrain: Annotated[
        bool, typer.Option("--pretrain", help="Learn from the architectures alone, without labels.")
    ] = False,
    objective: Annotated[
        str | None,
        typer.Option("--objective", metavar="NAME", help="What a training without labels goes by."),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="OPTION=VALUE", help="The predictor's own option; may be repeated."),
    ] = None,
    db: Database = DEFAULT_DATABASE,
    wait: Wait = None,
) -> None:
    """Train a predictor on stored spaces and write its weights and card into a folder.

    A call that was interrupted goes on where it was when it is given again. Score with what came out:
    catalog score SPACE --proxy NAME --checkpoint DIR.
    """
    options = dict(_setting(text) for text in settings or ())
    if encoder is not None:
        options["encoder"] = encoder
    if objective is not None:
        options["objective"] = objective
    if pretrain and (target is not None or sample is not None):
        raise UsageError("--pretrain learns from no labels; leave --target and --sample out.")
    if not pretrain and target is None:
        raise UsageError("name the column of the labels with --target, or learn without labels with --pretrain.")
    with opened(db, wait) as catalog:
        if target is None:
            catalog.pretrain(predictor, spaces, out, seed=seed, **options)
            note(f"wrote {out}.")
            return
        card = catalog.train(predictor, spaces, target, out, sample=sample, seed=seed, **options)
    held_out = "; ".join(f"{name}: tau {scores['kendall_tau']}" for name, scores in card.get("held_out", {}).items())
    note(f"wrote {out}." + (f" Held out of the sources: {held_out}." if held_out else ""))


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise UsageError(f"--set {text!r} has not the form OPTION=VALUE, for example --set members=2.")
    return name, value
