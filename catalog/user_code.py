"""Python code of the user's, by the name of what it defines: ``MODULE:NAME``. Importing it runs it."""

from __future__ import annotations

import hashlib
import importlib
import re
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from catalog.errors import CatalogError, UsageError, UserCodeError

_LOADED = "__catalog_loaded__"  # on a user's module: the file and the digest that it was loaded from
_TARGET = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*:[^\W\d]\w*(?:\.[^\W\d]\w*)*")


def is_target(text: str) -> bool:
    """Whether a text has the form ``MODULE:NAME``."""
    return _TARGET.fullmatch(text) is not None


def load(target: str, folder: Path | None = None) -> Any:
    """What a target names.

    Parameters
    ----------
    target
        ``MODULE:NAME``, where the name may have dots.
    folder
        Where to look for the module first.

    Raises
    ------
    UserCodeError
        The user's code fails.
    UsageError
        There is no such module, or nothing of that name in it.
    """
    module_name, _, path = target.partition(":")
    with _first_in_path(folder), reported(target):
        found: Any = _current(module_name, None if folder is None else file_of(target, folder))
        for name in path.split("."):
            if not hasattr(found, name):
                raise UsageError(f"{module_name} has no {name!r}; {target!r} names nothing.")
            found = getattr(found, name)
    return found


def _current(name: str, path: Path | None) -> ModuleType:
    """A module as its file is now: one that was loaded from other bytes, or from another folder, is loaded anew."""
    loaded = sys.modules.get(name)
    if path is not None and loaded is not None:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if getattr(loaded, _LOADED, None) != (str(path), digest) and getattr(loaded, _LOADED, None) is not None:
            del sys.modules[name]
    module = importlib.import_module(name)
    if path is not None and module.__spec__ is not None and module.__spec__.origin == str(path):
        setattr(module, _LOADED, (str(path), hashlib.sha256(path.read_bytes()).hexdigest()))
    return module


def file_of(target: str, folder: Path) -> Path | None:
    """The file of a target's module in a folder; None where there is none, and it is an installed one."""
    path = folder.joinpath(*target.partition(":")[0].split(".")).with_suffix(".py")
    return path if path.is_file() else None


def digest_of(target: str, folder: Path) -> str | None:
    """sha256 of the file that `file_of` gives."""
    path = file_of(target, folder)
    return None if path is None else hashlib.sha256(path.read_bytes()).hexdigest()


@dataclass(frozen=True)
class UserCode:
    """A user's file on its way to a process that does not have it.

    Parameters
    ----------
    module
        What its module is called.
    source
        Its bytes.
    """

    module: str
    source: bytes

    @classmethod
    def of(cls, target: str, folder: Path) -> UserCode | None:
        """The file that a target names; None where it names an installed module, which every process has."""
        path = file_of(target, folder)
        return None if path is None else cls(target.partition(":")[0], path.read_bytes())

    def install(self) -> None:
        """Make the module importable in this process, if it is not already."""
        if self.module in sys.modules:
            return
        module = ModuleType(self.module)
        sys.modules[self.module] = module
        try:
            exec(compile(self.source, f"{self.module}.py", "exec"), vars(module))  # noqa: S102 - the user's own code
        except BaseException:
            del sys.modules[self.module]
            raise


@contextmanager
def reported(target: str) -> Iterator[None]:
    """Tell whatever the user's code raises as its mistake, with the line that raised it.

    Raises
    ------
    UserCodeError
        The block raised anything that is no error of the catalog's.
    """
    try:
        yield
    except CatalogError:
        raise
    except ModuleNotFoundError as error:
        raise UsageError(
            f"{target} cannot be imported: {error}. Run the command in the folder of your module."
        ) from error
    except (Exception, SystemExit) as error:
        raise UserCodeError(f"{target} fails in {place_of(error)}; nothing was stored.") from error


def place_of(error: BaseException) -> str:
    """File, line and words of an exception."""
    if isinstance(error, SyntaxError) and error.filename is not None:
        where = f"{Path(error.filename).name} line {error.lineno}"
    else:
        frames = traceback.extract_tb(error.__traceback__)
        where = f"{Path(frames[-1].filename).name} line {frames[-1].lineno}" if frames else "an unknown place"
    return f"{where}: {type(error).__name__}: {error}".encode("utf-8", "replace").decode()


@contextmanager
def _first_in_path(folder: Path | None) -> Iterator[None]:
    entries = [] if folder is None else [str(folder)]
    sys.path[:0] = entries
    try:
        yield
    finally:
        for entry in entries:
            sys.path.remove(entry)
