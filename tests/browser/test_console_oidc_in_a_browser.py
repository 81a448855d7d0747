"""Signing in at a real OpenID provider (npm's oidc-provider), with a real browser."""

import asyncio
import json
import shutil
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from joserfc.jwk import ECKey, RSAKey

from gateway.cli.demo.ports import free_ports
from gateway.cli.demo.sites import OFFICERS, make_sites
from gateway.credentials import UserRole
from gateway.identity import RETURN
from gateway.keys.test_pki import pem
from gateway.outbound.oidc import ClientKeyPair, ClientSecret, ProviderClient
from gateway.outbound.tls import outward_context, server_context
from gateway.pipeline.accounts.elsewhere import Admission
from gateway.pipeline.accounts.mapping import RoleMapping
from gateway.security.oidc import Client
from tests.browser.test_console_in_a_browser import LOOKS, judged, wide
from tests.consoles import console
from tests.flow import town as towns
from tests.flow.town import HUB, OM, POLITIE, VT
from tests.jwts import ec_key, private_pem, rsa_key
from tests.outbound.tls_files import pair
from tests.pki import live, live_leaf
from tests.stops.running import Starter
from tests.stops.test_confirming import audited, done

HERE = Path(__file__).parents[1] / "oidc"
ACCOUNTS = {
    "vera": {"sub": "v-1", "name": "mr. V. Vaart", "groups": ["om"]},
    "bea": {"sub": "b-1", "name": "B. Beheer", "groups": ["bh"]},
    "niemand": {"sub": "n-1", "name": "N. Niemand", "groups": []},
}
ROLES = {"om": UserRole.OFFICIER, "bh": UserRole.BEHEERDER}


OF_THE_OM = """
[console.oidc]
naam = "de proef"
issuer = "{issuer}"
client_id = "console"
client_key_file = "secrets/oidc.key"
ca = "{ca}"
claim = "groups"
acr = ["urn:example:twee"]
amr = ["mfa"]
rollen.om = "officier"
officieren.v-1 = "{officer}"
"""


@dataclass
class Real:
    """The process, and the console that trusts it."""

    issuer: str
    made: object


