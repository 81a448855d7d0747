"""A certificate or list beside the one that it replaces."""

from collections.abc import Iterator

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from rich.table import Table

from gateway.errors import CertificateRejected
from gateway.keys.expiry import common_name
from gateway.security.certificates import load, oin_of, thumbprint

Row = tuple[str, str]
MOMENT = "%Y-%m-%d %H:%M UTC"


def beside(new: bytes, present: bytes | None, *, is_list: bool) -> Table:
    """Return a table of what both say; what differs is marked."""
    facts = _list if is_list else _certificate
    table = Table(box=None, pad_edge=False)
    for column in ("", "nu", "nieuw"):
        table.add_column(column, overflow="fold")
    old = dict(facts(present)) if present is not None else {}
    for name, value in facts(new):
        was = old.get(name, "-")
        table.add_row(name, was, f"{value} *" if was != value else value)
    return table


def _certificate(der: bytes) -> Iterator[Row]:
    certificate = load(der)
    yield "onderwerp", common_name(certificate.subject)
    yield "OIN", _oin(der)
    yield "uitgever", common_name(certificate.issuer)
    yield "geldig van", f"{certificate.not_valid_before_utc:{MOMENT}}"
    yield "geldig tot", f"{certificate.not_valid_after_utc:{MOMENT}}"
    yield "sleutel", _key(certificate)
    yield "namen", ", ".join(hosts(certificate)) or "-"
    yield "SHA-256", thumbprint(der)


def _list(der: bytes) -> Iterator[Row]:
    crl = x509.load_der_x509_crl(der)
    until = crl.next_update_utc
    yield "uitgever", common_name(crl.issuer)
    yield "van", f"{crl.last_update_utc:{MOMENT}}"
    yield "volgende", "-" if until is None else f"{until:{MOMENT}}"
    yield "ingetrokken", str(len(crl))
    yield "SHA-256", thumbprint(der)


def _key(certificate: x509.Certificate) -> str:
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size}"
    return f"EC {key.curve.name}" if isinstance(key, ec.EllipticCurvePublicKey) else "?"


def _oin(der: bytes) -> str:
    try:
        return oin_of(der)
    except CertificateRejected:
        return "-"


def hosts(certificate: x509.Certificate) -> tuple[str, ...]:
    """Return the DNS names and addresses that a certificate is good for."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    found = names.get_values_for_type(x509.DNSName)
    return (*found, *map(str, names.get_values_for_type(x509.IPAddress)))
