"""OpenID Connect as its client: what a provider says of itself, and what its ID token proves.

OpenID Connect Core 1.0 (3.1), Discovery 1.0, RFC 7636, RFC 9207 and RFC 8725. The key decides which
algorithms are possible, the list here which of them count; one audience, one nonce and a recent
proof of the person are demanded. The moment is an argument.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeGuard
from urllib.parse import urlencode, urlsplit

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from gateway.errors import PeerUnreachable, Untrusted
from gateway.security.jwt import read_claims, take_apart

LONGEST_TOKEN = 16_384
"""Characters of an ID token."""
LONGEST_SUBJECT = 255
"""Characters of `sub` (Core, 2)."""
SKEW = timedelta(seconds=60)
"""How far the clocks of the provider and this machine may differ."""
OLDEST = timedelta(minutes=10)
"""Age of an ID token that was asked for just now."""
ALGORITHMS: Mapping[str, str] = {"RS256": "RSA", "PS256": "RSA", "ES256": "EC"}
"""Signatures that count, with the kind of key that they need. Never `none` or a shared secret."""
MOST_KEYS = 50
RSA_BITS = range(2_048, 8_193)


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What the discovery document says, as far as it is used."""

    issuer: str
    authorization: str
    token: str
    jwks: str
    end_session: str
    """Empty: the provider has no page to sign out."""
    names_itself: bool
    """It puts `iss` in its answers (RFC 9207): one without is not its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """A key of the provider."""

    kid: str
    algorithm: str
    """The only one that it is for; empty = any that fits its kind."""
    key: RSAKey | ECKey

    def fits(self, algorithm: str) -> bool:
        """Tell whether a signature of this algorithm can be of it."""
        kind = "RSA" if isinstance(self.key, RSAKey) else "EC"
        return ALGORITHMS.get(algorithm) == kind and self.algorithm in {"", algorithm}


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """The console, as the provider knows it, and what it demands."""

    issuer: str
    id: str
    redirect: str
    scopes: tuple[str, ...]
    acr: tuple[str, ...]
    amr: frozenset[str]
    max_age: timedelta
    """How long ago the person may have shown who he is, when he signs in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One sign-in that was begun: its secrets stay here, and are compared when it comes back."""

    state: str
    nonce: str
    verifier: str
    at: datetime
    again: bool
    """The person must show who he is now, whatever session the provider has of him."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """What the token endpoint gave."""

    id_token: str
    access_token: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who was proven, by what, and when he showed it."""

    subject: str
    claims: Mapping[str, Any]
    at: datetime


# --- what the provider says of itself --------------------------------------------------


def read_metadata(octets: bytes, issuer: str) -> Metadata:
    """Read the discovery document; raises PeerUnreachable `oidc.metadata`."""
    found = _object(octets)
    if found.get("issuer") != issuer:
        raise _unfit("the document is of another issuer")
    methods = found.get("code_challenge_methods_supported", ["S256"])
    if not isinstance(methods, list) or "S256" not in methods:
        raise _unfit("no PKCE with S256")
    return Metadata(
        issuer=issuer,
        authorization=_address(found, "authorization_endpoint"),
        token=_address(found, "token_endpoint"),
        jwks=_address(found, "jwks_uri"),
        end_session=_address(found, "end_session_endpoint", needed=False),
        names_itself=found.get("authorization_response_iss_parameter_supported") is True,
    )


def read_keys(octets: bytes) -> tuple[SigningKey, ...]:
    """Read a JWK set; keys for other purposes, and weak ones, are left out.

    Raises PeerUnreachable `oidc.metadata`.
    """
    found = _object(octets).get("keys")
    if not isinstance(found, list) or len(found) > MOST_KEYS:
        raise _unfit("no list of keys, or too long a one")
    read = (_signing_key(one) for one in found if isinstance(one, dict))
    return tuple(one for one in read if one is not None)


def _signing_key(found: Mapping[str, Any]) -> SigningKey | None:
    kid, algorithm = found.get("kid", ""), found.get("alg", "")
    if found.get("use", "sig") != "sig" or not isinstance(kid, str):
        return None
    if not isinstance(algorithm, str):
        return None
    public = {name: found[name] for name in ("kty", "n", "e", "crv", "x", "y") if name in found}
    try:
        key = _imported(public)
    except (JoseError, ValueError, TypeError, KeyError, binascii.Error):
        return None
    return SigningKey(kid=kid, algorithm=algorithm, key=key) if key is not None else None


def _imported(public: dict[str, Any]) -> RSAKey | ECKey | None:
    if public.get("kty") == "RSA":
        return RSAKey.import_key(public) if _bits(str(public.get("n"))) in RSA_BITS else None
    if public.get("kty") == "EC" and public.get("crv") == "P-256":
        return ECKey.import_key(public)
    return None


