"""PyTorch archives (``.pth``) read without PyTorch: both layouts of ``torch.save``, all values but no tensors.

torch 1.0 to 1.5 wrote five pickles in a row (a magic number, a protocol version, facts of the system, the value, the
keys of the storages) and then the storages' bytes; later versions write a zip file with the value's pickle in
``data.pkl``. Here a tensor becomes its shape and number type: the benchmarks keep no result in one.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog.errors import IngestError
from ingest.reading.byte_source import ByteSource
from ingest.reading.pickled_values import Global, UnbuildableError, described
from ingest.reading.safe_pickle import SafeUnpickler
from ingest.reading.sources import DEFAULT_SIZE_LIMIT, LimitedStream, open_stream

_MAGIC = 0x1950A86A20F9469CFC6C
_LEGACY_PROTOCOL = 1001
_LEGACY_START = b"\x80\x02\x8a\x0a" + _MAGIC.to_bytes(10, "little")
_ZIP_START = b"PK\x03\x04"

_ITEM_SIZES = {
    "Double": 8, "Float": 4, "Half": 2, "BFloat16": 2, "Long": 8, "Int": 4, "Short": 2, "Char": 1, "Byte": 1, "Bool": 1,
}  # fmt: skip


@dataclass(frozen=True)
class Storage:
    """A tensor's memory, known by its size alone."""

    key: str
    numbers: int
    item_size: int


@dataclass(frozen=True)
class Tensor:
    """A tensor, known by its shape alone."""

    storage: Storage
    shape: tuple[int, ...]


def _tensor(arguments: tuple[Any, ...]) -> Tensor:
    match arguments:
        case (Storage() as storage, int(), tuple() as shape, tuple(), *_) if all(type(size) is int for size in shape):
            return Tensor(storage, shape)
    raise UnbuildableError(f"a tensor is made from {described(arguments)}")


def _parameter(arguments: tuple[Any, ...]) -> Tensor:
    match arguments:
        case (Tensor() as tensor, *_):
            return tensor
    raise UnbuildableError(f"a parameter is made from {described(arguments)}")


def _shape(arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    match arguments:
        case (list() | tuple() as sizes,):
            return tuple(sizes)
    raise UnbuildableError(f"a shape is made from {described(arguments)}")


_BUILDERS: dict[str, Callable[[tuple[Any, ...]], Any] | None] = {
    "torch._utils._rebuild_tensor": _tensor,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_parameter": _parameter,
    "torch.Size": _shape,
    **{f"torch.{kind}Storage": None for kind in _ITEM_SIZES},
}

_ALLOWED = {name: Global(name, build) for name, build in _BUILDERS.items()}


class _Storages:
    """The storages that a pickle refers to by persistent id."""

    def __init__(self) -> None:
        self.by_key: dict[str, Storage] = {}

    def __call__(self, identifier: Any) -> Storage:
        match identifier:
            case ("storage", Global(name=name), str() as key, str(), int() as numbers, *_) if numbers >= 0:
                kind = name.removeprefix("torch.").removesuffix("Storage")
                if kind in _ITEM_SIZES:
                    storage = Storage(key, numbers, _ITEM_SIZES[kind])
                    return self.by_key.setdefault(key, storage)
        raise UnbuildableError(f"a tensor refers to the storage {described(identifier)}")


class TorchArchive:
    """One ``.pth`` file.

    Parameters
    ----------
    path
        The file.
    size_limit
        Bytes that may be read from it, or from the value's pickle in a zip file.

    Attributes
    ----------
    rest
        The archive's value without the entries that were handed out, once they are.
    """

    def __init__(self, path: Path, size_limit: int = DEFAULT_SIZE_LIMIT) -> None:
        self.rest: Any = None
        self._path = path
        self._size_limit = size_limit

    def load(self) -> Any:
        """The whole value."""
        for _ in self.entries(None):
            pass
        return self.rest

    def entries(self, watched: str | None) -> Iterator[tuple[Any, Any]]:
        """Entries of the dictionary under `watched` in the archive's outermost dictionary, while it is read.

        Raises
        ------
        IngestError
            The file is no such archive, is damaged, or mentions a name that is not allowed.
        """
        with open_stream(self._path, self._size_limit) as stream:
            source = ByteSource(stream)
            source.need(512)
            start = source.window[:512]
            if start.startswith(_LEGACY_START):
                yield from self._legacy(source, watched)
                return
        if start.startswith(_ZIP_START):
            yield from self._zipped(watched)
        elif start[257:262] == b"ustar":
            raise IngestError(
                f"{self._path.name}: an archive in the tar layout of torch 0.1, which is not read; nothing was stored. "
                "Load it with an old PyTorch in a place where it can do no harm, and save it again."
            )
        else:
            raise IngestError(
                f"{self._path.name}: starts with {start[:8]!r}, which is neither of PyTorch's archive layouts; nothing "
                "was stored. Check that the download is complete and the right file."
            )

    def _legacy(self, source: ByteSource, watched: str | None) -> Iterator[tuple[Any, Any]]:
        magic, protocol, system = (SafeUnpickler(source).load() for _ in range(3))
        if magic != _MAGIC or protocol != _LEGACY_PROTOCOL:
            raise self._strange(f"protocol {described(protocol)} where {_LEGACY_PROTOCOL} is read")
        if not isinstance(system, dict) or system.get("little_endian") is not True:
            raise self._strange(f"written by the system {described(system)}; little-endian archives are read")
        storages = _Storages()
        unpickler = SafeUnpickler(source, allowed=_ALLOWED, persistent=storages, watched=watched)
        yield from unpickler.entries()
        self.rest = unpickler.result
        keys = SafeUnpickler(source).load()
        if not isinstance(keys, list) or sorted(map(str, keys)) != sorted(storages.by_key):
            raise self._strange("its list of storages does not fit its tensors")
        for key in keys:
            storage = storages.by_key[key]
            numbers = int.from_bytes(source.take(8), "little")
            if numbers != storage.numbers:
                raise self._strange(f"storage {key} has {numbers} numbers where its tensors need {storage.numbers}")
            source.skip(numbers * storage.item_size)

    def _zipped(self, watched: str | None) -> Iterator[tuple[Any, Any]]:
        with self._member() as stream:
            unpickler = SafeUnpickler(ByteSource(stream), allowed=_ALLOWED, persistent=_Storages(), watched=watched)
            yield from unpickler.entries()
            self.rest = unpickler.result

    def _member(self) -> LimitedStream:
        """The value's pickle in a zip file."""
        try:
            with zipfile.ZipFile(self._path) as archive:
                members = [member for member in archive.infolist() if member.filename.endswith("data.pkl")]
                if len(members) != 1 or members[0].compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    raise self._strange(f"a zip file with {len(members)} usable members data.pkl; PyTorch writes one")
                stream = archive.open(members[0])
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, ValueError, OverflowError) as error:
            raise self._strange(f"a damaged zip file ({error})") from None
        name = f"{self._path.name}:{members[0].filename}"
        return LimitedStream(stream, name, self._size_limit, members[0].compress_size)

    def _strange(self, what: str) -> IngestError:
        return IngestError(f"{self._path.name}: {what}; nothing was stored. Fetch the file again.")
