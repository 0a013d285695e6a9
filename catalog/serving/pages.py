"""The pages: each takes what its address says, asks the reader, and fills a template."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from importlib import resources
from typing import TYPE_CHECKING, Any

import polars as pl
from jinja2 import PackageLoader
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from catalog.analysis.common_rows import COMMON
from catalog.errors import CatalogError, UsageError
from catalog.nearest import did_you_mean
from catalog.report.page import plotly_script, render
from catalog.report.svg import picture
from catalog.report.table import Column, Table
from catalog.serving.query_results import PLAN, chart_data, result_table
from catalog.serving.request_guard import PAGE_POLICY
from catalog.serving.worker_tasks import PLOTLY

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.requests import Request

    from catalog.serving.catalog_reader import CatalogReader

_LOADERS = (PackageLoader("catalog.serving"),)
_TALLEST = 340
_MOST_COMPARED = 12
_DAY = 86_400

DOWNLOADS = {"csv": "text/csv", "json": "application/json", "parquet": "application/vnd.apache.parquet"}
"""The formats in which a result can be downloaded, and what a browser is told that they are."""


def html(
    template: str, *, title: str, scripts: tuple[str, ...] = (), plotly: bool = False, **context: Any
) -> HTMLResponse:
    """A filled template as an answer; the page itself names the scripts that may run in it."""
    page = render(
        template,
        title=title,
        plotly=PLOTLY if plotly else "none",
        scripts=[script(name) for name in scripts],
        served=True,
        loaders=_LOADERS,
        **context,
    )
    return HTMLResponse(page, headers={"Content-Security-Policy": PAGE_POLICY})


def script(name: str) -> str:
    """The source of one of this package's scripts."""
    return resources.files("catalog.serving").joinpath("assets", name).read_text(encoding="utf-8")


def address_of(number: int) -> str:
    """The page of an architecture."""
    return f"/architectures/{number}"


