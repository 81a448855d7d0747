"""The console around its pages: signing in, sessions, forms that are ours, roles, headers."""

import asyncio
from datetime import timedelta

import aiohttp
import pytest

from gateway.credentials import UserRole
from gateway.security import totp
from gateway.web.console.app import PAGES
from gateway.web.console.page import Access
from gateway.web.console.visit import safe_return
from tests.consoles import ORIGIN, PASSWORD, console, secret_of
from tests.flow.town import OM
from tests.installations import installed

ROLES = {
    "anna": (UserRole.OFFICIER,),
    "otto": (UserRole.OPERATOR,),
    "bea": (UserRole.BEHEERDER,),
    "cor": (UserRole.COMPLIANCE,),
}
OFFICER = {"anna": "anders"}


@pytest.fixture
async def om(tmp_path):
    async with console(tmp_path, OM, files=installed(tmp_path / "files")) as made:
        yield made


@pytest.fixture
async def anna(om):
    return await om.user("anna", UserRole.OFFICIER, officer="anders")


@pytest.fixture
async def browser(om):
    async with om.browser() as made:
        yield made


async def audited(om, event):
    rows = await om.town[OM].store.reader.audit(after=0, limit=10_000)
    return [row.event for row in rows if row.event.event == event]


# --- signing in -----------------------------------------------------------------------


async def test_a_user_signs_in_and_lands_where_he_wanted(om, anna, browser):
    asked = await browser.get("/postvak")
    assert asked.path == "/aanmelden?terug=/postvak"

    found = await browser.sign_in(anna, to="/postvak")

    assert (found.status, found.path) == (200, "/postvak")
    *_, event = await audited(om, "console.signed_in")
    assert (event.actor, event.data["factor"]) == ("anna", "totp")


@pytest.mark.parametrize("login", ["anna", "niemand"])
async def test_a_wrong_password_and_an_unknown_user_read_the_same(om, anna, browser, login):
    await browser.get("/aanmelden")

    found = await browser.post("/aanmelden", {"login": login, "wachtwoord": "x" * 20})

    assert found.status == 422
    assert "Deze gegevens kloppen niet." in found.words
    assert found.title.startswith("Fout:")
    (event,) = await audited(om, "console.sign_in_failed")
    assert event.actor == ""
    assert event.data.get("account", "") == {"anna": "anna"}.get(login, "")


async def test_a_code_counts_once(om, anna, browser):
    await browser.sign_in(anna)
    used = totp.code(anna.secret, totp.step_of(om.town.clock.now()))
    async with om.browser() as second:
        await second.get("/aanmelden")
        await second.post("/aanmelden", {"login": "anna", "wachtwoord": PASSWORD})

        found = await second.post("/aanmelden/code", {"code": used})

    assert found.status == 422
    assert "al gebruikt" in found.words


async def test_a_recovery_code_lets_in_once(om, anna):
    for expected in (200, 422):
        async with om.browser() as browser:
            await browser.get("/aanmelden")
            await browser.post("/aanmelden", {"login": "anna", "wachtwoord": PASSWORD})
            await browser.get("/aanmelden/herstel")
            code = anna.codes[0].lower().replace("-", " ")

            found = await browser.post("/aanmelden/herstel", {"code": code, "terug": "/ik"})

            assert found.status == expected, found.words


async def test_guessing_locks_the_pair_and_a_session_goes_on(om, anna, browser):
    async with om.browser() as signed_in:
        await signed_in.sign_in(anna)
        await browser.get("/aanmelden")
        for _ in range(5):
            await browser.post("/aanmelden", {"login": "anna", "wachtwoord": "y" * 20})

        found = await browser.post("/aanmelden", {"login": "anna", "wachtwoord": PASSWORD})
        still = await signed_in.get("/ik")

    assert "te vaak" in found.words
    assert still.status == 200
    om.town.clock.forward(minutes=2)
    again = await browser.sign_in(anna)
    assert again.status == 200


