"""The OpenID provider over HTTPS: its documents, kept for a while, and its token endpoint.

Its addresses come from the settings and from what it says of itself over TLS. Every answer is
bounded in size and time, nothing is followed, no proxy is asked.
"""

import asyncio
import base64
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from json import loads
from typing import Any
from urllib.parse import quote_plus

import aiohttp
import yarl
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from gateway.errors import GatewayError, PeerUnreachable, Untrusted
from gateway.outbound.outcome import Explained, explained
from gateway.ports import Clock
from gateway.security.jwt import algorithm
from gateway.security.oidc import (
    Metadata,
    SigningKey,
    Tokens,
    read_keys,
    read_metadata,
)

WELL_KNOWN = "/.well-known/openid-configuration"
MOST_OCTETS = 262_144
"""Of any answer."""
METADATA_AGE = timedelta(hours=1)
KEYS_AGE = timedelta(minutes=15)
KEYS_AGAIN = timedelta(seconds=30)
"""For a key that is not there the set is asked again, not more often than this."""
ASSERTION_LIFE = 60
"""Seconds."""
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class ClientSecret:
    """What a shared secret adds to a request (`client_secret_basic`)."""

    id: str
    secret: str

    def fields(self, *, issuer: str, jti: str, at: datetime) -> Mapping[str, str]:
        del issuer, jti, at
        return {}

    def published(self) -> Mapping[str, Any]:
        return {"keys": []}

    def headers(self) -> Mapping[str, str]:
        plain = f"{quote_plus(self.id)}:{quote_plus(self.secret)}".encode()
        return {"Authorization": f"Basic {base64.b64encode(plain).decode()}"}

    def __repr__(self) -> str:
        """Show nothing of it."""
        return "ClientSecret()"


@dataclass(frozen=True, slots=True)
class ClientKeyPair:
    """What a key of our own adds (`private_key_jwt`): nothing that can be used elsewhere."""

    id: str
    private: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

    def fields(self, *, issuer: str, jti: str, at: datetime) -> Mapping[str, str]:
        now = int(at.timestamp())
        claims = {
            "iss": self.id,
            "sub": self.id,
            "aud": issuer,
            "jti": jti,
            "iat": now,
            "exp": now + ASSERTION_LIFE,
        }
        wanted = algorithm(self.private.public_key())
        header = {"alg": wanted, "typ": "JWT", "kid": self.jwk().thumbprint()}
        return {
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": jwt.encode(header, claims, self.jwk(), [wanted]),
        }

    def headers(self) -> Mapping[str, str]:
        return {}

    def jwk(self) -> ECKey | RSAKey:
        """Return it as a JWK."""
        if isinstance(self.private, rsa.RSAPrivateKey):
            return RSAKey.import_key(self.private)
        return ECKey.import_key(self.private)

    def published(self) -> Mapping[str, Any]:
        """Return what the provider must know: the public half as a JWK set."""
        jwk = self.jwk()
        public = jwk.as_dict(private=False)
        marks = {"kid": jwk.thumbprint(), "use": "sig", "alg": algorithm(self.private.public_key())}
        return {"keys": [{**public, **marks}]}

    def __repr__(self) -> str:
        """Show nothing of it."""
        return "ClientKeyPair()"


