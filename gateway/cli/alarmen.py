"""`gateway alarmen`: what a person must know of."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from gateway.cli import Config
from gateway.cli.deciding import Door, Reden, decide
from gateway.cli.look import look
from gateway.cli.screen import newest, screen
from gateway.ports import AlarmView
from gateway.store.view import View
from gateway.web.api import alarm_texts
from gateway.web.api.models import rfc3339
from gateway.web.control import What

app = typer.Typer(help="Alarms: what a person must know of.", no_args_is_help=True)


@app.command("list")
def list_(
    config: Config = Path(),
    limit: Annotated[int, typer.Option(help="How many, newest first.", min=1)] = 50,
) -> None:
    """List open alarms, newest first. Those whose cause is gone close by themselves."""

    async def work(view: View) -> tuple[AlarmView, ...]:
        return await view.reader.alarms(limit=limit + 1)

    found = look(config, work)
    if not found:
        print("Er staan geen alarmen open.")
        return
    table = Table()
    for column in ("nr", "sinds", "code", "over"):
        table.add_column(column, no_wrap=True)
    for column in ("oorzaak", "keer", "wie kijkt", "wat te doen"):
        table.add_column(column, overflow="fold")
    for alarm in newest(found, limit):
        table.add_row(
            str(alarm.id),
            rfc3339(alarm.raised_at),
            alarm.code,
            alarm.subject or "-",
            alarm.reason or "-",
            str(alarm.times),
            alarm.taken_by or "-",
            alarm_texts.text(alarm.code),
        )
    screen().print(table)


@app.command()
def af(
    id_: Annotated[int, typer.Argument(metavar="NR", help="Number of the alarm.", min=1)],
    reden: Reden,
    door: Door = "",
    config: Config = Path(),
) -> None:
    """Close an alarm that was dealt with."""
    done = decide(config, What.DISMISS, str(id_), reden=reden, door=door)
    print(f"Alarm {done['alarm']} ({done['code']}) is afgehandeld.")


@app.command()
def kijk(
    id_: Annotated[int, typer.Argument(metavar="NR", help="Number of the alarm.", min=1)],
    reden: Annotated[str, typer.Option(help="Anything to add.")] = "kijkt ernaar",
    door: Door = "",
    config: Config = Path(),
) -> None:
    """Let others see that you look at an alarm. It stays open."""
    done = decide(config, What.LOOK_AT, str(id_), reden=reden, door=door)
    print(f"Bij alarm {done['alarm']} ({done['code']}) staat nu dat u ernaar kijkt.")


@app.command()
def los(
    id_: Annotated[int, typer.Argument(metavar="NR", help="Number of the alarm.", min=1)],
    reden: Annotated[str, typer.Option(help="Anything to add.")] = "kijkt niet meer",
    door: Door = "",
    config: Config = Path(),
) -> None:
    """Let others see that nobody looks at an alarm any more."""
    done = decide(config, What.LET_GO, str(id_), reden=reden, door=door)
    print(f"Bij alarm {done['alarm']} ({done['code']}) staat niemand meer.")
