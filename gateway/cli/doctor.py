"""`gateway doctor`: whether this installation works, and what will stop it soon."""

import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from http.client import HTTPException
from pathlib import Path
from typing import Annotated

import typer

from gateway.app import SystemClock, load_schemas
from gateway.catalogue import Role
from gateway.cli import Config
from gateway.cli.doctor_packs import packs
from gateway.cli.doctor_retention import retention
from gateway.cli.doctor_signin import sign_in
from gateway.cli.doctor_webhooks import webhooks
from gateway.cli.look import look
from gateway.directory import Agreement, Channel, Directory
from gateway.errors import GatewayError, Misconfigured
from gateway.installation import Installation, load_directory, load_installation
from gateway.keys.keystore import FileKeyring
from gateway.outbound.tls import KeyPair
from gateway.ports import AlarmView
from gateway.rules.severities import in_force
from gateway.security.certificates import TrustStore, Usage
from gateway.store.view import View
from gateway.web.api import alarm_texts

SOON = timedelta(days=30)
MOST_ALARMS = 1_000


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: good, a warning, or something that stops messages."""

    mark: str
    text: str


def doctor(
    config: Config = Path(),
    health: Annotated[
        bool, typer.Option("--health", help="Only ask the running process; for a health check.")
    ] = False,
) -> None:
    """Check configuration, keys, certificates, revocation lists, agreements and schemas.

    Exit status 1 when something stops messages; warnings do not.
    """
    installation = load_installation(config)
    if health:
        _ask(installation)
        return
    worst = 0
    for finding in examine(installation):
        print(f"{finding.mark} {finding.text}")
        worst = max(worst, 1 if finding.mark == "✗" else 0)
    sys.exit(worst)


def examine(installation: Installation) -> Iterator[Finding]:
    """Yield what is good and what is not, most basic first."""
    yield Finding("✓", f"configuratie {installation.settings.naam}")
    try:
        directory = load_directory(installation, epoch=0)
    except Misconfigured as error:
        yield Finding("✗", str(error))
        return
    yield Finding(
        "✓" if directory.agreements else "✗",
        f"{len(directory.agreements)} overeenkomsten, {len(directory.parties)} partijen",
    )
    now = SystemClock().now()
    yield from (Finding(*line) for line in sign_in(installation, directory, now))
    if not directory.trust.anchors or not directory.trust.crls:
        yield Finding("✗", "stamcertificaten of CRL's ontbreken in trust/")
    trust = TrustStore(directory.trust)
    yield from _own_certificate(installation, trust)
    yield from _keys(installation, directory, trust)
    for agreement in directory.agreements.values():
        yield from _agreement(directory, agreement)
    yield from _gate(directory)
    yield from (Finding(*line) for line in webhooks(installation, directory))
    yield from _rules(directory)
    yield from _alarms(installation)
    yield from (Finding(*line) for line in retention(installation))
    load_schemas(installation, directory)
    yield Finding("✓", f"{len(directory.catalogue.kinds)} schema's gecompileerd")
    yield from (Finding(*line) for line in packs(installation, directory))


def _own_certificate(installation: Installation, trust: TrustStore) -> Iterator[Finding]:
    tls = installation.settings.listen.ebms
    pair = KeyPair(certificate=installation.path(tls.certificate), key=installation.path(tls.key))
    try:
        yield _judged(trust, pair.der(), Usage.TLS_SERVER, "TLS-certificaat")
    except GatewayError as error:
        yield Finding("✗", f"TLS-certificaat: {error}")


def _judged(trust: TrustStore, der: bytes, usage: Usage, what: str) -> Finding:
    now = SystemClock().now()
    try:
        identity = trust.judge(der, usage, now)
    except GatewayError as error:
        return Finding("✗", f"{what}: {error.code}")
    left = identity.not_after - now
    mark = "!" if left < SOON else "✓"
    return Finding(mark, f"{what} geldig tot {identity.not_after:%Y-%m-%d} ({identity.oin})")


def _keys(installation: Installation, directory: Directory, trust: TrustStore) -> Iterator[Finding]:
    try:
        keyring = FileKeyring(installation.path(installation.settings.paths.keys))
    except Misconfigured as error:
        yield Finding("✗", str(error))
        return
    for agreement in directory.agreements.values():
        for what, usage, der in _own_keys(directory, agreement):
            if not keyring.holds(der):
                yield Finding("✗", f"{agreement.cpa_id}: sleutel voor {what} ontbreekt")
            yield _judged(trust, der, usage, f"{agreement.cpa_id}: {what}")


def _own_keys(directory: Directory, agreement: Agreement) -> Iterator[tuple[str, Usage, bytes]]:
    """Yield the certificates that we sign with and that others encrypt for, each once."""
    seen: set[bytes] = set()
    for binding in agreement.bindings:
        mine = binding.sender.id == directory.me
        for item in _used(binding.channel, mine=mine):
            if item[2] not in seen:
                seen.add(item[2])
                yield item


def _used(channel: Channel, *, mine: bool) -> Iterator[tuple[str, Usage, bytes]]:
    if mine and channel.signing:
        yield "ondertekening", Usage.SIGN, channel.signing.certificate
    if not mine and channel.encryption:
        yield "ontsleuteling", Usage.ENCRYPT, channel.encryption.certificate


def _agreement(directory: Directory, agreement: Agreement) -> Iterator[Finding]:
    now = SystemClock().now()
    if not agreement.in_force(now):
        yield Finding("✗", f"{agreement.cpa_id} is niet van kracht")
    elif agreement.end - now < SOON:
        yield Finding("!", f"{agreement.cpa_id} eindigt op {agreement.end:%Y-%m-%d}")
    for binding in agreement.bindings:
        if binding.service not in directory.services:
            yield Finding("✗", f"{agreement.cpa_id}: dienst {binding.service} heeft geen versie")
            break
    for warning in agreement.warnings:
        yield Finding("!", f"{agreement.cpa_id}: {warning}")


def _gate(directory: Directory) -> Iterator[Finding]:
    gate = directory.gate
    exempt = ", ".join(sorted(gate.table.exempt)) or "geen"
    yield Finding("✓", f"classificatietabel {gate.table.version}; vrijgesteld: {exempt}")
    if directory.parties[directory.me].role is not Role.POLITIE:
        return
    if not gate.approvals:
        yield Finding(
            "!", "geen doorlopende toestemming: elk bericht van de politie wordt vastgehouden"
        )
    for approval in gate.approvals:
        yield Finding(
            "✓", f"doorlopende toestemming {approval.id} tot {approval.valid_until:%Y-%m-%d}"
        )


def _rules(directory: Directory) -> Iterator[Finding]:
    """Yield the business rules that count otherwise for somebody."""
    now = SystemClock().now()
    for party in directory.parties.values():
        for setting in party.rules:
            last = f" tot en met {setting.until}" if setting.until else ""
            over = "" if in_force(setting, now) else " (verlopen: haal de regel weg)"
            told = f"regel {setting.rule} is voor {party.name} een {setting.severity}{last}{over}"
            yield Finding("!", told)


def _alarms(installation: Installation) -> Iterator[Finding]:
    """Yield how many alarms stand open, by code. No database yet is no finding."""

    async def work(view: View) -> tuple[AlarmView, ...]:
        return await view.reader.alarms(limit=MOST_ALARMS)

    try:
        found = look(installation.folder, work)
    except GatewayError as error:
        if error.code != "store.path":
            yield Finding("✗", f"database: {error.code}")
        return
    for code, n in sorted(Counter(alarm.code for alarm in found).items()):
        yield Finding("!", f"alarm {code} ({n}): {alarm_texts.text(code)}")
    if not found:
        yield Finding("✓", "geen alarmen")


def _ask(installation: Installation) -> None:
    listener = installation.settings.listen.beheer
    url = f"http://{listener.host}:{listener.port}/health/ready"
    try:
        with urllib.request.urlopen(url, timeout=3) as answer:
            print(answer.read().decode())
    except (OSError, HTTPException) as exc:  # refused, late, 503, or no HTTP at all
        print(f"niet gereed: {exc}")
        sys.exit(1)
