"""`gateway backup`: a copy of the database, beside the running process."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli import Config
from gateway.installation import load_installation
from gateway.store.backup import back_up

MEGABYTE = 1_000_000


def backup(
    target: Annotated[Path, typer.Argument(metavar="PATH", help="File to make; must not exist.")],
    config: Config = Path(),
) -> None:
    """Copy the SQLite database while the gateway runs. No keys come along: docs/backup.md."""
    installation = load_installation(config)
    size = back_up(installation.path(installation.settings.paths.database), target)
    print(f"{target}: {size / MEGABYTE:.1f} MB, gecontroleerd, keten klopt")
