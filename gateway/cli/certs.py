"""`gateway certs`: a test hierarchy, and what a certificate says."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.errors import CertificateRejected
from gateway.security.certificates import oin_of, thumbprint

app = typer.Typer(help="Certificates.", no_args_is_help=True)


@app.command("make-test-pki")
def make_test_pki(
    folder: Annotated[Path, typer.Argument(help="Folder to make.")],
    party: Annotated[
        list[str], typer.Option(help="OIN,name,folder of a party; more than one is allowed.")
    ],
) -> None:
    """Make a hierarchy like PKIoverheid's, with tls, sign and encrypt leaves per party.

    For tests only: the names say TEST, the private keys lie beside the certificates.
    """
    from gateway.keys.test_pki import TestPki

    parties = [_party(text) for text in party]
    pki = TestPki(datetime.now(UTC))
    pki.write(folder / "trust")
    for oin, name, sub in parties:
        for usage in ("tls", "sign", "encrypt"):
            pki.issue(oin=oin, name=name, usage=usage).write(folder / sub, usage)
        print(f"{folder / sub}: {name} ({oin})")


def _party(text: str) -> tuple[str, str, str]:
    found = re.fullmatch(r"([0-9]{20}),([^,]+),([^,]+)", text)
    if found is None:
        raise typer.BadParameter("a party is OIN,name,folder; an OIN has 20 digits")
    return found[1], found[2], found[3]


@app.command()
def show(
    file: Annotated[
        Path, typer.Argument(help="Certificate, PEM or DER.", exists=True, dir_okay=False)
    ],
) -> None:
    """Show OIN, subject, validity and thumbprint of every certificate in a file."""
    for certificate in _read(file):
        der = certificate.public_bytes(Encoding.DER)
        print(f"onderwerp  {certificate.subject.rfc4514_string()}")
        print(f"uitgever   {certificate.issuer.rfc4514_string()}")
        print(f"OIN        {_oin(der)}")
        print(
            f"geldig     {certificate.not_valid_before_utc} tot {certificate.not_valid_after_utc}"
        )
        print(f"SHA-256    {thumbprint(der)}")


def _read(file: Path) -> list[x509.Certificate]:
    octets = file.read_bytes()
    try:
        if b"-----BEGIN" in octets:
            return x509.load_pem_x509_certificates(octets)
        return [x509.load_der_x509_certificate(octets)]
    except ValueError as exc:
        raise CertificateRejected(
            "certificate.malformed", "file holds no certificate", where=str(file)
        ) from exc


def _oin(der: bytes) -> str:
    try:
        return oin_of(der)
    except CertificateRejected:
        return "-"
