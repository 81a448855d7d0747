"""`gateway berichten`: what an operator sees of messages. Never their content."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from gateway.cli import Config
from gateway.cli.deciding import Door, Reden, decide
from gateway.cli.look import look
from gateway.cli.screen import newest, screen
from gateway.errors import NoRoute
from gateway.lifecycle import State
from gateway.ports import MessageView, Summary, Wanted
from gateway.ports.reading import Answered
from gateway.store.view import View
from gateway.web.api import shapes
from gateway.web.api.models import rfc3339
from gateway.web.control import What

app = typer.Typer(help="Messages and their trace.", no_args_is_help=True)


@app.command("list")
def list_(
    config: Config = Path(),
    limit: Annotated[int, typer.Option(help="How many, newest first.", min=1)] = 20,
    status: Annotated[
        State | None, typer.Option(help="Only messages with a delivery in this state.")
    ] = None,
    antwoord: Annotated[
        Answered | None,
        typer.Option(help="Only what was answered so: Fo01Bericht = refused by its receiver."),
    ] = None,
) -> None:
    """List messages, newest first."""
    wanted = Wanted(state=status, answer=antwoord)

    async def work(view: View) -> tuple[Summary, ...]:
        return (await view.reader.newest(wanted, limit=limit + 1)).found

    table = Table()
    table.add_column("id", no_wrap=True)
    for column in ("ontvangen", "richting", "soort", "referentienummer", "status", "antwoord"):
        table.add_column(column, overflow="fold")
    for found in newest(look(config, work), limit):
        message = found.message
        table.add_row(
            message.id,
            rfc3339(message.at),
            message.direction,
            message.kind,
            message.referentienummer,
            shapes.status(message, found.states),
            message.answer or "-",
        )
    screen().print(table)


@app.command()
def hervat(
    id_: Annotated[str, typer.Argument(metavar="ID", help="Of the message or its delivery.")],
    reden: Reden,
    door: Door = "",
    config: Config = Path(),
) -> None:
    """Send again what may or may not have arrived (status unknown)."""
    done = decide(config, What.RESUME, id_, reden=reden, door=door)
    print(f"Levering {done['levering']} van bericht {done['bericht']} wordt opnieuw verzonden.")


@app.command()
def staak(
    id_: Annotated[str, typer.Argument(metavar="ID", help="Of the message or its delivery.")],
    reden: Reden,
    door: Door = "",
    config: Config = Path(),
) -> None:
    """Give a message up. A partner that sent it gets a Fo01 within a minute."""
    done = decide(config, What.STOP, id_, reden=reden, door=door)
    print(f"Levering {done['levering']} van bericht {done['bericht']} is gestaakt.")


@app.command()
def opnieuw(
    id_: Annotated[str, typer.Argument(metavar="ID", help="Of the message that was refused.")],
    reden: Reden,
    door: Door = "",
    config: Config = Path(),
) -> None:
    """Hand in again what was refused with a Fo01: the same content, a new referentienummer.

    For a cause that was with the receiver or on the way. Schema, rules and the gate judge it anew.
    """
    done = decide(config, What.AGAIN, id_, reden=reden, door=door)
    print(
        f"Bericht {id_} is opnieuw aangeboden als {done['bericht']}, "
        f"referentienummer {done['referentienummer']}: {done['status']}."
    )


@app.command()
def email(
    id_: Annotated[str, typer.Argument(metavar="ID", help="Of the message or its delivery.")],
    reden: Reden,
    door: Door = "",
    config: Config = Path(),
) -> None:
    """Let a message that can not wait go on by secure e-mail; --reden is the ground for it.

    Only where the agreed route failed or would come too late (onverwijlde spoed, Regeling JK
    Jeugdwet art. 3 lid 1), and never what the OM holds. The receiver reads the ground.
    """
    done = decide(config, What.MAIL, id_, reden=reden, door=door)
    print(
        f"Bericht {done['bericht']} gaat verder per beveiligde e-mail, als levering "
        f"{done['levering']} ({done['oorzaak']}; dubbel: {done['dubbel']})."
    )


_SAID = {
    "Received": "heeft het bericht ontvangen",
    "Processed": "heeft het bericht ontvangen en verwerkt",
    "Forwarded": "heeft het bericht doorgestuurd",
    "NotRecognized": "kent het bericht niet",
    "UnAuthorized": "zegt niets over het bericht",
}


@app.command("status")
def status_(
    id_: Annotated[str, typer.Argument(metavar="ID", help="Of the message or its delivery.")],
    door: Door = "",
    config: Config = Path(),
) -> None:
    """Ask the receiver what became of a message (ebMS 2.0 StatusRequest); 10 seconds at most.

    What he says stands in the trace. It settles nothing: you decide, with hervat or staak. Exit
    status 1: no answer.
    """
    heard = decide(config, What.ASK, id_, reden="navraag", door=door)
    if not heard["antwoord"]:
        print(f"{heard['partij']} gaf geen antwoord ({heard['code']}).")
        raise typer.Exit(1)
    at = f", op {heard['ontvangen']}" if heard["ontvangen"] else ""
    print(f"{heard['partij']} {_SAID[heard['antwoord']]}{at}.")


@app.command()
def show(
    id_: Annotated[str, typer.Argument(metavar="ID", help="Id of the message.")],
    config: Config = Path(),
    as_json: Annotated[
        bool, typer.Option("--json", help="As the REST interface gives it.")
    ] = False,
) -> None:
    """Show one message: its deliveries and every step with its time."""

    async def work(view: View) -> MessageView | None:
        return await view.reader.message(id_)

    found = look(config, work)
    if found is None:
        raise NoRoute("bericht.unknown", "er is geen bericht met dit id")
    shape = shapes.message(found).model_dump(mode="json", by_alias=True)
    if as_json:
        print(json.dumps(shape, indent=2, ensure_ascii=False))
        return
    console = screen()
    for key, value in shape.items():
        if not isinstance(value, list):
            console.print(f"{key:<22}{value}")
    console.print()
    for delivery in shape["leveringen"]:
        console.print(
            f"levering {delivery['id']}  {delivery['soort']} naar {delivery['ontvanger']} "
            f"({delivery['kanaal']}): {delivery['status']}, {delivery['pogingen']} poging(en)"
        )
    console.print()
    for step in shape["stappen"]:
        _print_step(console, step)


def _print_step(console: Console, step: dict[str, Any]) -> None:
    code = f"  {step['code']}" if step["code"] else ""
    console.print(f"{step['tijd']}  {step['stap']}{code}", soft_wrap=True)
    if reasons := step["gegevens"].get("reasons"):
        console.print(f"    reden: {reasons}", soft_wrap=True, markup=False)
