"""The `gateway` command. Each command explains itself: `gateway COMMAND --help`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.commands import Commands, register
from gateway.errors import GatewayError, Misconfigured, Unavailable

NAME = "gateway"
"""Also in the scripts of shell completion, however Python was started."""
AGAIN = 75
"""EX_TEMPFAIL of sysexits.h."""

Config = Annotated[
    Path,
    typer.Option(
        "--config", "-c", help="gateway.toml, or the folder it stands in.", show_default=True
    ),
]

app = typer.Typer(
    name=NAME,
    cls=Commands,
    help="StUF Jeugdzorg over Digikoppeling ebMS2, for knooppunt and aansluitpunt.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def main() -> None:
    """Run a command; a refusal is one line with its code and exit status 1, 2 or 75.

    2: something must be changed first. 75: the same command may succeed later.
    """
    register(app)
    try:
        app(prog_name=NAME)
    except Misconfigured as error:
        print(f"gateway: {error}", file=sys.stderr)
        sys.exit(2)
    except Unavailable as error:
        print(f"gateway: {error}", file=sys.stderr)
        sys.exit(AGAIN)
    except GatewayError as error:
        print(f"gateway: {error}", file=sys.stderr)
        sys.exit(1)
    except OSError as error:  # a file or a port, named in its text
        print(f"gateway: system.error: {error}", file=sys.stderr)
        sys.exit(2)
