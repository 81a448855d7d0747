"""`gateway serve`."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli import Config
from gateway.config import ProcessRole


def serve(
    config: Config = Path(),
    only: Annotated[
        list[ProcessRole] | None,
        typer.Option("--only", help="Do only this; may be given more than once."),
    ] = None,
    beheer_port: Annotated[
        int | None,
        typer.Option(
            help="Port of health and metrics, for a second process on the same machine; 0 = any.",
            min=0,
            max=65535,
        ),
    ] = None,
) -> None:
    """Serve an installation until SIGTERM. SIGHUP reads agreements, parties and trust again.

    Exit status 0 after a stop, 2 when something must be changed first, 75 when the database
    does not answer: then starting again later may do.

    Any number of processes serve one PostgreSQL together; SQLite takes one. Logs go to
    standard error, one JSON object per line (setting `log`).
    """
    from gateway import log, service
    from gateway.installation import load_installation

    installation = load_installation(config)
    settings = installation.settings.log
    log.setup(style=log.Style(settings.vorm), level=settings.niveau)
    roles = frozenset(only) if only else service.ALL
    service.run(installation, roles=roles, beheer_port=beheer_port)
