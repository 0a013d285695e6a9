"""What the site shows beside the pages of docs/: the README as its first page, the changelog, how to contribute.

MkDocs calls these functions (`hooks` in mkdocs.yml). The pages stay where readers of the repository look for them.
"""

from __future__ import annotations

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

CHECKOUT = Path(__file__).resolve().parents[1]

PAGES = {"README.md": "index.md", "CHANGELOG.md": "changelog.md", "CONTRIBUTING.md": "contributing.md"}
"""Pages outside of docs/, and what they are called on the site."""

COPIED = ("LICENSE", *(f"examples/{path.name}" for path in sorted((CHECKOUT / "examples").iterdir()) if path.is_file()))
"""Files that pages link to."""

LINK = re.compile(r"\]\((?!https?:)([^)#]*)(#[^)]*)?\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages and files that lie outside of docs/."""
    for source, name in PAGES.items():
        text = LINK.sub(_on_the_site, (CHECKOUT / source).read_text(encoding="utf-8"))
        files.append(File.generated(config, name, content=text))
    for name in COPIED:
        files.append(File.generated(config, name, abs_src_path=str(CHECKOUT / name)))
    return files


def on_page_markdown(markdown: str, **_: object) -> str:
    """Let pages of docs/ link to the files that the site holds in the same place."""
    return re.sub(r"\]\((?:\.\./)+(README\.md|CHANGELOG\.md|CONTRIBUTING\.md|examples/)", _up, markdown)


def _on_the_site(link: re.Match[str]) -> str:
    target = link[1].removeprefix("docs/")
    return f"]({PAGES.get(target, target)}{link[2] or ''})"


def _up(link: re.Match[str]) -> str:
    return f"]({PAGES.get(link[1], link[1])}"
