"""``catalog score`` and ``catalog train``: predictors as columns."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from catalog.cli.options import DEFAULT_DATABASE, Database, Space, Wait
from catalog.cli.output import note
from catalog.cli.progress import counting

_TRAIN_EXAMPLE = (
    "Example: catalog train tg-nas --source nb201 --target cifar10_test_accuracy --sample 300 --members 2 --out mine"
)


def add_to(parent: typer.Typer) -> None:
    """Add the group's commands."""
    trainers = typer.Typer(no_args_is_help=True, help="Train a predictor on stored spaces.")
    trainers.command("tg-nas", epilog=_TRAIN_EXAMPLE)(train_tg_nas)
    parent.add_typer(trainers, name="train")
    parent.command("score", epilog="Example: catalog score nb201 --proxy tg_nas")(score)


def score(
    space: Space,
    proxies: Annotated[
        list[str],
        typer.Option("--proxy", metavar="NAME", help="tg_nas, tg_nas_multi or tg_nas_paper; may be repeated."),
    ],
    checkpoint: Annotated[
        Path | None,
        typer.Option("--checkpoint", metavar="DIR", help="Weights that `catalog train` wrote, not the shipped ones."),
    ] = None,
    db: Database = DEFAULT_DATABASE,
    wait: Wait = None,
) -> None:
    """Score every architecture of a space and store the result as columns of its wide view.

    The labels of tg_nas are NAS-Bench-101's alone, those of tg_nas_multi NAS-Bench-101's and NAS-Bench-201's.
    tg_nas_paper is its authors' recipe trained much shorter than theirs (20,000 graphs, 8 epochs): it ranks poorly and
    says nothing about the quality of theirs. The spread between the members of an ensemble is stored as NAME_std.
    """
    from catalog.extras import require_predict
    from catalog.store import Catalog

    require_predict()
    from predictor.scoring import score_space

    with Catalog.open(db, mode="write", wait=wait) as catalog:
        for proxy in proxies:
            done = score_space(catalog, space, proxy, checkpoint)
            note(
                f"{done.column}: {done.scored:,} architectures of {space}, {done.disconnected:,} of them disconnected, "
                f"in {done.seconds:.1f} s."
            )


def train_tg_nas(
    sources: Annotated[
        list[str], typer.Option("--source", metavar="SPACE", help="Stored space to train on; may be repeated.")
    ],
    target: Annotated[
        str, typer.Option("--target", metavar="COLUMN", help="Column of the wide views that is the label.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for weights and card.")],
    sample: Annotated[
        int | None,
        typer.Option("--sample", min=50, help="Draw so many architectures of each source.", show_default="all"),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the draw and of the first member.")] = 0,
    members: Annotated[int, typer.Option("--members", min=1, help="Networks in the ensemble, one seed each.")] = 5,
    db: Database = DEFAULT_DATABASE,
    wait: Wait = None,
) -> None:
    """Train an ensemble and write its weights (safetensors) and card (JSON) into a folder.

    A call that was interrupted goes on where it was when it is given again. Score with what came out:
    catalog score SPACE --proxy tg_nas --checkpoint DIR.
    """
    from catalog.extras import require_predict
    from catalog.store import Catalog

    require_predict()
    from predictor.tg_nas.config import TGNASConfig
    from predictor.tg_nas.job import train_ensemble
    from predictor.tg_nas.sources import read_source

    with Catalog.open(db, wait=wait) as catalog:
        read = [read_source(catalog, space, target, sample=sample, seed=seed) for space in sources]
    with counting(f"training {members} members") as progress:
        card = train_ensemble(
            read,
            TGNASConfig(),
            range(seed, seed + members),
            out,
            progress=lambda member, step, steps, _: progress((member - seed) * steps + step),
        )
    held_out = "; ".join(f"{name}: tau {scores['kendall_tau']}" for name, scores in card["held_out"].items())
    note(f"wrote {out} ({members} members). Held out of the sources: {held_out}.")
