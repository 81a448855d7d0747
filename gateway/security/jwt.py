"""JSON Web Tokens: what back-ends sign to get an access token, and the access tokens.

RFC 7523 and OpenID's private_key_jwt for the first, RFC 9068 for the second, RFC 8725 for
both: the algorithm follows from the key, never from the token; a type, an issuer, one audience
and a short life are demanded. The moment is an argument.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
)
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from gateway.credentials import ClientKey, Scope
from gateway.errors import Misconfigured, Untrusted

LONGEST = 4_096
"""Characters of a token, either kind."""
LONGEST_LIFE = timedelta(minutes=5)
"""Of an assertion, from `iat` to `exp`: as long must its `jti` be remembered."""
SKEW = timedelta(seconds=30)
"""How far the clock of a back-end may be ahead of ours."""
LONGEST_JTI = 256
MINIMUM_RSA_BITS = 2048

_TYPE = "at+jwt"
_DOTS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Assertion:
    """What a back-end signed; every claim was checked."""

    client: str
    key: ClientKey
    jti: str
    expires: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What an access token says."""

    client: str
    scopes: frozenset[Scope]
    key: str
    """Thumbprint of the client's key that it was asked with."""
    certificate: str
    """Hex SHA-256 of the client certificate that it is bound to (RFC 8705); empty = to none."""


@dataclass(frozen=True, slots=True)
class TokenKey:
    """One of our own keys on P-256."""

    private: ec.EllipticCurvePrivateKey

    @property
    def id(self) -> str:
        return thumbprint(self.private.public_key())


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """Makes and verifies access tokens; every process of an installation has the same keys."""

    url: str
    keys: tuple[TokenKey, ...]
    """At least one: the first signs, all verify."""
    life: timedelta

    @property
    def audiences(self) -> frozenset[str]:
        """Return what may stand in `aud` of an assertion: the API, or its token endpoint."""
        return frozenset({self.url, f"{self.url}/token"})

    def issue(self, access: Access, *, at: datetime, jti: str) -> str:
        """Return an access token that is valid from `at` on."""
        key = self.keys[0]
        now = int(at.timestamp())
        claims: dict[str, Any] = {
            "iss": self.url,
            "aud": self.url,
            "sub": access.client,
            "client_id": access.client,
            "iat": now,
            "exp": now + int(self.life.total_seconds()),
            "jti": jti,
            "scope": scope_text(access.scopes),
            "client_key": access.key,
        }
        if access.certificate:
            claims["cnf"] = {"x5t#S256": _base64url(bytes.fromhex(access.certificate))}
        header = {"alg": "ES256", "typ": _TYPE, "kid": key.id}
        return jwt.encode(header, claims, ECKey.import_key(key.private), ["ES256"])

    def verify(self, token: str, *, at: datetime) -> Access:
        """Return what a token of ours says.

        Raises Untrusted `token.unknown` for what is not ours, `token.expired`.
        """
        parsed = _parse(token)
        key = self._key(parsed)
        if key is None or not _verified(parsed, key.private.public_key(), "ES256"):
            raise _unknown()
        claims = _claims(parsed)
        if (claims.get("iss"), claims.get("aud")) != (self.url, self.url):
            raise _unknown()
        if at.timestamp() >= _number(claims, "exp"):
            raise Untrusted("token.expired", "De geldigheid van dit token is voorbij.")
        return _access(claims)

    def _key(self, parsed: jws.CompactSignature) -> TokenKey | None:
        if parsed.headers().get("typ") != _TYPE:
            return None
        wanted = parsed.headers().get("kid")
        return next((key for key in self.keys if key.id == wanted), None)


def looks_like_jwt(token: str) -> bool:
    """Tell whether it has the form of one; a token of `gateway token` never has."""
    return token.count(".") == _DOTS


def client_of(assertion: str) -> str:
    """Return the client that an assertion claims to be of, unproven.

    Raises Untrusted `oauth.client`.
    """
    client = _claims_of(assertion).get("sub")
    if not isinstance(client, str) or not client:
        raise _not_client()
    return client


def verify_assertion(
    text: str, keys: Iterable[ClientKey], *, audiences: frozenset[str], at: datetime
) -> Assertion:
    """Return what one of `keys` signed.

    Raises Untrusted `oauth.client` when none did, `oauth.issuer`, `oauth.audience`,
    `oauth.life` (no or too long a life), `oauth.not_yet_valid`, `oauth.expired`, `oauth.jti`.
    """
    parsed = _parse_assertion(text)
    key = next((key for key in keys if _signed_by(parsed, key)), None)
    if key is None:
        raise _not_client()
    claims = _claims_of(text)
    client = claims.get("sub")
    if not isinstance(client, str) or claims.get("iss") != client:
        raise Untrusted("oauth.issuer", "iss en sub moeten allebei het client_id zijn.")
    if _audience(claims) not in audiences:
        raise Untrusted("oauth.audience", "aud moet alleen het adres van deze API zijn.")
    expires = _expiry(claims, at)
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= LONGEST_JTI:
        raise Untrusted("oauth.jti", f"jti ontbreekt of is langer dan {LONGEST_JTI} tekens.")
    return Assertion(client=client, key=key, jti=jti, expires=expires)


def scope_text(scopes: Iterable[Scope]) -> str:
    """Return scopes as OAuth writes them (RFC 6749, 3.3)."""
    return " ".join(sorted(scopes))


