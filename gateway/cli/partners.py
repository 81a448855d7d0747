"""`gateway partners`: what is sent to whom is held for a while, or goes on; who is there."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from gateway.cli import Config
from gateway.cli.deciding import Door, Reden, decide
from gateway.cli.look import look
from gateway.cli.screen import screen
from gateway.errors import NoRoute
from gateway.installation import load_installation
from gateway.message import Oin
from gateway.ports import Pause
from gateway.store.view import View
from gateway.web.api.models import rfc3339
from gateway.web.control import What

app = typer.Typer(
    help="Partners: hold what is sent to one, let it go on, ping.",
    no_args_is_help=True,
)

Partij = Annotated[str, typer.Argument(metavar="OIN", help="Of the partner.")]


@app.command("list")
def list_(config: Config = Path()) -> None:
    """List the partners, and for whom a person holds what is sent."""
    settings = load_installation(config).settings

    async def work(view: View) -> tuple[Pause, ...]:
        return await view.pauses()

    held = {one.recipient: one for one in look(config, work)}
    table = Table()
    for column in ("oin", "naam", "rol", "verzending", "sinds", "door", "reden"):
        table.add_column(column, overflow="fold")
    for party in settings.partijen:
        if party.oin == settings.partij:
            continue
        pause = held.get(Oin(party.oin))
        told = ("staat stil", rfc3339(pause.at), pause.who, pause.why) if pause else ("gaat",)
        table.add_row(party.oin, party.naam, party.rol, *told)
    screen().print(table)


@app.command()
def stil(oin: Partij, reden: Reden, door: Door = "", config: Config = Path()) -> None:
    """Send no further message to a partner. Terms run on, and what it sends is taken in."""
    _known(config, oin)
    decide(config, What.PAUSE, oin, reden=reden, door=door)
    print(f"De verzending naar {oin} staat stil. Ontvangstbevestigingen gaan door.")


@app.command()
def verder(oin: Partij, reden: Reden, door: Door = "", config: Config = Path()) -> None:
    """Let what is sent to a partner go on."""
    _known(config, oin)
    decide(config, What.GO_ON, oin, reden=reden, door=door)
    print(f"De verzending naar {oin} gaat verder.")


@app.command()
def ping(
    partij: Annotated[str, typer.Argument(metavar="NAME|OIN", help="Of the partner.")],
    door: Door = "",
    config: Config = Path(),
) -> None:
    """Ask the gateway of a partner whether it is there (ebMS 2.0 Ping); wait 10 seconds at most.

    Not every adapter answers: Digikoppeling does not demand it. Exit status 1: no answer.
    """
    oin = _oin(config, partij)
    heard = decide(config, What.PING, oin, reden="ping", door=door)
    if not heard["antwoord"]:
        print(f"{partij}: geen Pong ({heard['code']}), na {heard['milliseconden']} ms.")
        raise typer.Exit(1)
    print(f"{partij}: Pong na {heard['milliseconden']} ms.")


def _oin(config: Path, partij: str) -> str:
    """Return the OIN of a partner by its name or OIN; raises NoRoute `partner.onbekend`."""
    found = {party.naam: party.oin for party in load_installation(config).settings.partijen}
    oin = found.get(partij, partij)
    _known(config, oin)
    return oin


def _known(config: Path, oin: str) -> None:
    settings = load_installation(config).settings
    if oin == settings.partij or oin not in {party.oin for party in settings.partijen}:
        raise NoRoute("partner.onbekend", "Er is geen andere partij met dit OIN.", where=oin)
