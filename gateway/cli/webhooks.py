"""`gateway webhooks`: where back-ends are told of changes, and how that goes."""

import asyncio
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from gateway.app import SystemClock, SystemDice
from gateway.cli import Config
from gateway.cli.deciding import Door, Reden, decide
from gateway.cli.look import look
from gateway.cli.screen import screen
from gateway.directory import Directory, Webhook
from gateway.errors import GatewayError, NoRoute
from gateway.installation import Installation, load_directory, load_installation
from gateway.outbound.webhook import WebhookClient
from gateway.pipeline.webhooks import Sender, find
from gateway.ports import WebhookResult, WebhookState
from gateway.store.view import View
from gateway.web.api import webhook_texts
from gateway.web.api.models import rfc3339
from gateway.web.api.webhooks import status
from gateway.web.control import What

app = typer.Typer(help="Webhooks: where back-ends are told of changes.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAAM", help="Name of the webhook.")]


@app.command("list")
def list_(config: Config = Path()) -> None:
    """List all webhooks with how they do: switched off, failing, and how much waits."""
    directory = load_directory(load_installation(config), epoch=0)
    if not directory.webhooks:
        print("Er zijn geen webhooks.")
        return
    known = _states(config, directory)
    table = Table()
    for column in ("naam", "systeem", "status"):
        table.add_column(column, no_wrap=True)
    for column in ("url", "gelukt", "mislukt", "fout", "wachtend", "vervallen"):
        table.add_column(column, overflow="fold")
    for webhook in directory.webhooks:
        state = known.get(webhook.name, WebhookState())
        table.add_row(
            webhook.name,
            webhook.subscriber.backend,
            status(state),
            webhook.url,
            _moment(state.success_at),
            _moment(state.failure_at),
            state.failure_code or "-",
            str(state.waiting),
            str(state.dropped),
        )
    screen().print(table)


def _states(config: Path, directory: Directory) -> Mapping[str, WebhookState]:
    """No database yet: nothing was ever called."""
    to = [w.subscriber for w in directory.webhooks]

    async def work(view: View) -> Mapping[str, WebhookState]:
        return await view.webhooks(to)

    try:
        return look(config, work)
    except GatewayError as error:
        if error.code != "store.path":
            raise
        return {}


def _moment(at: datetime | None) -> str:
    return "-" if at is None else rfc3339(at)


@app.command("test")
def proef(naam: Name, config: Config = Path()) -> None:
    """Send `webhook.proef` from here, and tell what came of it; nothing is kept.

    Exit status 1 when it was not taken. The call goes out from this machine and this user's
    network, which is not always that of the service.
    """
    installation = load_installation(config)
    directory = load_directory(installation, epoch=0)
    result = asyncio.run(_test(installation, directory, _known(directory, naam)))
    code = "" if result.failure is None else result.failure.code
    print(f"{naam}: {f'{code}: ' if code else ''}{webhook_texts.text(code)}")
    sys.exit(1 if code else 0)


async def _test(
    installation: Installation, directory: Directory, webhook: Webhook
) -> WebhookResult:
    clock = SystemClock()
    client = WebhookClient(current=lambda: directory, clock=clock, path=installation.path)
    return await Sender(clock=clock, dice=SystemDice(), caller=client).test(webhook)


@app.command()
def enable(naam: Name, reden: Reden, door: Door = "", config: Config = Path()) -> None:
    """Switch a webhook on again; what waits for it is sent at once."""
    _known(load_directory(load_installation(config), epoch=0), naam)
    done = decide(config, What.ENABLE, naam, reden=reden, door=door)
    print(f"Webhook {done['webhook']} is weer ingeschakeld.")


def _known(directory: Directory, name: str) -> Webhook:
    webhook = find(directory, name)
    if webhook is None:
        raise NoRoute("webhook.onbekend", "Deze webhook staat niet in gateway.toml.")
    return webhook
