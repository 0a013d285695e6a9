"""``catalog serve``: the catalog as pages on this machine."""

from __future__ import annotations

from typing import Annotated

import typer

from catalog.cli.options import DEFAULT_DATABASE, Database
from catalog.cli.progress import note

_PORT = 8642


def add_to(parent: typer.Typer) -> None:
    """Add the group's commands."""
    parent.command("serve", epilog="Example: catalog serve --port 0 --seconds 2")(serve)


def serve(
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="Port of 127.0.0.1; 0 takes a free one.")
    ] = _PORT,
    open_browser: Annotated[bool, typer.Option("--open", help="Open the first page in the browser.")] = False,
    seconds: Annotated[
        float | None,
        typer.Option("--seconds", metavar="SECONDS", min=0, help="Stop after this long.", show_default="at Ctrl-C"),
    ] = None,
    timeout: Annotated[
        float, typer.Option("--timeout", metavar="SECONDS", min=0.1, help="Stop a query or a pattern after this long.")
    ] = 30.0,
    memory_limit: Annotated[
        str, typer.Option("--memory-limit", metavar="SIZE", help="Memory that one query may use, for example 500MB.")
    ] = "2GB",
    db: Database = DEFAULT_DATABASE,
) -> None:
    """Serve the catalog as pages to the browser of this machine: queries, charts, architectures, patterns, reports.

    The server listens on 127.0.0.1 alone, answers only under its own address, reads the file and changes nothing, and
    its pages load nothing from elsewhere. The file is open only while a page is made, so other commands can write to it
    in between. Every account of this machine can read the pages while the server runs.
    """
    from catalog.extras import require_serve
    from catalog.storage.user_query import plain_rows
    from predictor.scoring.architecture_vectors import embedding_of

    require_serve()
    from catalog.serving.catalog_reader import CatalogReader
    from catalog.serving.server import serve as run
    from catalog.serving.worker_tasks import Limits

    plain_rows(db, "SELECT 1", timeout=timeout, memory_limit=memory_limit)  # what is wrong is said now

    def started(address: str) -> None:
        typer.echo(address)
        note("serving until Ctrl-C." if seconds is None else f"serving for {seconds:g} seconds.")
        if open_browser:
            import threading
            import webbrowser

            # A browser of the terminal stays until it is closed, and must not keep the server from answering it.
            threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()

    run(
        CatalogReader(db, Limits(seconds=timeout, memory=memory_limit), embedding_of),
        port,
        seconds=seconds,
        on_start=started,
    )
