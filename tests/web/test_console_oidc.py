"""Signing in to the console at a provider that vouches for people, and at one that lies."""

import asyncio
import json

import pytest

from gateway.credentials import UserRole
from gateway.errors import PolicyViolation
from gateway.pipeline.accounts.elsewhere import BY
from tests.consoles import PASSWORD, console
from tests.flow.town import OM
from tests.jwts import ec_key, public_pem
from tests.openid import IMPATIENT, begin, come_back, document, provider, sign_in
from tests.web.test_console import audited

OPERATOR = (UserRole.OPERATOR,)
CODE = "//p[@class='bgw-subtle']/span[@class='bgw-code']/text()"


@pytest.fixture
async def idp(tmp_path, request):
    async with provider(tmp_path / "idp", getattr(request, "param", None)) as made:
        yield made


@pytest.fixture
async def om(tmp_path, idp):
    async with console(tmp_path / "town", OM, elsewhere=idp.admitted()) as made:
        yield made


@pytest.fixture
async def piet(om):
    """An account that a beheerder linked."""
    account, _ = await om.people.accounts.add(
        login="piet", name="P. Piet", roles=frozenset(OPERATOR), officer="", by="bea"
    )
    await om.people.accounts.link(account.id, subject="persoon-1", by="bea")
    return account


@pytest.fixture
async def browser(om):
    async with om.browser() as made:
        yield made


def code_of(page):
    return page.tree.xpath(CODE)[0]


async def account(om, login="piet"):
    return await om.people.accounts.find_login(login)


# --- as it should be ------------------------------------------------------------------


async def test_who_is_linked_signs_in_and_lands_where_he_wanted(om, idp, piet, browser):
    asked = await browser.get("/berichten")
    assert "Aanmelden met de proef" in asked.words

    found = await sign_in(browser, idp, to="/berichten")

    assert (found.status, found.path) == (200, "/berichten")
    *_, event = await audited(om, "console.signed_in")
    assert (event.actor, event.data["factor"]) == ("piet", "oidc")
    own = await browser.get("/ik")
    assert "Aangemeld metde proef" in own.words
    assert "Wachtwoord wijzigen" not in own.words


async def test_a_secret_works_where_a_key_does_not(tmp_path, idp):
    made = idp.admitted(secret=True, login_claim="preferred_username", create=True)
    async with console(tmp_path / "town", OM, elsewhere=made) as om, om.browser() as browser:
        assert (await sign_in(browser, idp)).path == "/ik"


async def test_the_console_publishes_its_own_key_and_only_that(om, browser):
    found = await browser.get("/aanmelden/sleutels.json")

    (key,) = json.loads(found.text)["keys"]
    assert (key["alg"], key["use"], "d" in key) == ("ES256", "sig", False)
    assert key["kid"]


async def test_documents_are_kept_and_a_new_key_is_found(om, idp, piet, browser):
    await sign_in(browser, idp)
    await browser.post("/afmelden")
    idp.keys, idp.signed = (("next", "k2"),), {"key": "next", "alg": "ES256", "kid": "k2"}
    om.town.clock.forward(seconds=31)

    found = await sign_in(browser, idp)

    assert found.path == "/ik"
    well_known = [path for path in idp.asked if path.startswith("/.well")]
    assert (len(well_known), idp.asked.count("/jwks")) == (1, 2)


async def test_signing_out_offers_to_sign_out_there(om, idp, piet, browser):
    await sign_in(browser, idp)

    page = await browser.post("/afmelden")

    (there,) = [link for link in page.links() if link.startswith(f"{idp.url}/einde?")]
    assert "client_id=console" in there
    assert "afgemeld" in there


async def test_no_policy_of_a_page_names_the_provider(om, idp, browser):
    await browser.get("/aanmelden")
    found = await browser.post("/aanmelden/elders", {"terug": "/ik"})

    assert idp.url not in found.headers["Content-Security-Policy"]
    assert "form-action 'self';" in found.headers["Content-Security-Policy"]
    assert "persoon" not in found.text


# --- who it is, and what he may -------------------------------------------------------


