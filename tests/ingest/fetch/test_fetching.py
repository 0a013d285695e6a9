"""Downloads against a loopback server: what arrives is the published file, or nothing."""

from __future__ import annotations

import hashlib
import random
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from catalog.errors import DownloadError, UsageError
from catalog.message import readable_bytes
from ingest.fetch.downloading import BLOCK
from ingest.fetch.fetching import by_hand, fetch, readable_parts
from ingest.fetch.registry import OFFICIAL_FILES, OfficialFile, official_file
from tests.ingest.fetch.servers import Site, serving

CONTENT = random.Random(0).randbytes(3_000_000)
FILE = OfficialFile(
    "sample",
    "sample.bin",
    None,
    "https://example.org/page",
    "nasbench101",
    "MIT",
    "Nobody, Nothing, 2020",
    size=len(CONTENT),
    sha256=hashlib.sha256(CONTENT).hexdigest(),
)


@pytest.fixture
def site() -> Iterator[Site]:
    with serving(Site(CONTENT)) as running:
        yield running


def bring(site: Site, folder: Path, file: OfficialFile = FILE, **options: object) -> Path:
    return fetch(file, folder, mirror=site.url, pause=0.0, **options)  # type: ignore[arg-type]


def test_a_fetched_file_is_the_published_one(site: Site, tmp_path: Path) -> None:
    seen: list[int] = []
    path = bring(site, tmp_path / "new" / "folder", progress=seen.append)
    assert path == tmp_path / "new" / "folder" / "sample.bin"
    assert path.read_bytes() == CONTENT
    assert list(path.parent.iterdir()) == [path]
    assert site.requests == [("/sample.bin", None)]
    assert seen == sorted(seen)
    assert seen[-1] == len(CONTENT)


def test_a_file_that_is_there_is_not_fetched_again(site: Site, tmp_path: Path) -> None:
    bring(site, tmp_path)
    bring(site, tmp_path)
    assert len(site.requests) == 1


def test_a_mirror_may_be_the_address_of_the_file(site: Site, tmp_path: Path) -> None:
    fetch(FILE, tmp_path, mirror=f"{site.url}/some/where/sample.bin")
    assert site.requests == [("/some/where/sample.bin", None)]


@pytest.mark.parametrize("etag", ['"1"', None])
def test_a_cut_connection_is_continued_with_the_missing_bytes_alone(
    site: Site, tmp_path: Path, etag: str | None
) -> None:
    site.etag = etag
    site.cuts = [BLOCK * 30, BLOCK * 20]
    assert bring(site, tmp_path).read_bytes() == CONTENT
    assert [wanted for _, wanted in site.requests] == [None, f"bytes={BLOCK * 30}-", f"bytes={BLOCK * 50}-"]
    assert site.sent == len(CONTENT)


def test_a_cut_within_a_block_repeats_less_than_the_block(site: Site, tmp_path: Path) -> None:
    site.cuts = [1_000_000]
    assert bring(site, tmp_path).read_bytes() == CONTENT
    assert len(CONTENT) <= site.sent < len(CONTENT) + BLOCK


def test_what_came_is_kept_for_the_next_call(site: Site, tmp_path: Path) -> None:
    came = BLOCK * 40
    site.cuts = [came, 0, 0, 0]
    with pytest.raises(DownloadError, match=f"{readable_bytes(came)} are kept"):
        bring(site, tmp_path)
    assert not (tmp_path / "sample.bin").exists()
    assert (tmp_path / "sample.bin.partial").read_bytes() == CONTENT[:came]
    site.cuts.clear()
    assert bring(site, tmp_path).read_bytes() == CONTENT
    assert site.requests[-1][1] == f"bytes={came}-"
    assert site.sent == len(CONTENT)
    assert list(tmp_path.iterdir()) == [tmp_path / "sample.bin"]


def test_a_file_that_changed_meanwhile_is_fetched_from_its_start(site: Site, tmp_path: Path) -> None:
    site.content = bytes(len(CONTENT))
    site.cuts = [1_000_000, 0, 0, 0]
    with pytest.raises(DownloadError):
        bring(site, tmp_path)
    site.content, site.etag = CONTENT, '"2"'
    site.cuts.clear()
    assert bring(site, tmp_path).read_bytes() == CONTENT


def test_a_server_without_ranges_sends_everything_again(site: Site, tmp_path: Path) -> None:
    site.knows_ranges = False
    site.cuts = [1_000_000]
    assert bring(site, tmp_path).read_bytes() == CONTENT
    assert site.sent == len(CONTENT) + 1_000_000  # all of it, and what came before


def test_a_complete_partial_file_needs_no_byte_more(site: Site, tmp_path: Path) -> None:
    (tmp_path / "sample.bin.partial").write_bytes(CONTENT)
    assert bring(site, tmp_path).read_bytes() == CONTENT
    assert site.sent == 0


def test_a_partial_file_that_is_too_long_is_thrown_away(site: Site, tmp_path: Path) -> None:
    (tmp_path / "sample.bin.partial").write_bytes(CONTENT + b"x")
    assert bring(site, tmp_path).read_bytes() == CONTENT


