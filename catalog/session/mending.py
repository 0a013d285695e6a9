"""Verbs that take back: what was read or scored by mistake, and names that were chosen badly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catalog.session.handle import Handle

if TYPE_CHECKING:
    from catalog.storage.compacting import Compacted
    from catalog.tables.removing import Removal


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
