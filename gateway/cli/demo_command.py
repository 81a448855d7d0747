"""`gateway demo`."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer


def demo(
    stay: Annotated[
        bool, typer.Option("--stay", help="Leave it running and print how to look around.")
    ] = False,
    folder: Annotated[
        Path | None,
        typer.Option(help="Where to put the installations; left out = a temporary one."),
    ] = None,
    postgresql: Annotated[
        bool, typer.Option("--postgresql", help="On a PostgreSQL of its own instead of SQLite.")
    ] = False,
) -> None:
    """Run the main job for real: four processes on loopback, and what goes wrong between them.

    Ends with the delivery record of each message; exit status 1 when a promise is not kept.
    """
    from gateway.cli.demo.run import run

    sys.exit(asyncio.run(run(stay=stay, folder=folder, postgresql=postgresql)))
