"""What `gateway doctor` says of ports and, when asked, of partners."""

import errno
import json
import socket
import ssl
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from http.client import HTTPException
from urllib.parse import urlsplit

from gateway.cli.doctor_findings import Area, Finding
from gateway.cli.doctor_lmtp import lmtp
from gateway.config import Listener, TlsListener
from gateway.directory import Directory
from gateway.errors import CertificateRejected, GatewayError, RevocationUnknown
from gateway.importing.live import BUSY, address, shown_by
from gateway.installation import Installation
from gateway.inventory import pair_of
from gateway.message import Oin
from gateway.outbound.tls import client_context
from gateway.security.certificates import TrustStore, Usage, acts_for, thumbprint

SECONDS = 5.0
LISTEN_SECONDS = 0.3
TOGETHER = 8
_PORTS, _PARTNERS = Area("Poorten"), Area("Partners")


def ports(installation: Installation) -> Iterator[Finding]:
    """Yield whether each port is ours, free, or somebody else's."""
    listen = installation.settings.listen
    running = health(installation) is not None
    listeners: dict[str, Listener | None] = {
        "ebms": listen.ebms,
        "api": listen.api,
        "console": listen.console,
        "portal": listen.portal,
        "beheer": listen.beheer,
        "lmtp": _lmtp(installation),
    }
    for name, listener in listeners.items():
        if listener is not None:
            yield _port(installation, name, listener, running=running)
    yield from lmtp(installation, running=running)
    if running:
        yield from _shown(installation)


def _lmtp(installation: Installation) -> Listener | None:
    """Return where mail comes in, where that is TCP."""
    email = installation.settings.email
    if email is None or email.lmtp is None or email.lmtp.port is None:
        return None
    return Listener(host=email.lmtp.host, port=email.lmtp.port)


def _port(installation: Installation, name: str, listener: Listener, *, running: bool) -> Finding:
    text = f"{name} {listener.host}:{listener.port}"
    if listener.port == 0:
        return _PORTS.good(f"{text}: een vrije, bij de start gekozen")
    code = _bind(listener)
    if code == 0:
        if running:
            return _PORTS.warn(
                "port.silent",
                f"{text}: het proces draait, maar hier luistert niemand",
                "Misschien draait het met --only, of met een andere instelling.",
                "Kijk naar de opties van gateway serve",
            )
        return _PORTS.good(f"{text}: vrij")
    if code == errno.EADDRINUSE and (running or _is_ours(installation, name)):
        return _PORTS.good(f"{text}: van het draaiende proces")
    if code == errno.EADDRINUSE:
        return _PORTS.bad(
            "port.taken",
            f"{text}: bezet door een ander programma",
            "De gateway kan zo niet starten.",
            f"Zoek het met: ss -ltnp 'sport = :{listener.port}', of kies een andere poort",
        )
    return _PORTS.bad(
        "port.refused",
        f"{text}: {errno.errorcode.get(code, code)}",
        "De gateway kan zo niet starten.",
        "Poorten onder 1024 vragen AmbientCapabilities=CAP_NET_BIND_SERVICE; een adres moet van "
        "deze machine zijn",
    )


def _is_ours(installation: Installation, name: str) -> bool:
    """A process without its management port: what it shows must be our certificate."""
    listener = getattr(installation.settings.listen, name, None)
    if not isinstance(listener, TlsListener):
        return False
    try:
        return shown_by(listener) == thumbprint(pair_of(installation, listener).der())
    except GatewayError:
        return False


def _bind(listener: Listener) -> int:
    """Try to take the port and give it back; return 0 or the number of the error."""
    family = socket.AF_INET6 if ":" in listener.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((listener.host, listener.port))
        except OSError as error:
            return error.errno or errno.EINVAL
    return 0


def _shown(installation: Installation) -> Iterator[Finding]:
    """The running process must show the certificate that stands on the disk."""
    for name in ("ebms", "api", "console"):
        listener = getattr(installation.settings.listen, name)
        if not isinstance(listener, TlsListener) or listener.port == 0:
            continue
        shown = shown_by(listener)
        try:
            stands = thumbprint(pair_of(installation, listener).der())
        except GatewayError:
            continue  # said with the certificates
        if shown not in {None, BUSY, stands}:
            host, port = address(listener)
            yield _PORTS.bad(
                "certificate.not_shown",
                f"{name} {host}:{port}: het proces toont een ander certificaat dan er staat",
                "Een vernieuwd certificaat is niet ingelezen.",
                "Geef het proces SIGHUP en zoek in het log naar directory.not_reloaded",
            )


