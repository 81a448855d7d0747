"""What `gateway certs import` does: check, compare, write, and have every process take it in."""

import stat
from dataclasses import dataclass
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table

from gateway.app import SystemClock
from gateway.cli.deciding import check_decision, decide, has_database
from gateway.errors import GatewayError
from gateway.importing.certificates import Proposal, places_of, propose
from gateway.importing.live import wait_until_shown
from gateway.importing.replaced import listeners
from gateway.importing.turn import turn
from gateway.installation import Installation, load_directory, load_installation
from gateway.keys.offered import Offered, Target, read
from gateway.keys.placing import Placed, place
from gateway.keys.renewal import Checked, Judge
from gateway.keys.renewal_texts import refuse
from gateway.saying import plain
from gateway.web.control import What

REASON = "gateway certs import"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What was asked for."""

    config: Path
    file: Path
    key: Path | None
    target: Target | None
    fingerprint: str
    only_check: bool
    who: str


def import_(request: Request, console: Console) -> None:
    """Check and write; raises GatewayError `certs.*`, and then nothing was changed."""
    with turn(load_installation(request.config).folder):
        written = _written(request, console)
    if written is None:
        return
    installation, proposal = written
    _announce(console, installation, proposal.checked, request)
    for number, line in enumerate(proposal.later, start=1):
        console.print(f"Nog te doen, {number}: {line}", soft_wrap=True)


def _written(request: Request, console: Console) -> tuple[Installation, Proposal] | None:
    """Check, and put it in place; None when nothing was to be written."""
    installation = load_installation(request.config)
    directory = load_directory(installation, epoch=0)
    offered = _read(request.file, request.key)
    judge = Judge(directory=directory, now=SystemClock().now(), fingerprint=request.fingerprint)
    proposal = propose(installation, directory, judge, offered, request.target)
    _show(console, proposal)
    if not proposal.placeable:
        return None
    if request.only_check:
        console.print("Goedgekeurd. Er is niets geschreven (--proef).")
        return None
    checked = proposal.checked
    what = f"{checked.target}:{checked.sha256}"
    check_decision(What.RENEW, what, reden=REASON, door=request.who)
    placed = place(checked, places_of(installation), judge.now)
    _tell(console, placed)
    return installation, proposal


def _show(console: Console, proposal: Proposal) -> None:
    """Print it beside what it replaces; then what a person must know."""
    table = Table(box=None, pad_edge=False)
    for column in ("", "nu", "nieuw"):
        table.add_column(column, overflow="fold")
    for fact in proposal.facts:
        becomes = plain(fact.becomes)
        marked = f"{becomes} *" if fact.changed else becomes
        table.add_row(fact.name, plain(fact.was), marked)
    console.print(table)
    for remark in proposal.remarks:
        console.print(f"! {remark}", soft_wrap=True)
    for line in proposal.follows:
        console.print(str(line), soft_wrap=True)
    for naming in proposal.namings:
        if naming.must_change:
            until = plain(naming.until)
            console.print(f"CPA {naming.cpa_id} moet ook worden vervangen (tot {until}).")


def _read(file: Path, key: Path | None) -> Offered:
    """Read the files; a private key that others can read is refused before it is used."""
    octets = file.read_bytes()
    private = None if key is None else key.read_bytes()
    if b"PRIVATE KEY-----" in (octets if private is None else private):
        holder = file if key is None else key
        if stat.S_IMODE(holder.stat().st_mode) & (stat.S_IRWXG | stat.S_IRWXO):
            raise refuse("key_open", str(holder))
    return read(octets, private, where=str(file))


# --- putting it in place ----------------------------------------------------------------


def _tell(console: Console, placed: Placed) -> None:
    for path in placed.written:
        console.print(f"geschreven  {path}", soft_wrap=True)
    for path in placed.kept:
        console.print(f"bewaard     {path}", soft_wrap=True)


def _announce(
    console: Console, installation: Installation, checked: Checked, request: Request
) -> None:
    """Write it in the audit log, which wakes every process; then see whether it is shown."""
    if not has_database(installation):
        console.print("Er is nog geen database: het telt vanaf de eerste start.")
        return
    what = f"{checked.target}:{checked.sha256}"
    try:
        decide(request.config, What.RENEW, what, reden=REASON, door=request.who)
    except GatewayError as error:
        console.print(
            f"! De draaiende processen zijn niet gewaarschuwd ({error.code}). Geef één proces per "
            "map SIGHUP. In het auditlog staat het niet.",
            soft_wrap=True,
        )
        raise typer.Exit(75) from error
    listener = listeners(installation).get(checked.target)
    if listener is None:
        console.print("De draaiende processen lezen hun bestanden opnieuw.")
        return
    shared = installation.settings.database.url is not None
    match wait_until_shown(listener, checked.sha256, shared=shared):
        case True:
            console.print(f"In gebruik: poort {listener.port} toont het nieuwe certificaat.")
        case None:
            console.print("Op deze machine luistert nu niemand: het telt vanaf de start.")
        case False:
            raise GatewayError("certs.not_shown", NOT_SHOWN, where=f"poort {listener.port}")


NOT_SHOWN = (
    "Het is geschreven, maar een draaiend proces toont nog het oude certificaat. Kijk in het log "
    "naar directory.not_reloaded, of start de processen een voor een opnieuw."
)