async def test_the_second_factor_has_five_tries(om, anna, browser):
    await browser.get("/aanmelden")
    await browser.post("/aanmelden", {"login": "anna", "wachtwoord": PASSWORD})
    for _ in range(4):
        assert (await browser.post("/aanmelden/code", {"code": "000000"})).status == 422
        om.town.clock.forward(minutes=0)

    for _ in range(3):
        found = await browser.post("/aanmelden/code", {"code": "000000"})

    assert "te vaak" in found.words or "Begin opnieuw" in found.words


async def test_an_account_is_activated_with_a_password_and_an_app(om, browser):
    _, code = await om.people.accounts.add(
        login="nieuw", name="N. Nieuw", roles=frozenset({UserRole.OPERATOR}), officer="", by="bea"
    )
    await browser.get("/activeren")
    shown = await browser.post("/activeren", {"activatiecode": code})
    assert shown.status == 200
    secret = shown.tree.xpath("//dd[@class='bgw-code']/text()")[0]
    digits = totp.code(secret_of(secret), totp.step_of(om.town.clock.now()))
    easy = "password1234"
    weak = await browser.post(
        "/activeren/klaar",
        {"activatiecode": code, "wachtwoord": "kort", "herhaling": "kort", "code": digits},
    )
    assert "12 tot 128 tekens" in weak.words
    common = await browser.post(
        "/activeren/klaar",
        {"activatiecode": code, "wachtwoord": easy, "herhaling": easy, "code": digits},
    )
    assert "veel voorkomt of is gelekt" in common.words

    done = await browser.post(
        "/activeren/klaar",
        {"activatiecode": code, "wachtwoord": PASSWORD, "herhaling": PASSWORD, "code": digits},
    )

    assert done.status == 200
    assert len(done.tree.xpath("//ul[contains(@class,'bgw-columns')]/li")) == 10
    assert (await browser.get("/vandaag")).status == 200
    again = await browser.post("/activeren", {"activatiecode": code})
    assert "geldt niet" in again.words


# --- sessions -------------------------------------------------------------------------


async def test_the_token_of_a_session_is_new_and_not_stored(om, anna, browser):
    await browser.get("/aanmelden")
    before = {c.value for c in browser.session.cookie_jar}
    await browser.sign_in(anna)
    after = {c.key: c.value for c in browser.session.cookie_jar}

    assert after["__Host-sessie"] not in before
    (session,) = await om.people.accounts.sessions()
    assert session.id != after["__Host-sessie"]


async def test_a_session_ends_by_rest_and_a_live_view_does_not_keep_it(om, browser):
    otto = await om.user("otto", UserRole.OPERATOR)
    await browser.sign_in(otto)
    om.town.clock.forward(minutes=14)
    assert (await browser.get("/vandaag/stand")).status == 200
    om.town.clock.forward(minutes=2)

    found = await browser.get("/vandaag")

    assert found.path == "/aanmelden?terug=/vandaag"
    assert (await browser.get("/vandaag/stand")).status == 401


async def test_a_session_ends_after_a_day_of_work_however_busy(om, anna, browser):
    await browser.sign_in(anna)
    for _ in range(8 * 5 + 1):
        om.town.clock.forward(minutes=12)
        found = await browser.get("/ik")

    assert found.path.startswith("/aanmelden")


async def test_sign_out_ends_the_session_also_for_who_kept_the_cookie(om, anna, browser):
    await browser.sign_in(anna)
    kept = {c.key: c.value for c in browser.session.cookie_jar}

    out = await browser.post("/afmelden", follow=False)

    assert out.headers["Clear-Site-Data"] == '"cache", "cookies", "storage"'
    async with (
        aiohttp.ClientSession(om.url, cookies=kept) as session,
        session.get("/ik", allow_redirects=False) as answer,
    ):
        assert answer.status == 303


