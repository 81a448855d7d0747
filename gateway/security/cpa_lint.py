"""Everything that can be said of a CPA by itself: whether it may be activated, and what is unwise.

What only an installation knows (chain, revocation, mandates, whose key is here) is judged when
it is put in place.
"""

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from urllib.parse import urlsplit

from cryptography import x509

from gateway.config_algorithms import Weakness
from gateway.cpa_rules import CpaRule, Remark, Weight
from gateway.directory import Agreement, Channel, Party
from gateway.errors import CertificateRejected, Malformed
from gateway.message import Oin
from gateway.security.agreed import certificates_of
from gateway.security.algorithms import DIGIKOPPELING
from gateway.security.certificates import Usage, bare_oin, good_key, load, meant_for, oin_of
from gateway.security.extensions import UNREADABLE
from gateway.security.hosts import covers, hosts
from gateway.security.weak import algorithms_of
from gateway.wire.ebms2.cpa import read_cpa
from gateway.wire.ebms2.cpa_checks import channels
from gateway.wire.ebms2.cpa_warnings import NOTHING, Doubts, Values, direction

_REFERENCES = {
    Usage.SIGN: "SigningCertificateRef",
    Usage.ENCRYPT: "EncryptionCertificateRef",
    Usage.TLS_CLIENT: "ClientCertificateRef",
    Usage.TLS_SERVER: "ServerCertificateRef",
}
SOON = timedelta(days=30)
"""An end that is nearer than this is told."""
HTTPS_PORT = 443
_OF_MESSAGES = frozenset({Usage.SIGN, Usage.ENCRYPT})
_Said = tuple[CpaRule, Values]
_NOBODY: Mapping[Oin, Party] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Linted:
    """What was found in one CPA, what stops it in front."""

    agreement: Agreement | None
    """None when it can not be read."""
    remarks: tuple[Remark, ...]

    @property
    def may_be_activated(self) -> bool:
        return not any(remark.rule.weight is Weight.STOPS for remark in self.remarks)


def lint(octets: bytes, *, at: datetime, parties: Mapping[Oin, Party] = _NOBODY) -> Linted:
    """Return what is found in a CPA at that moment; what can not be read is a finding itself.

    Mandates and exceptions of `parties` count.
    """
    try:
        agreement = read_cpa(octets)
    except Malformed as error:
        unread = Remark(CpaRule.UNREADABLE, error.where, {"code": error.code, "why": error.text})
        return Linted(agreement=None, remarks=(unread,))
    return Linted(agreement=agreement, remarks=all_remarks(agreement, at=at, parties=parties))


def of_terms(
    agreement: Agreement, *, at: datetime, parties: Mapping[Oin, Party] = _NOBODY
) -> tuple[Remark, ...]:
    """Return those of the reading, on algorithms and on the period.

    They are true at any moment, apart from the exceptions of `parties` in force at `at`.
    """
    doubts = Doubts()
    for where, action, channel in channels(agreement):
        for rule, values in _algorithms(channel):
            doubts.add(rule, where, action, values=values)
    for until in _first_ends(agreement):
        doubts.add(CpaRule.OUTLIVES, values={"until": until})
    found = (*agreement.remarks, *doubts.remarks())
    return tuple(_excepted(one, agreement, parties, at) for one in found)


def all_remarks(
    agreement: Agreement, *, at: datetime, parties: Mapping[Oin, Party] = _NOBODY
) -> tuple[Remark, ...]:
    """Return those on its terms, end, hosts and certificates.

    The mandates of `parties` count: who has one may hold a certificate of the party. So do
    their exceptions: what one covers does not stop the agreement.
    """
    doubts = Doubts()
    for rule, values in _end(agreement, at):
        doubts.add(rule, values=values)
    for where, action, channel in channels(agreement):
        for rule, values in _address(channel):
            doubts.add(rule, where, action, values=values)
    for usage, der, owner in dict.fromkeys(certificates_of(agreement)):
        holders = {bare_oin(owner), *(parties[owner].mandates if owner in parties else ())}
        for rule, values in _certificate(agreement, usage, der, holders, at):
            doubts.add(rule, f"{owner}: {_REFERENCES[usage]}", values=values)
    found = (*of_terms(agreement, at=at, parties=parties), *doubts.remarks())
    return tuple(sorted(found, key=lambda one: (one.rule.weight is Weight.WEAK, one.rule.id)))


def _end(agreement: Agreement, at: datetime) -> Iterator[_Said]:
    if at >= agreement.end:
        yield CpaRule.ENDED, {"until": agreement.end}
    elif agreement.end - at < SOON:
        yield CpaRule.ENDS_SOON, {"until": agreement.end}


