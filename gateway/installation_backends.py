"""Back-ends as gateway.toml has them, with the keys that their files hold."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from gateway import config
from gateway.credentials import BearerToken, ClientCertificate, ClientKey, Credentials
from gateway.directory import Backend
from gateway.errors import Misconfigured
from gateway.message import Oin
from gateway.security.jwt import algorithm, spki, thumbprint

_CERTIFICATE = b"-----BEGIN CERTIFICATE-----"
_FAULTS = (ValueError, TypeError, KeyError, AttributeError, UnsupportedAlgorithm, JoseError)


def backend(settings: config.BackendSettings, read: Callable[[Path], bytes]) -> Backend:
    """Return a back-end; `read` gives the octets of a file.

    Raises Misconfigured `oauth.key` for a file without keys, or with keys that are too weak.
    """
    return Backend(
        name=settings.naam,
        party=Oin(settings.partij),
        applicaties=settings.applicaties,
        officers=frozenset(settings.officieren),
        credentials=Credentials(
            ways=frozenset(settings.aanmelding),
            tokens=tuple(_token(one) for one in settings.tokens),
            certificates=tuple(_certificate(one) for one in settings.certificaten),
            keys=tuple(key for one in settings.sleutels for key in _keys(one, read(one.bestand))),
        ),
    )


def _token(settings: config.TokenSettings) -> BearerToken:
    end = settings.geldig_tot
    return BearerToken(
        sha256=settings.sha256,
        scopes=frozenset(settings.scopes),
        valid_until=None if end is None else end.astimezone(UTC),
    )


def _certificate(settings: config.CertificateSettings) -> ClientCertificate:
    return ClientCertificate(
        scopes=frozenset(settings.scopes),
        sha256=settings.sha256 or "",
        serial_number=settings.serienummer or "",
        common_name=settings.cn or "",
    )


def _keys(settings: config.ClientKeySettings, octets: bytes) -> Iterator[ClientKey]:
    where = str(settings.bestand)
    found = tuple(_read(octets, where))
    if not found:
        raise Misconfigured("oauth.key", "Het bestand heeft geen sleutels.", where=where)
    for key in found:
        try:
            algorithm(key)
        except Misconfigured as exc:
            raise Misconfigured(exc.code, exc.text, where=where) from None
        yield ClientKey(
            spki=spki(key), thumbprint=thumbprint(key), scopes=frozenset(settings.scopes)
        )


def _read(octets: bytes, where: str) -> list[PublicKeyTypes]:
    try:
        if octets.lstrip().startswith(b"{"):
            return [_from_jwk(jwk) for jwk in json.loads(octets)["keys"]]
        if _CERTIFICATE in octets:
            return [x509.load_pem_x509_certificate(octets).public_key()]
        return [load_pem_public_key(octets)]
    except _FAULTS:
        raise Misconfigured(
            "oauth.key",
            "Geen JWKS met openbare sleutels, en geen openbare sleutel of certificaat in PEM.",
            where=where,
        ) from None  # the cause may print a key


def _from_jwk(jwk: dict[str, str | list[str]]) -> PublicKeyTypes:
    """Return a public key; a private one has no business here."""
    if "d" in jwk:
        raise ValueError
    if jwk["kty"] == "RSA":
        return RSAKey.import_key(jwk).public_key
    return ECKey.import_key(jwk).public_key