@pytest.mark.parametrize("to", ["https://kwaad.example", "//kwaad.example", "/\\kwaad.example"])
async def test_nobody_is_led_away(om, idp, piet, browser, to):
    assert (await sign_in(browser, idp, to=to)).path in {"/ik", "/", "/vandaag"}


async def test_who_has_no_account_gets_none(om, idp, browser):
    found = await sign_in(browser, idp)

    assert (found.status, code_of(found)) == (403, "oidc.account")
    assert "Vraag een beheerder" in found.words
    assert await account(om) is None
    (event,) = await audited(om, "console.sign_in_failed")
    assert (event.actor, event.data["what"], event.data["code"]) == ("", "oidc", "oidc.account")


async def test_a_closed_account_lets_nobody_in(om, idp, piet, browser):
    await sign_in(browser, idp)
    await om.people.accounts.close(piet.id, by="bea", why="weg")
    assert (await browser.get("/ik")).path.startswith("/aanmelden")

    found = await sign_in(browser, idp)

    assert code_of(found) == "oidc.account"
    assert (await audited(om, "console.sign_in_failed"))[-1].data["account"] == "piet"


async def test_roles_follow_the_provider_and_are_written_down(om, idp, piet, browser):
    await sign_in(browser, idp)
    idp.groups = ("bh", "anders")
    async with om.browser() as second:
        assert (await sign_in(second, idp)).path == "/ik"

    assert (await account(om)).roles == {UserRole.BEHEERDER}
    assert (await browser.get("/ik")).path.startswith("/aanmelden")
    *_, event = await audited(om, "console.user_changed")
    assert (event.actor, event.data["roles"], event.data["was"]) == (BY, "beheerder", "operator")


@pytest.mark.parametrize(
    ("groups", "code"),
    [((), "oidc.role"), (("onbekend",), "oidc.role"), (("om", "op"), "oidc.roles"),
     (("cp", "bh"), "oidc.roles")],
)  # fmt: skip
async def test_who_may_nothing_any_more_is_out_at_once(om, idp, piet, browser, groups, code):
    await sign_in(browser, idp)
    idp.groups = groups
    async with om.browser() as second:
        assert code_of(await sign_in(second, idp)) == code

    assert (await account(om)).roles == frozenset()
    assert (await browser.get("/ik")).path.startswith("/aanmelden")


async def test_an_officer_is_the_one_that_the_settings_name(om, idp, piet, browser):
    idp.groups = ("om",)

    assert (await sign_in(browser, idp, to="/postvak")).path == "/postvak"
    assert (await account(om)).officer == "anders"


async def test_an_officer_of_another_account_is_refused(om, idp, piet, browser):
    await om.user("anna", UserRole.OFFICIER, officer="anders")
    idp.groups = ("om",)

    assert code_of(await sign_in(browser, idp)) == "console.gebruiker.officier"


# --- one account has one way in ---------------------------------------------------------


async def test_a_link_ends_every_other_way_in(om, idp, browser):
    user = await om.user("piet", *OPERATOR)
    await browser.sign_in(user)

    await om.people.accounts.link(user.id, subject="persoon-1", by="bea")

    assert (await browser.get("/ik")).path.startswith("/aanmelden")
    found = await browser.post("/aanmelden", {"login": "piet", "wachtwoord": PASSWORD})
    assert "Deze gegevens kloppen niet" in found.words
    assert (await sign_in(browser, idp)).path == "/ik"
    for path in ("/ik/herstelcodes", "/ik/sleutels/vraag"):
        assert code_of(await browser.post(path)) == "console.gebruiker.gekoppeld", path


async def test_recovering_ends_the_link(om, idp, piet, browser):
    await om.people.accounts.recover(piet.id, by="bea", why="voorziening stuk")

    assert code_of(await sign_in(browser, idp)) == "oidc.account"


async def test_a_person_is_one_account(om, idp, piet):
    other, _ = await om.people.accounts.add(
        login="anders", name="A", roles=frozenset(OPERATOR), officer="", by="bea"
    )
    for subject, code in (("persoon-1", "identiteit"), ("met spatie", "subject"), ("", "subject")):
        with pytest.raises(PolicyViolation, match=code):
            await om.people.accounts.link(other.id, subject=subject, by="bea")
    await om.people.accounts.close(piet.id, by="bea", why="weg")
    await om.people.accounts.link(other.id, subject="persoon-1", by="bea")
    with pytest.raises(PolicyViolation, match="gekoppeld"):
        await om.people.accounts.change(
            other.id, name="A", roles=frozenset({UserRole.BEHEERDER}), officer="", by="bea"
        )


