"""Verbs that tell why: where numbers come from, what a pattern runs, and whether the file is sound."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from catalog.session.handle import Handle

if TYPE_CHECKING:
    from catalog.asking.examination import Examination
    from catalog.asking.origin import Origin


class Explaining(Handle):
    """Questions about the answers; none changes the file but ``doctor(repair=True)``."""

    def pattern_sql(self, space: str, pattern: str, *, form: str = "canonical") -> str:
        """The SQL that `match` runs for a pattern; raises as `match`."""
        from catalog.asking import patterns

        with self._reading() as store:
            return patterns.compiled(store, space, pattern, form=form).sql

    def origin(self, space: str, column: str) -> Origin:
        """Where the numbers of a column come from: source, digest, run, command, averaging, what is NULL and why.

        Parameters
        ----------
        space
            A stored space.
        column
            A column of its wide view, derived ones too.

        Raises
        ------
        UnknownSpaceError, UnknownColumnError
            There is no such space or column.
        """
        from catalog.asking.origin import origin_of

        with self._reading() as store:
            return origin_of(store, space, column)

    def explain(self, space: str, what: str, *, form: str = "canonical") -> Origin | str:
        """`origin` of a column; of a pattern, which begins with ``(`` or ``NOT``, its `pattern_sql`."""
        is_pattern = re.match(r"\s*(\(|NOT\b)", what, re.IGNORECASE) is not None
        return self.pattern_sql(space, what, form=form) if is_pattern else self.origin(space, what)

    def doctor(self, *, full: bool = False, repair: bool = False) -> Examination:
        """Check the file: every row by its seal, what is derived, references, known optima.

        Parameters
        ----------
        full
            Derive everything anew from the native graphs, also where seals say that nothing changed.
        repair
            First write what is derived anew where something else stands there; the listener hears what. The catalog
            must be open for writing.

        Raises
        ------
        CatalogError
            To repair, the file must be sealed by this version's rules: see ``catalog db upgrade``.
        """
        from catalog.asking.examination import examined

        if repair:
            from catalog.tables.repairing import repair as repair_derived

            with self._writing() as store:
                done = repair_derived(store)
            for sentence in done or ["nothing that can be derived had to be repaired."]:
                self._listener.note(sentence)
        with self._reading() as store:
            return examined(store, full=full)
