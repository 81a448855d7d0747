"""What a person must know before a certificate, authority or list is put in place."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from cryptography import x509

from gateway.directory import Directory
from gateway.importing.replaced import listeners, named_for
from gateway.importing.texts import TEXTS
from gateway.installation import Installation
from gateway.keys.expiry import Use, common_name, named
from gateway.keys.offered import Target, guess
from gateway.keys.renewal import Checked
from gateway.message import Oin
from gateway.saying import Line
from gateway.security.certificates import load
from gateway.security.hosts import covers, hosts

_LISTENERS = {
    Target.TLS: "ebms",
    Target.API: "api",
    Target.CONSOLE: "console",
    Target.PORTAL: "portal",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """An agreement of whoever's certificate it is, and whether it goes on without a change."""

    cpa_id: str
    partner: str
    """Name of the other party."""
    until: datetime
    has_it: bool
    """It names this very certificate."""
    must_change: bool
    """Messages go by the old one until a new agreement names this one."""


def remarks(
    installation: Installation, directory: Directory, checked: Checked, old: bytes | None
) -> Iterator[Line]:
    match checked.target:
        case Target.TLS | Target.API | Target.CONSOLE | Target.PORTAL:
            yield from _shared(installation, checked.target)
            yield from _other_hosts(directory, checked)
            yield from _sooner(checked, old)
        case Target.SIGN | Target.ENCRYPT:
            yield from _sooner(checked, old)
        case Target.CRL:
            yield from _now_revoked(directory, checked, old)
        case _:
            return


def _sooner(checked: Checked, old: bytes | None) -> Iterator[Line]:
    leaf = checked.offered.leaf
    if old is not None and leaf.not_valid_after_utc <= load(old).not_valid_after_utc:
        yield Line(TEXTS["sooner"])


def _shared(installation: Installation, target: Target) -> Iterator[Line]:
    """Yield a warning when other listeners show the same files."""
    all_ = listeners(installation)
    mine = all_[target]
    others = [
        f"[listen.{_LISTENERS[other]}]"
        for other, one in all_.items()
        if other is not target
        and one is not None
        and mine is not None
        and (one.certificate, one.key) == (mine.certificate, mine.key)
    ]
    if others:
        yield Line(TEXTS["shared"], {"listeners": ", ".join(others)})


def _other_hosts(directory: Directory, checked: Checked) -> Iterator[Line]:
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
    for host in sorted(host for host in called if not covers(names, host)):
        yield Line(TEXTS["other_host"], {"host": host})


def _now_revoked(directory: Directory, checked: Checked, old: bytes | None) -> Iterator[Line]:
    """Yield what we work with and is on this list for the first time."""
    fresh = x509.load_der_x509_crl(checked.offered.der)
    before = None if old is None else x509.load_der_x509_crl(old)
    for der, where in _known(directory).items():
        certificate = load(der)
        number = certificate.serial_number
        if certificate.issuer != fresh.issuer:
            continue
        if fresh.get_revoked_certificate_by_serial_number(number) is None:
            continue
        if before is None or before.get_revoked_certificate_by_serial_number(number) is None:
            name = common_name(certificate.subject)
            yield Line(TEXTS["now_revoked"], {"name": name, "where": where})


def _known(directory: Directory) -> dict[bytes, str]:
    found = dict.fromkeys(directory.trust.intermediates, "intermediate")
    for agreement in directory.agreements.values():
        found |= {der: f"CPA {agreement.cpa_id}" for _, _, der, _, _ in named(agreement)}
    return found


# --- what follows -----------------------------------------------------------------------


def follows(checked: Checked, old: bytes | None) -> Iterator[Line]:
    match checked.target:
        case Target.TLS | Target.API | Target.CONSOLE | Target.PORTAL:
            yield Line(TEXTS["listener"])
        case Target.SIGN | Target.ENCRYPT:
            yield Line(TEXTS["waits"])
        case Target.CRL:
            fresh = _numbers(checked.offered.der)
            since = fresh if old is None else fresh - _numbers(old)
            yield Line(TEXTS["list"], {"n": len(since)})
        case Target.ANCHOR:
            yield Line(TEXTS["anchor"])
        case Target.INTERMEDIATE:
            yield Line(TEXTS["intermediate"])
        case Target.PARTNER:
            yield Line(TEXTS["partner"])


def _numbers(der: bytes) -> set[int]:
    return {one.serial_number for one in x509.load_der_x509_crl(der)}


def namings(directory: Directory, checked: Checked, whose: Oin, now: datetime) -> Iterator[Naming]:
    """Yield the agreements that name a certificate of this party for the same work."""
    use = _use(checked)
    for agreement in directory.agreements.values():
        ders = named_for(agreement, use, whose) if use is not None else set()
        if not ders or agreement.end <= now:
            continue
        has_it = checked.offered.der in ders
        other = directory.party(Oin(agreement.other(directory.me).id))
        yield Naming(
            cpa_id=agreement.cpa_id,
            partner=other.name if other is not None else "",
            until=agreement.end,
            has_it=has_it,
            must_change=use is not Use.TLS and ders != {checked.offered.der},
        )


def _use(checked: Checked) -> Use | None:
    """Return for what agreements name such a certificate; None: they name no such."""
    target = guess(checked.offered) if checked.target is Target.PARTNER else checked.target
    return Use(target) if target in {Target.TLS, Target.SIGN, Target.ENCRYPT} else None


def to_do(directory: Directory, checked: Checked, *, kept: bool) -> Iterator[Line]:
    """Yield what a person has yet to do when it is in place; `kept`: the old one stands beside."""
    match checked.target:
        case Target.SIGN | Target.ENCRYPT:
            yield Line(TEXTS["make_cpa"])
            yield Line(TEXTS["place_cpa"])
            ends = [agreement.end for agreement in directory.agreements.values()]
            if ends:
                yield Line(TEXTS["keep_key"], {"until": max(ends)})
        case Target.TLS | Target.API | Target.CONSOLE | Target.PORTAL if kept:
            yield Line(TEXTS["put_back"])
            yield Line(TEXTS["drop_key"])
        case Target.ANCHOR:
            yield Line(TEXTS["below"])
        case Target.INTERMEDIATE:
            yield Line(TEXTS["its_list"])
        case _:
            return
