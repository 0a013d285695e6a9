"""``catalog score`` and ``catalog train``: proxies and predictors as columns."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from catalog.cli.options import DEFAULT_DATABASE, Database, Space, Wait, Where
from catalog.cli.output import note
from catalog.cli.progress import advancing, counting
from catalog.errors import UsageError

if TYPE_CHECKING:
    from predictor.zero_cost.work import Engine

_TRAIN_EXAMPLE = (
    "Example: catalog train tg-nas --source nb201 --target cifar10_test_accuracy --sample 300 --members 2 --out mine"
)


_SCORE_EXAMPLE = "Example: catalog score nb201 --proxy snip --proxy nwot --sample 4 --workers 1"


class EngineName(StrEnum):
    """Where a scoring job measures."""

    LOCAL = "local"
    RAY = "ray"


def add_to(parent: typer.Typer) -> None:
    """Add the group's commands."""
    trainers = typer.Typer(no_args_is_help=True, help="Train a predictor on stored spaces.")
    trainers.command("tg-nas", epilog=_TRAIN_EXAMPLE)(train_tg_nas)
    parent.add_typer(trainers, name="train")
    parent.command("score", epilog=_SCORE_EXAMPLE)(score)


def score(
    space: Space,
    proxies: Annotated[
        list[str],
        typer.Option(
            "--proxy",
            metavar="NAME",
            help="tg_nas, a zero-cost proxy, a proxy of a pool, or all (13 of them); may be repeated.",
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
    db: Database = DEFAULT_DATABASE,
    wait: Wait = None,
) -> None:
    """Score architectures of a space and store the result as columns of its wide view.

    A zero-cost proxy builds the real network of each architecture and measures it. Only missing scores are measured,
    functionally equal architectures once, and finished work is stored every few seconds: after an interruption the same
    command goes on. In the default configuration the column is the proxy's name; another input or network has its own.

    te_nas, az_nas, swap_reg and tg_nas_zc rank the chosen architectures among one another; their components are
    measured first, where they are missing.

    Predictors score the whole space. The labels of tg_nas are NAS-Bench-101's alone, those of tg_nas_multi
    NAS-Bench-101's and NAS-Bench-201's. tg_nas_paper is its authors' recipe: it is there to compare with. The spread
    between the members of an ensemble is stored as NAME_std.
    """
    from catalog.extras import require_predict
    from catalog.storage.store import Store

    require_predict()
    from predictor.scoring import ScoreOptions
    from predictor.scoring import score as score_stored
    from predictor.zero_cost import measure_config

    config = measure_config(space, given, batch_size, channels, cells, device=device, layerwise=layerwise)
    with Store.open(db, mode="write", wait=wait) as catalog, advancing(f"measuring {space}") as progress:
        reports = score_stored(
            catalog,
            space,
            proxies,
            ScoreOptions(
                config=config,
                seeds=seeds,
                where=where,
                sample=sample,
                sample_seed=seed,
                retry_failed=retry_failed,
                engine=_engine(engine, address, workers),
                checkpoint=checkpoint,
                progress=progress,
            ),
        )
    for one in reports:
        note(str(one))
    worthless = [one for one in reports if one.is_worthless]
    if worthless:
        note(f"error: {', '.join(one.column for one in worthless)}: not one architecture could be measured.")
        raise typer.Exit(1)


def _engine(name: EngineName, address: str | None, workers: int | None) -> Engine:
    if name is EngineName.RAY:
        from predictor.zero_cost.ray_engine import RayEngine, require_ray

        require_ray()
        return RayEngine(address, workers)
    if address is not None:
        raise UsageError(f"--address {address} names a Ray cluster; give it with --engine ray.")
    from predictor.zero_cost.engine import LocalEngine, available_cores

    return LocalEngine(workers or available_cores())


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
    from catalog.storage.store import Store

    require_predict()
    from predictor.tg_nas.config import TGNASConfig
    from predictor.tg_nas.job import train_ensemble
    from predictor.tg_nas.sources import read_source

    with Store.open(db, wait=wait) as catalog:
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
    note(f"wrote {out} ({members} member{'' if members == 1 else 's'}). Held out of the sources: {held_out}.")
