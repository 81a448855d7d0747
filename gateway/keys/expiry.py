"""Every certificate and revocation list that is in use, what it is for, and until when.

Read by `gateway certs list`, `gateway doctor`, `/metrics` and the alarms: one list for all.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from gateway.directory import Agreement, Directory
from gateway.errors import CertificateRejected, GatewayError, Misconfigured
from gateway.message import Oin
from gateway.security.agreed import certificates_of
from gateway.security.certificates import TrustStore, Usage, acts_for, load, oin_of, thumbprint
from gateway.security.extensions import extension

SHORT = 16
"""Hex digits of a thumbprint by which people and alarms know a certificate."""


class Use(StrEnum):
    """What a certificate or list is for here."""

    TLS = "tls"
    API = "api"
    CONSOLE = "console"
    PORTAL = "portaal"
    SIGN = "ondertekening"
    ENCRYPT = "versleuteling"
    MAIL_SIGN = "e-mail-ondertekening"
    MAIL_ENCRYPT = "e-mail-versleuteling"
    ANCHOR = "anchor"
    INTERMEDIATE = "intermediate"
    CRL = "crl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """A certificate that a listener shows, from the settings."""

    use: Use
    where: str
    read: Callable[[], bytes]
    """Returns the DER; raises GatewayError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InUse:
    """One certificate or list. What a certificate says of itself is not proven by this."""

    use: Use
    name: str
    """CN of the subject; of a list the CN of its issuer."""
    oin: str
    """Empty where the subject has none."""
    sha256: str
    """Of the DER, hex; empty when it could not be read."""
    until: datetime | None
    """Last moment; of a list the announced moment of the next one. None: unknown."""
    where: str
    """File, folder, CPAId, or table of the settings."""
    ours: bool
    """Whether the own party must renew it."""
    needed: bool = True
    """False: partners name it in an agreement, and nothing here depends on it."""
    code: str = ""
    """Why it can not be used now, dotted; empty = it can."""

    def left(self, now: datetime) -> timedelta | None:
        """Return how long it is still good; negative when it ended."""
        return None if self.until is None else self.until - now


def in_use(
    directory: Directory,
    trust: TrustStore,
    *,
    own: Iterable[Own],
    holds: Callable[[bytes], bool],
    now: datetime,
    places: Mapping[str, str] | None = None,
) -> tuple[InUse, ...]:
    """Return what is in use, what ends first in front; each once per use.

    `holds` tells whether the private key of a certificate is here, or raises why none can be
    used; `places` gives the file of an anchor, intermediate, list or certificate of mail by its
    hex SHA-256.
    """
    look = _Look(directory, trust, holds, now, places or {})
    found: dict[tuple[Use, str], InUse] = {}
    items = (*(look.own(o) for o in own), *look.agreements(), *look.mail(), *look.trusted())
    for item in items:
        key = (item.use, item.sha256 or item.where)
        if key in found:
            item = _both(found[key], item)  # noqa: PLW2901 - the same certificate again
        found[key] = item
    far = datetime.max.replace(tzinfo=now.tzinfo)
    return tuple(sorted(found.values(), key=lambda i: (i.until or far, i.use, i.where)))


def _both(a: InUse, b: InUse) -> InUse:
    where = a.where if b.where in a.where.split(", ") else f"{a.where}, {b.where}"
    return replace(a, where=where, needed=a.needed or b.needed, code=a.code or b.code)


_NAMED_FOR = {Usage.SIGN: Use.SIGN, Usage.ENCRYPT: Use.ENCRYPT}
_OF_MAIL = {Use.MAIL_SIGN: Usage.MAIL_SIGN, Use.MAIL_ENCRYPT: Usage.MAIL_ENCRYPT}
Named = tuple[Use, Usage, bytes, Oin, bool]
"""Of an agreement: use, as what it is judged, DER, whose it is, whether traffic needs it."""


