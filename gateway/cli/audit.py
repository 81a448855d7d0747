"""`gateway audit`: the audit rows and their chain."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli import Config
from gateway.cli.look import look
from gateway.errors import GatewayError
from gateway.ports import AuditRow
from gateway.store.audit import Break
from gateway.store.view import View
from gateway.web.api.models import rfc3339

app = typer.Typer(help="The audit log.", no_args_is_help=True)


@app.command("list")
def list_(
    config: Config = Path(),
    after: Annotated[int, typer.Option(help="Begin behind this position.", min=0)] = 0,
    limit: Annotated[int, typer.Option(help="How many rows.", min=1)] = 50,
) -> None:
    """List audit rows, oldest first."""

    async def work(view: View) -> tuple[AuditRow, ...]:
        return await view.reader.audit(after=after, limit=limit)

    rows = look(config, work)
    for row in rows:
        event = row.event
        facts = " ".join(f"{k}={v}" for k, v in event.data.items() if v not in {"", None})
        code = f" {event.code}" if event.code else ""
        print(f"{rfc3339(event.at)} {row.writer}/{row.n} {event.event}{code} {facts}")
    if len(rows) == limit:
        print(f"meer: --after {rows[-1].position}", file=sys.stderr)


@app.command()
def verify(config: Config = Path()) -> None:
    """Recompute every chain; exit status 1 at the first row that does not fit."""

    async def work(view: View) -> Break | None:
        return await view.verify_chain()

    found = look(config, work)
    if found is not None:
        raise GatewayError("audit.broken", f"the chain breaks: {found}")
    print("Alle ketens kloppen.")