class Pages:
    """The handlers of all addresses.

    Parameters
    ----------
    reader
        Answers their questions.
    status_of
        The status code of an error that a page shows beside what was asked.
    """

    def __init__(self, reader: CatalogReader, status_of: Callable[[CatalogError], HTTPStatus]) -> None:
        self.reader = reader
        self.status_of = status_of

    def home(self, request: Request) -> Response:
        """Spaces, sources, and the query box."""
        overview = self.reader.overview()
        return html(
            "home.html", title="Catalog", path=self.path, overview=overview, sources=_sources(overview.sources), sql=""
        )

    def query(self, request: Request) -> Response:
        """A query box with the answer to what stands in it."""
        sql = request.query_params.get("sql", "").strip()
        context: dict[str, Any] = {"path": self.path, "sql": sql, "table": None, "chart": None}
        if not sql:
            return html("query.html", title="Query", **context)
        try:
            result = self.reader.sql(sql)
        except CatalogError as error:
            return self._wrong("query.html", error, title="Query", **context)
        if result.rows.column_names == PLAN:
            return html("query.html", title="Query", plan="\n".join(result.rows[PLAN[1]].to_pylist()), **context)
        context |= {"table": result_table(result), "chart": chart_data(result), "downloads": tuple(DOWNLOADS)}
        return html("query.html", title="Query", scripts=("chart.js",), plotly=context["chart"] is not None, **context)

    def download(self, request: Request) -> Response:
        """All rows of a query as a file; an error is a page, as everywhere."""
        sql, file_format = _wanted(request, "sql"), request.query_params.get("format", "csv")
        if file_format not in DOWNLOADS:
            raise UsageError(
                f"a result cannot be downloaded as {file_format!r:.40}; choose one of {', '.join(DOWNLOADS)}. "
                f"{did_you_mean(file_format, DOWNLOADS)}"
            )
        headers = {"Content-Disposition": f'attachment; filename="result.{file_format}"'}
        return Response(self.reader.file(sql, file_format), media_type=DOWNLOADS[file_format], headers=headers)

    def space(self, request: Request) -> Response:
        """One space: ways to its architectures, and the columns of its wide view."""
        facts = self.reader.space(request.path_params["space"])
        name = facts.space["name"]
        columns = tuple(Column(key, is_number=False) for key in ("name", "type", "meaning"))
        table = Table("columns", f"Columns of {name}", pl.DataFrame(facts.columns), columns, "name them in queries")
        return html("space.html", title=name, path=self.path, space=name, facts=facts, columns=table)

    def find(self, request: Request) -> Response:
        """Leads from a native id in any notation to the architecture's page."""
        space = request.path_params["space"]
        return RedirectResponse(address_of(self.reader.numbers(space, [_wanted(request, "id")])[0]))

    def architecture(self, request: Request) -> Response:
        """Everything known about one architecture."""
        number = request.path_params["number"]
        space = self.reader.space_of(number)
        with_embedding = request.query_params.get("embedding") == "yes"
        comparison = self.reader.comparison(space, [number], with_embedding=with_embedding)
        return html(
            "architecture.html",
            title=f"{space} {comparison.names[0]}",
            path=self.path,
            space=space,
            comparison=comparison,
            profile=comparison.profiles[0],
            with_embedding=with_embedding,
            drawing=picture,
            address=address_of,
        )

    def compare(self, request: Request) -> Response:
        """Architectures side by side."""
        space = request.path_params["space"]
        identifiers = [
            word for text in request.query_params.getlist("id") for word in text.splitlines() if word.strip()
        ]
        if not 2 <= len(identifiers) <= _MOST_COMPARED:
            raise UsageError(
                f"compare takes 2 to {_MOST_COMPARED} architectures, one id a line; {len(identifiers)} were given."
            )
        numbers = self.reader.numbers(space, identifiers)
        comparison = self.reader.comparison(space, numbers, with_embedding=True)
        return html(
            "compare.html",
            title=f"{space}: {', '.join(comparison.names)}",
            path=self.path,
            space=space,
            comparison=comparison,
            drawing=picture,
            address=address_of,
        )

    def match(self, request: Request) -> Response:
        """A pattern search."""
        space = request.path_params["space"]
        asked = {key: request.query_params.get(key, "").strip() for key in ("pattern", "form", "by")}
        asked["form"] = asked["form"] or "canonical"
        facts = self.reader.space(space)
        context: dict[str, Any] = {
            "path": self.path, "space": space, "asked": asked, "table": None, "matches": None,
            "columns": [column["name"] for column in facts.columns], "drawing": _small, "address": address_of,
        }  # fmt: skip
        if not asked["pattern"]:
            return html("match.html", title=f"Patterns in {space}", **context)
        try:
            matches = self.reader.pattern(space, asked["pattern"], asked["form"], asked["by"] or None)
        except CatalogError as error:
            return self._wrong("match.html", error, title=f"Patterns in {space}", **context)
        context |= {"matches": matches, "table": result_table(matches.result, "architectures")}
        context["drawn"] = list(zip(matches.result.rows["architecture_id"].to_pylist(), matches.graphs, strict=False))
        return html("match.html", title=f"Patterns in {space}", **context)

    def report(self, request: Request) -> Response:
        """The form for a report, or the report that it asks for."""
        space = request.path_params["space"]
        targets, proxies = (request.query_params.getlist(key) for key in ("target", "proxy"))
        if targets:
            where = request.query_params.get("where", "").strip() or None
            pool = request.query_params.get("pool", COMMON)
            page = self.reader.report(space, targets, proxies, where, pool)
            return HTMLResponse(page, headers={"Content-Security-Policy": PAGE_POLICY})
        choices = self.reader.report_choices(space)
        return html("report_form.html", title=f"Report on {space}", path=self.path, space=space, choices=choices)

    def plotly(self, request: Request) -> Response:
        """plotly's script, as the installed package brings it."""
        headers = {"Cache-Control": f"private, max-age={_DAY}"}
        return PlainTextResponse(plotly_script(), media_type="text/javascript", headers=headers)

    @property
    def path(self) -> Path:
        """The catalog file."""
        return self.reader.path

    def _wrong(self, template: str, error: CatalogError, *, title: str, **context: Any) -> Response:
        """The page again, with what is wrong about what was asked."""
        answer = html(template, title=title, error=str(error), **context)
        answer.status_code = self.status_of(error).value
        return answer


def _sources(rows: list[dict[str, Any]]) -> Table:
    columns = tuple(
        Column(key, is_number=key == "rows")
        for key in ("name", "kind", "version", "licence", "rows", "ingested", "sha256")
    )
    return Table(
        "sources", "Sources", pl.DataFrame(rows, infer_schema_length=None), columns, "where the numbers came from"
    )


def _small(graph: Any) -> Any:
    return picture(graph, tallest=_TALLEST)


def _wanted(request: Request, key: str) -> str:
    text = request.query_params.get(key, "").strip()
    if not text:
        raise UsageError(f"the address lacks {key}=; fill in the form.")
    return text
