"""The commands by name. What one needs is loaded when it is the one that was asked for.

All of them together take seconds to load: too long for `--help` or for a Tab in the shell.
"""

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup


@dataclass(frozen=True, slots=True)
class Command:
    """Where a command stands, and what the help of `gateway` says of it."""

    module: str
    attribute: str
    """A function, or a `typer.Typer` with commands of its own."""
    help: str

    def load(self, name: str) -> typer.Typer:
        """Return an app with just this command."""
        app = typer.Typer(pretty_exceptions_enable=False)
        found = getattr(import_module(f"gateway.cli.{self.module}"), self.attribute)
        if isinstance(found, typer.Typer):
            app.add_typer(found, name=name)
        else:
            app.command(name)(found)
        return app


COMMANDS = {
    "serve": Command(
        "serving",
        "serve",
        "Serve an installation until SIGTERM. SIGHUP reads agreements, parties and trust again.",
    ),
    "demo": Command(
        "demo_command",
        "demo",
        "Run the main job for real: four processes on loopback, and what goes wrong between them.",
    ),
    "init": Command(
        "init",
        "init",
        "Make a working configuration: folders and a gateway.toml that explains itself.",
    ),
    "token": Command(
        "init",
        "token",
        "Make a token for a back-end system: shown once, stored only as SHA-256.",
    ),
    "send": Command(
        "send",
        "send",
        "Hand a document in and print the answer; exit status 1 when it is refused.",
    ),
    "backup": Command(
        "backup",
        "backup",
        "Copy the SQLite database while the gateway runs. No keys come along: docs/backup.md.",
    ),
    "doctor": Command(
        "doctor", "doctor", "Check everything that messages depend on, and say what to do."
    ),
    "docs": Command(
        "documentation", "docs", "Write a page per message, of error codes, and of settings."
    ),
    "openapi": Command(
        "openapi", "openapi", "Print the OpenAPI 3.1 document of the REST interface."
    ),
    "berichten": Command("berichten", "app", "Messages and their trace."),
    "alarmen": Command("alarmen", "app", "Alarms: what a person must know of."),
    "quarantaine": Command("quarantaine", "app", "Mail that no system took in."),
    "partners": Command(
        "partners", "app", "Partners: hold what is sent to one, let it go on, ping."
    ),
    "audit": Command("audit", "app", "The audit log."),
    "cpa": Command("cpa", "app", "Agreements (CPAs)."),
    "certs": Command("certs", "app", "Certificates."),
    "simulator": Command("simulator.commands", "app", "A partner or a back-end to test against."),
    "schemas": Command("schemas", "app", "Schema packs: XSDs of other versions."),
    "webhooks": Command("webhooks", "app", "Webhooks: where back-ends are told of changes."),
    "toets": Command(
        "toets",
        "app",
        "Requests to the OM: list, read, decide. For an officer, at the OM's own machine.",
    ),
    "toetsing": Command(
        "toetsing", "app", "What the OM gate goes by: proposed by the police, confirmed by the OM."
    ),
    "users": Command("users", "app", "Users of the console."),
}


class Commands(TyperGroup):
    """Loads the command that is resolved; of the others name and help are enough."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Return the command itself in place of what stood in for it."""
        name, found, rest = super().resolve_command(ctx, args)
        if name in COMMANDS:
            found = typer.main.get_group(COMMANDS[name].load(name)).commands[name]
        return name, found, rest


def register(app: typer.Typer) -> None:
    """Name all commands in `app`, which is made with `cls=Commands`."""
    for name, command in COMMANDS.items():
        app.command(name, help=command.help)(_stands_in)


def _stands_in() -> None:
    """Never runs: `Commands` puts the command in its place."""
    raise AssertionError