async def test_a_user_ends_another_session_of_his_own_and_no_one_elses(om, anna, browser):
    bas = await om.user("bas", UserRole.OPERATOR)
    async with om.browser() as other, om.browser() as of_bas:
        await other.sign_in(anna)
        await of_bas.sign_in(bas)
        await browser.sign_in(anna)
        ids = {one.login: one.id for one in await om.people.accounts.sessions()}
        mine = {o.id for o in await om.people.accounts.sessions(account=anna.id)}

        refused = await browser.post(f"/ik/sessies/{ids['bas']}/einde")
        await browser.get("/ik")
        for id_ in mine:
            await browser.post(f"/ik/sessies/{id_}/einde")
            if "aanmelden" in browser.last.path:
                break

        assert refused.status == 404
        assert (await of_bas.get("/ik")).path == "/ik"


async def test_rest_and_language_are_of_the_user(om, anna, browser):
    await browser.sign_in(anna)

    await browser.post("/ik/voorkeuren", {"taal": "en", "thema": "donker", "rust": "60"})
    found = await browser.get("/ik")

    assert found.tree.get("lang") == "en"
    assert found.tree.get("data-theme") == "donker"
    om.town.clock.forward(minutes=45)
    assert (await browser.get("/ik")).path == "/ik"


async def test_an_error_is_told_in_the_language_of_who_reads_it(om, browser):
    """On its page, and at a field: Dutch or English, never both."""
    bas = await om.user("bas", UserRole.BEHEERDER)
    await browser.sign_in(bas)
    await browser.post("/nogmaals", {"wachtwoord": PASSWORD, "code": om.code(bas)})
    taken = {"login": "bas", "naam": "B. Bas", "rol": "operator"}
    told = {"nl": [], "en": []}

    for language, found in told.items():
        await browser.get("/ik")
        await browser.post("/ik/voorkeuren", {"taal": language})
        found.append((await browser.get("/gebruikers/bestaat-niet")).words)
        await browser.get("/nieuwe-gebruiker")
        found.append((await browser.post("/nieuwe-gebruiker", taken)).words)

    assert "Dit account is er niet." in told["nl"][0]
    assert "There is no such account." in told["en"][0]
    assert "Er is al een account met deze gebruikersnaam." in told["nl"][1]
    assert "The login is taken." in told["en"][1]
    assert not any("account is er niet" in words or "Er is al" in words for words in told["en"])


async def test_rest_is_at_most_ten_times_the_setting(om, anna, browser):
    await browser.sign_in(anna)

    await browser.post("/ik/voorkeuren", {"taal": "nl", "thema": "x", "rust": "9999"})

    account = await om.people.accounts.find(anna.id)
    assert account.preferences.idle == timedelta(minutes=150)


async def test_a_new_password_ends_other_sessions(om, anna, browser):
    async with om.browser() as other:
        await other.sign_in(anna)
        await browser.sign_in(anna)
        new = "een heel andere zin"

        await browser.post("/ik/wachtwoord", {"oud": PASSWORD, "wachtwoord": new, "herhaling": new})

        assert (await browser.get("/ik")).path == "/ik"
        assert (await other.get("/ik")).path.startswith("/aanmelden")


async def test_another_app_takes_the_place_of_the_one_before(om, anna, browser):
    async with om.browser() as other:
        await other.sign_in(anna)
        await browser.sign_in(anna)
        page = await browser.get("/ik/app")
        secret = secret_of(page.tree.xpath("//dd[@class='bgw-code']/text()")[0])
        assert (await browser.post("/ik/app", {"code": "000000"})).status == 422
        om.town.clock.forward(seconds=30)
        digits = totp.code(secret, totp.step_of(om.town.clock.now()))

        done = await browser.post("/ik/app", {"code": digits})

        assert "Uw nieuwe app telt." in done.words
        assert (await other.get("/ik")).path.startswith("/aanmelden")
    async with om.browser() as again:
        await again.get("/aanmelden")
        await again.post("/aanmelden", {"login": "anna", "wachtwoord": PASSWORD})
        assert (await again.post("/aanmelden/code", {"code": om.code(anna)})).status == 422