def _algorithms(channel: Channel) -> Iterator[_Said]:
    """Yield what is neither allowed nor told of already as SHA-1."""
    if channel.signing is None:
        return
    for uri, allowed in (
        (channel.signing.signature_algorithm, DIGIKOPPELING.signatures),
        (channel.signing.digest_algorithm, DIGIKOPPELING.digests),
    ):
        if uri not in allowed and "sha1" not in uri:
            yield CpaRule.SIGNATURE, {"algorithm": uri}


def _excepted(
    remark: Remark, agreement: Agreement, parties: Mapping[Oin, Party], at: datetime
) -> Remark:
    """Return the remark, a milder one where an exception of a party covers it all."""
    for party in agreement.parties:
        known = parties.get(Oin(party.id))
        for one in known.exceptions if known is not None else ():
            receives = direction(party.id, agreement.other(party.id).id)
            if at < one.until and _covers(one.what, remark, receives):
                values: Values = {"what": one.what, "until": one.until}
                return Remark(CpaRule.EXCEPTED, remark.where, values)
    return remark


def _covers(what: Weakness, remark: Remark, comes_in: str) -> bool:
    """What is read by exception and never written is covered in the one direction only."""
    if remark.rule is CpaRule.RSA15:
        return what is Weakness.RSA15
    if remark.rule not in {CpaRule.SHA1, CpaRule.CIPHER}:
        return False
    named = set(str(remark.values["algorithm"]).split(", "))
    both_ways = what is Weakness.CBC
    return named <= algorithms_of(what) and (both_ways or remark.where.startswith(comes_in))


def _address(channel: Channel) -> Iterator[_Said]:
    port, host = _port_and_host(channel.endpoint)
    if port != str(HTTPS_PORT):
        yield CpaRule.PORT, {"port": port}
    if channel.server_certificate is None or not host:
        return
    try:
        names = hosts(x509.load_der_x509_certificate(channel.server_certificate))
    except UNREADABLE:
        return  # told with the certificate
    if not covers(names, host):
        yield CpaRule.HOST, {"host": host}


def _port_and_host(url: str) -> tuple[str, str]:
    try:
        parts = urlsplit(url)
        return str(parts.port or HTTPS_PORT), parts.hostname or ""
    except ValueError:
        return "-", ""


# --- certificates -----------------------------------------------------------------------


def _first_ends(agreement: Agreement) -> Iterator[datetime]:
    """Yield when a certificate ends before the agreement does (DK-BP)."""
    for der in dict.fromkeys(der for _, der, _ in certificates_of(agreement)):
        until = x509.load_der_x509_certificate(der).not_valid_after_utc
        if until < agreement.end:
            yield until


def _certificate(
    agreement: Agreement, usage: Usage, der: bytes, holders: Container[str], at: datetime
) -> Iterator[_Said]:
    try:
        leaf = load(der)
        meant = meant_for(leaf, usage)
    except (CertificateRejected, *UNREADABLE):
        yield CpaRule.CERTIFICATE_FORM, NOTHING
        return
    needed = usage in _OF_MESSAGES
    yield from _period(leaf, agreement.start, at, needed=needed)
    yield from _owner(der, holders, needed=needed)
    if not good_key(leaf, usage):
        yield CpaRule.CERTIFICATE_KEY, NOTHING
    if needed and not meant:
        yield CpaRule.CERTIFICATE_USAGE, NOTHING
    if leaf.issuer == leaf.subject:
        yield CpaRule.SELF_SIGNED, NOTHING


def _period(
    leaf: x509.Certificate, start: datetime, at: datetime, *, needed: bool
) -> Iterator[_Said]:
    """Yield for TLS only what ended: who calls is known by chain and OIN."""
    since, until = leaf.not_valid_before_utc, leaf.not_valid_after_utc
    if at > until:
        yield CpaRule.CERTIFICATE_ENDED if needed else CpaRule.TLS_ENDED, {"until": until}
    elif until - at < SOON:
        yield CpaRule.CERTIFICATE_SOON, {"until": until}
    if since > start and needed:
        yield CpaRule.CERTIFICATE_EARLY, {"since": since}


def _owner(der: bytes, holders: Container[str], *, needed: bool) -> Iterator[_Said]:
    try:
        oin = oin_of(der)
    except CertificateRejected:
        yield CpaRule.CERTIFICATE_NO_OIN if needed else CpaRule.TLS_NO_OIN, NOTHING
        return
    if oin not in holders:
        yield CpaRule.CERTIFICATE_OIN if needed else CpaRule.TLS_OIN, {"oin": oin}
