"""What only a real browser shows: scripts, cookies, passkeys, the back button, a narrow screen."""

from datetime import timedelta
from http import HTTPStatus

import pytest
from axe_playwright_python.async_playwright import Axe

from gateway.credentials import UserRole
from gateway.installation import program_table
from gateway.lifecycle import State
from gateway.outbound.tls import server_context
from gateway.pipeline import Weigering
from gateway.ports import Alarm, RequestsWanted
from gateway.toetsing.bundle import make_bundle, write_bundle
from tests import pki
from tests.browser.conftest import sign_in
from tests.consoles import console, refused_by_vt
from tests.flow.test_gate import hand_in, melding
from tests.flow.test_toets import state_of
from tests.flow.town import HUB, OM, POLITIE
from tests.outbound.tls_files import pair
from tests.pki import live_leaf
from tests.pure.test_gate_confirmation import TODAY
from tests.pure.test_gate_confirmation import om as om_folder
from tests.web.test_console_framework import APPROVALS, took_back
from tests.web.test_console_systems import IN_FILE, with_tokens

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
AXE = {"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"]}
LOOKS = (
    {"color_scheme": "light", "viewport": {"width": 1200, "height": 900}},
    {"color_scheme": "dark", "viewport": {"width": 320, "height": 640}},
)


@pytest.fixture
async def held(om):
    receipt = await hand_in(om.town, melding(aanhouding="ja, ter plaatse"))
    await om.town.settle()
    (one,) = await om.town[OM].gateway.deciding.requests(RequestsWanted())
    return receipt, one.id


async def judged(page, where):
    """Return what axe finds, as rule and element."""
    results = await Axe().run(page, options=AXE)
    return [
        (where, found["id"], found["nodes"][0]["html"][:120])
        for found in results.response["violations"]
    ]


_WIDE = """() => document.documentElement.scrollWidth <= window.innerWidth ? [] :
    [...document.querySelectorAll("main *")]
        .filter(e => e.getBoundingClientRect().right > window.innerWidth + 1)
        .filter(e => !e.closest(".bgw-table-container"))
        .map(e => e.outerHTML.slice(0, 80)).slice(0, 3).concat(["and it scrolls sideways"])"""


async def wide(page):
    """Return what makes the page wider than its window."""
    return await page.evaluate(_WIDE)


async def read(page, id_):
    await page.goto(f"/verzoeken/{id_}")
    await page.check("input[name=doel] >> nth=0")
    await page.click("button:has-text('Bericht lezen')")


async def decide(page, id_):
    await read(page, id_)
    await page.click("a:has-text('Nu besluiten') >> nth=0")
    await page.check("input[value=vrijgeven]")
    await page.click("button:has-text('Verder naar de grond')")
    await page.check("input[name=grond] >> nth=0")
    await page.click("button:has-text('Verder naar controleren')")


# --- the officer ----------------------------------------------------------------------


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
async def test_an_officer_releases_with_and_without_script(om, held, visiting, script):
    receipt, id_ = held
    anna = await om.user("anna", UserRole.OFFICIER, officer="anders")
    async with visiting(om, java_script_enabled=script) as page:
        await sign_in(page, om, anna)
        await decide(page, id_)

        await page.click("button:has-text('Vrijgeven aan')")

        await page.wait_for_selector("h1:has-text('Het besluit is genomen')")
    await om.town.settle()
    assert await state_of(om.town, receipt) is State.DELIVERED


KEYS = (
    ("ref-1", False, "verzoeken/*"),
    ("doel", True, "lezen"),
    ("Nu besluiten", False, "besluit"),
    ("uitkomst", True, "grond"),
    ("grond", True, "controleren"),
    ("Vrijgeven aan", False, "klaar"),
)
"""What has the focus, whether it is chosen with the space bar, and where Enter leads."""


async def test_an_officer_decides_by_keyboard_alone(om, held, visiting):
    receipt, _ = held
    anna = await om.user("anna", UserRole.OFFICIER, officer="anders")
    async with visiting(om) as page:
        await sign_in(page, om, anna)
        await page.goto("/postvak")
        for what, chosen, onward in KEYS:
            await to(page, what)
            if chosen:
                await page.keyboard.press("Space")
            await page.keyboard.press("Enter")
            await page.wait_for_url(f"**/{onward}")
    await om.town.settle()
    assert await state_of(om.town, receipt) is State.DELIVERED


_FOCUS = """() => {
    const at = document.activeElement;
    return [at.textContent.trim(), at.getAttribute("name") || ""];
}"""


async def to(page, what):
    """Press Tab until it has the focus, seen by its text or name."""
    for _ in range(80):
        await page.keyboard.press("Tab")
        text, name = await page.evaluate(_FOCUS)
        if name == what or (text.startswith(what) and len(text) < 80):
            ring = "getComputedStyle(document.activeElement).outlineWidth"
            assert await page.evaluate(ring) == "3px"
            return
    raise AssertionError(what)