@asynccontextmanager
async def running(settings, folder):
    node = shutil.which("node")
    assert node, "install nodejs"
    assert (HERE / "node_modules").is_dir(), "make browser installs the provider"
    path = folder / "provider.json"
    path.write_text(json.dumps(settings), "utf-8")
    process = await asyncio.create_subprocess_exec(
        node, str(HERE / "provider.mjs"), str(path), stdout=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(15):
            assert b"listening" in await process.stdout.readline()
        yield
    finally:
        process.kill()
        await process.wait()


def provider(folder, *, alg="ES256", secret=""):
    """Return its issuer, whom to trust for it, and the settings of its process."""
    keys = pair(folder, live_leaf(), "idp")
    ca = folder / "ca.pem"
    ca.write_bytes(pem(live().root))
    port = next(free_ports(1))
    issuer = f"https://127.0.0.1:{port}"
    settings = {
        "issuer": issuer,
        "port": port,
        "key": str(keys.key),
        "certificate": str(keys.certificate),
        "alg": alg,
        "keys": [_private(rsa_key("idp"), RSAKey), _private(ec_key("idp"), ECKey)],
        "client": ClientKeyPair("console", ec_key("console")).published(),
        "secret": secret,
        "accounts": ACCOUNTS,
    }
    return issuer, ca, settings


def comes_back_to(origin):
    return {"redirect": f"{origin}{RETURN}", "out": f"{origin}/afgemeld"}


@asynccontextmanager
async def real(folder, *, alg="ES256", secret=""):
    issuer, ca, settings = provider(folder, alg=alg, secret=secret)
    town = await towns.build(folder / "town", parties=(POLITIE, HUB, VT, OM))
    town.clock.at = datetime.now(UTC)

    def elsewhere(origin, clock):
        settings.update(comes_back_to(origin))
        return _trusting(issuer, origin, clock, ca, secret)

    tls = server_context(pair(folder, live_leaf(), "console"))
    async with (
        console(folder, OM, town=town, tls=tls, elsewhere=elsewhere) as made,
        running(settings, folder),
    ):
        for login, who in ACCOUNTS.items():
            account, _ = await made.people.accounts.add(
                login=login, name=who["name"], roles=frozenset({UserRole.OPERATOR}), officer="",
                by="test",
            )  # fmt: skip
            await made.people.accounts.link(account.id, subject=who["sub"], by="test")
        yield Real(issuer, made)
    await town.close()


def _private(key, kind):
    return kind.import_key(key).as_dict(private=True)


def _trusting(issuer, origin, clock, ca, secret):
    client = Client(
        issuer=issuer,
        id="console",
        redirect=f"{origin}{RETURN}",
        scopes=("openid", "profile"),
        acr=("urn:example:twee",),
        amr=frozenset({"mfa"}),
        max_age=timedelta(hours=8),
    )
    proof = (
        ClientSecret("console", secret) if secret else ClientKeyPair("console", ec_key("console"))
    )
    provider = ProviderClient(
        issuer=issuer,
        redirect=client.redirect,
        client=proof,
        tls=outward_context(None, ca=ca),
        clock=clock,
    )
    mapping = RoleMapping(claim="groups", roles=ROLES, officers={"v-1": "anders"})
    return provider, Admission(client=client, mapping=mapping)


@pytest.fixture
async def idp(tmp_path):
    async with real(tmp_path) as made:
        yield made


async def at_provider(page, idp, login, *, twice=True):
    await page.wait_for_url(f"{idp.issuer}/interaction/*")
    await page.fill("input[name=login]", login)
    if twice:
        await page.check("input[name=twee]")
    await page.click("button")


async def to_provider(page):
    await page.goto("/aanmelden?terug=/ik")
    await page.click("button:has-text('Aanmelden met de proef')")


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
async def test_an_officer_signs_in_shows_it_again_and_signs_out(idp, visiting, script):
    async with visiting(idp.made, java_script_enabled=script) as page:
        await to_provider(page)
        await at_provider(page, idp, "vera")
        await page.wait_for_selector("h1:has-text('Mijn instellingen')")
        assert "mr. V. Vaart" in await page.text_content("main")

        await page.goto("/nogmaals?terug=/postvak")
        await page.click("button:has-text('Verder naar de proef')")
        await at_provider(page, idp, "vera")
        await page.wait_for_url("**/postvak")

        await page.click("button:has-text('Afmelden')")
        await page.click("a:has-text('Ook afmelden bij de proef')")
        await page.wait_for_url(f"{idp.issuer}/session/end*")


REFUSED = (
    ("vera", False, "oidc.factor"),
    ("niemand", True, "oidc.role"),
    ("onbekend", True, "oidc.refused"),
)


async def test_who_may_not_come_in_is_told_what_to_do(idp, visiting):
    for login, twice, code in REFUSED:
        async with visiting(idp.made) as page:
            await to_provider(page)
            await at_provider(page, idp, login, twice=twice)

            await page.wait_for_selector(f"text={code}")
            await page.goto("/ik")
            await page.wait_for_selector("h1:has-text('Aanmelden')")


async def test_rsa_and_a_secret_do_as_well_and_a_session_there_is_enough(tmp_path, visiting):
    secret = "geheim+met/tekens" * 3
    async with real(tmp_path, alg="RS256", secret=secret) as idp, visiting(idp.made) as page:
        await to_provider(page)
        await at_provider(page, idp, "bea")
        await page.wait_for_selector("h1:has-text('Mijn instellingen')")
        await page.click("button:has-text('Afmelden')")

        await to_provider(page)

        await page.wait_for_selector("h1:has-text('Mijn instellingen')")


async def test_axe_finds_nothing_on_the_way(idp, visiting):
    found = []
    for look in LOOKS:
        async with visiting(idp.made, **look) as page:
            await page.goto("/aanmelden")
            found += [*await judged(page, "/aanmelden"), *await wide(page)]
            await to_provider(page)
            await at_provider(page, idp, "bea")
            await page.wait_for_selector("h1:has-text('Mijn instellingen')")
            account = await idp.made.people.accounts.find_login("vera")
            for path in ("/ik", "/nogmaals", f"/gebruikers/{account.id}"):
                await page.goto(path)
                found += [*await judged(page, path), *await wide(page)]
            await page.goto(f"{RETURN}?state=x")
            found += await judged(page, "refused")
            await page.click("button:has-text('Afmelden')")
            found += await judged(page, "/afgemeld")
    assert found == []


@pytest.fixture
async def starter(tmp_path):
    made = Starter(tmp_path)
    yield made
    await made.close()


async def test_a_process_that_serves_lets_an_officer_in(tmp_path, starter, visiting):
    """`gateway serve` as somebody starts it, the account made by its commands."""
    om = make_sites(tmp_path / "sites").by_place["om"]
    origin = f"https://localhost:{om.ports[3]}"
    issuer, ca, settings = provider(tmp_path)
    served(om, OF_THE_OM.format(issuer=issuer, ca=ca, officer=OFFICERS[0].id))
    names = ("--rol", "officier", "--naam", "mr. V. Vaart", "--officier", OFFICERS[0].id)
    await done(om, "users", "add", "vera", *names)
    await done(om, "users", "link", "vera", "--sub", "v-1")
    async with running(settings | comes_back_to(origin), tmp_path):
        await starter.start(om)
        async with visiting(Served(origin)) as page:
            await page.goto("/postvak")
            await page.click("button:has-text('Aanmelden met de proef')")
            await at_provider(page, Real(issuer, None), "vera")

            await page.wait_for_url(f"{origin}/postvak")
            assert "Geen verzoeken die op u wachten" in await page.text_content("main")
        (event,) = await audited(om, "console.signed_in")
        assert (event.actor, event.data["factor"]) == ("vera", "oidc")


@dataclass
class Served:
    url: str


def served(site, oidc):
    """Give its console a provider, and the key that it proves itself with there."""
    site.config.write_text(site.config.read_text("utf-8") + oidc, "utf-8")
    key = site.folder / "secrets" / "oidc.key"
    key.parent.mkdir(mode=0o700, exist_ok=True)
    key.write_bytes(private_pem(ec_key("console")))
    key.chmod(0o600)
