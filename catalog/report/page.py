"""The shell of every page: one file that needs nothing else, escaped throughout, running only the scripts it names.

A page carries its style, its scripts and its data. What a script may do is held down twice: jinja2 escapes whatever
is filled in, and the page's own content security policy allows exactly the scripts whose digests it lists, so that
text which slipped through would still not run. Nothing is requested from anywhere.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Any, Literal

from jinja2 import BaseLoader, ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from catalog.report.number_format import readable

Plotly = Literal["inline", "none"]

_SELF_CONTAINED = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'"
)
_SERVED = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data: blob:; connect-src 'self'; base-uri 'none'; "
    "form-action 'self'"
)


def render(
    template: str,
    *,
    title: str,
    plotly: Plotly | str = "none",
    scripts: Sequence[str] = (),
    served: bool = False,
    loaders: Sequence[BaseLoader] = (),
    **context: Any,
) -> str:
    """Fill a template that extends ``base.html``.

    Parameters
    ----------
    template
        Its name in ``catalog/report/templates`` or in one of `loaders`; it fills the block ``content``.
    title
        Of the page.
    plotly
        ``"inline"`` puts plotly's script into the page (4.8 MB, once) and draws the figures; ``"none"`` leaves
        figures out; any other text is the address on the same server to load it from, which needs `served`.
    scripts
        JavaScript sources that run after the shell's own ones.
    served
        Whether a server of ours hands the page out: forms and requests to that server are then allowed.
    loaders
        Where to look for templates before this package's own.
    context
        What the template names.
    """
    inline = [asset("page.js")]
    if plotly != "none":
        inline.append(asset("figures.js"))
    inline += scripts
    allowed = [*inline, plotly_script()] if plotly == "inline" else inline
    return (
        _environment(tuple(loaders))
        .get_template(template)
        .render(
            title=title,
            policy=content_security_policy(allowed, served=served),
            style=Markup(asset("page.css")),
            plotly_source=Markup(plotly_script()) if plotly == "inline" else None,
            plotly_address=None if plotly in ("inline", "none") else plotly,
            inline_scripts=[Markup(script) for script in inline],
            **context,
        )
    )


def content_security_policy(scripts: Sequence[str], *, served: bool = False) -> str:
    """A policy under which only these inline scripts run; a served page may also load scripts from its server."""
    sources = [f"'sha256-{_digest(script)}'" for script in scripts]
    if served:
        sources.insert(0, "'self'")
    return f"{_SERVED if served else _SELF_CONTAINED}; script-src {' '.join(sources)}"


@cache
def asset(name: str) -> str:
    """A style sheet or script of this package."""
    text = resources.files("catalog.report").joinpath("assets", name).read_text(encoding="utf-8")
    return _within_script(text)


@cache
def plotly_script() -> str:
    """The source of plotly.js as the installed package brings it."""
    from plotly.offline import get_plotlyjs

    return _within_script(str(get_plotlyjs()))


def _within_script(source: str) -> str:
    """A script may not hold what ends its element or opens a comment in it."""
    return source.replace("</script", "<\\/script").replace("<!--", "<\\!--")


@cache
def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


@cache
def _environment(loaders: tuple[BaseLoader, ...]) -> Environment:
    environment = Environment(
        loader=ChoiceLoader([*loaders, PackageLoader("catalog.report")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["readable"] = readable
    environment.policies["json.dumps_kwargs"] = {"separators": (",", ":"), "allow_nan": False}
    return environment
