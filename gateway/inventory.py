"""The certificates and revocation lists of an installation on disk, and the alarms about them."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.config import AlarmSettings, TlsListener
from gateway.directory import Directory
from gateway.installation import Installation
from gateway.installation_mail import certificates_of_mail
from gateway.keys.expiry import SHORT, InUse, Own, Use, in_use, stage
from gateway.outbound.tls import KeyPair, server_context
from gateway.ports import Alarm
from gateway.security.certificates import TrustStore, thumbprint
from gateway.store.watch import CRL_STALE, EXPIRING

_PEM = b"-----BEGIN"


def survey(
    installation: Installation,
    directory: Directory,
    trust: TrustStore,
    *,
    holds: Callable[[bytes], bool],
    now: datetime,
) -> tuple[InUse, ...]:
    """Return every certificate and list in use, what ends first in front."""
    return in_use(
        directory,
        trust,
        own=tuple(_own(installation)),
        holds=holds,
        now=now,
        places=dict(_places(installation)),
    )


def _own(installation: Installation) -> Iterator[Own]:
    listen = installation.settings.listen
    shown = (
        (Use.TLS, listen.ebms),
        (Use.API, listen.api),
        (Use.CONSOLE, listen.console),
        (Use.PORTAL, listen.portal),
    )
    for use, listener in shown:
        if listener is not None:
            pair = pair_of(installation, listener)
            yield Own(use=use, where=str(listener.certificate), read=partial(_shown, pair))


def _shown(pair: KeyPair) -> bytes:
    """Return the certificate of a pair that a listener could open with; raise Misconfigured."""
    server_context(pair)
    return pair.der()


def pair_of(installation: Installation, listener: TlsListener) -> KeyPair:
    """Return the files of a listener."""
    return KeyPair(
        certificate=installation.path(listener.certificate), key=installation.path(listener.key)
    )


def _places(installation: Installation) -> Iterator[tuple[str, str]]:
    settings = installation.settings
    for path in certificates_of_mail(settings):
        yield from ((thumbprint(der), str(path)) for der in ders(installation.path(path))[:1])
    for folder in (settings.paths.anchors, settings.paths.intermediates, settings.paths.crls):
        for file in _files(installation.path(folder)):
            yield from ((thumbprint(der), str(folder / file.name)) for der in ders(file))


def _files(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.is_file())
    except OSError:
        return []


def ders(file: Path) -> tuple[bytes, ...]:
    """Return the certificates or the list of a file as DER; nothing when it holds neither."""
    readers: tuple[Callable[[bytes], list[x509.Certificate | x509.CertificateRevocationList]], ...]
    readers = (
        lambda octets: [*x509.load_pem_x509_certificates(octets)],
        lambda octets: [x509.load_pem_x509_crl(octets)],
        lambda octets: [x509.load_der_x509_certificate(octets)],
        lambda octets: [x509.load_der_x509_crl(octets)],
    )
    try:
        octets = file.read_bytes()
    except OSError:
        return ()
    for read in readers[:2] if _PEM in octets else readers[2:]:
        try:
            return tuple(found.public_bytes(Encoding.DER) for found in read(octets))
        except ValueError:
            continue
    return ()


# --- what operators see of it -------------------------------------------------------------


def expiring(items: tuple[InUse, ...], bounds: AlarmSettings, now: datetime) -> Iterator[Alarm]:
    """Yield an alarm per certificate that ends soon, and per issuer whose list does.

    The subject of a certificate ends with the days at which it was raised: one that a person
    closed comes back at the next of them.
    """
    for item in items:
        left = item.left(now)
        if left is None or not item.needed:
            continue
        if item.use is Use.CRL:
            if left <= timedelta(hours=bounds.crl_hours):
                yield Alarm(code=CRL_STALE, subject=_short(item.name), reason=item.code)
            continue
        begun = stage(left, bounds.certificate_days)
        if begun is not None:
            subject = f"{item.use} {item.sha256[:SHORT]}/{begun}"
            yield Alarm(code=EXPIRING, subject=subject, reason=item.code)


def _short(name: str) -> str:
    most = 100
    return name[:most]


def certificate_figures(
    items: tuple[InUse, ...], now: datetime
) -> Mapping[tuple[str, str, str], float]:
    """Return the seconds that each certificate has left, for `Metrics.certificates`."""
    return {
        (str(i.use), i.oin, i.sha256[:SHORT]): (i.until - now).total_seconds()
        for i in items
        if i.use is not Use.CRL and i.until is not None and i.needed
    }


def list_figures(items: tuple[InUse, ...], now: datetime) -> Mapping[str, float]:
    """Return the seconds until the next list of each issuer, the soonest where it has several."""
    left: dict[str, float] = {}
    for item in items:
        if item.use is Use.CRL and item.until is not None:
            seconds = (item.until - now).total_seconds()
            left[item.name] = min(seconds, left.get(item.name, seconds))
    return left
