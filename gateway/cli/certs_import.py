"""What `gateway certs import` does: check, compare, write, and have every process take it in."""

import ipaddress
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import typer
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from rich.console import Console

from gateway.app import SystemClock
from gateway.cli.certs_compare import beside, hosts
from gateway.cli.certs_live import wait_until_shown
from gateway.cli.deciding import check_decision, decide, has_database
from gateway.config import TlsListener
from gateway.directory import Directory
from gateway.errors import GatewayError, Misconfigured
from gateway.installation import Installation, load_directory, load_installation
from gateway.inventory import pair_of
from gateway.keys.expiry import Use, named
from gateway.keys.offered import Offered, Target, guess, read
from gateway.keys.placing import Placed, Places, place
from gateway.keys.renewal import Checked, Judge, same_scope
from gateway.keys.renewal_texts import refuse
from gateway.security.certificates import load, thumbprint
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
    installation = load_installation(request.config)
    directory = load_directory(installation, epoch=0)
    offered = _read(request.file, request.key)
    target = request.target or guess(offered)
    now = SystemClock().now()
    judge = Judge(directory=directory, now=now, fingerprint=request.fingerprint)
    checked = judge.check(offered, target)
    present = _present(installation, directory, checked)
    if checked.sha256 in {thumbprint(der) for der in present}:
        raise refuse("same", str(request.file))
    is_list = target is Target.CRL
    console.print(beside(offered.der, present[0] if present else None, is_list=is_list))
    warnings = (*_both(installation, target), *_other_hosts(directory, checked))
    for warning in (*checked.warnings, *warnings):
        console.print(f"! {warning}", soft_wrap=True)
    if target is Target.PARTNER:
        console.print(PARTNER, soft_wrap=True)
    elif request.only_check:
        console.print("Goedgekeurd. Er is niets geschreven (--proef).")
    else:
        what = f"{checked.target}:{checked.sha256}"
        check_decision(What.RENEW, what, reden=REASON, door=request.who)
        placed = place(checked, _places(installation), now)
        _tell(console, placed)
        _announce(console, installation, checked, request)
        for line in _next(directory, checked, placed):
            console.print(line, soft_wrap=True)


def _read(file: Path, key: Path | None) -> Offered:
    """Read the files; a private key that others can read is refused before it is used."""
    octets = file.read_bytes()
    private = None if key is None else key.read_bytes()
    if b"PRIVATE KEY-----" in (octets if private is None else private):
        holder = file if key is None else key
        if stat.S_IMODE(holder.stat().st_mode) & (stat.S_IRWXG | stat.S_IRWXO):
            raise refuse("key_open", str(holder))
    return read(octets, private, where=str(file))


# --- what it replaces -------------------------------------------------------------------


def _present(
    installation: Installation, directory: Directory, checked: Checked
) -> tuple[bytes, ...]:
    """Return what does the same work now, DER; the one that stays longest first."""
    trust = directory.trust
    match checked.target:
        case Target.TLS | Target.API | Target.CONSOLE:
            return _shown(installation, _listeners(installation)[checked.target])
        case Target.CRL:
            fresh = x509.load_der_x509_crl(checked.offered.der)
            lists = ((x509.load_der_x509_crl(der), der) for der in trust.crls)
            return tuple(der for crl, der in lists if same_scope(crl, fresh))
        case Target.ANCHOR | Target.INTERMEDIATE:
            ders = trust.anchors if checked.target is Target.ANCHOR else trust.intermediates
            subject = checked.offered.leaf.subject
            return tuple(der for der in ders if load(der).subject == subject)
        case Target.PARTNER:
            return ()
        case _:
            return _agreed(installation, directory, Use(checked.target))


def _shown(installation: Installation, listener: TlsListener | None) -> tuple[bytes, ...]:
    if listener is None:
        raise refuse("no_listener")
    try:
        return (pair_of(installation, listener).der(),)
    except Misconfigured:  # the first one ever, or a broken one
        return ()


def _agreed(installation: Installation, directory: Directory, use: Use) -> tuple[bytes, ...]:
    """Return our own certificates of this use: of the agreements, and what waits for one."""
    found = {
        der
        for agreement in directory.agreements.values()
        for one, _, der, party, needed in named(agreement)
        if needed and one is use and party == directory.me
    }
    for file in sorted(installation.path(installation.settings.paths.keys).glob(f"{use}-*.pem")):
        waiting = x509.load_pem_x509_certificates(file.read_bytes())
        found.add(waiting[0].public_bytes(Encoding.DER))
    return tuple(sorted(found, key=lambda der: load(der).not_valid_after_utc, reverse=True))


