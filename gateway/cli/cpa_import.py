"""What `gateway cpa import` does: check, compare, write, and have every process take it in."""

from collections.abc import Iterable
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table

from gateway.app import SystemClock
from gateway.cli.deciding import check_decision, decide, has_database
from gateway.errors import GatewayError
from gateway.importing.agreement_changes import Kind
from gateway.importing.agreement_placing import place_agreement, take_back
from gateway.importing.agreements import AgreementProposal, looking_at, propose_agreement
from gateway.importing.comparing import Fact
from gateway.importing.turn import turn
from gateway.installation import load_installation
from gateway.saying import plain
from gateway.web.control import What, agreed_id

REASON = "gateway cpa import"


def import_(config: Path, file: Path, *, who: str, only_check: bool, console: Console) -> None:
    """Check and write; raises GatewayError, and then nothing was changed."""
    with turn(load_installation(config).folder):
        _import(console, file, config, only_check=only_check, who=who)


def _import(console: Console, file: Path, config: Path, *, only_check: bool, who: str) -> None:
    installation = load_installation(config)
    now, octets = SystemClock().now(), file.read_bytes()
    proposal = propose_agreement(looking_at(installation, now, may_write=lambda _: True), octets)
    _show(console, proposal)
    if only_check:
        console.print("Goedgekeurd. Er is niets geschreven (--proef).")
        return
    what = agreed_id(proposal.agreement.cpa_id, proposal.sha256)
    check_decision(What.AGREED, what, reden=REASON, door=who)
    served = has_database(installation)
    placed = place_agreement(proposal.file, octets, now)
    console.print(f"geschreven  {placed.file}", soft_wrap=True)
    if placed.kept is not None:
        console.print(f"bewaard     {placed.kept}", soft_wrap=True)
    if not served:
        console.print("Er is nog geen database: het telt vanaf de eerste start.")
        return
    try:
        decide(config, What.AGREED, what, reden=REASON, door=who)
    except GatewayError as error:
        take_back(placed)
        console.print(f"! Teruggezet: het auditlog was niet te schrijven ({error.code}).")
        raise typer.Exit(75) from error
    console.print("De draaiende processen lezen hun bestanden opnieuw.")


def _show(console: Console, proposal: AgreementProposal) -> None:
    """Print it beside the present one; then what a person must know."""
    _table(console, proposal.facts)
    for change in proposal.changes:
        actions = ", ".join(change.actions)
        console.print(f"{change.kind}: {change.sender} {change.service}: {actions}", soft_wrap=True)
        if change.kind is Kind.CHANGED:
            _table(console, change.facts)
    for remark in (*proposal.remarks, *proposal.warnings):
        console.print(f"! {remark}", soft_wrap=True)
    for line in proposal.follows:
        console.print(str(line), soft_wrap=True)


def _table(console: Console, facts: Iterable[Fact]) -> None:
    table = Table(box=None, pad_edge=False)
    for column in ("", "nu", "nieuw"):
        table.add_column(column, overflow="fold")
    for fact in facts:
        becomes = plain(fact.becomes)
        table.add_row(fact.name, plain(fact.was), f"{becomes} *" if fact.changed else becomes)
    console.print(table)