def test_an_answer_without_length_is_taken_to_its_end(site: Site, tmp_path: Path) -> None:
    site.hides_length = True
    assert bring(site, tmp_path).read_bytes() == CONTENT


def test_a_server_that_is_busy_is_asked_again(site: Site, tmp_path: Path) -> None:
    site.failures = 2
    assert bring(site, tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize(
    "file",
    [FILE, replace(FILE, sha256=None, md5_ending=hashlib.md5(CONTENT).hexdigest()[-6:])],
    ids=["sha256", "md5 ending"],
)
def test_a_corrupted_file_is_refused_and_not_kept(site: Site, tmp_path: Path, file: OfficialFile) -> None:
    changed = bytearray(CONTENT)
    changed[1234] ^= 1
    site.content = bytes(changed)
    with pytest.raises(DownloadError, match="is not the published sample.bin"):
        bring(site, tmp_path, file)
    assert list(tmp_path.iterdir()) == []
    site.content = CONTENT
    assert bring(site, tmp_path, file).read_bytes() == CONTENT


@pytest.mark.parametrize("hides_length", [False, True])
def test_a_file_of_a_wrong_size_is_refused(site: Site, tmp_path: Path, hides_length: bool) -> None:
    site.content, site.hides_length = CONTENT[:2_000_000], hides_length
    with pytest.raises(DownloadError, match="has 2,000,000 bytes; the published file has about 3,000,000"):
        bring(site, tmp_path, replace(FILE, sha256=None))
    assert list(tmp_path.iterdir()) == []


def test_a_web_page_is_not_the_file(site: Site, tmp_path: Path) -> None:
    """Google Drive answers with a page when too many people want a file."""
    site.content_type = "text/html; charset=utf-8"
    with pytest.raises(DownloadError, match="a web page instead of the file"):
        bring(site, tmp_path, replace(FILE, sha256=None, size=None))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("status", [403, 404, 410])
def test_a_missing_file_is_reported_at_once(site: Site, tmp_path: Path, status: int) -> None:
    site.status = status
    with pytest.raises(DownloadError, match=f"the server answered {status}"):
        bring(site, tmp_path)
    assert len(site.requests) == 1
    assert list(tmp_path.iterdir()) == []


def test_no_connection_is_an_error_with_its_cause(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(DownloadError, match="ConnectionRefusedError"):
        fetch(FILE, tmp_path, mirror=f"http://127.0.0.1:{port}", pause=0.0)


@pytest.mark.parametrize("mirror", ["ftp://example.org", "nowhere", "http://"])
def test_a_mirror_that_is_no_address_is_told(tmp_path: Path, mirror: str) -> None:
    with pytest.raises(DownloadError, match="is no address"):
        fetch(FILE, tmp_path, mirror=mirror)


def test_another_file_of_that_name_is_neither_used_nor_overwritten(site: Site, tmp_path: Path) -> None:
    (tmp_path / "sample.bin").write_bytes(bytes(len(CONTENT)))
    with pytest.raises(DownloadError, match="It was left as it is"):
        bring(site, tmp_path)
    assert (tmp_path / "sample.bin").read_bytes() == bytes(len(CONTENT))
    assert not site.requests


def test_a_folder_that_cannot_be_made_is_told(site: Site, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DownloadError, match="cannot be created"):
        bring(site, tmp_path / "file" / "folder")


def test_a_plain_file_is_read_as_it_is(tmp_path: Path) -> None:
    assert readable_parts(FILE, tmp_path / "sample.bin") == [tmp_path / "sample.bin"]


def test_the_way_by_hand_names_page_place_and_command(tmp_path: Path) -> None:
    words = by_hand(FILE, tmp_path)
    assert "https://example.org/page" in words
    assert words.endswith(
        f"put it at {tmp_path / 'sample.bin'}, and run: catalog ingest nasbench101 {tmp_path / 'sample.bin'}"
    )
    packed = by_hand(official_file("nds"), tmp_path)
    assert packed.endswith(f"run: catalog fetch nds --out {tmp_path}")


def test_an_unknown_name_is_answered_with_close_ones() -> None:
    with pytest.raises(UsageError, match="Did you mean nasbench201"):
        official_file("nasbensh201")


def test_the_registry_is_consistent() -> None:
    """NAS-Bench-101's digests: its README; the endings of NAS-Bench-201's MD5s are in the files' names."""
    assert official_file("nasbench101").sha256.startswith("3d64db81")  # type: ignore[union-attr]
    assert official_file("nasbench101-108").sha256.startswith("4c39c393")  # type: ignore[union-attr]
    for name, file in OFFICIAL_FILES.items():
        assert file.name == name
        assert file.page.startswith("https://")
        assert file.url is None or file.url.startswith("https://")
        assert file.sha256 is None or len(file.sha256) == 64
        assert file.md5_ending is None or file.md5_ending in file.file_name
        assert bool(file.contents) == (file.packing is not None)
        assert file.licence
        assert file.citation
