"""The portal as a person of a partner meets it: what waits, one message, and the link in a mail."""

from dataclasses import replace

import pytest

from gateway.credentials import UserRole
from gateway.directory import PartyMail
from gateway.lifecycle import State
from gateway.outbound.tls import server_context
from gateway.ports.mail import CONFIRM
from tests.browser.conftest import sign_in
from tests.browser.test_console_in_a_browser import LOOKS, judged, wide
from tests.consoles import console
from tests.flow import letters
from tests.flow.letters import VT_MAIL
from tests.flow.test_gate import hand_in, melding
from tests.flow.test_mailing import letter_of
from tests.flow.town import POLITIE, VT
from tests.outbound.tls_files import pair
from tests.pki import live_leaf


@pytest.fixture
async def portal(tmp_path):
    tls = server_context(pair(tmp_path, live_leaf(), "tls"))
    town, _post = await letters.build(tmp_path / "town")
    await letters.without_agreement(town, "vtMeldingDi01")
    police = town[POLITIE]
    parties = police.snapshots.current().parties
    mail = PartyMail(address=VT_MAIL, certificates=(), portal=True)
    vt = replace(parties[VT], mail=mail, name="Veilig Thuis Utrecht")
    own = letters.own(portal="https://portaal.example")
    await police.change(mail=own, parties={**parties, VT: vt})
    async with console(tmp_path / "town", POLITIE, town=town, tls=tls, portal=True) as made:
        yield made
    await town.close()


async def test_a_person_reads_what_waits_and_confirms_it(portal, visiting):
    rie = await portal.user("rie", UserRole.ONTVANGER, party=VT)
    found = []
    for number, look in enumerate(LOOKS):
        receipt = await hand_in(portal.town, melding().replace(b"ref-1", b"ref-%d" % number))
        await portal.town.settle()
        async with visiting(portal, **look) as page:
            await page.goto("/aanmelden")
            found += await judged(page, "the door")
            await sign_in(page, portal, rie)
            await page.goto("/")
            found += await judged(page, "what waits")
            assert not await wide(page)
            await page.click("tbody a >> nth=0")
            await page.wait_for_selector("h2:has-text('Inhoud')")
            found += await judged(page, "one message")
            assert not await wide(page)
            async with page.expect_download() as fetched:
                await page.click("a:has-text('als bestand') >> nth=0")
            assert (await fetched.value).suggested_filename == "bericht.xml"
            await page.click("button:has-text('Ik heb dit bericht ontvangen') >> nth=0")
            await page.wait_for_selector("text=U hebt de ontvangst bevestigd")
            found += await judged(page, "what was confirmed")
            assert not await wide(page)
        assert (await letter_of(portal.town, receipt.id)).state is State.DELIVERED
    assert found == []


async def test_a_link_is_a_page_with_a_button(portal, visiting):
    found = []
    for look in LOOKS:
        async with visiting(portal, **look) as page:
            await page.goto(f"{CONFIRM}/{'0' * 64}")
            found += await judged(page, "the button")
            assert not await wide(page)
            await page.click("button:has-text('Ik heb dit bericht ontvangen')")
            await page.wait_for_selector("h1:has-text('Deze link geldt niet')")
            found += await judged(page, "a link that does not count")
            assert not await wide(page)
    assert found == []
