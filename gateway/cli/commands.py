"""Registers every command; each module holds the commands of one subject."""

import typer

from gateway.cli import (
    alarmen,
    audit,
    backup,
    berichten,
    certs,
    cpa,
    demo_command,
    doctor,
    documentation,
    init,
    openapi,
    partners,
    schemas,
    send,
    serving,
    toets,
    toetsing,
    users,
    webhooks,
)
from gateway.cli.simulator import commands as simulator


def register(app: typer.Typer) -> None:
    """Add all commands to `app`."""
    app.command("serve")(serving.serve)
    app.command("demo")(demo_command.demo)
    app.command("init")(init.init)
    app.command("token")(init.token)
    app.command("send")(send.send)
    app.command("backup")(backup.backup)
    app.command("doctor")(doctor.doctor)
    app.command("docs")(documentation.docs)
    app.command("openapi")(openapi.openapi)
    app.add_typer(berichten.app, name="berichten")
    app.add_typer(alarmen.app, name="alarmen")
    app.add_typer(partners.app, name="partners")
    app.add_typer(audit.app, name="audit")
    app.add_typer(cpa.app, name="cpa")
    app.add_typer(certs.app, name="certs")
    app.add_typer(simulator.app, name="simulator")
    app.add_typer(schemas.app, name="schemas")
    app.add_typer(webhooks.app, name="webhooks")
    app.add_typer(toets.app, name="toets")
    app.add_typer(toetsing.app, name="toetsing")
    app.add_typer(users.app, name="users")