@pytest.mark.parametrize("create", [False, True])
async def test_a_login_links_who_waits_and_never_who_has_ways_of_his_own(tmp_path, idp, create):
    made = idp.admitted(login_claim="preferred_username", create=create)
    async with console(tmp_path / "town", OM, elsewhere=made) as om, om.browser() as browser:
        await om.user("piet", *OPERATOR)
        assert code_of(await sign_in(browser, idp)) == "oidc.account"
        idp.changes = {"preferred_username": "Karel"}
        await om.people.accounts.add(
            login="karel", name="K", roles=frozenset(OPERATOR), officer="", by="bea"
        )

        assert (await sign_in(browser, idp)).path == "/ik"

        *_, event = await audited(om, "console.user_linked")
        assert (event.actor, event.data["account"]) == (BY, "karel")
        assert "persoon-1" not in str(event.data)


async def test_an_account_is_made_only_where_a_setting_says_so(tmp_path, idp):
    made = idp.admitted(login_claim="preferred_username", create=True)
    async with console(tmp_path / "town", OM, elsewhere=made) as om, om.browser() as browser:
        idp.groups = ()
        assert code_of(await sign_in(browser, idp)) == "oidc.role"
        assert await account(om) is None
        idp.groups = ("op",)

        assert (await sign_in(browser, idp)).path == "/ik"

        assert (await account(om)).name == "P. Piet"
        idp.sub, idp.changes = "persoon-2", {"preferred_username": "met spatie"}
        async with om.browser() as second:
            assert code_of(await sign_in(second, idp)) == "console.gebruiker.login"


# --- what is not proven ---------------------------------------------------------------

LIES = {
    "oidc.nonce": {"changes": {"nonce": "x" * 64}},
    "oidc.issuer": {"changes": {"iss": "https://ander.example"}},
    "oidc.audience": {"changes": {"aud": "ander"}},
    "oidc.expired": {"changes": {"exp": 1_000_000_000}},
    "oidc.factor": {"changes": {"acr": None}},
    "oidc.at_hash": {"changes": {"at_hash": "anders"}},
    "oidc.auth_time": {"changes": {"auth_time": None}},
    "oidc.key": {"signed": {"key": "idp", "alg": "ES256", "kid": "k9"}},
    "oidc.signature": {"signed": {"key": "kwaad", "alg": "ES256", "kid": "k1"}},
    "oidc.token": {"documents": {"/token": b'{"id_token": "a.b"}'}},
}
UNSAFE = [
    {"signed": {"key": None, "alg": "none", "kid": "k1"}},
    {"signed": {"key": public_pem(ec_key("idp")), "alg": "HS256", "kid": "k1"}},
]
ALL_LIES = [*LIES.items(), *(("oidc.algorithm", lie) for lie in UNSAFE)]


async def test_what_is_not_proven_lets_nobody_in(om, idp, piet, browser):
    for code, lie in ALL_LIES:
        before = {name: getattr(idp, name) for name in lie}
        for name, value in lie.items():
            setattr(idp, name, value)

        found = await sign_in(browser, idp)

        assert code_of(found) == code
        assert "persoon-1" not in found.text
        assert (await browser.get("/ik")).path.startswith("/aanmelden")
        for name, value in before.items():
            setattr(idp, name, value)
    failed = await audited(om, "console.sign_in_failed")
    assert [event.data["code"] for event in failed] == [code for code, _ in ALL_LIES]
    assert (await sign_in(browser, idp)).path == "/ik"


async def test_the_answer_belongs_to_the_browser_that_asked(om, idp, piet, browser):
    fields = idp.authorize(await begin(browser))
    async with om.browser() as victim:
        await victim.get("/aanmelden")
        refused = await come_back(victim, fields)
        assert (refused.status, code_of(refused)) == (401, "oidc.state")
        assert "U bent niet aangemeld" in refused.words
        assert "juiste rol" not in refused.words
        await begin(victim)
        assert code_of(await come_back(victim, fields)) == "oidc.state"
    await begin(browser)
    assert code_of(await come_back(browser, fields)) == "oidc.state"


