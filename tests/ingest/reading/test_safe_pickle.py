"""Pickles as data: what is read, what is refused, and what a hostile pickle cannot do."""

from __future__ import annotations

import bz2
import contextlib
import datetime
import functools
import io
import os
import pickle
import struct
import sys
from collections import OrderedDict, defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import IngestError
from ingest.reading.byte_source import ByteSource
from ingest.reading.pickle_opcodes import PickleLimits
from ingest.reading.safe_pickle import SafeUnpickler
from ingest.reading.sources import LimitedStream, open_stream

PROTOCOLS = [0, 2, 3, 4, 5]
MODERN = [2, 3, 4, 5]


def source_of(data: bytes, limit: int = 2**30) -> ByteSource:
    return ByteSource(LimitedStream(io.BytesIO(data), "file.pickle", limit))


def load(data: bytes, **options: Any) -> Any:
    return SafeUnpickler(source_of(data), **options).load()


ATOMS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False),
    st.text(max_size=300),
    st.binary(max_size=30),
)
VALUES = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=5),
        st.tuples(inner, inner),
        st.dictionaries(st.text(max_size=8) | st.integers(0, 999), inner, max_size=5),
        st.sets(st.integers(), max_size=4),
    ),
    max_leaves=30,
)


@given(VALUES, st.sampled_from(MODERN))
def test_plain_values_come_back_in_every_protocol(value: Any, protocol: int) -> None:
    assert load(pickle.dumps(value, protocol)) == value


@pytest.mark.parametrize("protocol", MODERN)
def test_numpy_and_ordered_values_become_plain_ones(protocol: int) -> None:
    value = {
        "scalar": np.float64(1.5),
        "small": np.int16(-3),
        "flag": np.bool_(True),
        "ordered": OrderedDict([("b", 1), ("a", 2)]),
        "default": defaultdict(list, {"k": [1]}),
        "frozen": frozenset({1, 2}),
    }
    found = load(pickle.dumps(value, protocol))
    assert found == {
        "scalar": 1.5,
        "small": -3,
        "flag": True,
        "ordered": {"b": 1, "a": 2},
        "default": {"k": [1]},
        "frozen": {1, 2},
    }
    assert list(found["ordered"]) == ["b", "a"]
    assert type(found["scalar"]) is float


@pytest.mark.parametrize("protocol", [2, 3, 4])
@pytest.mark.parametrize("order", ["C", "F"])
def test_numpy_arrays_of_numbers_are_read(protocol: int, order: str) -> None:
    array = np.asarray(np.arange(12.0).reshape(3, 4), order=order)
    assert np.array_equal(load(pickle.dumps(array, protocol)).values, array)


@pytest.mark.parametrize("protocol", MODERN)
def test_a_long_curve_takes_the_fast_path_and_stays_equal(protocol: int) -> None:
    value = {
        "curve": {epoch: epoch / 7 for epoch in range(256)},
        "gap": {epoch: epoch / 3 for epoch in range(200, 300)},
    }
    assert load(pickle.dumps(value, protocol)) == value


@pytest.mark.parametrize("protocol", MODERN)
def test_shared_values_stay_shared(protocol: int) -> None:
    inner = [1]
    found = load(pickle.dumps([inner, inner], protocol))
    assert found[0] is found[1]


def test_the_official_samples_equal_what_pickle_reads(data_dir: Path) -> None:
    for path in sorted(data_dir.glob("formats/nats_bench_samples/*/*.pbz2")):
        with open_stream(path) as stream:
            found = SafeUnpickler(ByteSource(stream)).load()
        assert found == pickle.loads(bz2.decompress(path.read_bytes())), path.name


