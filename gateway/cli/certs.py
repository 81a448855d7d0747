"""`gateway certs`: what is in use, what is renewed, what a certificate says; a test hierarchy."""

import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.cli import Config
from gateway.cli.deciding import Door
from gateway.errors import CertificateRejected
from gateway.keys.offered import Target
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


@app.command("list")
def list_(
    config: Config = Path(),
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for other programs.")] = False,
) -> None:
    """List every certificate and revocation list in use, what ends first in front.

    Exit status 1 when one that messages depend on can not be used.
    """
    from gateway.cli.certs_list import list_in_use

    sys.exit(list_in_use(config, as_json=as_json))


@app.command("import")
def import_(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="Certificate (with its issuers) or revocation list; PEM or DER.",
            exists=True,
            dir_okay=False,
        ),
    ],
    *,
    key: Annotated[
        Path | None,
        typer.Option(
            help="Its private key, PEM, mode 0600; left out = in FILE, or here already.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    voor: Annotated[
        Target | None, typer.Option(help="What it is for; left out = what the file says.")
    ] = None,
    sha256: Annotated[
        str, typer.Option(help="Of an anchor: its thumbprint as the issuer publishes it.")
    ] = "",
    proef: Annotated[bool, typer.Option("--proef", help="Only check and compare.")] = False,
    door: Door = "",
    config: Config = Path(),
) -> None:
    """Put a renewed certificate, authority or revocation list in place, after checking it.

    Running processes take it in at once, without dropping a connection. A certificate for
    signing or encryption counts from the new agreement (CPA) on that names it. What is
    replaced is kept beside it.
    """
    from gateway.cli.certs_import import Request, import_
    from gateway.cli.screen import screen

    request = Request(
        config=config,
        file=file,
        key=key,
        target=voor,
        fingerprint=sha256,
        only_check=proef,
        who=door,
    )
    import_(request, screen())


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
