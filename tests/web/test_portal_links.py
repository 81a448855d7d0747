"""The link in a letter, as a person of a partner follows it."""

import pytest

from gateway.lifecycle import State
from gateway.ports.mail import CONFIRM
from gateway.web.console.page import Access
from gateway.web.console.pages.portal.links import PAGES
from tests.consoles import console
from tests.flow import letters
from tests.flow.test_mailing import letter_of, mailed
from tests.flow.town import POLITIE


@pytest.fixture
async def portal(tmp_path):
    town, post = await letters.build(tmp_path / "town")
    await town[POLITIE].change(mail=letters.own(portal="https://portaal.example"))
    async with console(tmp_path, POLITIE, town=town, portal=True) as made:
        made.post = post
        yield made
    await town.close()


@pytest.fixture
async def browser(portal):
    async with portal.browser() as made:
        yield made


async def followed(portal):
    """Return a message that went by mail, and the path of the link in its letter."""
    message = await mailed((portal.town, portal.post))
    read = letters.opened(portal.town, portal.post.letters[-1].octets)
    (url,) = [line for line in read.text.splitlines() if line.startswith("https://")]
    return message, url.removeprefix("https://portaal.example")


async def failures(portal):
    rows = await portal.town[POLITIE].store.reader.audit(after=0, limit=10_000)
    return [row.event for row in rows if row.event.event == "console.sign_in_failed"]


async def test_to_look_at_a_link_confirms_nothing(portal, browser):
    message, path = await followed(portal)

    page = await browser.get(path)

    assert page.status == 200
    assert "Ik heb dit bericht ontvangen" in page.words
    assert (await letter_of(portal.town, message)).state is State.SENT
    assert page.tree.xpath("//form[@method='post'][not(@action)]//button")


async def test_to_press_the_button_confirms_and_counts_once(portal, browser):
    message, path = await followed(portal)
    await browser.get(path)

    page = await browser.post(path)

    assert "De afzender weet nu dat het bericht is aangekomen" in page.words
    assert (await letter_of(portal.town, message)).state is State.DELIVERED
    await browser.get(path)
    assert (await browser.post(path)).status == 410


async def test_wrong_used_and_over_get_the_same_answer(portal, browser):
    _message, used = await followed(portal)
    await browser.get(used)
    await browser.post(used)
    answers = []
    for path in (used, f"{CONFIRM}/{'0' * 64}", f"{CONFIRM}/x"):
        look = await browser.get(path)
        assert "Ik heb dit bericht ontvangen" in look.words
        answers.append(await browser.post(path))

    assert {answer.status for answer in answers} == {410}
    pages = [answer.tree.get_element_by_id("inhoud").text_content() for answer in answers]
    assert pages[0] == pages[1] == pages[2]
    assert [event.data["what"] for event in await failures(portal)] == ["bevestigingslink"] * 3


async def test_a_link_that_is_over_confirms_nothing(portal, browser):
    message, path = await followed(portal)
    portal.town.clock.forward(days=14)
    await browser.get(path)

    assert (await browser.post(path)).status == 410

    assert (await letter_of(portal.town, message)).state is State.SENT


async def test_who_tries_too_often_waits(portal, browser):
    _message, path = await followed(portal)
    await browser.get(path)
    for n in range(40):
        assert (await browser.post(f"{CONFIRM}/{n}")).status == 410

    page = await browser.post(path)

    assert page.status == 429
    assert (await letter_of(portal.town, _message)).state is State.SENT


async def test_a_form_of_another_site_confirms_nothing(portal, browser):
    message, path = await followed(portal)
    await browser.get(path)

    foreign = {"Origin": "https://elders.example", "Sec-Fetch-Site": "cross-site"}
    assert (await browser.post(path, headers=foreign)).status == 403
    assert (await browser.post(path, proof="x")).status == 403

    assert (await letter_of(portal.town, message)).state is State.SENT


async def test_the_portal_serves_no_page_of_the_console(portal, browser):
    for path in ("/vandaag", "/berichten", "/gebruikers", "/postvak", "/verstrekkingen"):
        assert (await browser.get(path)).status == 404, path


async def test_the_page_speaks_english_and_has_the_headers_of_a_page(portal, browser):
    _message, path = await followed(portal)
    await browser.get(f"/taal/en?terug={path}")

    page = await browser.get(path)

    assert "I have received this message" in page.words
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert page.headers["Cache-Control"] == "no-store"


def test_who_follows_a_link_need_not_sign_in():
    assert {page.access for page in PAGES} == {Access.ANYBODY}