async def test_two_clicks_decide_once(om, held, visiting):
    _, id_ = held
    anna = await om.user("anna", UserRole.OFFICIER, officer="anders")
    async with visiting(om) as page:
        await sign_in(page, om, anna)
        await decide(page, id_)

        await page.dblclick("button:has-text('Vrijgeven aan')", no_wait_after=True)

        await page.wait_for_selector("h1:has-text('Het besluit is genomen')")
    assert len(await om.town[OM].store.desk.verdicts(id_)) == 1


async def test_a_decision_in_another_tab_is_noticed(om, held, visiting):
    _, id_ = held
    anna = await om.user("anna", UserRole.OFFICIER, officer="anders")
    async with visiting(om) as page:
        await sign_in(page, om, anna)
        await decide(page, id_)
        other = await page.context.new_page()
        await other.goto(f"/verzoeken/{id_}/controleren")
        await other.click("button:has-text('Vrijgeven aan')")
        await other.wait_for_selector("h1:has-text('Het besluit is genomen')")

        await page.click("button:has-text('Vrijgeven aan')")

        await page.wait_for_selector("h1:has-text('Het besluit is genomen')")
    assert len(await om.town[OM].store.desk.verdicts(id_)) == 1


async def test_who_was_away_signs_in_again_and_is_where_he_was(om, held, visiting):
    _, id_ = held
    anna = await om.user("anna", UserRole.OFFICIER, officer="anders")
    async with visiting(om) as page:
        await sign_in(page, om, anna)
        await decide(page, id_)
        om.town.clock.forward(minutes=20)

        await page.click("button:has-text('Vrijgeven aan')")
        await page.fill("#veld-login", "anna")
        await page.fill("#veld-wachtwoord", "een zin die niemand raadt")
        await page.click("form[action='/aanmelden'] button")
        await page.fill("#veld-code", om.code(anna))
        await page.click("form[action='/aanmelden/code'] button")

        await page.wait_for_selector("button:has-text('Vrijgeven aan')")
    assert await om.town[OM].store.desk.verdicts(id_) == ()


async def test_after_signing_out_the_back_button_shows_nothing(om, held, visiting):
    _, id_ = held
    anna = await om.user("anna", UserRole.OFFICIER, officer="anders")
    async with visiting(om) as page:
        await sign_in(page, om, anna)
        await read(page, id_)
        assert "Proefpersoon" in await page.content()
        await page.click("button:has-text('Afmelden')")
        await page.wait_for_selector("h1:has-text('U bent afgemeld')")

        await page.go_back()

        assert "Proefpersoon" not in await page.content()


# --- signing in -----------------------------------------------------------------------


async def test_a_passkey_is_made_and_signs_in_by_itself(om, visiting):
    anna = await om.user("anna", UserRole.OFFICIER, officer="anders")
    async with visiting(om) as page:
        cdp = await page.context.new_cdp_session(page)
        await cdp.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
        }
        await cdp.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        await sign_in(page, om, anna)
        await page.goto("/ik")
        await page.fill("#sleutelnaam", "laptop")
        await page.click("button:has-text('Toegangssleutel toevoegen')")
        await page.wait_for_selector("text=De toegangssleutel is toegevoegd.")
        await page.click("button:has-text('Afmelden')")
        await page.goto("/aanmelden?terug=/ik")

        await page.click("button:has-text('Aanmelden met een toegangssleutel')")

        await page.wait_for_selector("h1:has-text('Mijn instellingen')")
    session = next(iter(await om.people.accounts.sessions(account=anna.id)))
    assert session.login == "anna"


async def test_an_error_has_the_focus_and_leads_to_its_field(om, visiting):
    async with visiting(om) as page:
        await page.goto("/aanmelden")
        await page.click("form[action='/aanmelden'] button")

        await page.wait_for_selector("[role=alert]:focus")
        await page.click("[role=alert] a >> nth=0")
        await page.wait_for_selector("#veld-login:focus")


# --- axe ------------------------------------------------------------------------------


async def test_axe_finds_nothing_before_signing_in(om, visiting):
    found = []
    for look in LOOKS:
        async with visiting(om, **look) as page:
            for path in ("/aanmelden", "/activeren", "/hulp", "/nergens"):
                await page.goto(path)
                found += await judged(page, path)
                assert not await wide(page), path
            await page.goto("/aanmelden")
            await page.click("form[action='/aanmelden'] button")
            found += await judged(page, "/aanmelden with errors")
    assert found == []


