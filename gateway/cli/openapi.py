"""`gateway openapi`: the description of the REST interface, as the running one gives it."""

from pathlib import Path
from typing import Annotated

import typer


def openapi(
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", help="gateway.toml, for its contact; left out = nobody."),
    ] = None,
) -> None:
    """Print the OpenAPI 3.1 document of the REST interface."""
    from gateway.installation import load_settings
    from gateway.web.api.openapi import NOBODY, contact_of, octets
    from gateway.web.api.operations import OPERATIONS

    contact = NOBODY if config is None else contact_of(load_settings(config))
    print(octets(OPERATIONS, contact).decode())