def thumbprint(key: PublicKeyTypes) -> str:
    """Return the hex SHA-256 of SubjectPublicKeyInfo."""
    return hashlib.sha256(spki(key)).hexdigest()


def spki(key: PublicKeyTypes) -> bytes:
    """Return SubjectPublicKeyInfo, DER."""
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def algorithm(key: object) -> str:
    """Return the only algorithm that a key may be used with; raise Misconfigured `oauth.key`."""
    if isinstance(key, rsa.RSAPublicKey) and key.key_size >= MINIMUM_RSA_BITS:
        return "PS256"
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        return "ES256"
    raise Misconfigured("oauth.key", "De sleutel is geen RSA van 2048 bits of meer, en geen P-256.")


# --- claims ---------------------------------------------------------------------------


def _expiry(claims: Mapping[str, Any], at: datetime) -> datetime:
    now, skew = at.timestamp(), SKEW.total_seconds()
    issued, expires = _number(claims, "iat"), _number(claims, "exp")
    if not 0 < expires - issued <= LONGEST_LIFE.total_seconds():
        raise Untrusted("oauth.life", "exp mag hoogstens 300 seconden na iat zijn.")
    if max(issued, _number(claims, "nbf", default=issued)) > now + skew:
        raise Untrusted("oauth.not_yet_valid", "iat of nbf is later dan nu: staat de klok goed?")
    if expires <= now:
        raise Untrusted("oauth.expired", "exp is voorbij: staat de klok goed?")
    return at + timedelta(seconds=expires - now)


def _number(claims: Mapping[str, Any], name: str, default: float | None = None) -> float:
    value = claims.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1 << 40:
        raise Untrusted("oauth.life", f"{name} ontbreekt of is geen aantal seconden.")
    return value


def _audience(claims: Mapping[str, Any]) -> object:
    """Return the one audience: a token for several could be used at the other one."""
    found = claims.get("aud")
    if isinstance(found, list):
        found = found[0] if len(found) == 1 else None
    return found if isinstance(found, str) else None


def _access(claims: Mapping[str, Any]) -> Access:
    """Read what `issue` wrote: the signature is ours."""
    bound = claims.get("cnf", {}).get("x5t#S256", "")
    return Access(
        client=claims["client_id"],
        scopes=frozenset(Scope(name) for name in claims["scope"].split()),
        key=claims["client_key"],
        certificate=base64.urlsafe_b64decode(bound + "=" * (-len(bound) % 4)).hex(),
    )


def _claims_of(assertion: str) -> Mapping[str, Any]:
    try:
        return _claims(_parse_assertion(assertion))
    except Untrusted:
        raise _not_client() from None


def read_claims(payload: bytes) -> Mapping[str, Any] | None:
    """Return the claims of a token; None where they are no JSON object."""
    try:
        claims = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    return claims if isinstance(claims, dict) else None


def _claims(parsed: jws.CompactSignature) -> Mapping[str, Any]:
    claims = read_claims(parsed.payload)
    if claims is None:
        raise _unknown()
    return claims


# --- signatures -----------------------------------------------------------------------


def _parse_assertion(text: str) -> jws.CompactSignature:
    try:
        return _parse(text)
    except Untrusted:
        raise _not_client() from None


def _parse(text: str) -> jws.CompactSignature:
    """Take the three parts apart, unproven; raise Untrusted `token.unknown`."""
    parsed = take_apart(text, longest=LONGEST)
    if parsed is None:
        raise _unknown()
    return parsed


def take_apart(text: str, *, longest: int) -> jws.CompactSignature | None:
    """Return the three parts of a token, unproven; None for what is none, or has more characters.

    Its header is a JSON object: `joserfc` is content with a text that says alg.
    """
    if len(text) > longest or not text.isascii():
        return None
    try:
        parsed = jws.extract_compact(text.encode("ascii"))
    except (JoseError, ValueError, TypeError, binascii.Error, RecursionError):
        return None
    header: object = parsed.headers()
    return parsed if isinstance(header, dict) else None


def _signed_by(parsed: jws.CompactSignature, key: ClientKey) -> bool:
    public = _public(key.spki)
    return _verified(parsed, public, algorithm(public))


def _verified(parsed: jws.CompactSignature, key: object, wanted: str) -> bool:
    try:
        return jws.validate_compact(parsed, _imported(key), [wanted])
    except (JoseError, ValueError, TypeError):
        return False


@lru_cache(maxsize=256)
def _public(der: bytes) -> rsa.RSAPublicKey | ec.EllipticCurvePublicKey:
    """Parse a key of our configuration, once."""
    key = load_der_public_key(der)
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        raise Misconfigured("oauth.key", "De sleutel is geen RSA en geen P-256.")
    return key


def _imported(key: object) -> ECKey | RSAKey:
    if isinstance(key, rsa.RSAPublicKey):
        return RSAKey.import_key(key)
    if isinstance(key, ec.EllipticCurvePublicKey):
        return ECKey.import_key(key)
    raise Misconfigured("oauth.key", "De sleutel is geen RSA en geen P-256.")


def _base64url(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")


def _unknown() -> Untrusted:
    return Untrusted("token.unknown", "Dit token is hier niet bekend.")


def _not_client() -> Untrusted:
    """Say the same of a client that is not known and of a signature that is not its own."""
    return Untrusted("oauth.client", "De client of de handtekening van de JWT is niet bekend.")
