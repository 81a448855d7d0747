"""`gateway quarantaine`: mail that no system took in."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from gateway.cli import Config
from gateway.cli.look import look
from gateway.cli.screen import newest, screen
from gateway.ports.incoming import Item
from gateway.store.view import View
from gateway.web.api.models import rfc3339

app = typer.Typer(help="Mail that no system took in.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Keep `list` a command of its own, so that others can come beside it."""


@app.command("list")
def list_(
    config: Config = Path(),
    limit: Annotated[int, typer.Option(help="How many, newest first.", min=1)] = 50,
) -> None:
    """List what nobody closed, newest first, without content. Reading and closing: the console."""

    async def work(view: View) -> tuple[Item, ...]:
        return await view.held_mail(limit=limit + 1)

    found = look(config, work)
    if not found:
        print("Er staat geen e-mail in quarantaine.")
        return
    table = Table()
    for column in ("ontvangen", "code", "van", "bewezen", "octetten", "wie kijkt", "bewaard tot"):
        table.add_column(column, overflow="fold")
    for item in newest(found, limit):
        table.add_row(
            rfc3339(item.at),
            item.code,
            item.party or "-",
            "ja" if item.proven else "nee",
            str(item.size),
            item.taken_by or "-",
            rfc3339(item.until),
        )
    screen().print(table)
