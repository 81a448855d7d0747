"""Certificates of partners and of mail servers, and the lists that revoke them."""

from base64 import encodebytes
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.directory import Trust
from gateway.errors import (
    CertificateRejected,
    RevocationUnknown,
    TransportUnproved,
)
from gateway.security import certificates, dane
from gateway.security.certificates import TrustStore, Usage
from gateway.security.dane import Shown, Tlsa
from gateway.security.hosts import covers, hosts
from gateway.security.revocation import read_lists
from gateway.security.smime.der import NotDer, encode, only
from tests import pki
from tests.fuzz.changes import TEXTS, octets_changed
from tests.fuzz.choices import Choices
from tests.fuzz.der_changes import der_changed
from tests.fuzz.target import Broken, Target, Unmade
from tests.outbound.mail_certificates import NOW, Held, bare, server
from tests.sealing import trust
from tests.smime import on_curve

_SEQUENCE = 0x30
Sign = Callable[[bytes], bytes]


# --- certificates and lists -----------------------------------------------------------


def _by_issuer(octets: bytes) -> bytes:
    key = pki.pki()._issuing.key
    return key.sign(octets, padding.PKCS1v15(), hashes.SHA256())


def _by_mail_authority(held: Held) -> Sign:
    return lambda octets: held.key.sign(octets, ec.ECDSA(hashes.SHA256()))


def reissued(der: bytes, choices: Choices, sign: Sign = _by_issuer) -> bytes:
    """Change what a certificate or list says, and have its issuer sign that."""
    fields = only(der, _SEQUENCE)
    said, algorithm = fields.element(), fields.element()
    for _ in choices.times(3):
        said = der_changed(said, choices)
    if choices.number(4) == 1:
        algorithm = der_changed(algorithm, choices)
    value = b"\0" + sign(said)
    return encode(_SEQUENCE, said, algorithm, encode(3, value))


def judge_certificate(octets: bytes) -> None:
    """A certificate as an authority might issue it, judged for every use by lists likewise."""
    choices = Choices(octets)
    usage, leaf = choices.one(tuple(Usage)), choices.one(_leafs())
    try:
        der = reissued(leaf, choices) if choices.number(8) != 1 else octets_changed(leaf, choices)
        lists = _lists(choices)
    except (NotDer, IndexError) as error:
        raise Unmade from error
    plain = trust()
    store = plain
    if lists:
        given = pki.trust()
        store = TrustStore(
            Trust(anchors=given.anchors, intermediates=given.intermediates, crls=lists)
        )
    at = pki.AT + choices.one((timedelta(0), timedelta(days=400), -timedelta(days=400)))
    found = store.judge(der, usage, at)
    if len(found.oin) < 20 or found.thumbprint != certificates.thumbprint(der):
        raise Broken("a certificate is of nobody")
    if certificates.oin_of(der) != found.oin or store.holder(der, usage, at).thumbprint == "":
        raise Broken("a certificate is of two parties")
    loaded = certificates.load(der)
    certificates.distinguished_name(loaded)
    covers(hosts(loaded), "x.example")


@cache
def _leafs() -> tuple[bytes, ...]:
    made = (
        *(pki.leaf(usage=usage) for usage in ("sign", "encrypt", "tls")),
        *(on_curve(), pki.nameless(), pki.expired(), pki.weak(), pki.unknown_issuer()),
    )
    return tuple(leaf.certificate for leaf in made)


def _lists(choices: Choices) -> tuple[bytes, ...]:
    if choices.number(4) != 1:
        return ()
    root, issuing = pki.pki().crls()
    changed = reissued(choices.one((issuing, *_scoped())), choices)
    lists = choices.one(((root, changed), (changed,), (root, changed, issuing), (root,)))
    if choices.flag():
        return _read_lists(b"".join(_PEM % encodebytes(one) for one in lists))
    return tuple(der for one in lists for der in _read_lists(one))


_PEM = b"-----BEGIN X509 CRL-----\n%s-----END X509 CRL-----\n"


@cache
def _scoped() -> tuple[bytes, ...]:
    """Return lists of the issuing authority that are about some of its certificates, or in PEM."""
    authority = pki.pki()._issuing
    url = x509.UniformResourceIdentifier("http://crl.example/1")
    scopes = (
        {"only_contains_user_certs": True},
        {"only_contains_ca_certs": True},
        {"full_name": [url]},
        {"indirect_crl": True},
    )
    return tuple(_scoped_list(authority, scope) for scope in scopes)


