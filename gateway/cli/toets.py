"""`gateway toets`: an officer of the OM decides at the command line, by the rules of the desk."""

import asyncio
import json
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import aiohttp
import typer
from rich.table import Table

from gateway.app import build
from gateway.cli import Config
from gateway.cli.deciding import Door, control_socket, post, user
from gateway.cli.screen import screen
from gateway.errors import PolicyViolation
from gateway.installation import Installation, load_installation
from gateway.toetsing.confirming import end_of
from gateway.web.toets_control import NOTHING, Ask, Order, carry_out
from gateway.wire.toets import Uitkomst

app = typer.Typer(
    help="Requests to the OM: list, read, decide. For an officer, at the OM's own machine.",
    no_args_is_help=True,
)

Verzoek = Annotated[str, typer.Argument(metavar="ID", help="Of the request.")]
Besluit = Annotated[str, typer.Argument(metavar="ID", help="Of the decision.")]
Officier = Annotated[
    str, typer.Option(help="Id of the officer, as gateway.toml has it.", show_default=False)
]
Reden = Annotated[
    str, typer.Option(help="Why; it is written down. No personal data.", show_default=False)
]
Json = Annotated[bool, typer.Option("--json", help="What the API would answer.")]


@app.command()
def lijst(
    *,
    alle: Annotated[bool, typer.Option("--alle", help="Also what was decided.")] = False,
    parket: Annotated[str, typer.Option(help="Only what lies at this parket.")] = "",
    limiet: Annotated[int, typer.Option(help="How many.", min=1, max=1_000)] = 50,
    als_json: Json = False,
    config: Config = Path(),
) -> None:
    """List what waits, the most urgent first. Never what the messages say."""
    fields = {"alle": alle, "parket": parket, "limiet": limiet}
    found = _ask(config, Ask.LIST, NOTHING, fields)
    if als_json:
        _print(found)
        return
    table = Table()
    table.add_column("id", no_wrap=True)
    for column in ("termijn", "acuut", "soort", "kenmerk", "ontvanger", "parket", "bij", "status"):
        table.add_column(column, overflow="fold")
    for one in found["verzoeken"]:
        table.add_row(
            one["id"],
            one["termijn"],
            {True: "ja", False: "nee"}.get(one["acuut"], "-"),
            one["soort"],
            one["referentienummer"],
            one["ontvanger"],
            one["parket"] or "-",
            one["behandelaar"] or "-",
            _standing(one),
        )
    screen().print(table)


def _standing(one: dict[str, Any]) -> str:
    if one["afgesloten"]:
        return str(one["uitkomst"])
    return "wacht op tweede officier" if one["voorgesteldDoor"] else "wacht op besluit"


@app.command()
def toon(id_: Verzoek, *, als_json: Json = False, config: Config = Path()) -> None:
    """Show one request: why it is held, what was decided, earlier ones on the case."""
    found = _ask(config, Ask.SHOW, id_, {})
    if als_json:
        _print(found)
        return
    one = found["verzoek"]
    print(f"{one['soort']} {one['versie']} {one['referentienummer']} voor {one['ontvanger']}")
    print(f"  status: {_standing(one)}; termijn {one['termijn']}")
    print(f"  octetten: {one['omvang']}, SHA-256 {one['sha256']}")
    for reason in one["redenen"]:
        print(f"  reden {reason['regel']}: {reason['tekst']} {reason['pad']}")
    for name in ("deelVan", "vervangt"):
        if one[name]:
            print(f"  {name}: {one[name]}")
    for verdict in found["besluiten"]:
        second = f", tweede {verdict['tweedeOfficier']}" if verdict["tweedeOfficier"] else ""
        print(
            f"  besluit {verdict['id']}: {verdict['uitkomst']} door {verdict['officier']}{second}, "
            f"{verdict['status']}, geldig tot {verdict['geldigTot']}"
        )
    for other in found["eerder"]:
        print(f"  zelfde zaak: {other['id']} {other['soort']} {_standing(other)}")


