"""BibTeX of what a report rests on: the sources of its numbers, the proxies' papers, and the catalog itself.

What is to be cited is stored with the source. Of well-known publications `publications.bib` has the whole record, by
the number in arXiv; of others the entry says no more than the stored citation does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from catalog.report.paper.latex_text import comment, latex
from catalog.report.table import slug

SOFTWARE = "nascatalog"
"""The key of the catalog's own entry."""

_ARXIV = re.compile(r"arXiv (\d{4}\.\d{4,5})")
_ENTRY = re.compile(r"^@\w+\{(\w+),.*?^\}$", re.DOTALL | re.MULTILINE)
_EPRINT = re.compile(r"eprint = \{([\d.]+)\}")
_PROXIES = re.compile(r"^  proxies = \{([^}]*)\},\n", re.MULTILINE)
_CITED = re.compile(
    r"(?:(?P<authors>[^,;]*(?: et al\.| and )[^,;]*), )?"
    r"(?P<title>.+?)(?:, (?P<venue>[^,]*?(?P<year>(?:19|20)\d\d)))?"
)


@dataclass(frozen=True)
class Cited:
    """One thing that a report uses, and what is known of where it was published.

    Parameters
    ----------
    name
        The source's or the proxy's.
    citation
        As the catalog stores it; None if nobody gave one.
    note
        What else is known: a digest, a description.
    """

    name: str
    citation: str | None
    note: str


@cache
def publications() -> Mapping[str, tuple[str, str]]:
    """What finds a publication to its key and its entry: its number in arXiv, or the name of a proxy of it.

    The field ``proxies`` of `publications.bib` lists those; the catalog's own and users' proxies are in none.
    """
    text = resources.files("catalog.report.paper").joinpath("publications.bib").read_text(encoding="utf-8")
    found: dict[str, tuple[str, str]] = {}
    for entry in _ENTRY.finditer(text):
        numbers, proxies = _EPRINT.findall(entry[0]), " ".join(_PROXIES.findall(entry[0])).split()
        found |= dict.fromkeys((*numbers, *proxies), (entry[1], _PROXIES.sub("", entry[0])))
    return found


def bibliography(sources: Iterable[Cited], proxies: Iterable[Cited], version: str) -> str:
    """The file: which key stands for which source and proxy, as comments, and then every entry once."""
    told = ["% What each source and proxy of the report is cited by:"]
    entries: dict[str, str] = {SOFTWARE: _software(version)}
    for kind, used in (("source", sources), ("proxy", proxies)):
        for one in used:
            found = dict(_entries(one) if kind == "source" else _of_proxy(one))
            entries |= {key: text for key, text in found.items() if key not in entries}
            told.append(comment(f"{kind} {one.name}: {', '.join(found)}"))
    return "\n".join([*told, "", *(f"{entry}\n" for entry in entries.values())])


def _of_proxy(proxy: Cited) -> Iterator[tuple[str, str]]:
    if proxy.name in publications():
        yield publications()[proxy.name]
    elif proxy.citation == SOFTWARE:
        yield SOFTWARE, ""
    else:
        yield _unpublished(proxy, "proxy")


def _entries(source: Cited) -> Iterator[tuple[str, str]]:
    """One entry a publication of the citation: those in arXiv, else the citation as it stands."""
    for part in (source.citation or "").split(";"):
        number = _ARXIV.search(part)
        if number is None:
            continue
        yield publications().get(number[1]) or _told(part.strip(), number[1])
    if not _ARXIV.search(source.citation or ""):
        yield _unpublished(source, "source")


def _told(citation: str, number: str) -> tuple[str, str]:
    """An entry of no more than the citation says: ``Ying et al., NAS-Bench-101, ICML 2019, arXiv 1902.09635``."""
    head = citation[: citation.index(f"arXiv {number}")].rstrip(", ")
    found = _CITED.fullmatch(head)
    fields = {"eprint": number, "archiveprefix": "arXiv"}
    if found is None:
        fields["title"] = f"{{{latex(head)}}}"
    else:
        fields["author"] = latex(found["authors"] or "").replace(" et al.", " and others")
        fields["title"] = f"{{{latex(found['title'])}}}"
        if found["venue"]:
            fields |= {"howpublished": latex(found["venue"]), "year": found["year"]}
    return _entry("misc", f"arxiv{number.replace('.', '')}", fields)


def _unpublished(one: Cited, kind: str) -> tuple[str, str]:
    key = f"{kind}{re.sub(r'[^a-z0-9]', '', slug(one.name))}"
    note = " ".join(filter(None, [one.citation, one.note]))
    return _entry("misc", key, {"title": f"{{{latex(one.name)}}}", "note": latex(note)})


def _software(version: str) -> str:
    fields = {
        "author": "{The nas-catalog maintainers}",
        "title": "{nas-catalog: neural-architecture-search spaces as graphs in one DuckDB file}",
        "note": latex(f"Version {version}"),
    }
    return _entry("misc", SOFTWARE, fields)[1]


def _entry(kind: str, key: str, fields: Mapping[str, str]) -> tuple[str, str]:
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
    return key, "\n".join([f"@{kind}{{{key},", *lines, "}"])
