"""The table ``measure``: the unit of every metric, and whether high values of it are good.

This is the one place where that is known. Nothing is derived from the sound of a name: ``neg_loss`` is no loss, and a
phone error rate may be called ``per``. A name that is on no list has no direction until somebody says it.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pyarrow as pa

from catalog.errors import UsageError
from catalog.nearest import did_you_mean
from catalog.storage.question import Question
from catalog.tables.space_ids import is_of_space

if TYPE_CHECKING:
    from catalog.storage.store import Store

HIGHER, NEITHER, LOWER = 1, 0, -1
"""The directions of a measure; of a setting, such as the number of layers, neither end is the good one."""

NO_UNIT = "no unit"
"""What is said of a plain number."""

WORDS = {"higher": HIGHER, "lower": LOWER}
"""How users say a direction."""


@dataclass(frozen=True)
class Measure:
    """What is measured under one name of a metric.

    Parameters
    ----------
    unit
        Of its values; None for a plain number.
    direction
        `HIGHER`, `LOWER`, or `NEITHER` for a setting; None where nobody said it.
    """

    name: str
    unit: str | None
    direction: int | None


OWN_NAMES = (
    Measure("accuracy", "percent", HIGHER),
    Measure("best_accuracy", "percent", HIGHER),
    Measure("tuned_accuracy", "percent", HIGHER),
    Measure("glue_score", "percent", HIGHER),
    Measure("training_time", "s", LOWER),
    Measure("tuned_training_time", "s", LOWER),
    Measure("evaluation_time", "s", LOWER),
    Measure("latency", "ms", LOWER),
    Measure("energy", "mJ", LOWER),
    Measure("parameters", None, LOWER),
    Measure("tuned_parameters", None, LOWER),
    Measure("flops", "multiply-accumulates", LOWER),
    Measure("arithmetic_intensity", "operations per byte", NEITHER),
    Measure("init_channels", None, NEITHER),
    Measure("layers", None, NEITHER),
    Measure("loss", None, LOWER),
)
"""Metrics that the catalog's own readers and trainings write; nobody can turn them round."""

_USUAL = {
    HIGHER: (
        "top1_accuracy top5_accuracy balanced_accuracy precision recall f1 f1_score auc auroc roc_auc average_precision"
        " map miou iou dice psnr ssim bleu rouge r2 log_likelihood throughput fps"
    ),
    LOWER: (
        "error top1_error top5_error error_rate mse rmse mae mape perplexity bits_per_byte bits_per_character"
        " word_error_rate wer character_error_rate cer phone_error_rate fid train_loss valid_loss val_loss test_loss"
        " cross_entropy nll negative_log_likelihood time runtime run_time inference_time train_time memory peak_memory"
        " memory_usage power edp macs multiply_accumulates params model_size co2"
    ),
}
_KNOWN = {
    **{name: Measure(name, None, direction) for direction, names in _USUAL.items() for name in names.split()},
    **{measure.name: measure for measure in OWN_NAMES},
}
_FIXED = frozenset(measure.name for measure in OWN_NAMES)
_IS_BROUGHT = "version IN ('published', 'own')"
"""Whether the scores of a proxy came as numbers: from a publication, or from their author's table."""

_SETTING = "tuned_"  # NAS-Bench-301's hyper-parameters: tuned_learning_rate and the like


def known_measure(name: str) -> Measure:
    """What the catalog itself knows of a name; where it knows nothing, a measure without unit and direction."""
    found = _KNOWN.get(name.lower())
    if found is None and name.startswith(_SETTING):
        return Measure(name, None, NEITHER)
    return Measure(name, found.unit if found else None, found.direction if found else None)


def unit_of_proxy(name: str) -> str:
    """The unit of a proxy's scores: that of the metric of its name, of the live network too; most have none."""
    return known_measure(name.removeprefix("live_")).unit or NO_UNIT