class Ruin:
    """Pickles as a call of something that must never run."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.function, self.arguments = function, arguments

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return self.function, self.arguments


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    ("hostile", "name"),
    [
        (Ruin(os.system, "touch PWNED"), "system"),
        (Ruin(eval, "1 + 1"), "eval"),
        (Ruin(__import__, "antigravity"), "__import__"),
        (Ruin(getattr, "text", "upper"), "getattr"),
        (Ruin(bytearray, 2**62), "bytearray"),
        (functools.partial(print), "partial"),
        (datetime.date(2020, 1, 1), "date"),
    ],
)
def test_other_names_are_refused_by_name_and_nothing_runs(
    hostile: Any, name: str, protocol: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = set(sys.modules)
    with pytest.raises(IngestError, match=rf"tries to import '[\w.]*{name}'"):
        load(pickle.dumps({"fine": 1, "hostile": hostile}, protocol))
    assert not list(tmp_path.iterdir())
    assert set(sys.modules) == before


def test_old_instance_opcodes_are_refused_by_name() -> None:
    with pytest.raises(IngestError, match=r"tries to import 'os\.system'"):
        load(b"(S'touch PWNED'\nios\nsystem\n.")
    with pytest.raises(IngestError, match=r"tries to import 'posix\.system'"):
        load(b"cposix\nsystem\n(S'touch PWNED'\ntR.")


@pytest.mark.parametrize(
    "data",
    [
        b"\x80\x04\x82\x01.",  # a number of the extension registry
        b"\x80\x05\x97.",  # an out-of-band buffer
        b"\x80\x04N}b.",  # state of a dictionary
        b"\x80\x04]NNs.",  # an entry of a list
        b"\x80\x04}Na.",  # append to a dictionary
        b"\x80\x04h\x00.",  # what was never remembered
        b"\x80\x04}(Nu.",  # a key without a value
        b"\x80\x04}]Ns.",  # a list as a key
        b"\x80\x06N.",
        b"\x80\x04NN.",
        b"\x80\x04Q.",
        b"",
        b"\x80",
        b"PK\x03\x04",
    ],
)
def test_malformed_pickles_are_clean_errors(data: bytes) -> None:
    with pytest.raises(IngestError, match=r"file\.pickle"):
        load(data)


def test_integers_of_a_million_digits_are_refused() -> None:
    with pytest.raises(IngestError, match="integer of 1000000 bytes"):
        load(b"\x80\x04\x8b" + struct.pack("<I", 10**6) + b"\x01" * 10**6 + b".")


@pytest.mark.parametrize("length", [2**26 + 1, 2**40, 2**63])
def test_announced_lengths_allocate_nothing(length: int) -> None:
    with pytest.raises(IngestError, match="length"):
        load(b"\x80\x04\x8e" + struct.pack("<Q", length) + b"x.")


def test_a_memo_number_of_four_billion_allocates_nothing() -> None:
    """Python's own unpickler would reserve 64 GiB for this pickle of 8 bytes."""
    assert load(b"\x80\x04Nr\xff\xff\xff\xff.") is None


def small_limits(**limits: int) -> PickleLimits:
    return PickleLimits(
        **{"containers": 1000, "waiting": 1000, "references": 1000, "scattered": 1000, "marks": 100, **limits}
    )


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"]" * 600_000, "containers|waiting"),
        (b"N" * 600_000, "waiting"),
        (b"N" + b"\x94" * 600_000, "remembered"),
        (b"(" * 600_000, "marks"),
        (b"N" + b"".join(b"r" + struct.pack("<I", 7 + 2 * place) for place in range(150_000)), "out of order"),
    ],
)
def test_opcode_bombs_stop_at_the_limits(body: bytes, what: str) -> None:
    with pytest.raises(IngestError, match=what):
        load(b"\x80\x04" + body + b".", limits=small_limits())


def test_nesting_of_a_million_lists_does_not_overflow() -> None:
    deep = load(b"\x80\x04" + b"]" * 200_000 + b"a" * 199_999 + b".")
    assert type(deep) is list


def test_deep_or_wide_tuples_cannot_be_keys() -> None:
    """Their hash would recurse or repeat without end."""
    nested = b"\x80\x04}" + b")" + b"\x85" * 500_000 + b"Ns."
    with pytest.raises(IngestError, match="a key is"):
        load(nested)
    doubling = b"\x80\x04}" + b"N\x85" + b"2\x86" * 60 + b"Ns."
    with pytest.raises(IngestError, match="a key is"):
        load(doubling)


