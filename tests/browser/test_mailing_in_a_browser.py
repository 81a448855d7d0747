"""The operator's path to secure e-mail: a partner is away, a ground, and what became of it."""

import pytest

from gateway.credentials import UserRole
from gateway.outbound.tls import server_context
from tests.browser.conftest import sign_in
from tests.browser.test_console_in_a_browser import LOOKS, judged, wide
from tests.consoles import console
from tests.flow import letters
from tests.flow.test_gate import hand_in, melding
from tests.flow.town import HUB, POLITIE
from tests.outbound.tls_files import pair
from tests.pki import live_leaf


@pytest.fixture
async def police(tmp_path):
    tls = server_context(pair(tmp_path, live_leaf(), "tls"))
    town, post = await letters.build(tmp_path / "town")
    async with console(tmp_path / "town", POLITIE, town=town, tls=tls) as made:
        made.post = post
        yield made
    await town.close()


async def test_an_operator_lets_what_can_not_wait_go_on_by_mail(police, visiting):
    town = police.town
    town[HUB].up = False
    user = await police.user("otto", UserRole.OPERATOR)
    found = []
    for number, look in enumerate(LOOKS):
        octets = melding().replace(b"ref-1", b"ref-%d" % number)
        receipt = await hand_in(town, octets)
        await town.settle()
        async with visiting(police, **look) as page:
            await sign_in(page, police, user)
            await page.goto(f"/berichten/{receipt.id}")
            await page.click("summary:has-text('Per beveiligde e-mail verzenden')")
            await page.fill("#reden-email", "spoed")
            await page.click("button:has-text('Per beveiligde e-mail verzenden')")
            await page.wait_for_selector("[role=alert]:focus")
            found += await judged(page, "a ground that says too little")
            assert not await wide(page)
            await page.fill("#veld-reden", "het kind is nu in gevaar")
            await page.click("button:has-text('Per beveiligde e-mail verzenden')")
            await page.wait_for_selector("text=Het bericht gaat verder per beveiligde e-mail.")
            await town.settle()
            await page.goto(f"/berichten/{receipt.id}")
            await page.wait_for_selector("text=Weg naar de mailserver veilig bewezen")
            found += await judged(page, "what became of the letter")
            assert not await wide(page)
    assert found == []
    assert len(police.post.letters) == len(LOOKS)