def _bits(modulus: str) -> int:
    padded = modulus[: RSA_BITS.stop] + "=" * (-len(modulus) % 4)
    return int.from_bytes(base64.urlsafe_b64decode(padded)).bit_length()


def _object(octets: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(octets)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise _unfit("the document is no JSON object")
    return found


def _address(found: Mapping[str, Any], name: str, *, needed: bool = True) -> str:
    value = found.get(name, "")
    if not value and not needed:
        return ""
    if not isinstance(value, str) or not is_address(value):
        raise _unfit(f"{name} is no https address")
    return value


def is_address(text: str) -> bool:
    """Tell whether it is an https URL of plain characters, without user or fragment."""
    if not text.isascii() or not text.isprintable() or set(text) & set(' "<>\\^`{|}'):
        return False
    try:
        parts = urlsplit(text)
        port_is_one = parts.port is None or parts.port > 0
    except ValueError:
        return False
    whole = parts.scheme == "https" and bool(parts.hostname) and not parts.fragment
    return whole and "@" not in parts.netloc and port_is_one


def _unfit(what: str) -> PeerUnreachable:
    return PeerUnreachable("oidc.metadata", what)


# --- asking -----------------------------------------------------------------------------


def authorization_url(metadata: Metadata, client: Client, asked: Asked) -> str:
    """Return where the browser goes: code flow with PKCE, answer in the query."""
    challenge = _base64url(hashlib.sha256(asked.verifier.encode()).digest())
    fields = {
        "response_type": "code",
        "response_mode": "query",
        "client_id": client.id,
        "redirect_uri": client.redirect,
        "scope": " ".join(client.scopes),
        "state": asked.state,
        "nonce": asked.nonce,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        "max_age": "0" if asked.again else str(int(client.max_age.total_seconds())),
    }
    if client.acr:
        fields["acr_values"] = " ".join(client.acr)
    if asked.again:
        fields["prompt"] = "login"
    mark = "&" if "?" in metadata.authorization else "?"
    return f"{metadata.authorization}{mark}{urlencode(fields)}"


def sign_out_url(metadata: Metadata, client: Client, back: str) -> str:
    """Return where the session at the provider is ended; empty = it has no such page."""
    if not metadata.end_session:
        return ""
    fields = {"client_id": client.id, "post_logout_redirect_uri": back}
    mark = "&" if "?" in metadata.end_session else "?"
    return f"{metadata.end_session}{mark}{urlencode(fields)}"


# --- the ID token -----------------------------------------------------------------------


def key_id(token: str) -> str:
    """Return which key a token claims to be signed with; empty = it does not say.

    Raises Untrusted `oidc.token`, `oidc.algorithm`.
    """
    kid = _header(_parse(token)).get("kid", "")
    if not isinstance(kid, str):
        raise _unread()
    return kid


def verify(
    tokens: Tokens, keys: Sequence[SigningKey], client: Client, asked: Asked, *, at: datetime
) -> Identity:
    """Return who signed in, as the provider proves it.

    Raises Untrusted `oidc.token`, `oidc.algorithm`, `oidc.key`, `oidc.signature`, `oidc.issuer`,
    `oidc.audience`, `oidc.expired`, `oidc.time`, `oidc.nonce`, `oidc.at_hash`, `oidc.subject`,
    `oidc.auth_time`, `oidc.factor`.
    """
    parsed = _parse(tokens.id_token)
    _check_signature(parsed, keys)
    claims = _claims(parsed)
    _check_parties(claims, client)
    _check_times(claims, at)
    if not _same(claims.get("nonce"), asked.nonce):
        raise Untrusted("oidc.nonce", "Dit antwoord hoort niet bij deze aanmelding.")
    _check_access_token(claims, tokens.access_token)
    shown = _shown(claims, client, asked, at)
    _check_factor(claims, client)
    return Identity(subject=_subject(claims), claims=claims, at=shown)


def _parse(token: str) -> jws.CompactSignature:
    parsed = take_apart(token, longest=LONGEST_TOKEN)
    if parsed is None:
        raise _unread()
    return parsed


def _header(parsed: jws.CompactSignature) -> Mapping[str, Any]:
    """Return the header, with an algorithm of the list and nothing that we must understand."""
    header = parsed.headers()
    if str(header.get("alg")) not in ALGORITHMS or "crit" in header:
        raise Untrusted(
            "oidc.algorithm", "Het bewijs van de inlogvoorziening is niet veilig ondertekend."
        )
    return header


def _check_signature(parsed: jws.CompactSignature, keys: Sequence[SigningKey]) -> None:
    """The one key that the token names; one that names none is of the only key that fits."""
    header = _header(parsed)
    algorithm, kid = str(header["alg"]), header.get("kid")
    fitting = [one for one in keys if one.fits(algorithm) and kid in (None, one.kid)]
    if len(fitting) != 1:
        raise Untrusted("oidc.key", "Het bewijs is met een onbekende sleutel ondertekend.")
    try:
        good = jws.validate_compact(parsed, fitting[0].key, [algorithm])
    except (JoseError, ValueError, TypeError):
        good = False
    if not good:
        raise Untrusted("oidc.signature", "De handtekening onder het bewijs klopt niet.")


def _claims(parsed: jws.CompactSignature) -> Mapping[str, Any]:
    claims = read_claims(parsed.payload)
    if claims is None:
        raise _unread()
    return claims


def _check_parties(claims: Mapping[str, Any], client: Client) -> None:
    if claims.get("iss") != client.issuer:
        raise Untrusted("oidc.issuer", "Dit antwoord is van een andere inlogvoorziening.")
    audience = claims.get("aud")
    alone = audience in (client.id, [client.id])
    if not alone or claims.get("azp", client.id) != client.id:
        raise Untrusted("oidc.audience", "Dit bewijs is voor een ander systeem gemaakt.")


def _check_times(claims: Mapping[str, Any], at: datetime) -> None:
    now, skew = at.timestamp(), SKEW.total_seconds()
    if _number(claims, "exp") <= now - skew:
        raise Untrusted("oidc.expired", "De geldigheid van dit bewijs is voorbij.")
    issued = _number(claims, "iat")
    begins = _number(claims, "nbf") if "nbf" in claims else issued
    if max(issued, begins) > now + skew or issued < now - OLDEST.total_seconds() - skew:
        raise Untrusted("oidc.time", "Dit bewijs is niet van nu: lopen de klokken gelijk?")


def _check_access_token(claims: Mapping[str, Any], access_token: str) -> None:
    """`at_hash` is the left half of SHA-256 for each of our algorithms (Core, 3.1.3.6)."""
    if "at_hash" not in claims:
        return
    half = hashlib.sha256(access_token.encode()).digest()[:16]
    if not access_token or not _same(claims["at_hash"], _base64url(half)):
        raise Untrusted("oidc.at_hash", "De twee delen van het antwoord horen niet bij elkaar.")


def _shown(claims: Mapping[str, Any], client: Client, asked: Asked, at: datetime) -> datetime:
    """Return when the person showed who he is; an SSO session may be older than is allowed."""
    value = claims.get("auth_time")
    if not _is_moment(value):
        raise _too_long_ago()
    shown = datetime.fromtimestamp(float(value), UTC)
    oldest = asked.at if asked.again else at - client.max_age
    if not oldest - SKEW <= shown <= at + SKEW:
        raise _too_long_ago()
    return min(shown, at)


def _too_long_ago() -> Untrusted:
    return Untrusted(
        "oidc.auth_time", "De inlogvoorziening heeft u niet opnieuw gevraagd wie u bent."
    )


def _check_factor(claims: Mapping[str, Any], client: Client) -> None:
    """Both lists count where they are set; without either nothing proves a second factor."""
    methods = claims.get("amr", [])
    used = {one for one in methods if isinstance(one, str)} if isinstance(methods, list) else set()
    proven = bool(client.acr or client.amr)
    if client.acr:
        proven = proven and claims.get("acr") in client.acr
    if client.amr:
        proven = proven and bool(client.amr & used)
    if not proven:
        raise Untrusted("oidc.factor", "De inlogvoorziening heeft geen tweede bewijs gevraagd.")


def _subject(claims: Mapping[str, Any]) -> str:
    subject = claims.get("sub")
    if not isinstance(subject, str) or not is_subject(subject):
        raise Untrusted("oidc.subject", "De inlogvoorziening zegt niet wie u bent.")
    return subject


def is_subject(text: str) -> bool:
    """Tell whether it can be a `sub`: 1 to 255 printable characters of ASCII, no space."""
    return (
        0 < len(text) <= LONGEST_SUBJECT
        and text.isascii()
        and text.isprintable()
        and " " not in text
    )


def values_of(claims: Mapping[str, Any], name: str) -> frozenset[str]:
    """Return the texts of a claim; a name with dots leads into objects when no claim has it."""
    found: Any = claims.get(name)
    if found is None:
        found = claims
        for part in name.split("."):
            found = found.get(part) if isinstance(found, dict) else None
    if isinstance(found, str):
        return frozenset({found})
    return (
        frozenset(x for x in found if isinstance(x, str))
        if isinstance(found, list)
        else frozenset()
    )


def _number(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if not _is_moment(value):
        raise Untrusted("oidc.time", "Dit bewijs is niet van nu: lopen de klokken gelijk?")
    return float(value)


def _is_moment(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1 << 34


def _same(found: object, wanted: str) -> bool:
    return isinstance(found, str) and hmac.compare_digest(found.encode(), wanted.encode())


def _base64url(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")


def _unread() -> Untrusted:
    return Untrusted("oidc.token", "Het antwoord van de inlogvoorziening is niet te lezen.")
