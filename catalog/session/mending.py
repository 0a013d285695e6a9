"""Verbs that take back: what was read or scored by mistake, and names that were chosen badly."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from catalog.errors import UsageError
from catalog.session.handle import Handle

if TYPE_CHECKING:
    from catalog.storage.compacting import Compacted
    from catalog.tables.merging import Merged
    from catalog.tables.removing import Removal
    from catalog.tables.renaming import Renamed


class Mending(Handle):
    """Everything here changes the file, which must be open for writing; each verb does all of it or nothing."""

    def remove(self, what: str, name: str | int, *, dry: bool = False) -> Removal:
        """Take a source, a space, a proxy or a run out, with all that nobody needs once it is gone.

        Architectures go that came with it and of which nothing else says anything. Runs stay, with the outcome
        ``removed``.

        Parameters
        ----------
        what
            ``"source"``, ``"space"``, ``"proxy"`` or ``"run"``.
        name
            Its name; of a source also its id, of a proxy its column, of a run its id.
        dry
            Only tell what would go; this works on a catalog that is open for reading too.

        Raises
        ------
        UsageError
            There is no such thing, or several have the name; nothing was removed.
        """
        from catalog.tables import removing

        if dry:
            with self._reading() as store:
                return removing.removal_of(store, what, str(name))
        with self._writing() as store:
            return removing.remove(store, what, str(name))

    def rename(self, what: str, old: str | int, new: str) -> Renamed:
        """Give a source, a space, a proxy or a metric another name; the columns of wide views follow.

        Parameters
        ----------
        what
            ``"source"``, ``"space"``, ``"proxy"`` or ``"metric"``.
        old
            Its name; of a source also its id, of a proxy its column.
        new
            The name it gets.

        Raises
        ------
        UsageError
            There is no such thing, its name is a benchmark's or built in, or the new one is taken or is no name.
        """
        from catalog.tables.renaming import rename

        with self._writing() as store:
            renamed = rename(store, what, str(old), new)
        self._listener.note(str(renamed))
        return renamed

    def merge(self, other: str | Path) -> Merged:
        """Take in what another catalog holds; where the two contradict each other, nothing, and they are listed.

        Architectures are the same by their space and native id, files by their bytes.

        Parameters
        ----------
        other
            The other catalog, which is only read.

        Raises
        ------
        StoreError
            The other file is no catalog, is damaged, or was written or derived by another version.
        """
        from catalog.storage.store import Store
        from catalog.tables.merging import merge

        with self._writing() as store:
            if Path(other).exists() and Path(other).samefile(store.path):
                raise UsageError(f"{other} is this catalog itself; name the other one.")
            with Store.open(other, wait=self._wait) as there:
                merged = merge(store, there, self._listener)
        self._listener.note(str(merged))
        return merged

    def compact(self) -> Compacted:
        """Write the file anew without the room that replaced rows have left in it; needs room for a second file.

        Raises
        ------
        StoreError
            There is no room, or another process uses the file, which is as it was.
        """
        from catalog.storage.compacting import compact

        with self._writing():
            pass
        with self._let_others_read() as path:
            return compact(path, wait=self._wait)
