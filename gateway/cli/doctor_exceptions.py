"""What `gateway doctor` says of what partners may still use that Digikoppeling forbids."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from gateway.cli.doctor_findings import Area, Finding
from gateway.config_algorithms import Weakness
from gateway.directory import Agreement, AlgorithmException, Directory, Party
from gateway.message import Oin
from gateway.security.certificates import thumbprint
from gateway.security.weak import excepted
from gateway.wire.tijd import civil

_AREA = Area("Uitzonderingen")
_DECRYPTING = frozenset({Weakness.RSA15, Weakness.CBC, Weakness.TRIPLE_DES})


def exceptions(directory: Directory, now: datetime) -> Iterator[Finding]:
    """Yield each exception, and each key of ours that one leaves open to more than its partner."""
    for party in directory.parties.values():
        yield from (_of(party, one, now) for one in party.exceptions)
    yield from _shared(directory, now)


def _of(party: Party, one: AlgorithmException, now: datetime) -> Finding:
    last = civil(one.until - timedelta(seconds=1)).date()
    text = f"{party.name}: {one.what} tot en met {last} ({one.reason})"
    if now >= one.until:
        return _AREA.warn(
            "exception.ended",
            text,
            "Zij geldt niet meer: wat erop steunt wordt geweigerd.",
            "Haal haar weg uit gateway.toml",
        )
    return _AREA.warn(
        "exception.in_force",
        text,
        "Digikoppeling verbiedt dit (DK-SEC); elk gebruik staat in het auditlog.",
        "Vraag de partner over te stappen, en haal haar weg zodra het kan",
    )


def _shared(directory: Directory, now: datetime) -> Iterator[Finding]:
    """A key that decrypts what is weak for one partner protects all others less as well."""
    weak: dict[bytes, str] = {}
    strong: dict[bytes, str] = {}
    for agreement in directory.agreements.values():
        partner = _partner(directory, agreement)
        if partner is None or not agreement.in_force(now):
            continue
        lenient = not _DECRYPTING.isdisjoint(excepted(partner, now))
        found = weak if lenient else strong
        found.update((der, agreement.cpa_id) for der in _decrypting(agreement, directory.me))
    for der in sorted(weak.keys() & strong.keys()):
        yield _AREA.warn(
            "exception.shared_key",
            f"certificaat {thumbprint(der)[:16]} ontsleutelt onder {weak[der]} en {strong[der]}",
            "Wie een uitzondering misbruikt, valt dezelfde sleutel aan die anderen beschermt.",
            f"Noem in {weak[der]} een eigen certificaat voor versleuteling",
        )


def _partner(directory: Directory, agreement: Agreement) -> Party | None:
    others = [party for party in agreement.parties if party.id != directory.me]
    return directory.party(others[0].id) if len(others) == 1 else None


def _decrypting(agreement: Agreement, me: Oin) -> Iterator[bytes]:
    """Yield the certificates by which `me` is sent what is encrypted."""
    for binding in agreement.bindings:
        if binding.receiver.id == me and binding.channel.encryption is not None:
            yield binding.channel.encryption.certificate
