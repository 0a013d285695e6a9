"""Changes of a file: of a value in it, of its bytes before they are packed, or of the bytes on the disk."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

from tests.ingest.mutated_files.good_files import GoodFile

HOSTILE: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 3, 2**15, 2**31, 2**63, 2**64, -(2**63), 10**40, 10**400, 0.5, -0.5, 1e-320, 1e20,
    2e300, float("nan"), float("inf"), float("-inf"), "", " ", "a", "0", "-1", "1e999", "nan", "inf", "1_000", "0x10",
    "\x1b[31m", "\0", "\n", "\r\n", "\u202e", "\u200b", "\ufeff", "\ud800", "e\u0301", "\u0661", "=1+1", "'",
    '"', "{", "%s",
    "a" * 5000, "9" * 5000, "[" * 5000, "(" * 500, "|~0|", "a,b", ";", [], [0], [[]], {}, {"a": 1}, {"value": None},
    [None] * 50, "cifar10", "input", "output", "none", b"", b"\xff",
)  # fmt: skip
TOKENS = (
    b"\0", b"\xff", b"\xff\xfe", b"\xed\xa0\x80", b"\\ud800", b"\\u0000", b"[" * 3000, b"{", b"}", b"]", b'"', b"'",
    b",", b":", b"-", b"1e999", b"9" * 400, b"\n", b"\r\n", b"\r", b"\xe2\x80\xae", b"\xef\xbb\xbf", b"PAR1",
    b"\x1f\x8b", b"BZh9", b"null",
    b"NaN", b"Infinity", b"true", b"(", b")", b"#", b"\\", b"\x80\x02", b"c__builtin__\neval\n", b".",
    b"e", b"s", b"u",
)  # fmt: skip
_LARGEST_COPY = 2000


def mutated(good: GoodFile, chance: random.Random) -> bytes:
    """The file's bytes after a change."""
    where = chance.random()
    if where < 0.55 and not isinstance(good.value, bytes):
        return good.pack(_encoded(good, chance))
    data = good.encode(good.value)
    if where < 0.85:
        return good.pack(changed_bytes(data, chance))
    return changed_bytes(good.pack(data), chance)


def _encoded(good: GoodFile, chance: random.Random) -> bytes:
    """The bytes after a change of a value; where the format cannot hold what came out, of the bytes."""
    value = copy.deepcopy(good.value)
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        value = changed_value(value, chance)
    try:
        return good.encode(value)
    except Exception:  # noqa: BLE001 - a writer of tests that fails on a wild value says nothing of the readers
        return changed_bytes(good.encode(good.value), chance)


def _places(value: Any, container: Any = None, key: Any = None) -> Iterator[tuple[Any, Any]]:
    """(container, key) of every value that can be replaced."""
    if container is not None:
        yield container, key
    if isinstance(value, dict):
        for name in value:
            yield from _places(value[name], value, name)
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from _places(item, value, place)


def changed_value(value: Any, chance: random.Random) -> Any:
    """The value with something in it replaced, removed, doubled, renamed or exchanged."""
    if isinstance(value, str):
        return changed_bytes(value.encode("utf-8", "replace"), chance).decode("utf-8", "replace")
    places = list(_places(value))
    if not places or chance.random() < 0.02:
        return chance.choice(HOSTILE)
    container, key = chance.choice(places)
    match chance.randrange(7):
        case 0 if isinstance(container, list):
            container.insert(key, copy.deepcopy(container[key]))
        case 1:
            del container[key]
        case 2 if isinstance(container, dict):
            name = chance.choice(
                (*(str(name) for name in HOSTILE if isinstance(name, str | int)), f"{key} ", f"{key}x")
            )
            container[name[:300]] = container.pop(key)
        case 3:
            other, name = chance.choice(places)
            if len(repr(other[name])) < _LARGEST_COPY and name in (
                other if isinstance(other, dict) else range(len(other))
            ):
                container[key] = copy.deepcopy(other[name])
        case 4 if isinstance(container[key], str):
            text = changed_bytes(container[key].encode("utf-8", "replace"), chance)
            container[key] = text.decode("utf-8", "replace")
        case 4 if isinstance(container[key], bytes):
            container[key] = changed_bytes(container[key], chance)
        case 5 if isinstance(container[key], int | float):
            container[key] = chance.choice(
                (-container[key], container[key] * 1e6, container[key] + 1, str(container[key]))
            )
        case _:
            container[key] = copy.deepcopy(chance.choice(HOSTILE))
    return value


def changed_bytes(data: bytes, chance: random.Random) -> bytes:
    """The bytes with one to five changes."""
    for _ in range(chance.choice((1, 1, 2, 5))):
        size = len(data)
        place = chance.randrange(size + 1)
        other = chance.randrange(size + 1)
        match chance.randrange(7):
            case 0 if place < size:
                data = data[:place] + bytes([data[place] ^ 1 << chance.randrange(8)]) + data[place + 1 :]
            case 1:
                data = data[:place]
            case 2:
                data = data[: min(place, other)] + data[max(place, other) :]
            case 3:
                part = data[min(place, other) : max(place, other)][:_LARGEST_COPY]
                data = data[:place] + part + data[place:]
            case 4 if place < size:
                data = data[:place] + bytes([chance.randrange(256)]) + data[place + 1 :]
            case _:
                token = chance.choice(TOKENS)
                data = data[:place] + token + data[place + (len(token) if chance.random() < 0.5 else 0) :]
    return data