def is_fixed(name: str) -> bool:
    """Whether the catalog's own readers and trainings write a metric, so that its name means the same everywhere."""
    return name.lower() in _FIXED


def word_of(direction: int) -> str:
    """The word for a direction."""
    return next((word for word, one in WORDS.items() if one == direction), "neither")


def direction_in(word: object) -> int | None:
    """The direction that a word says; None where it says none."""
    return WORDS.get(word) if isinstance(word, str) else None


def parsed(options: Iterable[str] | Mapping[str, str]) -> dict[str, int]:
    """Directions by name, from texts of the form ``NAME=higher|lower`` or from a mapping of names to such words.

    Raises
    ------
    UsageError
        A text has not this form, or two of them contradict each other.
    """
    found: dict[str, int] = {}
    if isinstance(options, Mapping):
        options = [f"{name}={word}" for name, word in options.items()]
    for option in [options] if isinstance(options, str) else options:
        name, equals, word = option.rpartition("=")
        direction = direction_in(word)
        if not equals or not name or direction is None:
            raise UsageError(f"--direction {option!r:.120} is not of the form NAME=higher or NAME=lower.")
        if found.setdefault(name, direction) != direction:
            raise UsageError(f"--direction says both higher and lower of {name!r:.120}; say one of them.")
    return found


def enter(store: Store, directions: Mapping[str, int]) -> None:
    """Give metrics their rows, with these directions where none is stored; in the transaction that brings them."""
    held = {str(name) for (name,) in store.rows("SELECT name FROM measure")}
    for name, direction in directions.items():
        store.execute("UPDATE measure SET direction = ? WHERE name = ? AND direction IS NULL", [direction, name])
    _append(store, [replace(known_measure(name), direction=of) for name, of in directions.items() if name not in held])


def enter_units(store: Store, where: str, units: Mapping[str, str]) -> None:
    """Give stored metrics the units that a user says; in the transaction that brings them.

    Raises
    ------
    UsageError
        One is stored in another unit.
    """
    held = dict(store.rows("SELECT name, unit FROM measure"))
    for name, unit in units.items():
        before = held.get(name)
        if before is not None and before != unit:
            raise UsageError(
                f"{where}: {name!r:.120} is in {unit}, but the catalog holds it in {before}. Convert the values, or "
                "give the metric another name. Nothing was stored."
            )
        store.execute("UPDATE measure SET unit = ? WHERE name = ?", [unit, name])


def enter_missing(store: Store, space: str) -> None:
    """Give the metrics of a space that have no row one with what the catalog knows of them."""
    rows = store.rows(
        "SELECT DISTINCT name FROM metric WHERE name NOT IN (SELECT name FROM measure) "
        f"AND {is_of_space(store, space)} ORDER BY name"
    )
    _append(store, [known_measure(str(name)) for (name,) in rows])


def settled(store: Store, where: str, names: Iterable[str], declared: Mapping[str, int]) -> dict[str, int | None]:
    """The directions of a file's metrics: as stored, else as declared, else as known; None where nobody said it.

    Raises
    ------
    UsageError
        What is declared contradicts what is stored or what the catalog knows for certain.
    """
    stored = dict(store.rows("SELECT name, direction FROM measure"))
    found: dict[str, int | None] = {}
    for name in sorted(names):
        known = known_measure(name).direction
        held = known if is_fixed(name) else stored.get(name)
        found[name] = agreed(where, name, held, declared.get(name), known)
    return found


def agreed(where: str, name: str, held: int | None, declared: int | None, default: int | None) -> int | None:
    """The direction that holds, unless what is declared contradicts it; then what is declared, then the default.

    Raises
    ------
    UsageError
        They contradict each other.
    """
    if held is None:
        return default if declared is None else declared
    if declared is None or declared == held:
        return held
    turn = (
        ""
        if is_fixed(name)
        else f" or, if the catalog is wrong, turn it round for all files: catalog measures --direction "
        f"{shlex.quote(f'{name}={word_of(declared)}')}"
    )
    raise UsageError(
        f"{where}: it turns {name!r:.120} round, of which {word_of(held)} is better here. Give it another name{turn}. "
        "Nothing was stored."
    )


