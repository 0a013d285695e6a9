"""What the seals prove: that the rows of every table are those that the catalog wrote, part by part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from catalog.quoting import identifier, literal
from catalog.storage.seals import PARTS, Broken
from catalog.tables.finding import Finding
from catalog.tables.forgetting import command, upgrade_command

if TYPE_CHECKING:
    from catalog.storage.store import Store

_SHOWN = 5

_REMEDIES = {
    "node": "doctor --repair derives what follows from native graphs",
    "edge": "doctor --repair derives what follows from native graphs",
    "architecture": "doctor --repair derives what follows from native graphs; ingest what is gone again",
    "operator": "doctor --repair writes built-in operators anew",
    "space": "doctor --repair writes built-in spaces anew",
    "proxy": "doctor --repair writes structural proxies anew; score with the others again",
    "training_member": "catalog db forget --scores COLUMN, then score with the predictor again",
    "layer_score": "catalog db forget --scores COLUMN, then score again with --layerwise",
    "score": "doctor --repair derives structural scores; of other columns of your own: catalog db forget --scores "
    "COLUMN, then score again",
}
_ELSE = "it cannot be derived: take the file from a backup, or fill a new catalog"


def examine_seals(catalog: Store, broken: Mapping[str, list[Broken]]) -> Iterator[Finding]:
    """One finding for every table whose rows are not those that were stored; one in all where there is none."""
    if outdated := catalog.outdated():
        yield Finding(
            "derivation",
            "failed",
            f"other rules than this version's derived the file, or nobody knows which ({', '.join(outdated)}): "
            f"{upgrade_command(catalog)}",
        )
    if not catalog.is_sealed():
        yield Finding(
            "seals", "failed", f"the rows are not sealed, or by another version of DuckDB: {upgrade_command(catalog)}"
        )
        return
    for table, parts in broken.items():
        if parts:
            yield Finding(f"rows of {table}", "failed", _told(catalog, table, parts))
    if not any(broken.values()):
        yield Finding("seals", "ok", f"every row of {len(broken)} tables is as it was stored")


def _told(catalog: Store, table: str, parts: list[Broken]) -> str:
    said = [_state(table, one) for one in parts[:_SHOWN]]
    if len(parts) > _SHOWN:
        said.append(f"and {len(parts) - _SHOWN:,} more parts")
    if twice := _doubled(catalog, table, parts):
        said.append(twice)
    return f"{'; '.join(said)}. {_remedy(catalog, table, parts)}"


def _state(table: str, part: Broken) -> str:
    names: tuple[str, ...] = PARTS[table]
    if len(part.values) != len(names):
        names = (" and ".join(names),)
    where = ", ".join(
        f"{name} {value}" for name, value in zip(names, part.values, strict=True) if name and value is not None
    )
    sealed, now = part.sealed.rows, part.now.rows
    if not sealed:
        what = f"{now:,} rows that the catalog did not write"
    elif not now:
        what = f"all {sealed:,} rows are gone"
    elif now != sealed:
        what = f"{now:,} rows where {sealed:,} were stored"
    else:
        what = f"some of {now:,} rows were changed" if now > 1 else "the row was changed"
    return f"{where}: {what}" if where else what


def _doubled(catalog: Store, table: str, parts: list[Broken]) -> str | None:
    """Rows that stand in the broken parts more than once, with an example."""
    names = PARTS[table]
    held = [part.values for part in parts if part.now.rows]
    if not held:
        return None
    among = " OR ".join(
        " AND ".join(
            f"{identifier(name)} IS NOT DISTINCT FROM {'NULL' if value is None else literal(str(value))}"
            for name, value in zip(names, part, strict=True)
        )
        for part in held[:100]
    )
    where = f"WHERE {among}" if names else ""
    rows: list[dict[str, Any]] = catalog.arrow(
        f"SELECT * EXCLUDE (copies), sum(copies - 1) OVER ()::BIGINT AS surplus FROM ("
        f"SELECT *, count(*) AS copies FROM {table} {where} GROUP BY ALL HAVING count(*) > 1) ORDER BY ALL LIMIT 1"
    ).to_pylist()
    if not rows:
        return None
    row = rows[0]
    surplus = row.pop("surplus")
    shown = ", ".join(f"{name} {value}" for name, value in row.items() if value is not None)
    return f"{surplus:,} rows stand twice, for example {shown:.200}"


def _remedy(catalog: Store, table: str, parts: list[Broken]) -> str:
    names = PARTS[table]
    if "source_id" in names or table == "source":
        place = names.index("source_id" if "source_id" in names else "id")
        wrong = {str(part.values[place]) for part in parts if len(part.values) == len(names)} - {"None"}
        if wrong:
            commands = " ".join(f"{command(catalog, int(number))} --" for number in sorted(wrong, key=int)[:_SHOWN])
            return f"Take its numbers out with: {commands} then ingest the file again."
    return f"What to do: {_REMEDIES.get(table, _ELSE)}."