async def test_new_recovery_codes_make_the_old_ones_void(om, anna, browser):
    await browser.sign_in(anna)
    await browser.get("/ik")
    page = await browser.post("/ik/herstelcodes")
    fresh = [li.text_content() for li in page.tree.xpath("//ul[contains(@class,'columns')]/li")]
    for code, status in ((anna.codes[0], 422), (fresh[0], 200)):
        async with om.browser() as other:
            await other.get("/aanmelden")
            await other.post("/aanmelden", {"login": "anna", "wachtwoord": PASSWORD})
            await other.get("/aanmelden/herstel")

            found = await other.post("/aanmelden/herstel", {"code": code, "terug": "/ik"})

            assert found.status == status


# --- forms that are ours --------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "proof"),
    [
        ({"Origin": "https://kwaad.example"}, None),
        ({"Origin": "null"}, None),
        ({"Sec-Fetch-Site": "cross-site"}, None),
        ({}, ""),
        ({}, "x" * 43),
    ],
)
async def test_a_form_of_another_is_refused(om, anna, browser, headers, proof):
    await browser.sign_in(anna)

    found = await browser.post("/ik/voorkeuren", {"taal": "en"}, headers=headers, proof=proof)

    assert found.status == 403
    assert "console.herkomst" in found.words
    account = await om.people.accounts.find(anna.id)
    assert account.preferences.language == "nl"


async def test_the_proof_of_one_session_is_none_for_another(om, anna, browser):
    bas = await om.user("bas", UserRole.OPERATOR)
    async with om.browser() as other:
        await other.sign_in(bas)
        foreign = other.last.proof()
    await browser.sign_in(anna)

    found = await browser.post("/ik/voorkeuren", {"taal": "en"}, proof=foreign)

    assert found.status == 403


async def test_a_form_after_the_session_ended_does_nothing_and_leads_to_the_door(om, anna, browser):
    await browser.sign_in(anna)
    om.town.clock.forward(minutes=20)

    found = await browser.post(
        "/ik/voorkeuren", {"taal": "en"}, headers={"Referer": f"{ORIGIN}/ik"}
    )

    assert found.path == "/aanmelden?terug=/ik"


async def test_a_form_that_is_too_large_is_refused(om, anna, browser):
    await browser.sign_in(anna)

    found = await browser.post("/ik/voorkeuren", {"taal": "x" * 100_000})

    assert found.status == 413


async def test_a_form_that_does_not_come_is_not_waited_for(om, anna, browser):
    await browser.sign_in(anna)

    async def slowly():
        yield b"_blijk="
        await asyncio.sleep(20)

    headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": ORIGIN}
    async with browser.session.post("/ik/voorkeuren", data=slowly(), headers=headers) as answer:
        assert answer.status == 408


@pytest.mark.parametrize(
    ("path", "to"),
    [
        ("/ik", "/ik"),
        ("/verzoeken/1?a=b", "/verzoeken/1?a=b"),
        ("//kwaad.example", "/"),
        ("https://kwaad.example", "/"),
        ("/\\kwaad.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/ik\r\nSet-Cookie: a=b", "/"),
        ("", "/"),
        ("/" + "x" * 600, "/"),
    ],
)
def test_only_an_address_of_the_console_is_gone_back_to(path, to):
    assert safe_return(path) == to


# --- roles ----------------------------------------------------------------------------


def concrete(path: str) -> str:
    filled = path
    for name, value in (("taal", "nl"), ("oin", "00000004000000003000")):
        filled = filled.replace(f"{{{name}}}", value)
    while "{" in filled:
        begin, end = filled.index("{"), filled.index("}")
        filled = filled[:begin] + "x" + filled[end + 1 :]
    return filled


