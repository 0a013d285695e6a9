"""Versions of the rules by which a catalog's derived rows follow from the others; each file says which it has."""

from __future__ import annotations

VERSIONS = {"canonical form": 2, "wide view": 2}
"""Raise a number when the same rows lead to other derived ones: `catalog db upgrade` then derives them anew.

``canonical form``: digests, canonical nodes and edges, counts, representatives and structural scores of a graph.
``wide view``: names, values and comments of the columns of the wide views.
"""
