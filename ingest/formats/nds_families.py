"""The training logs of NDS for its plain, residual and ResNeXt families: depths, widths, ratios and groups of stages.

An entry's ``net`` has ``block_type`` and, of the stem and of each stage, ``ds`` (depth), ``ws`` (width), ``ss``
(stride), and in bottlenecks ``bot_muls`` (ratio) and ``num_gs`` (groups) or ``gws`` (their width).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from catalog.architecture.computation.sized import NetworkFacts, SizedNetworks
from catalog.architecture.members import Members
from catalog.errors import IdentifierError, IngestError, UsageError
from catalog.spaces.staged import built_in
from catalog.spaces.staged.space import StagedSpace
from ingest.formats.genotype_entries import NDSLogs, is_nds, keyed_entries, nds_dataset
from ingest.reading.batch import Batch, SourceFacts
from ingest.reading.known_tables import own_source
from ingest.reading.metric_columns import MetricColumns
from ingest.reading.percents import Percents
from ingest.reading.pickled_values import described
from ingest.reading.sources import JSON_SIZE_LIMIT, read_json

_KIND = "nds-families"
_CITATION = "Radosavovic et al., On network design spaces, ICCV 2019, arXiv 1905.13214"
_BLOCKS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "double_plain_block": ("nds_vanilla",),
        "res_basic_block": ("nds_resnet",),
        "res_bottleneck_block": ("nds_resnext_a", "nds_resnext_b"),
    }
)
"""Spaces of networks by the kind of their blocks."""

SPACES = tuple(space for spaces in _BLOCKS.values() for space in spaces)
"""The spaces of the families."""

_NET = frozenset({"block_type", "ds", "ws", "ss"})
_ARCHITECTURE = _NET | {"bot_muls", "bms", "num_gs", "gws"}
_STRIDES = [1, 1, 2, 2]  # of the stem and the three stages
_STEM = 16  # channels


class _Stage(NamedTuple):
    """One stage as a record says it."""

    depth: Any
    width: Any
    ratio: Any = None
    groups: Any = None

    def __str__(self) -> str:
        bottleneck = "" if self.ratio is None else f"r{float(self.ratio)}g{self.groups}"
        return f"d{self.depth}w{self.width}{bottleneck}"


def is_family(found: Any) -> bool:
    """Whether a document's first log is of a network of stages, and of no cell."""
    if isinstance(found, dict):
        found = [*_listed(found.get("top")), *_listed(found.get("mid"))]
    return isinstance(found, list) and bool(found) and isinstance(found[0], dict) and _is_staged(found[0].get("net"))


def _listed(found: Any) -> Sequence[Any]:
    return found if isinstance(found, list) else ()


def _is_staged(net: Any) -> bool:
    return isinstance(net, dict) and "ds" in net


class NDSFamilies:
    """Reads one file of logs. Equal networks are one architecture, and their trainings its repeats.

    Parameters
    ----------
    path
        The file, which has to be looked into to know the space.
    space
        One of `SPACES`, where the file does not say whether it is of ResNeXt-A or ResNeXt-B.
    source
        The user's name for the source of a file that is not NDS's.

    Raises
    ------
    IngestError
        The file is none, or its networks are of no family.
    UsageError
        Its networks are of both, and neither its name nor `space` says of which.
    """

    def __init__(
        self, path: Path, *, space: str | None = None, source: str | None = None, size_limit: int = JSON_SIZE_LIMIT
    ) -> None:
        self._source = source
        self._document = lru_cache(maxsize=1)(read_json)
        self._size_limit = size_limit
        self._notes: list[str] = []
        self._entries = [
            (f"{path.name}: entry {described(key)}", entry)
            for key, entry in keyed_entries(self._document(path, size_limit), path, self._notes)
        ]
        self._staged = self._space_of(path, space)
        self.space = self._staged.name

    def facts(self, path: Path) -> SourceFacts:
        stem = re.sub(r"\W+", "_", path.name.split(".")[0].lower()).strip("_")
        if self._source in (None, f"nds_{stem}") and is_nds(self._document(path, self._size_limit), _NET):
            return SourceFacts(f"nds_{stem}", _KIND, licence="MIT", citation=_CITATION)
        return SourceFacts(own_source(path, self._source), _KIND, is_named_by_user=self._source is not None)

    def read(self, path: Path) -> Iterator[Batch]:
        percents = Percents(path.name)
        logs = NDSLogs(nds_dataset(path), [entry for _, entry in self._entries], percents, _ARCHITECTURE)
        metrics = MetricColumns()
        rows: dict[str, int] = {}
        repeats: Counter[str] = Counter()
        networks = _Networks(self._staged)
        for where, entry in self._entries:
            native_id = _native_id(self._staged, where, entry["net"])
            networks.check(where, native_id, entry.get("params"))
            row = rows.setdefault(native_id, len(rows))
            repeats[native_id] += 1
            for name, value, columns in logs.metrics(where, entry):
                metrics.add(row, name, value, repeat=repeats[native_id], **columns)
        percents.refuse_fractions()
        notes = (*self._notes, *percents.notes(), *logs.notes(), *_repeated(repeats))
        graphs = [self._staged.graph(name) for name in rows]
        members = Members(list(rows), graphs=graphs, networks=[networks.facts(name) for name in rows])
        yield Batch(members, len(self._entries), metrics.table(), notes=notes)

    def _space_of(self, path: Path, given: str | None) -> StagedSpace:
        if given is not None and given not in SPACES:
            raise UsageError(f"--space is {given!r:.60}; one of {', '.join(SPACES)} is needed. Nothing was stored.")
        if not self._entries:
            raise IngestError(f"{path.name} holds no logs; nothing was stored.")
        if nds_dataset(path) == "imagenet":
            raise IngestError(
                f"{path.name} is called as NDS's file of trainings on ImageNet; the spaces {', '.join(SPACES)} are "
                "those of its networks on CIFAR-10. Nothing was stored."
            )
        candidates = self._candidates()
        if given is not None:
            return built_in(given)
        named = [name for name in candidates if _named(path).startswith(name)]
        fitting = [name for name in named or candidates if len(candidates) == 1 or named or self._fits(built_in(name))]
        if len(fitting) > 1:
            raise UsageError(
                f"{path.name}: its networks are of {' and '.join(fitting)}, and its name does not say of which. Name "
                f"the space: --space {fitting[0]} or --space {fitting[1]}. Nothing was stored."
            )
        return built_in((fitting or candidates)[0])

    def _candidates(self) -> tuple[str, ...]:
        """The spaces of the blocks of all entries."""
        found: tuple[str, ...] = ()
        for where, entry in self._entries:
            net = entry.get("net") if isinstance(entry, Mapping) else None
            if not isinstance(net, Mapping) or not _is_staged(net):
                raise _wrong(where, "net", net, "an object with block_type, ds, ws and ss")
            kind = net.get("block_type")
            if not isinstance(kind, str) or kind not in _BLOCKS:
                raise _wrong(where, "net.block_type", kind, f"one of {', '.join(_BLOCKS)}")
            if found and _BLOCKS[kind] != found:
                raise _wrong(where, "net.block_type", kind, "the same as in the entries before it")
            found = _BLOCKS[kind]
        return found

    def _fits(self, space: StagedSpace) -> bool:
        try:
            for where, entry in self._entries:
                _native_id(space, where, entry["net"])
        except IngestError:
            return False
        return True