def entries_of(value: dict[str, Any], protocol: int) -> tuple[list[tuple[Any, Any]], Any]:
    unpickler = SafeUnpickler(source_of(pickle.dumps(value, protocol)), watched="infos")
    found = [(key, pickle.loads(pickle.dumps(entry))) for key, entry in unpickler.entries()]
    return found, unpickler.result


@pytest.mark.parametrize("protocol", MODERN)
@pytest.mark.parametrize("count", [2, 3, 1000, 1001, 2500])
def test_entries_are_handed_out_and_the_rest_stays(protocol: int, count: int) -> None:
    infos = {index: {"curve": dict.fromkeys(range(20), index + 0.5), "name": f"cell {index}"} for index in range(count)}
    found, rest = entries_of({"before": [1, 2], "infos": infos, "after": {3}}, protocol)
    assert len(rest["infos"]) <= 1
    assert dict(found) | rest["infos"] == infos
    assert (rest["before"], rest["after"]) == ([1, 2], {3})


@pytest.mark.parametrize("protocol", MODERN)
def test_entries_of_one_item_each_are_handed_out_too(protocol: int) -> None:
    infos = {index: {"only": [float(index)] * 20} for index in range(5)}
    found, rest = entries_of({"infos": infos}, protocol)
    assert dict(found) | rest["infos"] == infos


def test_small_shared_values_survive_their_entry() -> None:
    shared = {"channel": 16, "cells": 5}
    infos = {index: {"config": shared, "curve": dict.fromkeys(range(50), 1.0)} for index in range(10)}
    found, _ = entries_of({"infos": infos}, 4)
    assert all(entry["config"] == shared for _, entry in found)


def test_a_reference_to_a_large_value_of_an_earlier_entry_is_refused_not_guessed() -> None:
    curve = dict.fromkeys(range(50), 1.0)
    infos = {index: {"curve": curve, "other": [index]} for index in range(3)}
    with pytest.raises(IngestError, match="handed out and forgotten"):
        entries_of({"infos": infos}, 4)


def test_what_was_handed_out_is_forgotten() -> None:
    """The machine's own count of containers goes back, so any number of entries fits the limits."""
    infos = {index: {"lists": [[place] for place in range(50)]} for index in range(200)}
    data = pickle.dumps({"infos": infos}, 4)
    limits = PickleLimits(containers=3000)
    assert sum(1 for _ in SafeUnpickler(source_of(data), watched="infos", limits=limits).entries()) == 200
    with pytest.raises(IngestError, match="containers"):
        SafeUnpickler(source_of(data), limits=limits).load()


SAMPLE = pickle.dumps(
    {
        "infos": {
            index: {"curve": {epoch: float(epoch) for epoch in range(9)}, "scalar": np.float64(index)}
            for index in range(4)
        }
    },
    2,
)


@given(st.integers(0, len(SAMPLE)), st.lists(st.tuples(st.integers(0, len(SAMPLE) - 1), st.integers(0, 7)), max_size=6))
def test_damage_gives_a_value_or_a_clean_error(length: int, flips: list[tuple[int, int]]) -> None:
    damaged = bytearray(SAMPLE)
    for place, bit in flips:
        damaged[place] ^= 1 << bit
    try:
        unpickler = SafeUnpickler(source_of(bytes(damaged[:length])), watched="infos")
        for _ in unpickler.entries():
            pass
    except IngestError as error:
        assert "file.pickle" in str(error)


@given(
    st.lists(st.sampled_from([bytes([code]) for code in range(256)]) | st.binary(max_size=4), max_size=40).map(b"".join)
)
def test_any_bytes_give_a_value_or_a_clean_error(data: bytes) -> None:
    before = len(sys.modules)
    with contextlib.suppress(IngestError):
        load(data)
    assert len(sys.modules) == before
