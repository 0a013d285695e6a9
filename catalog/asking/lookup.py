"""The wide rows of given architectures, named in any notation that their space accepts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from numbers import Integral
from typing import TYPE_CHECKING

from catalog.errors import IdentifierError, UnknownSpaceError
from catalog.quoting import identifier
from catalog.tables.space_view import SpaceView

if TYPE_CHECKING:
    import polars
    import pyarrow as pa

    from catalog.storage.store import Store

_LARGEST = 2**63 - 1
_SHOWN = 5  # identifiers that an error message quotes
_LONGEST = 100  # characters of each


def lookup(
    catalog: Store, ids: Iterable[object] | int, space: str | None = None, columns: Sequence[str] | None = None
) -> polars.DataFrame:
    """The wide rows of many architectures, in the order of `ids`, repeated ones repeated.

    Parameters
    ----------
    catalog
        The open catalog.
    ids
        Native ids in any notation that the space accepts, as text or as the benchmark's objects, or native indices; one
        text or number counts as one id.
    space
        The search space; by default the only one in the catalog that knows all of them.
    columns
        The columns of the wide view to give; all of them if None.

    Raises
    ------
    IdentifierError
        An identifier names no architecture of the space, or none that the catalog holds.
    UnknownSpaceError
        The catalog holds no such space.
    """
    import polars

    wanted = _listed(ids)
    view = SpaceView.of(catalog, space if space is not None else _space_of(catalog, wanted))
    keys = [_as_key(given) for given in wanted]
    found = _joined(view, keys, columns)
    missing = _missing(keys, found)
    if missing:
        for place, key in zip(missing, _located(view, [wanted[place] for place in missing], wanted), strict=True):
            keys[place] = key
        found = _joined(view, keys, columns)
        _require_all(view, wanted, found)
    frame = polars.from_arrow(found.drop_columns(["place"]))
    assert isinstance(frame, polars.DataFrame)
    return frame


def _listed(ids: object) -> list[object]:
    """One text or number counts as one id."""
    if isinstance(ids, str | Integral):
        return [ids]
    if not isinstance(ids, Iterable):
        raise IdentifierError(f"{ids!r} is no identifier and no list of them.")
    return list(ids)


def _as_key(given: object) -> str | int | None:
    """A text as a native id, a number as a native index; None for objects, which only the space understands."""
    if isinstance(given, bool):
        return None
    if isinstance(given, Integral):
        return int(given) if abs(int(given)) <= _LARGEST else None
    return given if isinstance(given, str) and _is_sound(given) else None


def _is_sound(text: str) -> bool:
    """Whether a text has no half of a surrogate pair, as bytes of another encoding on a command line become."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _joined(view: SpaceView, keys: Sequence[str | int | None], columns: Sequence[str] | None) -> pa.Table:
    """The wide rows of keys that the catalog holds, with the ``place`` of each among `keys`, in that order."""
    import pyarrow

    names = [key if isinstance(key, str) else None for key in keys]
    numbers = [key if isinstance(key, int) else None for key in keys]
    wanted = pyarrow.table(
        {
            "place": pyarrow.array(range(len(keys)), pyarrow.int64()),
            "native_id": pyarrow.array(names, pyarrow.string()),
            "native_index": pyarrow.array(numbers, pyarrow.int64()),
        }
    )
    kept = dict.fromkeys(columns or view.columns)
    selected = ", ".join(f"wide.{identifier(view.checked(column))}" for column in kept)
    parts = [
        f"SELECT wanted.place, {selected} FROM wanted JOIN {identifier(view.name)} AS wide"
        f" ON wide.{identifier(column)} = wanted.{key}"
        for column, key, present in ((view.native_id_name, "native_id", names), ("index", "native_index", numbers))
        if column in view.columns and any(value is not None for value in present)
    ] or [f"SELECT wanted.place, {selected} FROM wanted, {identifier(view.name)} AS wide WHERE false"]
    return view.catalog.arrow(" UNION ALL ".join(parts) + " ORDER BY place", tables={"wanted": wanted})


def _missing(wanted: Sequence[object], found: pa.Table) -> list[int]:
    """Places among `wanted` that no row was found for."""
    return sorted(set(range(len(wanted))).difference(found["place"].to_pylist()))


def _located(view: SpaceView, strangers: Sequence[object], wanted: Sequence[object]) -> list[str | int | None]:
    """Keys of identifiers in another notation than the stored one, and of names that a file gave."""
    from catalog.spaces import space_named
    from catalog.tables.aliases import aliases_of

    space = view.name
    try:
        defined = space_named(space)
    except UnknownSpaceError:  # a user's own space: its ids have one notation, and that was tried
        return [None] * len(strangers)
    keys: list[str | int | None] = []
    aliases = aliases_of(view.catalog, space)
    refused: list[tuple[object, IdentifierError]] = []
    for given in strangers:
        try:
            keys.append(defined.locate(given))
        except IdentifierError as error:
            named = aliases.get(given, ()) if isinstance(given, str) else ()
            if not named:
                refused.append((given, error))
            keys.append(_only(space, given, named))
    if refused:
        raise IdentifierError(
            f"{len(refused)} of {len(wanted)} identifiers name no architecture of {space}: "
            f"{_some(given for given, _ in refused)}. {refused[0][1]}"
        )
    return keys


def _only(space: str, given: object, named: Sequence[str]) -> str | None:
    """The architecture that a file calls so, unless files call several so."""
    if len(named) > 1:
        raise IdentifierError(
            f"{given!r:.100} is the name of {len(named)} architectures of {space}: {_some(named)}. Name the one "
            "that is meant by its id."
        )
    return named[0] if named else None


def _require_all(view: SpaceView, wanted: Sequence[object], found: pa.Table) -> None:
    missing = _missing(wanted, found)
    if missing:
        raise IdentifierError(
            f"{len(missing)} of {len(wanted)} identifiers name architectures of {view.name} that {view.catalog.path} "
            f"does not hold: {_some(wanted[place] for place in missing)}. It holds {view.count:,} of the space."
        )


def _some(values: Iterable[object]) -> str:
    """The first few values, each shortened."""
    texts = [repr(value) for value in values]
    shown = [text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..." for text in texts[:_SHOWN]]
    return ", ".join(shown) + (f" and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else "")


def _space_of(catalog: Store, wanted: Sequence[object]) -> str:
    """The stored space that the first identifier belongs to."""
    stored = catalog.arrow("SELECT name FROM space ORDER BY name")["name"].to_pylist()
    fitting = stored if len(stored) < 2 or not wanted else [name for name in stored if _fits(catalog, name, wanted[0])]
    if len(fitting) == 1:
        return str(fitting[0])
    if not stored:
        raise UnknownSpaceError(f"{catalog.path} holds no search space yet; fill one with `catalog ingest`.")
    what = _some(wanted[:1]) or "an empty list"
    raise IdentifierError(
        f"{what} fits {'several spaces' if fitting else 'none of the stored spaces'}: {', '.join(fitting or stored)}. "
        "Name the space."
    )


def _fits(catalog: Store, space: str, given: object) -> bool:
    from catalog.spaces import space_named

    try:
        space_named(space).locate(given)
    except IdentifierError:
        from catalog.tables.aliases import aliases_of

        return given in aliases_of(catalog, space) if isinstance(given, str) else False
    except UnknownSpaceError:
        key = _as_key(given)
        column = "native_index" if isinstance(key, int) else "native_id"
        held = catalog.arrow(f"SELECT 1 FROM architecture WHERE space = ? AND {column} = ? LIMIT 1", [space, key])
        return len(held) > 0
    return True