def _scoped_list(authority: Any, scope: dict[str, Any]) -> bytes:
    nothing = dict.fromkeys(
        ("full_name", "relative_name", "only_some_reasons"), None
    ) | dict.fromkeys(
        (
            *("only_contains_user_certs", "only_contains_ca_certs", "indirect_crl"),
            "only_contains_attribute_certs",
        ),
        False,
    )
    revoked = x509.RevokedCertificateBuilder().serial_number(1).revocation_date(pki.AT).build()
    return (
        x509.CertificateRevocationListBuilder()
        .issuer_name(authority.certificate.subject)
        .last_update(pki.AT)
        .next_update(pki.AT + timedelta(days=30))
        .add_extension(x509.IssuingDistributionPoint(**nothing | scope), critical=True)
        .add_revoked_certificate(revoked)
        .sign(authority.key, hashes.SHA256())
        .public_bytes(Encoding.DER)
    )


def _read_lists(octets: bytes) -> tuple[bytes, ...]:
    try:
        return read_lists(octets)
    except ValueError as error:
        raise Unmade from error


def certificate_seeds() -> Iterator[bytes]:
    fitting = {Usage.TLS_CLIENT: 2, Usage.TLS_SERVER: 2, Usage.ENCRYPT: 1}
    for n, usage in enumerate(Usage):
        yield bytes((n, fitting.get(usage, 0)))
    for n in range(5):
        yield bytes((2, 0, 0, 0, 0, 1, n))
        yield bytes((2, 0, 0, 0, 0, 1, n, 0, 0, 0, 1))


# --- servers of mail ------------------------------------------------------------------

MX = "mx.partner.example"


def match_server(octets: bytes) -> None:
    choices = Choices(octets)
    held, other = server(MX), choices.one((server(MX), bare(), server("*.partner.example", MX)))
    chain = list(held.chain)
    try:
        if choices.number(4) == 1:
            chain[0] = reissued(chain[0], choices, _by_mail_authority(held))
    except (NotDer, IndexError) as error:
        raise Unmade from error
    records = tuple(_record(other, choices) for _ in range(1 + choices.number(3)))
    shown = Shown(
        chain=tuple(chain[: 3 - choices.number(3)]),
        at=NOW + choices.one((timedelta(0), timedelta(days=400), -timedelta(days=400))),
        names=(MX, choices.one(TEXTS)),
    )
    if choices.number(4) == 1:
        anchors = choices.one(((), held.chain[1:], (b"x",), other.chain))
        dane.match_recorded(anchors, frozenset({choices.one(("ab" * 32, _key(held)))}), shown)
        return
    match = dane.match_dane(dane.usable(records), shown)
    if not any(match.record == str(record) for record in records):
        raise Broken("a record matched that nobody published")


def _key(held: Held) -> str:
    return hashes_of(dane.spki(held.certificate))


def hashes_of(octets: bytes) -> str:
    digest = hashes.Hash(hashes.SHA256())
    digest.update(octets)
    return digest.finalize().hex()


def _record(held: Held, choices: Choices) -> Tlsa:
    usage, selector, matching = (choices.one(of) for of in ((3, 2, 1, 9), (1, 0, 2), (1, 0, 2, 3)))
    try:
        authority = held.above and usage == 2
        of = Held(held.above[0], held.key) if authority else held
        data = of.tlsa(usage, min(selector, 1), min(matching, 2)).data
    except KeyError as error:
        raise Unmade from error
    if choices.number(4) == 1:
        data = octets_changed(data, choices)
    return Tlsa(usage, selector, matching, data)


# --- the table ------------------------------------------------------------------------

TARGETS = (
    Target(
        name="certificate",
        run=judge_certificate,
        seeds=certificate_seeds,
        raises=((CertificateRejected, ("certificate.",)), (RevocationUnknown, ("certificate.",))),
        share=2,
    ),
    Target(
        name="dane",
        run=match_server,
        seeds=lambda: (bytes((0, 0, 0, n, 0)) for n in range(2)),
        raises=(
            (CertificateRejected, ("certificate.", "dane.mismatch", "pin.mismatch")),
            (TransportUnproved, ("dane.none", "dane.unusable")),
        ),
    ),
)
