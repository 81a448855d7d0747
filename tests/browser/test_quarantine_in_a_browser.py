"""The operator and the quarantine: what is held, why, what it says, and the end of it."""

import pytest

from gateway.credentials import UserRole
from gateway.outbound.tls import server_context
from gateway.wire.mail_make import entity
from tests.browser.conftest import sign_in
from tests.browser.test_console_in_a_browser import LOOKS, judged, wide
from tests.consoles import console
from tests.flow import mailbox
from tests.flow.mailbox import give, multipart, plain_mail, signed_mail
from tests.flow.town import VT
from tests.outbound.tls_files import pair
from tests.pki import live_leaf

TEXT = b"Content-Type: text/plain; charset=utf-8\r\n\r\nWilt u mij <b>bellen</b>? https://eve.example/\r\n"
PDF = entity({}, b"%PDF-1.7", kind="application/pdf", name="overzicht.pdf")


@pytest.fixture
async def vt(tmp_path):
    tls = server_context(pair(tmp_path, live_leaf(), "tls"))
    town, _ = await mailbox.build(tmp_path / "town")
    async with console(tmp_path / "town", VT, town=town, tls=tls) as made:
        yield made
    await town.close()


async def test_an_operator_reads_what_no_system_takes_in_and_closes_it(vt, visiting):
    town = vt.town
    user = await vt.user("otto", UserRole.OPERATOR)
    found = []
    for number, look in enumerate(LOOKS):
        await give(town, plain_mail(town, f"gewone mail {number}"))
        marked = TEXT.replace(b"Wilt", b"%d Wilt" % number)
        await give(town, signed_mail(town, multipart(marked, PDF)))
        async with visiting(vt, **look) as page:
            await sign_in(page, vt, user)
            await page.goto("/quarantaine")
            found += await judged(page, "what is held")
            assert not await wide(page)
            await page.click("tbody tr:first-child a")
            await page.click("button:has-text('E-mail lezen')")
            await page.wait_for_selector("[role=alert]:focus")
            found += await judged(page, "no purpose")
            await page.check("text=De afzender antwoorden")
            await page.click("button:has-text('E-mail lezen')")
            await page.wait_for_selector("text=<b>bellen</b>")
            assert await page.locator("pre a").count() == 0
            found += await judged(page, "what it says")
            assert not await wide(page)
            await page.click("text=E-mail in quarantaine")
            await page.click("summary:has-text('Afsluiten')")
            await page.check("text=afgehandeld: gedaan wat nodig was")
            await page.fill("#veld-toelichting", "teruggebeld")
            await page.click("button:has-text('E-mail afsluiten')")
            await page.wait_for_selector("text=Afgesloten. De inhoud wordt binnenkort vernietigd.")
            found += await judged(page, "closed")
            assert not await wide(page)
    assert found == []
