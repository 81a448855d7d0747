"""`gateway users`: who may use the console."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated

import aiohttp
import typer
from rich.table import Table

from gateway.app import SystemClock, SystemDice, open_store
from gateway.cli import Config
from gateway.cli.deciding import ask_process, control_socket, user
from gateway.cli.look import look
from gateway.cli.screen import screen
from gateway.consoles import people_of
from gateway.credentials import UserRole
from gateway.errors import GatewayError, PolicyViolation
from gateway.installation import Installation, load_installation
from gateway.pipeline.accounts.orders import Ask, Order, carry_out
from gateway.store.people import Person
from gateway.store.view import View
from gateway.web.api.models import rfc3339

app = typer.Typer(help="Users of the console.", no_args_is_help=True)

Login = Annotated[str, typer.Argument(metavar="LOGIN", help="Login of the user.")]
Rol = Annotated[
    list[str], typer.Option(help=f"Role, more than one may be given: {', '.join(UserRole)}.")
]
Officier = Annotated[
    str, typer.Option(help="Id of the officer in gateway.toml, for the role officier.")
]
Partij = Annotated[
    str, typer.Option(help="OIN of the partner, for the role ontvanger (the portal).")
]
Reden = Annotated[str, typer.Option(help="Why; it stands in the audit log.", show_default=False)]
Door = Annotated[str, typer.Option(help="Who decides; left out = the user of this terminal.")]
ALL = 10_000
Work = Callable[[View], Awaitable[tuple[Person, ...]]]


@app.command("list")
def list_(config: Config = Path()) -> None:
    """List all accounts: roles, second factors, and when they last signed in."""

    async def work(view: View) -> tuple[Person, ...]:
        return await view.people(limit=ALL)

    found = _people(config, work)
    if not found:
        print("Er zijn geen accounts. De eerste: gateway users add LOGIN --rol beheerder")
        return
    table = Table()
    for column in ("login", "naam", "rollen", "hoort bij", "app", "sleutels", "status", "laatst"):
        table.add_column(column, overflow="fold")
    for one in found:
        table.add_row(
            one.login,
            one.name,
            ", ".join(sorted(one.roles)),
            one.officer or one.party or "-",
            "ja" if one.totp is not None else "nee",
            str(one.passkeys),
            _status(one),
            rfc3339(one.last_at) if one.last_at else "-",
        )
    screen().print(table)


def _people(config: Path, work: Work) -> tuple[Person, ...]:
    """No database yet: nobody was ever added."""
    try:
        return look(config, work)
    except GatewayError as error:
        if error.code != "store.path":
            raise
        return ()


def _status(one: Person) -> str:
    if one.closed_at is not None:
        return "gesloten"
    if one.subject:
        return "gekoppeld"
    return "actief" if one.active else "wacht op activering"


@app.command()
def add(
    login: Login,
    *,
    rol: Rol,
    naam: Annotated[str, typer.Option(help="Name, as others see it.")],
    officier: Officier = "",
    partij: Partij = "",
    door: Door = "",
    config: Config = Path(),
) -> None:
    """Add an account; its activation code is shown once and is valid for 24 hours."""
    installation = load_installation(config)
    order = _rights(installation, Ask.ADD, login, (naam, rol, officier, partij), door)
    _told(installation, _order(installation, order), portal=bool(partij))


@app.command()
def change(
    login: Login,
    *,
    rol: Rol,
    naam: Annotated[str, typer.Option(help="Another name; left out = it stays.")] = "",
    officier: Officier = "",
    partij: Partij = "",
    door: Door = "",
    config: Config = Path(),
) -> None:
    """Change the roles of an account; its sessions end."""
    installation = load_installation(config)
    order = _rights(installation, Ask.CHANGE, login, (naam, rol, officier, partij), door)
    _order(installation, order)
    print(f"{login}: gewijzigd. Open sessies zijn beëindigd.")


@app.command()
def recover(login: Login, reden: Reden, door: Door = "", config: Config = Path()) -> None:
    """Take password, app, passkeys and sessions away, and give a new activation code."""
    installation = load_installation(config)
    order = Order(ask=Ask.RECOVER, login=login, door=door or user(), why=reden)
    _told(installation, _order(installation, order))


@app.command()
def unlock(login: Login, door: Door = "", config: Config = Path()) -> None:
    """Let failed sign-ins of this login not count any more."""
    _order(load_installation(config), Order(ask=Ask.UNLOCK, login=login, door=door or user()))
    print(f"{login}: ontgrendeld.")


@app.command()
def close(login: Login, reden: Reden, door: Door = "", config: Config = Path()) -> None:
    """Close an account for good; its login stays taken."""
    order = Order(ask=Ask.CLOSE, login=login, door=door or user(), why=reden)
    _order(load_installation(config), order)
    print(f"{login}: gesloten.")


@app.command()
def link(
    login: Login,
    sub: Annotated[str, typer.Option(help="`sub` of the person at the OpenID provider.")],
    door: Door = "",
    config: Config = Path(),
) -> None:
    """Let a person of the OpenID provider in with this account, and by no other way."""
    order = Order(ask=Ask.LINK, login=login, door=door or user(), subject=sub)
    _order(load_installation(config), order)
    print(f"{login}: gekoppeld. Wachtwoord, app, sleutels en sessies van eerder gelden niet meer.")


def _rights(
    installation: Installation,
    ask: Ask,
    login: str,
    given: tuple[str, list[str], str, str],
    door: str,
) -> Order:
    """Return the order; raise PolicyViolation for an officer or party not in the settings."""
    naam, rol, officer, party = given
    known = {one.id for one in installation.settings.officieren}
    if officer and officer not in known:
        raise PolicyViolation(
            "console.gebruiker.officier", "Deze officier staat niet in [[officieren]]."
        )
    with_portal = {
        one.oin for one in installation.settings.partijen if one.email and one.email.portaal
    }
    if party and party not in with_portal:
        raise PolicyViolation(
            "console.gebruiker.partij", "Van deze partij wacht er niets op het portaal."
        )
    return Order(
        ask=ask,
        login=login,
        door=door or user(),
        name=naam,
        roles=tuple(rol),
        officer=officer,
        party=party,
    )


def _told(installation: Installation, done: dict[str, str], *, portal: bool = False) -> None:
    settings = installation.settings
    address = (settings.portaal.url if portal else settings.console.url) or "https://…"
    print(f"{done['login']}: activatiecode {done['code']}")
    print(f"Geldig 24 uur, op {address}/activeren. Geef hem persoonlijk.")


def _order(installation: Installation, order: Order) -> dict[str, str]:
    return asyncio.run(_carried_out(installation, order))


async def _carried_out(installation: Installation, order: Order) -> dict[str, str]:
    socket = control_socket(installation)
    if socket.exists():
        try:
            return await ask_process(socket, f"gebruikers/{order.ask}", dict(order.fields()))
        except aiohttp.ClientConnectorError:
            pass  # nobody listens: the process is gone
    clock, dice = SystemClock(), SystemDice()
    store = open_store(installation, clock, dice)
    try:
        return await carry_out(people_of(installation, store, clock, dice).accounts, order)
    finally:
        await store.close()