async def test_an_answer_counts_once(om, idp, piet, browser):
    there = await begin(browser)
    cookie = {c.key: c.value for c in browser.session.cookie_jar}["__Host-elders"]
    fields = idp.authorize(there)
    assert (await come_back(browser, fields)).path == "/ik"
    async with om.browser() as thief:
        again = {"headers": {"Cookie": f"__Host-elders={cookie}"}}
        found = await thief.get(f"/aanmelden/terug?code=x&state={fields['state']}", **again)

        assert code_of(found) == "oidc.state"


async def test_a_code_counts_once(om, idp, piet, browser):
    fields = idp.authorize(await begin(browser))
    idp.codes.clear()

    assert code_of(await come_back(browser, fields)) == "oidc.code"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"iss": "https://ander.example"}, "oidc.issuer"),
        ({"iss": ""}, "oidc.issuer"),
        ({"error": "access_denied"}, "oidc.refused"),
        ({"code": ""}, "oidc.refused"),
        ({"state": "x"}, "oidc.state"),
    ],
)
async def test_an_answer_of_another_kind_is_refused(om, idp, piet, browser, changes, code):
    """An answer that names another issuer may be of a mix-up: its code goes nowhere."""
    fields = idp.authorize(await begin(browser)) | changes

    found = await come_back(browser, fields)

    assert code_of(found) == code
    assert "/token" not in idp.asked
    for value in ("access_denied", fields["code"] or "code-", fields["state"]):
        assert len(value) == 1 or value not in found.text


async def test_an_answer_that_comes_too_late_is_over(om, idp, piet, browser):
    fields = idp.authorize(await begin(browser))
    om.town.clock.forward(minutes=11)

    assert code_of(await come_back(browser, fields)) == "oidc.state"


async def test_a_session_is_new_and_what_was_planted_is_worth_nothing(om, idp, piet, browser):
    planted = {"__Host-sessie": "a" * 64}
    browser.session.cookie_jar.update_cookies(planted)

    await sign_in(browser, idp)

    held = {c.key: c.value for c in browser.session.cookie_jar}
    assert held["__Host-sessie"] != "a" * 64
    assert "__Host-elders" not in held


async def test_lies_lock_the_address(om, idp, piet, browser):
    for _ in range(40):
        await browser.get("/aanmelden/terug?state=x&code=y")

    found = await sign_in(browser, idp)

    assert (found.status, code_of(found)) == (429, "console.vergrendeld")


# --- when it is not there -------------------------------------------------------------


@pytest.mark.parametrize("idp", [IMPATIENT], indirect=True)
async def test_what_is_too_large_slow_or_gone_is_said_and_lets_nobody_in(om, idp, piet, browser):
    idp.documents = {"/jwks": b" " * 300_000}
    assert code_of(await sign_in(browser, idp)) == "oidc.metadata"
    idp.documents, idp.slow = {}, {"/jwks"}
    found = await sign_in(browser, idp)
    assert (found.status, code_of(found)) == (503, "oidc.timeout")
    idp.slow = {"/token"}
    assert code_of(await sign_in(browser, idp)) == "oidc.timeout"
    idp.slow, idp.documents = set(), {"/token": b"<html>"}
    assert code_of(await sign_in(browser, idp)) == "oidc.token"

    idp.documents = {}

    assert (await sign_in(browser, idp)).path == "/ik"


@pytest.mark.parametrize(
    "lie",
    [
        {"issuer": "https://ander.example"},
        {"token_endpoint": "http://127.0.0.1/token"},
        {"authorization_endpoint": "javascript:alert(1)"},
    ],
)
async def test_a_provider_of_another_name_is_not_gone_to(om, idp, browser, lie):
    idp.documents = {"/.well-known/openid-configuration": document(idp.metadata(**lie))}
    await browser.get("/aanmelden")

    found = await browser.post("/aanmelden/elders", {"terug": "/ik"})

    assert (found.status, code_of(found)) == (503, "oidc.metadata")
    assert "Refresh" not in found.headers


