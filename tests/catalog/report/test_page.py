"""The shell: what is filled in stays text, and only the named scripts may run."""

from __future__ import annotations

import re

from jinja2 import DictLoader

from catalog.report.page import asset, content_security_policy, plotly_script, render
from tests.catalog.report.conftest import HOSTILE

LOADERS = (DictLoader({"text.html": '{% extends "base.html" %}{% block content %}<p>{{ words }}</p>{% endblock %}'}),)


def test_what_is_filled_in_is_escaped() -> None:
    page = render("text.html", title=HOSTILE, loaders=LOADERS, words=HOSTILE)
    assert HOSTILE not in page
    assert page.count("&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;") == 2


def test_a_page_runs_the_scripts_it_names_and_no_other() -> None:
    page = render("text.html", title="", loaders=LOADERS, words="", scripts=["window.seen = 1;"])
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)
    assert policy is not None
    allowed = policy.group(1).replace("&#39;", "'")
    assert allowed == content_security_policy([asset("page.js"), "window.seen = 1;"])
    assert "default-src 'none'" in allowed
    assert "unsafe-eval" not in allowed
    assert re.search(r"script-src( 'sha256-[^']+'){2}$", allowed)


def test_a_served_page_may_ask_its_own_server_alone() -> None:
    policy = content_security_policy([], served=True)
    assert "connect-src 'self'" in policy
    assert "form-action 'self'" in policy
    assert "connect-src" not in content_security_policy([])


def test_plotly_is_inline_linked_or_absent() -> None:
    inline = render("text.html", title="", loaders=LOADERS, words="", plotly="inline")
    assert plotly_script() in inline
    linked = render("text.html", title="", loaders=LOADERS, words="", plotly="/static/plotly.js", served=True)
    assert '<script src="/static/plotly.js" defer></script>' in linked
    assert len(linked) < 100_000
    assert (
        "plotly"
        not in render("text.html", title="", loaders=LOADERS, words="").split("<style>")[1].split("</style>")[1]
    )


def test_no_script_of_a_page_can_end_its_element() -> None:
    for source in (asset("page.js"), asset("figures.js"), plotly_script()):
        assert "</script" not in source
        assert "<!--" not in source