def _both(installation: Installation, target: Target) -> Iterator[str]:
    """Yield a warning when other listeners show the same files."""
    listeners = _listeners(installation)
    mine = listeners.get(target)
    others = [
        f"[listen.{_NAMES[other]}]"
        for other, one in listeners.items()
        if other is not target
        and one is not None
        and mine is not None
        and (one.certificate, one.key) == (mine.certificate, mine.key)
    ]
    if others:
        yield f"Deze bestanden zijn ook van {' en '.join(others)}: die veranderen mee."


_NAMES = {Target.TLS: "ebms", Target.API: "api", Target.CONSOLE: "console"}


def _listeners(installation: Installation) -> dict[Target, TlsListener | None]:
    listen = installation.settings.listen
    return {Target.TLS: listen.ebms, Target.API: listen.api, Target.CONSOLE: listen.console}


def _other_hosts(directory: Directory, checked: Checked) -> Iterator[str]:
    """Yield a warning when partners would call by a name that the certificate does not have."""
    if checked.target is not Target.TLS:
        return
    names = hosts(checked.offered.leaf)
    called = {
        urlsplit(binding.channel.endpoint).hostname or ""
        for agreement in directory.agreements.values()
        for binding in agreement.bindings
        if binding.receiver.id == directory.me
    }
    for host in sorted(host for host in called if not _covers(names, host)):
        yield f"Partners bellen volgens de CPA {host}; die naam staat niet in het certificaat."


def _covers(names: tuple[str, ...], host: str) -> bool:
    try:
        host = str(ipaddress.ip_address(host))
    except ValueError:
        wild = f"*.{host.partition('.')[2]}"
        return any(name.lower() in {host.lower(), wild.lower()} for name in names)
    return host in names


# --- putting it in place ----------------------------------------------------------------


def _places(installation: Installation) -> Places:
    paths, listen = installation.settings.paths, installation.settings.listen
    tls = pair_of(installation, listen.ebms)
    api = None if listen.api is None else pair_of(installation, listen.api)
    console = None if listen.console is None else pair_of(installation, listen.console)
    return Places(
        keys=installation.path(paths.keys),
        anchors=installation.path(paths.anchors),
        intermediates=installation.path(paths.intermediates),
        crls=installation.path(paths.crls),
        tls=(tls.certificate, tls.key),
        api=None if api is None else (api.certificate, api.key),
        console=None if console is None else (console.certificate, console.key),
    )


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
    listener = _listeners(installation).get(checked.target)
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
PARTNER = (
    "Goedgekeurd. Er is niets geschreven: het certificaat van een partner staat in de CPA. Is het "
    "voor ondertekening of versleuteling: vraag om een nieuwe CPA en zet die in agreements/. Is "
    "het voor TLS, dan hoeft hier niets: een partner wordt herkend aan keten en OIN."
)


def _next(directory: Directory, checked: Checked, placed: Placed) -> Iterator[str]:
    """Yield what a person has yet to do."""
    match checked.target:
        case Target.SIGN | Target.ENCRYPT:
            ends = [agreement.end for agreement in directory.agreements.values()]
            yield "Het telt pas met een nieuwe CPA waarin dit certificaat staat. Nog te doen:"
            yield "  1. laat die CPA maken, of: gateway cpa make"
            yield "  2. zet haar in agreements/ bij beide partijen, en geef SIGHUP"
            if ends:
                last = f"{max(ends):%Y-%m-%d}"
                yield f"  3. houd de oude sleutel in keys/ tot de oude CPA's eindigen: {last}"
        case Target.TLS | Target.API | Target.CONSOLE if placed.kept:
            yield "Werkt het niet: zet de bewaarde bestanden terug en geef SIGHUP."
            yield "Verwijder de bewaarde sleutel zodra u zeker bent."
        case Target.ANCHOR:
            yield "Nog te doen: de CA's onder dit anchor (intermediate) en hun CRL's."
        case Target.INTERMEDIATE:
            yield "Nog te doen: de intrekkingslijst van deze CA (crl)."
        case _:
            return