async def test_every_page_is_for_its_roles_and_for_nobody_else(om):
    """The matrix of all routes and roles; a new route is in it by itself."""
    wrong = []
    for login, roles in ROLES.items():
        user = await om.user(login, *roles, officer=OFFICER.get(login, ""))
        async with om.browser() as browser:
            await browser.sign_in(user)
            for page in PAGES:
                if page.path in {"/afmelden", "/ik/wachtwoord", "/taal/{taal}"}:
                    continue
                home = await browser.get("/ik")
                path = concrete(page.path)
                if page.method == "GET":
                    found = await browser.get(path, follow=False)
                else:
                    found = await browser.post(path, proof=home.proof(), follow=False)
                allowed = page.access is not Access.ROLE or bool(page.roles & set(roles))
                refused = found.status == 403 and "console.rol" in found.text
                if refused == allowed or found.status >= 500:
                    wrong.append((login, page.method, page.path, found.status))
    assert not wrong


async def test_nobody_gets_more_than_the_door(om, browser):
    wrong = []
    for page in PAGES:
        if page.access is Access.ANYBODY:
            continue
        await browser.get("/aanmelden")
        path = concrete(page.path)
        if page.method == "GET":
            found = await browser.get(path, follow=False)
        else:
            found = await browser.post(path, follow=False)
        door = found.status == 303 and found.headers["Location"].startswith("/aanmelden")
        if not (door or (page.live and found.status == 401)):
            wrong.append((page.method, page.path, found.status))
    assert not wrong


def test_a_page_without_roles_and_access_is_for_nobody():
    from gateway.web.console.page import Page

    async def handler(visit):
        raise AssertionError

    page = Page(path="/x", handler=handler)

    assert not any(page.allows(frozenset({role})) for role in UserRole)


# --- headers --------------------------------------------------------------------------


async def test_every_answer_has_the_headers_of_a_page(om, browser):
    for path in ("/aanmelden", "/nergens", "/hulp"):
        found = await browser.get(path)
        policy = found.headers["Content-Security-Policy"]

        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert found.headers["Cache-Control"] == "no-store"
        assert found.headers["X-Content-Type-Options"] == "nosniff"
        assert found.headers["X-Frame-Options"] == "DENY"
        assert found.headers["Referrer-Policy"] == "same-origin"
        assert "Server" not in found.headers
        assert "style=" not in found.text
        assert "<script>" not in found.text


async def test_cookies_are_host_only_secure_and_not_for_scripts(om, anna, browser):
    async with browser.session.get("/aanmelden") as answer:
        (line,) = answer.headers.getall("Set-Cookie")
    for part in ("__Host-gast=", "Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert part in line
    assert "Domain" not in line


async def test_assets_are_kept_for_ever_under_the_name_of_their_octets(om, browser):
    page = await browser.get("/aanmelden")
    (css,) = page.tree.xpath("//link[@rel='stylesheet']/@href")

    found = await browser.get(css)

    assert found.headers["Content-Type"] == "text/css; charset=utf-8"
    assert "immutable" in found.headers["Cache-Control"]
    assert (await browser.get("/static/console.css")).status == 404
    assert (await browser.get("/static/..%2fbase.html")).status == 404


async def test_a_page_that_is_not_there_says_so_in_both_languages(om, browser):
    dutch = await browser.get("/nergens")
    await browser.get("/taal/en?terug=/aanmelden")
    english = await browser.get("/nergens")

    assert (dutch.status, english.status) == (404, 404)
    assert "Deze pagina is er niet" in dutch.words
    assert "This page does not exist" in english.words


async def test_the_language_of_a_page_with_errors_leads_back_to_its_question(om, anna, browser):
    await browser.sign_in(anna)
    page = await browser.post("/ik/wachtwoord", {}, headers={"Referer": f"{ORIGIN}/ik"})
    assert page.status == 422
    (link,) = [one for one in page.links() if one.startswith("/taal/en")]

    found = await browser.get(link)

    assert (found.status, found.path) == (200, "/ik")
    assert "My settings" in found.words


async def test_english_pages_have_no_dutch_text_left(om, browser):
    await browser.get("/taal/en?terug=/aanmelden")
    for path in ("/aanmelden", "/hulp", "/activeren"):
        words = (await browser.get(path)).words
        assert not {"wachtwoord", "uw", "een", "niet"} & set(words.lower().split()), path
