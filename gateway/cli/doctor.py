"""`gateway doctor`: whether this installation works, and what will stop it soon."""

import json
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from http.client import HTTPException
from pathlib import Path
from typing import Annotated

import typer

from gateway.app import SystemClock
from gateway.cli import Config, doctor_conformance
from gateway.cli import doctor_mail as mail
from gateway.cli import doctor_network as network
from gateway.cli.doctor_agreed import agreements, certificates, gate, newer_table, rules
from gateway.cli.doctor_console import console as console_of
from gateway.cli.doctor_console import provider
from gateway.cli.doctor_database import database
from gateway.cli.doctor_exceptions import exceptions
from gateway.cli.doctor_files import disks, epoch_folder, rights
from gateway.cli.doctor_findings import Area, Finding, Severity, shape, show, summary
from gateway.cli.doctor_marks import marks
from gateway.cli.doctor_packs import packs
from gateway.cli.doctor_pauses import pauses
from gateway.cli.doctor_retention import retention
from gateway.cli.doctor_signin import sign_in
from gateway.cli.doctor_webhooks import webhooks
from gateway.cli.look import look
from gateway.cli.screen import screen
from gateway.directory import Directory
from gateway.errors import GatewayError, Misconfigured
from gateway.installation import Installation, load_directory, load_installation
from gateway.keys.dkim_keys import dkim_keys
from gateway.ports import AlarmView
from gateway.snapshots import load_schemas
from gateway.store.view import View
from gateway.web.api import alarm_texts

MOST_ALARMS = 1_000
UNREADABLE = 2
_CONFIG, _BACKENDS, _WEBHOOKS = Area("Configuratie"), Area("Systemen"), Area("Webhooks")
_SCHEMAS, _ALARMS, _RETENTION = Area("Schema's"), Area("Alarmen"), Area("Bewaartermijnen")


def doctor(
    config: Config = Path(),
    health: Annotated[
        bool, typer.Option("--health", help="Only ask the running process; for a health check.")
    ] = False,
    partners: Annotated[
        bool,
        typer.Option(
            "--partners",
            help="Also shake hands (TLS) with every partner, and ask the OpenID provider.",
        ),
    ] = False,
    conformance: Annotated[
        bool,
        typer.Option(
            "--conformance",
            help="Only print the requirements of Digikoppeling: met how, tested where.",
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for other programs.")] = False,
) -> None:
    """Check everything that messages depend on, and say what to do.

    Configuration, keys and rights, clock, database, disk, schemas, agreements, certificates,
    ports, epoch keys, back-ends, alarms, retention.

    Exit status 0: nothing stops messages, warnings do not count; 1: something does; 2: the
    configuration can not be read, so nothing more was looked at.
    """
    if conformance:
        doctor_conformance.show(screen(), as_json=as_json)
        return
    installation = load_installation(config)
    if health:
        _ask(installation)
        return
    findings = tuple(examine(installation, partners=partners))
    if as_json:
        print(json.dumps([shape(finding) for finding in findings], indent=2, ensure_ascii=False))
    else:
        console = screen()
        show(console, findings)
        console.print(summary(findings))
    sys.exit(_status(findings))


def _status(findings: tuple[Finding, ...]) -> int:
    bad = [finding for finding in findings if finding.severity is Severity.BAD]
    if any(finding.area == _CONFIG.name for finding in bad):
        return UNREADABLE
    return int(bool(bad))


def examine(installation: Installation, *, partners: bool = False) -> Iterator[Finding]:
    """Yield what is good and what is not, most basic first."""
    now = SystemClock().now()
    settings = installation.settings
    yield _CONFIG.good(f"configuratie {settings.naam} ({settings.rol}, {settings.omgeving})")
    yield from rights(installation)
    try:
        directory = load_directory(installation, epoch=0, at=now, tolerant=True)
    except Misconfigured as error:
        yield _CONFIG.error(error, "Herstel het genoemde bestand; docs/configuration.md")
        return
    yield from database(installation)
    yield from disks(installation)
    yield from epoch_folder(installation)
    yield from _examine_agreed(installation, directory, now)
    yield from _backends(installation, directory, now)
    yield from console_of(installation)
    yield from network.ports(installation)
    yield from pauses(installation)
    yield from mail.own_domain(settings.email, lambda email: dkim_keys(email, installation.path))
    if partners:
        yield from mail.partners(settings.email, directory)
        yield from network.partners(installation, directory, now)
        yield from provider(installation)
    yield from _WEBHOOKS.lines(
        webhooks(installation, directory), code="webhooks.state", remedy="docs/webhooks.md"
    )
    yield from _alarms(installation)
    yield from _RETENTION.lines(
        retention(installation),
        code="retention.behind",
        remedy="Kijk of een proces met de rol sealer draait; docs/backup.md",
    )


def _examine_agreed(
    installation: Installation, directory: Directory, now: datetime
) -> Iterator[Finding]:
    yield from _SCHEMAS.guarded(
        lambda: _schemas(installation, directory), "Herstel de map van paths.schemas"
    )
    yield from agreements(directory, now)
    yield from certificates(installation, directory, now)
    yield from gate(directory, now)
    yield from newer_table(installation)
    yield from marks(installation)
    yield from rules(directory, now)
    yield from exceptions(directory, now)


def _schemas(installation: Installation, directory: Directory) -> Iterator[Finding]:
    load_schemas(installation, directory)
    yield _SCHEMAS.good(f"{len(directory.catalogue.kinds)} schema's gecompileerd")
    yield from _SCHEMAS.lines(
        packs(installation, directory),
        code="schemas.packs",
        remedy="gateway schemas list; docs/schemas.md",
    )


def _backends(installation: Installation, directory: Directory, now: datetime) -> Iterator[Finding]:
    if installation.settings.listen.api is not None and not directory.backends:
        yield _BACKENDS.warn(
            "backends.none",
            "geen systeem onder [[backends]]: niemand kan aanleveren of ophalen",
            "Wat binnenkomt, blijft in het postvak liggen.",
            "Maak een token met gateway token NAAM en zet het systeem in gateway.toml",
        )
    else:
        yield from _BACKENDS.lines(
            sign_in(installation, directory, now),
            code="backends.sign_in",
            remedy="Pas [[backends]] of [oauth] in gateway.toml aan; docs/sign-in.md",
        )


def _alarms(installation: Installation) -> Iterator[Finding]:
    """Yield how many alarms stand open, by code. No database yet is no finding."""

    async def work(view: View) -> tuple[AlarmView, ...]:
        return await view.reader.alarms(limit=MOST_ALARMS)

    try:
        found = look(installation.folder, work)
    except GatewayError:
        return  # said with the database
    for code, n in sorted(Counter(alarm.code for alarm in found).items()):
        yield _ALARMS.warn(
            code, f"alarm {code} ({n})", alarm_texts.text(code), "gateway alarmen list"
        )
    if not found:
        yield _ALARMS.good("geen alarmen")


def _ask(installation: Installation) -> None:
    listener = installation.settings.listen.beheer
    url = f"http://{listener.host}:{listener.port}/health/ready"
    try:
        with urllib.request.urlopen(url, timeout=3) as answer:
            print(answer.read().decode())
    except (OSError, HTTPException) as exc:  # refused, late, 503, or no HTTP at all
        print(f"niet gereed: {exc}")
        sys.exit(1)
