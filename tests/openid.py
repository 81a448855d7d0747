"""An OpenID provider of our own, over real TLS, that can be told to lie."""

import asyncio
import base64
import hashlib
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

from aiohttp import web

from gateway.credentials import UserRole
from gateway.identity import RETURN
from gateway.keys.test_pki import pem
from gateway.outbound.oidc import ClientKeyPair, ClientSecret, ProviderClient, Waiting
from gateway.outbound.tls import outward_context, server_context
from gateway.pipeline.accounts.elsewhere import Admission
from gateway.pipeline.accounts.mapping import RoleMapping
from gateway.security.oidc import Client
from tests.jwts import base64url, ec_key, jwt, read
from tests.outbound.tls_files import pair, serving
from tests.pki import live, live_leaf
from tests.pure.test_oidc import jwk

SECRET = "geheim+met/tekens"
ROLES = {
    "om": UserRole.OFFICIER,
    "op": UserRole.OPERATOR,
    "bh": UserRole.BEHEERDER,
    "cp": UserRole.COMPLIANCE,
}
IMPATIENT = Waiting(total=timedelta(seconds=1.5))
"""For a test that lets the provider be slow; any other waits as long as the console does."""


@dataclass
class Provider:
    """What it says of itself and of people, and how it lies."""

    clock: object = None
    url: str = ""
    ca: str = ""
    sub: str = "persoon-1"
    groups: tuple[str, ...] = ("op",)
    changes: dict = field(default_factory=dict)
    """Claims that are other than they should be; None = left out."""
    signed: dict = field(default_factory=lambda: {"key": "idp", "alg": "ES256", "kid": "k1"})
    keys: tuple[tuple[str, str], ...] = (("idp", "k1"),)
    documents: dict = field(default_factory=dict)
    """Path → octets instead of what should be there."""
    slow: set = field(default_factory=set)
    """Paths that are answered after who asks has left."""
    waiting: Waiting = field(default_factory=Waiting)
    asked: list = field(default_factory=list)
    """Paths, in the order in which they were asked."""
    codes: dict = field(default_factory=dict)
    access: str = "toegang"
    auth_age: float = 0

    # --- what the browser would do there ---

    def authorize(self, url: str) -> dict:
        """Sign the person in; return the fields that his browser brings back."""
        assert url.startswith(f"{self.url}/auth?"), url
        asked = {name: one for name, (one,) in parse_qs(urlsplit(url).query).items()}
        assert asked["code_challenge_method"] == "S256"
        code = f"code-{len(self.codes)}"
        self.codes[code] = asked
        return {"code": code, "state": asked["state"], "iss": self.url}

    # --- what the console asks ---

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        if request.path in self.slow:
            await asyncio.sleep(2 * self.waiting.total.total_seconds())
        if request.path in self.documents:
            return web.Response(body=self.documents[request.path])
        if request.path == "/token":
            return self._token(request, await request.post())
        if request.path == "/jwks":
            found = [jwk(ec_key(name), kid) for name, kid in self.keys]
            return web.json_response({"keys": found})
        return web.json_response(self.metadata())

    def metadata(self, **changes) -> dict:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/auth",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/jwks",
            "end_session_endpoint": f"{self.url}/einde",
            "authorization_response_iss_parameter_supported": True,
        } | changes

    def _token(self, request, form) -> web.Response:
        if not self._is_client(request, form):
            return web.json_response({"error": "invalid_client"}, status=401)
        asked = self.codes.pop(form["code"], None)
        proven = asked is not None and asked["redirect_uri"] == form["redirect_uri"]
        if not proven or challenge(form["code_verifier"]) != asked["code_challenge"]:
            return web.json_response({"error": "invalid_grant"}, status=400)
        return web.json_response({"access_token": self.access, "id_token": self.id_token(asked)})

    def _is_client(self, request, form) -> bool:
        if "client_assertion" not in form:
            basic = base64.b64encode(b"console:geheim%2Bmet%2Ftekens").decode()
            return request.headers.get("Authorization") == f"Basic {basic}"
        head, claims = read(form["client_assertion"])
        now = self.clock.now().timestamp()
        right = (claims["iss"], claims["sub"], claims["aud"]) == ("console", "console", self.url)
        return right and head["alg"] == "ES256" and 0 < claims["exp"] - now <= 60

    def id_token(self, asked) -> str:
        now = self.clock.now().timestamp()
        claims = {
            "iss": self.url,
            "aud": "console",
            "sub": self.sub,
            "nonce": asked["nonce"],
            "iat": int(now),
            "exp": int(now) + 300,
            "auth_time": int(now - self.auth_age),
            "acr": "twee",
            "at_hash": base64url(hashlib.sha256(self.access.encode()).digest()[:16]),
            "groups": list(self.groups),
            "preferred_username": "piet",
            "name": "P. Piet",
        } | self.changes
        given = dict(self.signed)
        key = given.pop("key")
        private = ec_key(key) if isinstance(key, str) else key
        return jwt({k: v for k, v in claims.items() if v is not None}, private, **given)

    # --- the console's side ---

    def admitted(self, *, secret=False, **more):
        """Return what a console is given to let its people in."""

        def make(origin, clock):
            self.clock = clock
            redirect = f"{origin}{RETURN}"
            client = Client(
                issuer=self.url,
                id="console",
                redirect=redirect,
                scopes=("openid",),
                acr=("twee",),
                amr=frozenset(),
                max_age=timedelta(hours=8),
            )
            mapping = RoleMapping(claim="groups", roles=ROLES, officers={"persoon-1": "anders"})
            pair_ = ClientKeyPair("console", ec_key("console"))
            provider = ProviderClient(
                issuer=self.url,
                redirect=redirect,
                client=ClientSecret("console", SECRET) if secret else pair_,
                tls=outward_context(None, ca=self.ca),
                clock=clock,
                waiting=self.waiting,
            )
            return provider, Admission(client=client, mapping=mapping, **more)

        return make


def challenge(verifier: str) -> str:
    return base64url(hashlib.sha256(verifier.encode()).digest())


@asynccontextmanager
async def provider(folder, waiting=None):
    """Serve one; `waiting` is how long the console has for its answers."""
    made = Provider(waiting=waiting or Waiting())
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", made.answer)
    folder.mkdir()
    made.ca = folder / "ca.pem"
    made.ca.write_bytes(pem(live().root))
    async with serving(app, tls=server_context(pair(folder, live_leaf(), "idp"))) as url:
        made.url = url
        yield made


async def begin(browser, *, to="/ik", path="/aanmelden") -> str:
    """Press the button; return where the browser is sent."""
    await browser.get(f"{path}?{urlencode({'terug': to})}")
    found = await browser.post(f"{path}/elders", {"terug": to})
    assert found.status == 200, found.words
    there = found.headers["Refresh"].removeprefix("0;url=")
    assert there in found.links()
    return there


async def come_back(browser, fields: dict):
    return await browser.get(f"{RETURN}?{urlencode(fields)}")


async def sign_in(browser, idp: Provider, *, to="/ik"):
    return await come_back(browser, idp.authorize(await begin(browser, to=to)))


def document(found: dict) -> bytes:
    return json.dumps(found).encode()