def require_all(where: str, directions: Mapping[str, int | None]) -> None:
    """Refuse names whose direction nobody knows.

    Raises
    ------
    UsageError
        There are some; the message has the options to fill in.
    """
    unknown = [name for name, direction in directions.items() if direction is None]
    if unknown:
        options = " ".join(f"--direction {shlex.quote(name)}=higher|lower" for name in unknown[:20])
        raise UsageError(
            f"{where}: whether high or low is good is not known of {', '.join(map(repr, unknown[:20]))}. Say it of "
            f'each, {options}, or in the file ("direction": "lower"). Nothing was stored.'
        )


def measures(store: Store) -> Question:
    """Every metric, and every proxy that came as numbers: ``name``, ``kind``, ``unit``, ``direction``, ``spaces``.

    ``direction`` is ``higher`` or ``lower`` (is better), ``neither`` for a setting, and NULL where nobody said it.
    """
    return Question(
        store,
        f"""
        WITH used AS (
            SELECT DISTINCT metric, proxy_id, space FROM wide_column
        ), found AS (
            SELECT name, 'metric' AS kind, unit, direction, list(DISTINCT space ORDER BY space) AS spaces
            FROM measure LEFT JOIN used ON metric = name GROUP BY ALL
            UNION ALL
            SELECT name, 'proxy', NULL, direction, list(DISTINCT space ORDER BY space)
            FROM proxy LEFT JOIN used ON proxy_id = id WHERE {_IS_BROUGHT} GROUP BY ALL
        )
        SELECT * REPLACE (
            CASE direction WHEN {HIGHER} THEN 'higher' WHEN {LOWER} THEN 'lower' WHEN {NEITHER} THEN 'neither' END
            AS direction, array_to_string(spaces, ', ') AS spaces
        ) FROM found ORDER BY kind, name
        """,
    )


def declare(store: Store, declared: Mapping[str, int]) -> list[str]:
    """Set directions of stored metrics and of proxies that came as numbers, also against what was said before.

    Returns
    -------
    list of str
        The spaces that have columns of them, whose views are to be rebuilt.

    Raises
    ------
    UsageError
        No metric and no such proxy has the name, or the catalog knows its direction for certain.
    """
    known = store.rows(f"SELECT name FROM measure UNION SELECT name FROM proxy WHERE {_IS_BROUGHT}")
    names = [str(name) for (name,) in known]
    for name, direction in declared.items():
        if name not in names:
            raise UsageError(
                f"no metric, and no proxy that came with a file, is called {name!r:.120}. {did_you_mean(name, names)}"
                "`catalog measures` lists them."
            )
        if is_fixed(name) and known_measure(name).direction != direction:
            raise UsageError(f"{name} means the same in every catalog and cannot be turned round.")
        store.execute("UPDATE measure SET direction = ? WHERE name = ?", [direction, name])
        store.execute(f"UPDATE proxy SET direction = ? WHERE name = ? AND {_IS_BROUGHT}", [direction, name])
    rows = store.rows(
        "SELECT DISTINCT space FROM wide_column LEFT JOIN proxy ON proxy.id = proxy_id "
        f"WHERE list_contains($1, metric) OR ({_IS_BROUGHT} AND list_contains($1, proxy.name)) ORDER BY space",
        [list(declared)],
    )
    return [str(space) for (space,) in rows]


def rows_of(found: Sequence[Measure]) -> pa.Table:
    """Rows of the table ``measure``."""
    return pa.table(
        {
            "name": [one.name for one in found],
            "unit": pa.array([one.unit for one in found], pa.string()),
            "direction": pa.array([one.direction for one in found], pa.int16()),
        }
    )


def _append(store: Store, found: list[Measure]) -> None:
    if found:
        store.append("measure", rows_of(found))
