"""The API over real TLS, and back-end systems that sign in there in every way."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import aiohttp

from gateway.credentials import BearerToken, ClientCertificate, Scope, SignIn
from gateway.directory import Backend, Directory, Limits, Trust
from gateway.keys.access import UsedAssertions
from gateway.keys.test_pki import Leaf, TestPki
from gateway.outbound.tls import KeyPair, ReloadableContext, server_context
from gateway.security.jwt import Issuer, TokenKey
from gateway.web.api.app import api_app
from gateway.web.api.auth import Oauth
from gateway.web.api.limits import FairLimits
from gateway.web.intake import IntakeLimits
from gateway.web.listener import ListenerLimits
from tests import jwts, pki
from tests.outbound.tls_files import pair, serving
from tests.web import doubles
from tests.web.doubles import TOKENS, Clock, Counted, Gateway

BERICHTEN = "/api/v1/berichten"
POSTVAK = "/api/v1/postvak"
TOKEN = "/api/v1/token"
ALL = frozenset(Scope)
CERTIFICATE = frozenset({SignIn.CERTIFICATE})
BOTH = frozenset({SignIn.CERTIFICATE_AND_BEARER})
JWT = frozenset({SignIn.JWT})
CERTIFICATE_JWT = frozenset({SignIn.CERTIFICATE_AND_JWT})


class Dice:
    def uuid(self) -> str:
        return str(uuid4())


@cache
def other_ca() -> TestPki:
    return TestPki(datetime.now(UTC), authority_bits=2048)


@cache
def client(name: str = "TEST bvh", **wrong) -> Leaf:
    """Return a client certificate without an OIN, as an own CA gives it."""
    return pki.live().issue(oin="", name=name, **wrong)


def thumbprint(leaf: Leaf) -> str:
    return sha256(leaf.certificate).hexdigest()


def pinned(leaf: Leaf, scopes=ALL) -> ClientCertificate:
    return ClientCertificate(scopes=scopes, sha256=thumbprint(leaf))


def token(name: str = "bvh", *, scopes=ALL, until: datetime | None = None) -> BearerToken:
    digest = sha256(TOKENS[name].encode()).hexdigest()
    return BearerToken(sha256=digest, scopes=scopes, valid_until=until)


def bearer(text: str = TOKENS["bvh"]) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


def issuer(name: str = "own") -> Issuer:
    return Issuer(url=jwts.API, keys=(TokenKey(jwts.ec_key(name)),), life=timedelta(minutes=5))


@dataclass
class World:
    """A running API; `let_in` says who may come in from now on."""

    folder: Path
    gateway: Gateway
    counted: Counted
    tls: ReloadableContext
    url: str = ""
    sessions: list[aiohttp.ClientSession] = field(default_factory=list)

    def let_in(self, *backends: Backend, **changes) -> None:
        kept = {"backends": backends} if backends else {}
        self.gateway.directory = replace(self.gateway.directory, **kept, **changes)

    def trust(self, trust: Trust) -> None:
        """Judge and accept client certificates by this trust from now on."""
        self.let_in(trust=trust)
        self.tls.swap(context(self.folder, trust))

    def system(self, leaf: Leaf | None = None, **headers: str) -> aiohttp.ClientSession:
        """Return a session of its own, with a client certificate if it has one."""
        own = ssl.create_default_context(cadata=pki.live().root)
        if leaf is not None:
            mine = pair(self.folder / uuid4().hex, leaf, "mine")
            own.load_cert_chain(mine.certificate, mine.key)
        session = aiohttp.ClientSession(
            self.url, headers=headers, connector=aiohttp.TCPConnector(ssl=own)
        )
        self.sessions.append(session)
        return session

    async def ask(
        self, path: str = BERICHTEN, leaf: Leaf | None = None, method: str = "GET", **arguments
    ) -> tuple[int, dict]:
        """Ask over a connection of its own; return status and JSON, with the headers in it."""
        async with (
            self.system(leaf) as session,
            session.request(method, path, **arguments) as response,
        ):
            body = await response.json(content_type=None)
            return response.status, body | {"headers": response.headers}


def context(folder: Path, trust: Trust) -> ssl.SSLContext:
    own = folder / "own"
    if not own.exists():
        pair(own, pki.live_leaf(pki.POLITIE), "own")
    files = KeyPair(certificate=own / "own.pem", key=own / "own.key")
    return server_context(files, clients=trust, demanded=False)


def directory(*backends: Backend) -> Directory:
    made = doubles.directory(limits=Limits(payload_bytes=10_000))
    return replace(made, backends=backends or made.backends, trust=pki.live().trust())


@asynccontextmanager
async def world(
    folder: Path,
    *backends: Backend,
    fair: FairLimits | None = None,
    intake: IntakeLimits | None = None,
    oauth: bool = False,
    clock: Clock | None = None,
) -> AsyncIterator[World]:
    gateway = Gateway(directory=directory(*backends))
    counted = Counted()
    tls = ReloadableContext(context(folder, pki.live().trust()))
    used = UsedAssertions(folder / "used")
    app = api_app(
        gateway,
        clock=clock or Clock(),
        answered=counted,
        fair_limits=fair,
        intake=intake,
        oauth=Oauth(issuer=issuer(), used=used, dice=Dice()) if oauth else None,
    )
    made = World(folder, gateway, counted, tls)
    bounds = ListenerLimits(lingering=timedelta(seconds=0.2), grace=timedelta(seconds=2))
    async with serving(app, tls=tls, limits=bounds) as made.url:
        try:
            yield made
        finally:
            for session in made.sessions:
                await session.close()
