"""`gateway docs`: the pages that are made from the program."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.app import SystemClock
from gateway.directory import Directory
from gateway.docs_pages import Sources, pages
from gateway.installation import (
    load_catalogue,
    load_directory,
    load_installation,
    load_table,
    share,
)


def docs(
    folder: Annotated[Path, typer.Argument(help="Where to write; docs in the source tree.")],
    config: Annotated[
        Path | None,
        typer.Option(help="Describe the messages of this installation, not the built-in ones."),
    ] = None,
) -> None:
    """Write a page per message, of error codes, and of settings.

    With --config from the catalogue, the schemas and packs, and the classification table of that
    installation. A message that only has a pack for some partners, or none yet, has no page.
    """
    made = pages(built_in() if config is None else _installed(config))
    for name, text in made.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    print(f"{folder}: {len(made)} pagina's")


def built_in() -> Sources:
    """Return what ships with the program."""
    settings = share("config")
    return Sources(
        catalogue=load_catalogue(settings / "catalogue.toml"),
        schemas=share("schemas"),
        classification=load_table(settings / "classification.toml"),
    )


def _installed(config: Path) -> Sources:
    installation = load_installation(config)
    directory = load_directory(installation, epoch=0)
    given = installation.settings.paths.schemas
    schemas = installation.path(given) if given else share("schemas")
    return Sources(
        catalogue=directory.catalogue,
        schemas=schemas,
        classification=directory.gate.table,
        packs=_judging(directory),
        link=schemas.as_uri(),
    )


def _judging(directory: Directory) -> dict[tuple[str, str], Path]:
    """Return the XSD of the pack that judges a message of all partners now."""
    now = SystemClock().now()
    found = {}
    for name, version in directory.catalogue.kinds:
        line = directory.activations.choose(name, version, partner=directory.me, at=now)
        if line is not None:
            found[name, version] = directory.packs[line.pack].folder / line.entry
    return found