@pytest.mark.parametrize("idp", [IMPATIENT], indirect=True)
async def test_its_own_users_come_in_when_the_provider_is_down(om, idp, browser):
    idp.slow = {"/.well-known/openid-configuration"}
    user = await om.user("nood", UserRole.BEHEERDER)

    assert (await browser.sign_in(user)).path == "/ik"
    assert "bent u misschien nog aangemeld" not in (await browser.post("/afmelden")).words


async def test_two_who_begin_at_once_ask_for_one_document(om, idp, browser):
    async with om.browser() as second:
        await asyncio.gather(begin(browser), begin(second))

    assert len(idp.asked) == 1


# --- once more ------------------------------------------------------------------------


@pytest.fixture
async def bea(om, idp, piet, browser):
    """A beheerder who signed in there a while ago: before what counts she is asked again."""
    idp.groups, idp.auth_age = ("bh",), 3_600
    await sign_in(browser, idp)
    return browser


async def again(browser, idp):
    there = await begin(browser, to="/nieuwe-gebruiker", path="/nogmaals")
    assert "prompt=login" in there
    return await come_back(browser, idp.authorize(there))


async def test_an_old_sign_in_there_is_not_a_fresh_one_here(bea, idp):
    asked = await bea.get("/nieuwe-gebruiker")
    assert asked.path.startswith("/nogmaals")
    assert "opnieuw zien wie u bent" in asked.words
    idp.auth_age = 0

    assert (await again(bea, idp)).path == "/nieuwe-gebruiker"


async def test_a_step_up_needs_a_new_proof_of_the_same_person(om, bea, idp):
    found = await again(bea, idp)
    assert code_of(found) == "oidc.auth_time"
    idp.auth_age, idp.sub = 0, "persoon-2"
    assert code_of(await again(bea, idp)) == "oidc.person"
    idp.sub, idp.changes = "persoon-1", {"acr": "een"}
    assert code_of(await again(bea, idp)) == "oidc.factor"
    assert (await bea.get("/nieuwe-gebruiker")).path.startswith("/nogmaals")


async def test_a_step_up_takes_what_the_provider_took(om, bea, idp):
    idp.auth_age, idp.groups = 0, ("op",)

    assert code_of(await again(bea, idp)) == "oidc.rights"
    assert (await bea.get("/ik")).path.startswith("/aanmelden")


async def test_a_step_up_is_for_its_own_session(om, bea, idp):
    idp.auth_age = 0
    fields = idp.authorize(await begin(bea, to="/nieuwe-gebruiker", path="/nogmaals"))
    await bea.post("/afmelden", proof=bea.last.proof())

    assert code_of(await come_back(bea, fields)) == "oidc.state"


# --- the page of a user ----------------------------------------------------------------


async def test_a_beheerder_links_another_and_sees_it(om, bea, idp):
    idp.auth_age = 0
    await again(bea, idp)
    other, _ = await om.people.accounts.add(
        login="otto", name="O", roles=frozenset(OPERATOR), officer="", by="x"
    )
    path = f"/gebruikers/{other.id}"
    page = await bea.get(path)
    assert "met een account van hier" in page.words
    wrong = await bea.post(f"{path}/koppelen", {"sub": "persoon-1"})
    assert "hoort al bij een ander account" in wrong.words

    page = await bea.post(f"{path}/koppelen", {"sub": " persoon-7 "})

    assert "met de proef, sub persoon-7" in page.words
    assert not page.tree.xpath("//form[contains(@action, '/wijzigen')]")
    assert "Wijzig ze daar" in page.words
    changed = await bea.post(f"{path}/wijzigen", {"naam": "O", "rol": "beheerder"})
    assert code_of(changed) == "console.gebruiker.gekoppeld"
    own = await om.people.accounts.find_login("piet")
    await bea.get(path)
    refused = await bea.post(f"/gebruikers/{own.id}/koppelen", {"sub": "x"})
    assert code_of(refused) == "console.gebruiker.zelf"


async def test_without_a_provider_there_is_no_way_to_it(tmp_path):
    async with console(tmp_path / "town", OM) as om, om.browser() as browser:
        await browser.get("/aanmelden")
        assert (await browser.post("/aanmelden/elders")).status == 404
        assert (await browser.get("/aanmelden/terug?code=x&state=y")).status == 404