def health(installation: Installation) -> dict[str, object] | None:
    """Return what the running process says of itself; None when none of ours answers."""
    listener = installation.settings.listen.beheer
    host, port = ("127.0.0.1" if listener.host in {"0.0.0.0", ""} else listener.host, listener.port)  # noqa: S104
    try:
        with urllib.request.urlopen(f"http://{host}:{port}/health/live", timeout=3) as answer:
            body = json.loads(answer.read(10_000))
    except (OSError, HTTPException, ValueError):
        return None
    return body if isinstance(body, dict) and body.get("status") == "levend" else None


# --- partners ---------------------------------------------------------------------------


def partners(installation: Installation, directory: Directory, now: datetime) -> Iterator[Finding]:
    """Shake hands with every partner that an agreement in force names; nothing is sent."""
    endpoints = sorted(
        {
            (binding.channel.endpoint, binding.receiver.id)
            for agreement in directory.agreements.values()
            if agreement.in_force(now)
            for binding in agreement.bindings
            if binding.receiver.id != directory.me
        }
    )
    if not endpoints:
        yield _PARTNERS.good("geen adressen in de CPA's die van kracht zijn")
        return
    trust = TrustStore(directory.trust)

    def shake(item: tuple[str, str]) -> Finding:
        return _handshake(installation, directory, trust, now, *item)

    with ThreadPoolExecutor(max_workers=TOGETHER) as pool:
        yield from pool.map(shake, endpoints)


def _handshake(
    installation: Installation,
    directory: Directory,
    trust: TrustStore,
    now: datetime,
    endpoint: str,
    oin: str,
) -> Finding:
    party = directory.party(oin)

    def check(certificate: bytes) -> None:
        identity = trust.judge(certificate, Usage.TLS_SERVER, now)
        if party is None or not acts_for(identity, party):
            raise CertificateRejected("peer.certificate", "not of the receiving party")

    where = urlsplit(endpoint)
    text = f"{where.hostname}:{where.port or 443} ({party.name if party else Oin(oin)})"
    try:
        pair = pair_of(installation, installation.settings.listen.ebms)
        context = client_context(pair, servers=directory.trust, check=check)
        check(_greet(context, where.hostname or "", where.port or 443))
    except (CertificateRejected, RevocationUnknown) as error:
        return _unfit(text, error.code)
    except GatewayError as error:
        return _PARTNERS.error(error, "Zie de bevinding over het eigen certificaat")
    except ssl.SSLCertVerificationError:
        return _unfit(text, "peer.chain")
    except OSError as error:
        kind = type(error).__name__
        return _PARTNERS.bad(
            "peer.unreachable",
            f"{text}: niet bereikbaar ({kind})",
            "Berichten voor deze partner wachten.",
            "Kijk naar DNS, firewall en adres in de CPA; vraag de partner of hij draait",
        )
    return _PARTNERS.good(f"{text}: bereikbaar, certificaat in orde")


def _unfit(text: str, code: str) -> Finding:
    return _PARTNERS.bad(
        code,
        f"{text}: bereikbaar, certificaat niet in orde ({code})",
        "Er wordt niets verzonden aan wie niet bewijst dat hij de partner is.",
        "Vraag de partner welk certificaat hij toont; kijk naar trust/ en de CRL's",
    )


def _greet(context: ssl.SSLContext, host: str, port: int) -> bytes:
    """Shake hands and return the certificate (DER) of the other end.

    Reads a moment: in TLS 1.3 a refusal of our own certificate comes afterwards. The check of the
    context is asyncio's; on a plain socket the caller does it.
    """
    with (
        socket.create_connection((host, port), timeout=SECONDS) as plain,
        context.wrap_socket(plain, server_hostname=host) as connection,
    ):
        connection.settimeout(LISTEN_SECONDS)
        with suppress(TimeoutError):
            connection.recv(1)
        return connection.getpeercert(binary_form=True) or b""