@app.command()
def lees(
    id_: Verzoek,
    officier: Officier,
    doel: Annotated[str, typer.Option(help="What for; it is written down.", show_default=False)],
    *,
    uit: Annotated[
        Path | None, typer.Option(help="File to write, for its owner alone; left out = here.")
    ] = None,
    door: Door = "",
    config: Config = Path(),
) -> None:
    """Read the octets that are held: exactly those on which is decided."""
    order = Order(
        ask=Ask.READ, id=id_, door=door or user(), fields={"officier": officier, "doel": doel}
    )
    octets = asyncio.run(_carry_out(load_installation(config), order))
    if uit is None:
        sys.stdout.buffer.write(octets)
        return
    handle = os.open(uit, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(octets)
    print(f"Geschreven: {uit} ({len(octets)} octetten). Vernietig het als u klaar bent.")


@app.command()
def neem(id_: Verzoek, officier: Officier, *, door: Door = "", config: Config = Path()) -> None:
    """Take a request: another officer can not decide on it for a while."""
    done = _ask(config, Ask.TAKE, id_, {"officier": officier}, door=door)
    print(f"In behandeling bij {officier} tot {done['tot']}.")


@app.command()
def laat(id_: Verzoek, officier: Officier, *, door: Door = "", config: Config = Path()) -> None:
    """Let others take it."""
    _ask(config, Ask.LET_GO, id_, {"officier": officier}, door=door)
    print("Weer vrij.")


@app.command()
def besluit(  # noqa: PLR0917 - options of a command
    id_: Verzoek,
    officier: Officier,
    uitkomst: Annotated[Uitkomst, typer.Option(help="What is decided.", show_default=False)],
    grond: Annotated[
        str, typer.Option(help="Ground; its first line goes to the police.", show_default=False)
    ],
    melden: Annotated[
        str, typer.Option(help="What the sender may know, where it does not go.")
    ] = "",
    voorwaarde: Annotated[
        list[str] | None, typer.Option(help="CODE=TEXT; more than one may be given.")
    ] = None,
    aanvaarding: Annotated[
        list[str] | None, typer.Option(help="Code of a condition that must be accepted first.")
    ] = None,
    tot: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Last day; left out = the setting."),
    ] = None,
    bekend: Annotated[
        bool, typer.Option("--bekend", help="The receiver may know that something is withheld.")
    ] = False,
    door: Door = "",
    config: Config = Path(),
) -> None:
    """Decide. It is signed and carried out at once, or when a second officer confirms it."""
    fields = {
        "officier": officier,
        "uitkomst": str(uitkomst),
        "grond": grond,
        "teMelden": melden,
        "voorwaarden": _conditions(voorwaarde or [], aanvaarding or []),
        "bekend": bekend,
        **({"geldigTot": end_of(tot.date()).isoformat()} if tot is not None else {}),
    }
    _say(_ask(config, Ask.DECIDE, id_, fields, door=door))


def _conditions(given: list[str], accepted: list[str]) -> list[dict[str, Any]]:
    """Raise PolicyViolation `command.voorwaarde`."""
    found = []
    for text in given:
        code, sign, words = text.partition("=")
        if not sign:
            raise PolicyViolation("command.voorwaarde", "Geef --voorwaarde als CODE=TEKST.")
        found.append({"code": code, "tekst": words, "aanvaarding": code in accepted})
    if set(accepted) - {one["code"] for one in found}:
        raise PolicyViolation("command.voorwaarde", "--aanvaarding noemt geen gegeven voorwaarde.")
    return found


@app.command()
def bevestig(id_: Besluit, officier: Officier, *, door: Door = "", config: Config = Path()) -> None:
    """Confirm a decision as the second officer: it is carried out then."""
    _say(_ask(config, Ask.CONFIRM, id_, {"officier": officier}, door=door))


@app.command("wijs-af")
def wijs_af(
    id_: Besluit, officier: Officier, reden: Reden, *, door: Door = "", config: Config = Path()
) -> None:
    """Do not confirm a decision: the request is open again."""
    _say(_ask(config, Ask.REJECT, id_, {"officier": officier, "reden": reden}, door=door))


@app.command("trek-in")
def trek_in(
    id_: Besluit, officier: Officier, reden: Reden, *, door: Door = "", config: Config = Path()
) -> None:
    """Withdraw a decision; whether that is in time, the holder of the message says."""
    _say(_ask(config, Ask.WITHDRAW, id_, {"officier": officier, "reden": reden}, door=door))


@app.command("trek-toestemming-in")
def trek_toestemming_in(
    toestemming: Annotated[str, typer.Argument(metavar="ID", help="Of the standing approval.")],
    politie: Annotated[str, typer.Option(help="OIN of the police.", show_default=False)],
    officier: Officier,
    reden: Reden,
    *,
    door: Door = "",
    config: Config = Path(),
) -> None:
    """Withdraw a standing approval: it ends at the police at once."""
    fields = {
        "officier": officier, "reden": reden, "politie": politie, "toestemming": toestemming,
    }  # fmt: skip
    _ask(config, Ask.REVOKE, NOTHING, fields, door=door)
    print(f"Ondertekend, op weg naar {politie}: {toestemming} is ingetrokken.")


def _say(verdict: dict[str, Any]) -> None:
    until = f"geldig tot {verdict['geldigTot']}"
    print(f"Besluit {verdict['id']}: {verdict['uitkomst']}, {verdict['status']}, {until}.")


def _print(found: dict[str, Any]) -> None:
    print(json.dumps(found, ensure_ascii=False, indent=2))


def _ask(
    config: Path, ask: Ask, id_: str, fields: dict[str, Any], *, door: str = ""
) -> dict[str, Any]:
    order = Order(ask=ask, id=id_, door=door or user(), fields=fields)
    done: dict[str, Any] = json.loads(asyncio.run(_carry_out(load_installation(config), order)))
    return done


async def _carry_out(installation: Installation, order: Order) -> bytes:
    """Ask the process that has the database, or do it here; raises what the desk raises."""
    socket = control_socket(installation)
    if socket.exists():
        try:
            path = f"toets/{order.ask}/{quote(order.id, safe='')}"
            return await post(socket, path, order.body())
        except aiohttp.ClientConnectorError:
            pass  # nobody listens: the process is gone
    async with build(installation) as here:
        done = await carry_out(here.gateway.deciding, order)
    return done if isinstance(done, bytes) else done.model_dump_json(by_alias=True).encode()