async def test_axe_finds_nothing_on_the_pages_of_an_officer(om, held, visiting):
    _, id_ = held
    anna = await om.user("anna", UserRole.OFFICIER, officer="anders")
    found = []
    for look in LOOKS:
        async with visiting(om, **look) as page:
            await sign_in(page, om, anna)
            await decide(page, id_)
            for path in (
                "/postvak", "/besloten", f"/verzoeken/{id_}", f"/verzoeken/{id_}/lezen",
                f"/verzoeken/{id_}/besluit", f"/verzoeken/{id_}/grond",
                f"/verzoeken/{id_}/controleren", "/ik", "/ik/app",
            ):  # fmt: skip
                await page.goto(path)
                found += await judged(page, path)
                assert not await wide(page), path
            await page.goto(f"/verzoeken/{id_}")
            await page.click("button:has-text('Bericht lezen')")
            found += await judged(page, "purpose with errors")
    assert found == []


PAGES = {
    UserRole.OPERATOR: ("/vandaag", "/berichten", "/berichten/{id}", "/geweigerd", "/alarmen"),
    UserRole.BEHEERDER: (
        "/partners", f"/partners/{HUB}", "/certificaten", "/schemas", "/systemen", "/gebruikers",
        "/nieuwe-gebruiker",
    ),
    UserRole.COMPLIANCE: (
        "/verstrekkingen", "/cijfers", "/zaken", "/log/berichten/{id}", "/gebruikers", "/rechten",
    ),
}  # fmt: skip


async def test_axe_finds_nothing_where_an_officer_confirms(tmp_path, visiting):
    files = om_folder(tmp_path / "files")
    proposal = tmp_path / "voorstel.zip"
    given = APPROVALS.format(vt=pki.VEILIG_THUIS)
    approvals = given + given.replace("DT-7", "DT-8")
    proposed = {"classificatie": program_table().read_bytes(), "toestemmingen": approvals.encode()}
    write_bundle(proposal, make_bundle(pki.POLITIE, proposed))
    tls = server_context(pair(tmp_path, live_leaf(), "tls"))
    found = []
    async with console(tmp_path / "town", OM, tls=tls, files=files) as om:
        om.town.clock.at = TODAY  # the agreement of the OM holds
        await om.town[OM].store.inbox.note(took_back("DT-8"))
        anna = await om.user("anna", UserRole.OFFICIER, officer="anders")
        for look in LOOKS:
            async with visiting(om, **look) as page:
                await sign_in(page, om, anna)
                for path in ("/toetsingskader", "/toetsingskader/nieuw"):
                    await page.goto(path)
                    found += await judged(page, path)
                    assert not await wide(page), path
                await page.set_input_files("#veld-bestand", proposal)
                await page.click("button:has-text('Bekijken wat er anders is')")
                await page.click("button:has-text('Bevestigen en ondertekenen')")
                await page.wait_for_selector("[role=alert]:focus")
                found += await judged(page, "signing without a day")
                assert not await wide(page)
                await page.fill("#veld-tot", f"{TODAY + timedelta(days=60):%Y-%m-%d}")
                await page.fill("#veld-grond", "convenant 2026")
                await page.click("button:has-text('Bevestigen en ondertekenen')")
                await page.wait_for_selector("text=Ingetrokken door")
                found += await judged(page, "what was confirmed and revoked")
                assert not await wide(page)
    assert found == []


@pytest.mark.parametrize("role", PAGES)
async def test_axe_finds_nothing_on_the_pages_of_the_others(police, visiting, role):
    receipt = await hand_in(police.town, melding())
    await police.town.settle()
    user = await police.user("lid", role)
    found = []
    for look in LOOKS:
        async with visiting(police, **look) as page:
            await sign_in(page, police, user)
            for path in PAGES[role]:
                shown = await page.goto(path.format(id=receipt.id))
                assert shown.status == HTTPStatus.OK, path
                found += await judged(page, path)
                assert not await wide(page), path
    assert found == []


async def test_axe_finds_nothing_where_tokens_are_made_and_ended(police, visiting):
    system = with_tokens(police.town[POLITIE])
    bea = await police.user("bea", UserRole.BEHEERDER)
    found = []
    for look in LOOKS:
        async with visiting(police, **look) as page:
            await sign_in(page, police, bea)
            await page.goto(f"/systemen/nieuw-token?systeem={system.name}")
            found += await judged(page, "a new token")
            await page.click("button:has-text('Token maken')")
            await page.wait_for_selector("[role=alert]:focus")
            found += await judged(page, "a new token without rights")
            assert not await wide(page)
            await page.check("input[value='berichten:lezen']")
            await page.click("button:has-text('Token maken')")
            await page.wait_for_selector("p.bgw-code")
            found += await judged(page, "a token, shown once")
            assert not await wide(page)
            await page.goto(f"/systemen/token-beeindigen?systeem={system.name}&token={IN_FILE}")
            found += await judged(page, "a token that is to end")
            await page.goto("/systemen")
            found += await judged(page, "a system with its tokens")
            assert not await wide(page)
    assert found == []


