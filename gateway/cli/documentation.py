"""`gateway docs`: the pages that are made from the program."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.docs_pages import Sources, pages
from gateway.installation import load_catalogue, load_installation, load_table, share


def docs(
    folder: Annotated[Path, typer.Argument(help="Where to write; docs in the source tree.")],
    config: Annotated[
        Path | None,
        typer.Option(help="Describe the messages of this installation, not the built-in ones."),
    ] = None,
) -> None:
    """Write a page per message, of error codes, and of settings.

    With --config from the catalogue, schemas and classification table of that installation.
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
    paths = installation.settings.paths
    settings = share("config")

    def file(given: Path | None, name: str) -> Path:
        return installation.path(given) if given else settings / name

    schemas = installation.path(paths.schemas) if paths.schemas else share("schemas")
    return Sources(
        catalogue=load_catalogue(file(paths.catalogue, "catalogue.toml")),
        schemas=schemas,
        classification=load_table(file(paths.classification, "classification.toml")),
        link=schemas.as_uri(),
    )