class _Networks:
    """What follows from the sizes of the networks of a file, each worked out once."""

    def __init__(self, space: StagedSpace) -> None:
        self._space = space
        self._sized = SizedNetworks(space.vocabulary)
        self.facts = lru_cache(maxsize=None)(self._facts)

    def _facts(self, native_id: str) -> NetworkFacts:
        return self._sized.facts(self._space.graph(native_id))

    def check(self, where: str, native_id: str, parameters: object) -> None:
        """Refuse a log of another network than it says."""
        counted = self.facts(native_id).parameters
        if parameters is not None and parameters != counted:
            raise IngestError(
                f"{where}: params is {described(parameters)}, but the network of {native_id} has {counted:,}. Nothing "
                "was stored."
            )


def _native_id(space: StagedSpace, where: str, net: Mapping[str, Any]) -> str:
    """The id of a network in a space."""
    stages = _stages(where, net)
    native_id = "_".join(map(str, stages))
    try:
        return space.locate(native_id)
    except IdentifierError as error:
        raise IngestError(f"{where}: {error} Nothing was stored.") from None


def _stages(where: str, net: Mapping[str, Any]) -> list[_Stage]:
    depths, widths = _numbers(where, net, "ds"), _numbers(where, net, "ws")
    if _numbers(where, net, "ss") != _STRIDES:
        raise _wrong(where, "net.ss", net["ss"], f"{_STRIDES}, of the stem and three stages,")
    if depths[0] != 1 or widths[0] != _STEM:
        raise _wrong(where, "net.ds and net.ws", [depths[0], widths[0]], f"a stem of 1 block and {_STEM} channels")
    if net["block_type"] != "res_bottleneck_block":
        for name in sorted(_ARCHITECTURE - _NET):
            if net.get(name):
                raise _wrong(where, f"net.{name}", net[name], f"an empty list, in a network of {net['block_type']},")
        return [_Stage(*one) for one in zip(depths[1:], widths[1:], strict=True)]
    ratios = _numbers(where, net, "bms" if "bms" in net else "bot_muls", whole=False)
    if "gws" in net:
        inner = [width * ratio for width, ratio in zip(widths, ratios, strict=True)]
        groups = [_divided(part, group) for part, group in zip(inner, _numbers(where, net, "gws"), strict=True)]
    else:
        groups = _numbers(where, net, "num_gs")
    return [_Stage(*one) for one in zip(depths[1:], widths[1:], ratios[1:], groups[1:], strict=True)]


def _divided(inner: float, group: float) -> float:
    """Channels by the width of a group; a whole number where it is one."""
    found = inner / group if group else 0.0
    return int(found) if found == int(found) else found


def _numbers(where: str, net: Mapping[str, Any], name: str, *, whole: bool = True) -> list[Any]:
    """One number for the stem and for each of three stages."""
    allowed = (int,) if whole else (int, float)
    said = net.get(name)
    if not isinstance(said, list) or len(said) != len(_STRIDES) or any(type(one) not in allowed for one in said):
        raise _wrong(where, f"net.{name}", said, f"a list of {len(_STRIDES)} numbers, of the stem and three stages,")
    return said


def _named(path: Path) -> str:
    """The space that a file is called after."""
    return "nds_" + re.sub(r"\W+", "_", path.name.split(".")[0].lower())


def _wrong(where: str, name: str, said: object, allowed: str) -> IngestError:
    told = "missing" if said is None else described(said)
    return IngestError(f"{where}: {name} is {told}; {allowed} is needed. Nothing was stored.")


def _repeated(repeats: Counter[str]) -> list[str]:
    several = sum(count > 1 for count in repeats.values())
    if not several:
        return []
    return [
        f"{several:,} architectures stand in the file more than once; each of their records is kept as a repeat, and "
        "the wide view shows the mean."
    ]