@dataclass(frozen=True, slots=True)
class _Kept:
    at: datetime
    keys: tuple[SigningKey, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """How long to wait for the provider."""

    connect: timedelta = timedelta(seconds=5)
    total: timedelta = timedelta(seconds=10)


class ProviderClient:
    """The port `IdentityProvider`."""

    def __init__(
        self,
        *,
        issuer: str,
        redirect: str,
        client: ClientSecret | ClientKeyPair,
        tls: ssl.SSLContext,
        clock: Clock,
        waiting: Waiting | None = None,
    ) -> None:
        """Take the settings; nothing is asked yet."""
        self._issuer = issuer
        self._redirect = redirect
        self._client = client
        self._tls = tls
        self._clock = clock
        self._waiting = waiting or Waiting()
        self._turn = asyncio.Lock()
        self._metadata: tuple[datetime, Metadata] | None = None
        self._keys: _Kept | None = None

    def published(self) -> Mapping[str, Any]:
        """Return our own public keys; see the port."""
        return self._client.published()

    async def metadata(self) -> Metadata:
        """Return the discovery document; one asks, others wait for what it finds."""
        async with self._turn:
            now = self._clock.now()
            if self._metadata is None or now - self._metadata[0] >= METADATA_AGE:
                octets = await self._get(f"{self._issuer.rstrip('/')}{WELL_KNOWN}")
                self._metadata = (now, read_metadata(octets, self._issuer))
            return self._metadata[1]

    async def keys(self, kid: str) -> Sequence[SigningKey]:
        """Return the keys; see the port."""
        metadata = await self.metadata()
        async with self._turn:
            now, kept = self._clock.now(), self._keys
            if kept is None or not _still_good(kept, kid, now):
                kept = self._keys = _Kept(now, read_keys(await self._get(metadata.jwks)))
            return kept.keys

    async def redeem(self, code: str, *, verifier: str, jti: str, at: datetime) -> Tokens:
        """Exchange the code; see the port."""
        metadata = await self.metadata()
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect,
            "code_verifier": verifier,
            "client_id": self._client.id,
            **self._client.fields(issuer=self._issuer, jti=jti, at=at),
        }
        status, octets = await self._call(
            "POST", metadata.token, data=fields, headers=self._client.headers()
        )
        return _tokens(status, octets)

    async def _get(self, url: str) -> bytes:
        status, octets = await self._call("GET", url)
        if status != HTTPStatus.OK:
            raise PeerUnreachable("oidc.metadata", "the provider does not give its documents")
        return octets

    async def _call(self, method: str, url: str, **given: Any) -> tuple[int, bytes]:
        seconds = self._waiting
        given["headers"] = {"Accept": "application/json", **given.get("headers", {})}
        try:
            async with (
                asyncio.timeout(seconds.total.total_seconds()),
                aiohttp.ClientSession(
                    connector=aiohttp.TCPConnector(ssl=self._tls, force_close=True, limit=1),
                    timeout=aiohttp.ClientTimeout(connect=seconds.connect.total_seconds()),
                    headers={"User-Agent": "berichtengateway", "Accept-Encoding": "identity"},
                    auto_decompress=False,
                    cookie_jar=aiohttp.DummyCookieJar(),
                    trust_env=False,
                ) as session,
                session.request(
                    method, yarl.URL(url, encoded=True), allow_redirects=False, **given
                ) as answer,
            ):
                return answer.status, await _bounded(answer)
        except TimeoutError as error:
            raise PeerUnreachable("oidc.timeout", "no answer in time") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise _failure(error) from error


def _still_good(kept: _Kept, kid: str, now: datetime) -> bool:
    age = now - kept.at
    there = not kid or any(one.kid == kid for one in kept.keys)
    return age < (KEYS_AGE if there else KEYS_AGAIN)


async def _bounded(answer: aiohttp.ClientResponse) -> bytes:
    found = bytearray()
    async for chunk in answer.content.iter_chunked(16_384):
        found += chunk
        if len(found) > MOST_OCTETS:
            raise PeerUnreachable("oidc.metadata", "the answer is too large")
    return bytes(found)


def _tokens(status: int, octets: bytes) -> Tokens:
    """Read the answer of the token endpoint; what it says in words is not repeated."""
    try:
        found = loads(octets)
    except (ValueError, RecursionError):
        found = None
    said = found if isinstance(found, dict) else {}
    if status != HTTPStatus.OK:
        raise _refused(said.get("error"))
    id_token, access_token = said.get("id_token"), said.get("access_token", "")
    if not isinstance(id_token, str) or not isinstance(access_token, str):
        raise Untrusted("oidc.token", "Het antwoord van de inlogvoorziening is niet te lezen.")
    return Tokens(id_token=id_token, access_token=access_token)


def _refused(error: object) -> GatewayError:
    if error == "invalid_grant":
        return Untrusted("oidc.code", "Deze aanmelding is al gebruikt, of duurde te lang.")
    if error in {"invalid_client", "unauthorized_client"}:
        return PeerUnreachable("oidc.client", "the provider does not know this client or its key")
    return PeerUnreachable("oidc.lost", "the provider did not exchange the code")


_CODES: Explained = (
    (ssl.SSLCertVerificationError, "oidc.certificate", "the certificate is not trusted"),
    (ssl.SSLError, "oidc.tls", "no TLS connection"),
    (TimeoutError, "oidc.timeout", "no answer in time"),
    (aiohttp.ClientConnectorError, "oidc.unreachable", "no connection"),
)


def _failure(error: BaseException) -> PeerUnreachable:
    return explained(error, _CODES, otherwise=("oidc.lost", "no answer that can be read"))
