"""Each entry says what is known of a publication, and no more."""

from __future__ import annotations

import re

from catalog.report.paper.bibliography import SOFTWARE, Cited, bibliography, publications
from catalog.tables.official_sources import OFFICIAL_SOURCES


def test_well_known_sources_and_proxies_have_their_whole_record() -> None:
    sources = [Cited(name, source.citation, "") for name, source in OFFICIAL_SOURCES.items()]
    text = bibliography(sources, [Cited("nwot", None, "as published"), Cited("jacov", None, "")], "1.0")
    assert "% source nb101: ying2019nasbench101" in text
    assert "% proxy nwot: mellor2021naswot" in text
    assert text.count("@inproceedings{mellor2021naswot,") == 1
    assert "proxies =" not in text


def test_others_say_what_their_citation_says() -> None:
    cited = "Cai et al., Once-for-All, ICLR 2020, arXiv 1908.09791; ProxylessNAS, ICLR 2019, arXiv 1812.00332"
    text = bibliography([Cited("ofa", cited, "")], [], "1.0")
    assert "% source ofa: arxiv190809791, arxiv181200332" in text
    assert "author = {Cai and others}" in text
    assert "title = {{Once-for-All}}" in text
    assert "year = {2020}" in text


def test_the_unpublished_stands_with_its_note_and_counts_are_the_catalogs() -> None:
    own = Cited("my_table & 50 %", None, "File with the SHA-256 ab.")
    text = bibliography([own], [Cited("params", SOFTWARE, ""), Cited("mine", None, "my own")], "1.0")
    assert r"title = {{my\_table \& 50 \%}}" in text
    assert f"% proxy params: {SOFTWARE}" in text
    assert "% proxy mine: proxymine" in text
    assert text.count(f"@misc{{{SOFTWARE},") == 1


def test_every_record_has_an_author_a_title_and_a_year() -> None:
    entries = {entry for _, entry in publications().values()}
    for entry in entries:
        assert all(re.search(rf"^  {field} = \{{", entry, re.MULTILINE) for field in ("author", "title", "year")), entry
        assert entry.count("{") == entry.count("}")
