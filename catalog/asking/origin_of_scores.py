"""Where a proxy column comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from catalog.architecture.structural import STRUCTURAL_PROXIES
from catalog.asking.origin_parts import Facts, Part, listed_seeds, run_facts, source_facts
from catalog.development import MARK, spaces_in_sight
from catalog.tables.confirmed_counts import compared
from catalog.tables.measures import word_of
from catalog.tables.space_ids import is_of_space

if TYPE_CHECKING:
    from catalog.storage.store import Store

_SPREAD = "_std"
_STRUCTURAL = frozenset(proxy.name for proxy in STRUCTURAL_PROXIES)
_MOST_REASONS = 5


def score_parts(
    catalog: Store, space: str, column: str, groups: Sequence[Mapping[str, Any]]
) -> tuple[Facts, tuple[Part, ...]]:
    """What holds for a proxy column, and a part for each kind of score rows behind it.

    Parameters
    ----------
    groups
        The kinds of rows, as `catalog.tables.views.proxy_groups` gives them.
    """
    first = groups[0]
    direction = first["direction"]
    parts = tuple(_part(catalog, space, group) for group in groups)
    several = "; of several parts the first that has a value, never a mix" if len(groups) > 1 else ""
    facts = {
        "proxy": first["name"],
        "better": "nobody said it" if direction is None else word_of(direction),
        "how it came about": _kind(catalog, column, first),
        "how it is averaged": f"the mean over the seeds with a score; NULL if none has one{several}",
        "NULL because": _missing(catalog, space, groups),
        "published as well": _confirmed(catalog, space, first),
    }
    return facts, parts


def _kind(catalog: Store, column: str, group: Mapping[str, Any]) -> str:
    if group["source_id"] is not None:
        return f"published: the scores came with {group['source']}; nothing was measured here"
    if group["name"] in _STRUCTURAL:
        return "derived: counted from the stored graph when the architecture was entered, without a file"
    if group["name"].endswith(_SPREAD) and group["description"].startswith("spread of "):
        return f"derived: how far the members of the ensemble {column.removesuffix(_SPREAD)} differ, not a score"
    ((checkpoint,),) = catalog.rows("SELECT checkpoint_digest FROM proxy WHERE id = ?", [group["proxy_id"]])
    return "measured here" if checkpoint is None else "predicted here, by the weights of the checkpoint below"


def _is_kind(group: Mapping[str, Any]) -> tuple[str, list[object]]:
    condition = "proxy_id = ? AND input IS NOT DISTINCT FROM ? AND source_id IS NOT DISTINCT FROM ?"
    return condition, [group["proxy_id"], group["input"], group["source_id"]]


def _part(catalog: Store, space: str, group: Mapping[str, Any]) -> Part:
    condition, values = _is_kind(group)
    ((version, configuration, checkpoint),) = catalog.rows(
        "SELECT version, configuration, checkpoint_digest FROM proxy WHERE id = ?", [group["proxy_id"]]
    )
    ((rows, architectures, seeds, shared, seconds, runs),) = catalog.rows(
        f"""
        SELECT count(*), count(DISTINCT architecture_id), list(DISTINCT seed ORDER BY seed), count(shared_from),
            avg(seconds) FILTER (shared_from IS NULL), list(DISTINCT run_id)
        FROM score WHERE {is_of_space(catalog, space)} AND {condition}
        """,
        values,
    )
    given = f" on {group['input']}" if group["input"] else ""
    facts = {
        "description": group["description"],
        "version": version,
        "configuration": configuration if configuration != "{}" else "the default",
        "checkpoint sha256": checkpoint,
        "trained on": _trained_on(catalog, space, group["proxy_id"]),
        MARK: _in_sight(space, group["description"]),
        "rows": rows,
        "architectures": architectures,
        "seeds": listed_seeds(seeds or ()) or "none: it is deterministic, or the source does not say",
        "shared": f"{shared:,} rows from an architecture that computes the same function" if shared else None,
        "seconds an architecture": seconds,
    }
    if group["source_id"] is not None:
        return Part(f"{group['name']}{given} of {group['source']}", facts | source_facts(catalog, group["source_id"]))
    return Part(f"{group['name']}{given} of this catalog", facts | run_facts(catalog, runs or ()))


def _trained_on(catalog: Store, space: str, proxy_id: int) -> str | None:
    """How many labels of which spaces a predictor learnt from, as far as they are stored here."""
    rows = catalog.rows(
        "SELECT space, count(*) FROM training_member JOIN architecture ON architecture.id = architecture_id "
        "WHERE proxy_id = ? GROUP BY space ORDER BY space",
        [proxy_id],
    )
    told = ", ".join(f"{count:,} architectures of {name}" for name, count in rows)
    if not told:
        return None
    own = any(name == space for name, _ in rows)
    return f"{told}; they and their functional twins have no part in a report on {space}" if own else told


def _in_sight(space: str, description: str) -> str | None:
    spaces = spaces_in_sight(description)
    return f"yes: {space} was in sight while it was developed" if space in spaces else None


def _missing(catalog: Store, space: str, groups: Sequence[Mapping[str, Any]]) -> str | None:
    """Why architectures have no value: nobody scored them, or the score failed, with the reasons."""
    conditions, values = zip(*(_is_kind(group) for group in groups), strict=True)
    rows = catalog.rows(
        f"""
        WITH judged AS (
            SELECT architecture_id, bool_or(status = 'ok') AS is_known, max(status) AS status, max(reason) AS reason
            FROM score WHERE {is_of_space(catalog, space)} AND ({" OR ".join(f"({one})" for one in conditions)})
            GROUP BY architecture_id
        )
        SELECT coalesce(status, 'not scored') AS status, reason, count(*) AS n FROM architecture
        LEFT JOIN judged ON architecture_id = id WHERE space = ? AND is_known IS NOT TRUE
        GROUP BY ALL ORDER BY n DESC, status, reason
        """,
        [*(value for part in values for value in part), space],
    )
    reasons = [
        f"{count:,}: {status}{f', {reason}' if reason else ''}" for status, reason, count in rows[:_MOST_REASONS]
    ]
    if len(rows) > _MOST_REASONS:
        reasons.append(f"{sum(count for *_, count in rows[_MOST_REASONS:]):,} for other reasons")
    return "; ".join(reasons) or None


def _confirmed(catalog: Store, space: str, group: Mapping[str, Any]) -> str | None:
    """What sources publish under the same name, where ours stands for it."""
    if group["name"] not in _STRUCTURAL or group["source_id"] is not None:
        return None
    return " ".join(str(one) for one in compared(catalog, space) if one.name == group["name"]) or None