@dataclass(frozen=True, slots=True)
class _Look:
    directory: Directory
    trust: TrustStore
    holds: Callable[[bytes], bool]
    now: datetime
    places: Mapping[str, str]

    def own(self, own: Own) -> InUse:
        try:
            der = own.read()
            item = _said(own.use, der, own.where, ours=True)
        except GatewayError as error:
            return _unread(own.use, own.where, error.code, ours=True)
        if own.use is not Use.TLS:  # back-ends and browsers may trust another authority
            return replace(item, code=_period(der, self.now))
        return replace(item, code=self._judged(der, Usage.TLS_SERVER, self.directory.me))

    def agreements(self) -> Iterator[InUse]:
        for agreement in self.directory.agreements.values():
            if agreement.end > self.now:
                yield from self._agreement(agreement)

    def _agreement(self, agreement: Agreement) -> Iterator[InUse]:
        seen: set[tuple[Use, bytes]] = set()
        for use, usage, der, party, needed in named(agreement):
            if (use, der) in seen:
                continue
            seen.add((use, der))
            ours = party == self.directory.me
            where = f"CPA {agreement.cpa_id}"
            code = self._judged(der, usage, party)
            if ours and needed and not code:
                code = self._key(der)
            try:
                item = _said(use, der, where, ours=ours)
            except GatewayError as error:
                yield _unread(use, where, error.code, ours=ours)
            else:
                yield replace(item, needed=needed, code=code)

    def _key(self, der: bytes) -> str:
        try:
            return "" if self.holds(der) else "keys.missing"
        except GatewayError as error:  # of the folder or another key: none can be used
            return error.code

    def mail(self) -> Iterator[InUse]:
        """Yield what signs letters from here, and what they are encrypted for, ours included."""
        if self.directory.mail is not None:
            sign = self.directory.mail.sign
            item = self._mailed(Use.MAIL_SIGN, sign, "email.smime", ours=True)
            yield replace(item, code=item.code or self._key(sign))
        ours = self.directory.mailbox.certificates if self.directory.mailbox is not None else ()
        for der in ours:
            item = self._mailed(Use.MAIL_ENCRYPT, der, "email.lmtp", ours=True)
            yield replace(item, code=item.code or self._key(der))
        for party in self.directory.parties.values():
            if party.mail is None:
                continue
            where = f"partijen.{party.oin}.email"
            for der in party.mail.certificates:
                yield self._mailed(Use.MAIL_ENCRYPT, der, where, ours=False)
            for der in party.mail.signs:
                yield self._mailed(Use.MAIL_SIGN, der, where, ours=False)

    def _mailed(self, use: Use, der: bytes, where: str, *, ours: bool) -> InUse:
        """Judge as the letter is: a mailbox may have a certificate without an OIN."""
        where = self._place(der, where)
        try:
            item = _said(use, der, where, ours=ours)
        except GatewayError as error:
            return _unread(use, where, error.code, ours=ours)
        try:
            self.trust.holder(der, _OF_MAIL[use], self.now)
        except GatewayError as error:
            return replace(item, code=error.code)
        return item

    def _judged(self, der: bytes, usage: Usage, party: Oin) -> str:
        try:
            identity = self.trust.judge(der, usage, self.now)
        except GatewayError as error:
            return error.code
        known = self.directory.party(party)
        return "" if known is not None and acts_for(identity, known) else "certificate.party"

    def trusted(self) -> Iterator[InUse]:
        trust = self.directory.trust
        for use, ders, folder in (
            (Use.ANCHOR, trust.anchors, "anchors"),
            (Use.INTERMEDIATE, trust.intermediates, "intermediates"),
        ):
            for der in ders:
                item = _said(use, der, self._place(der, folder), ours=False)
                yield replace(item, code=_period(der, self.now))
        for der in _newest(trust.crls):
            yield _list(der, self._place(der, "crls"), self.now)

    def _place(self, der: bytes, otherwise: str) -> str:
        return self.places.get(thumbprint(der), otherwise)


def named(agreement: Agreement) -> Iterator[Named]:
    """Yield what an agreement names; a certificate may come more than once."""
    for usage, der, owner in certificates_of(agreement):
        use = _NAMED_FOR.get(usage, Use.TLS)
        yield use, usage, der, owner, use is not Use.TLS


def _said(use: Use, der: bytes, where: str, *, ours: bool) -> InUse:
    certificate = load(der)
    return InUse(
        use=use,
        name=common_name(certificate.subject),
        oin=_oin(der),
        sha256=thumbprint(der),
        until=certificate.not_valid_after_utc,
        where=where,
        ours=ours,
    )


def _unread(use: Use, where: str, code: str, *, ours: bool) -> InUse:
    return InUse(use=use, name="", oin="", sha256="", until=None, where=where, ours=ours, code=code)


def _newest(ders: tuple[bytes, ...]) -> Iterator[bytes]:
    """Of lists of the same issuer and scope only the newest is looked at."""
    newest: dict[tuple[bytes, bytes], tuple[datetime, bytes]] = {}
    for der in ders:
        crl = x509.load_der_x509_crl(der)
        scope = extension(crl.extensions, x509.IssuingDistributionPoint)
        key = crl.issuer.public_bytes(), b"" if scope is None else scope.public_bytes()
        newest[key] = max(newest.get(key, (crl.last_update_utc, der)), (crl.last_update_utc, der))
    return (der for _, der in newest.values())


def _list(der: bytes, where: str, now: datetime) -> InUse:
    crl = x509.load_der_x509_crl(der)
    until = crl.next_update_utc
    return InUse(
        use=Use.CRL,
        name=common_name(crl.issuer),
        oin="",
        sha256=thumbprint(crl.public_bytes(Encoding.DER)),
        until=until,
        where=where,
        ours=True,
        code="crl.stale" if until is None or until <= now else "",
    )


def _period(der: bytes, now: datetime) -> str:
    certificate = load(der)
    if now < certificate.not_valid_before_utc:
        return "certificate.not_yet_valid"
    return "certificate.expired" if now > certificate.not_valid_after_utc else ""


def common_name(name: x509.Name) -> str:
    """Return the CN, or the whole name by RFC 4514 where there is none."""
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else name.rfc4514_string()


def _oin(der: bytes) -> str:
    try:
        return oin_of(der)
    except (CertificateRejected, Misconfigured):
        return ""


# --- what a person must know of ---------------------------------------------------------


def stage(left: timedelta, days: tuple[int, ...]) -> int | None:
    """Return the smallest of `days` that has begun; 0 = ended, None = none has."""
    if left <= timedelta(0):
        return 0
    begun = [day for day in days if left <= timedelta(days=day)]
    return min(begun, default=None)