async def test_axe_finds_nothing_where_a_message_was_refused(police, visiting):
    receipt = await hand_in(police.town, melding())
    await police.town.settle()
    await refused_by_vt(police.town, Weigering(code="X1", omschrijving="Onbekend"))
    otto = await police.user("otto", UserRole.OPERATOR)
    found = []
    for look in LOOKS:
        async with visiting(police, **look) as page:
            await sign_in(page, police, otto)
            await page.goto("/geweigerd")
            assert "X1" in await page.inner_text("main")
            found += await judged(page, "/geweigerd")
            assert not await wide(page)
            await page.goto(f"/berichten/{receipt.id}")
            await page.click("summary:has-text('Opnieuw aanbieden')")
            await page.click("button:has-text('Opnieuw aanbieden')")
            await page.wait_for_selector("[role=alert]:focus")
            found += await judged(page, "a refused message, without a reason")
            assert not await wide(page)
            await page.goto(f"/berichten/{receipt.id}")
            await page.click("form[action$='/neem'] button, form[action$='/laat'] button")
            await page.click("summary:has-text('Afsluiten zonder')")
            await page.click("button:has-text('Weigering afsluiten')")
            await page.wait_for_selector("[role=alert]:focus")
            found += await judged(page, "closed without a ground")
            assert not await wide(page)
    assert found == []


async def test_in_forced_colours_only_the_page_of_now_is_underlined(police, visiting):
    otto = await police.user("otto", UserRole.OPERATOR)
    async with visiting(police, forced_colors="active", color_scheme="light") as page:
        await sign_in(page, police, otto)
        await page.goto("/alarmen")
        lines = await page.eval_on_selector_all(
            ".bgw-navigation a", "all => all.map(a => getComputedStyle(a).borderBottomColor)"
        )

    assert lines.count("rgb(255, 255, 255)") == len(lines) - 1


async def test_on_paper_stands_who_and_where_and_nothing_to_press(police, visiting):
    otto = await police.user("otto", UserRole.OPERATOR)
    async with visiting(police) as page:
        await sign_in(page, police, otto)
        await page.emulate_media(media="print")
        for path in ("/vandaag", "/berichten", "/ik"):
            await page.goto(path)
            pressed = page.locator("button:visible, input:visible, select:visible")
            assert await pressed.evaluate_all("all => all.map(one => one.outerHTML)") == []
            assert await page.is_visible("text=Berichtengateway · test")
            assert await page.is_visible("header >> text=Otto · operator")
            assert await page.is_visible("footer >> text=Stand van")


async def test_the_numbers_of_today_follow_without_a_reload(police, visiting):
    otto = await police.user("otto", UserRole.OPERATOR)
    async with visiting(police) as page:
        await sign_in(page, police, otto)
        await hand_in(police.town, melding())
        await police.town.settle()
        await page.clock.install()
        await page.goto("/vandaag")
        assert await page.text_content("[data-getal=vastgehouden]") == "0"
        await hand_in(police.town, melding(aanhouding="ja").replace(b"ref-1", b"ref-2"))
        await hand_in(police.town, melding().replace(b"ref-1", b"ref-3"))

        await page.clock.run_for(10_000)
        await page.wait_for_selector("[data-getal=vastgehouden]:text('1')")
        await page.wait_for_selector(f"[data-getal=ebms2-{HUB}-wacht]:text('2')")
        assert await page.is_hidden("text=Er is een nieuw alarm.")
        await police.town[POLITIE].store.alarms.change(
            raised=(Alarm(code="peer.down", subject=HUB, message="", party=HUB, reason="proef"),)
        )
        await page.clock.run_for(10_000)
        await page.wait_for_selector("text=Er is een nieuw alarm.")


async def test_the_page_of_today_says_that_it_stands_still_and_that_nothing_is_known(
    police, visiting
):
    otto = await police.user("otto", UserRole.OPERATOR)
    async with visiting(police) as page:
        await sign_in(page, police, otto)
        await page.clock.install()
        await page.goto("/vandaag")
        await page.click("button:has-text('Pauzeren')")
        await page.wait_for_selector("text=Gepauzeerd")
        await page.click("button:has-text('Verdergaan')")
        assert await page.is_hidden("text=Gepauzeerd")

        await page.route("**/vandaag/stand", lambda route: route.abort())
        await page.clock.run_for(10_000)
        await page.wait_for_selector("text=De stand kan niet worden opgehaald.")
        await page.unroute("**/vandaag/stand")
        await page.clock.run_for(10_000)
        await page.wait_for_selector("text=De stand kan niet worden opgehaald.", state="hidden")
