"""The portal: what persons of a partner see, what they can do, and what nobody else can."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from email import message_from_bytes, policy

import pytest

from gateway.credentials import UserRole
from gateway.directory import PartyMail
from gateway.lifecycle import State
from gateway.pipeline import pickup
from gateway.web.console.app import PAGES as CONSOLE
from gateway.web.console.page import Access
from gateway.web.console.pages.portal import PAGES
from gateway.web.console.pages.portal.letters import ONTVANGER
from tests.consoles import console
from tests.flow import letters
from tests.flow.letters import VT_MAIL
from tests.flow.test_gate import FREE, melding
from tests.flow.test_mailing import SPOED, hand_in, letter_of, steps, stuck, view
from tests.flow.test_toets import decide
from tests.flow.town import HUB, OM, POLITIE, VT, leaf
from tests.web.test_console import concrete

ORIGIN = "https://portaal.example"
RECIPIENT = UserRole.ONTVANGER
NAME = "Proefpersoon"
"""Stands in the melding."""
NAME_OTHER_OCTETS = """
UPDATE messages SET (payload_id, content_sha256) =
    (SELECT payload_id, content_sha256 FROM messages WHERE id = :other) WHERE id = :it;
UPDATE deliveries SET ground = :ground, payload_sha256 =
    (SELECT payload_sha256 FROM deliveries WHERE message = :other)
    WHERE message = :it AND channel = 'e-mail'
"""


@pytest.fixture
async def portal(tmp_path):
    town, post = await letters.build(tmp_path / "town", parties=(POLITIE, HUB, VT, OM))
    police = town[POLITIE]
    parties = police.snapshots.current().parties
    mail = PartyMail(address=VT_MAIL, certificates=(), portal=True)
    om = replace(parties[OM], mail=replace(mail, address="post@om.example"))
    await police.change(
        mail=letters.own(portal=ORIGIN),
        parties={**parties, VT: replace(parties[VT], mail=mail), OM: om},
    )
    async with console(tmp_path, POLITIE, town=town, portal=True) as made:
        made.post = post
        yield made
    await town.close()


@pytest.fixture
async def rie(portal):
    user = await portal.user("rie", RECIPIENT, party=VT)
    async with portal.browser() as browser:
        await browser.sign_in(user)
        yield browser


async def at_portal(portal, **filled):
    """Hand in what goes by mail; return the message and its path at the portal."""
    await letters.without_agreement(portal.town, "vtMeldingDi01")
    message = await hand_in(portal.town, **filled)
    return message, f"/postbus/{(await letter_of(portal.town, message)).id}"


async def told(portal, message, name):
    return [event.actor for event in steps(await view(portal.town, message), name)]


# --- the mail -------------------------------------------------------------------------


async def test_the_mail_says_that_a_message_waits_and_nothing_of_it(portal):
    message, _ = await at_portal(portal)

    (sent,) = portal.post.letters
    assert sent.recipients == (VT_MAIL,)
    mail = message_from_bytes(sent.octets, policy=policy.default)
    text = mail.get_content()
    assert ORIGIN in text
    for word in (NAME, "999990019", "vtMelding", "PL0000", "ref-1", message):
        assert word not in f"{sent.octets!r} {mail} {text}"
    assert (await letter_of(portal.town, message)).state is State.SENT
    (notice,) = steps(await view(portal.town, message), "portal.notice")
    assert notice.data["mailboxes"] == 0
    assert steps(await view(portal.town, message), "mail.sealed") == []


async def test_what_the_om_holds_gets_no_mail_and_is_not_there(portal, rie):
    message, path = await at_portal(portal, aanhouding="ja")

    assert portal.post.letters == []
    assert (await letter_of(portal.town, message)).state is State.HELD
    assert "Er wacht geen bericht." in (await rie.get("/postbus")).words
    assert (await rie.get(path)).status == 404


async def test_what_nobody_fetched_in_time_goes_to_a_person_and_stays_there(portal, rie):
    message, path = await at_portal(portal)

    portal.town.clock.forward(hours=5)
    await portal.town.settle()

    assert (await letter_of(portal.town, message)).state is State.UNKNOWN
    assert len(portal.post.letters) == 1
    async with portal.browser() as browser:
        await browser.sign_in(portal.users["rie"])
        assert NAME in (await browser.get(path)).text


async def test_what_waits_is_there_though_its_party_has_certificates_since(portal, rie):
    """What it was told of would be nowhere else."""
    message, path = await at_portal(portal)
    parties = portal.town[POLITIE].snapshots.current().parties
    mail = replace(parties[VT].mail, certificates=(leaf(VT, "encrypt").certificate,), portal=False)
    changed = {**parties, VT: replace(parties[VT], mail=mail)}
    await portal.town[POLITIE].change(parties=changed)

    assert NAME in (await rie.get(path)).words
    await rie.post(f"{path}/ontvangen")

    assert (await letter_of(portal.town, message)).state is State.DELIVERED


# --- reading, fetching, confirming ----------------------------------------------------


async def test_a_person_reads_fetches_and_confirms_and_all_of_it_is_written_down(portal, rie):
    message, path = await at_portal(portal)

    listed = await rie.get("/postbus")
    page = await rie.get(path)
    file = await rie.get(f"{path}/bestand")

    assert path in listed.links()
    assert "Melding aan Veilig Thuis" in listed.words
    assert NAME not in listed.text
    assert NAME in page.words
    assert "er is geen andere digitale weg voor afgesproken" in page.words
    assert file.text.encode() == melding()
    assert file.headers["Content-Disposition"] == 'attachment; filename="bericht.xml"'
    assert file.headers["Content-Security-Policy"] == "sandbox"
    assert (await letter_of(portal.town, message)).state is State.SENT

    done = await rie.post(f"{path}/ontvangen")

    assert "U hebt de ontvangst bevestigd" in done.words
    assert "Bevestigd, en nog te lezen" in done.words
    assert (await letter_of(portal.town, message)).state is State.DELIVERED
    for name in ("portal.read", "portal.downloaded", "mail.receipt"):
        assert await told(portal, message, name) == ["rie"]
    assert "Ik heb dit bericht ontvangen" not in (await rie.get(path)).words


async def test_a_list_that_is_full_says_that_more_may_wait(portal, rie, monkeypatch):
    monkeypatch.setattr(pickup, "MOST", 1)
    more = "Er kunnen er meer wachten."
    _message, path = await at_portal(portal)
    police = portal.town[POLITIE]
    await police.gateway.hand_in(melding().replace(b"ref-1", b"ref-2"), FREE, police.backend)
    await portal.town.settle()

    full = await rie.get("/postbus")
    assert path not in full.links()
    assert more in full.words
    (newest,) = (link for link in full.links() if link.startswith("/postbus/"))
    await rie.post(f"{newest}/ontvangen")

    assert path in (await rie.get("/postbus")).links()


async def test_a_mail_and_its_message_are_found_by_the_same_reference(portal, rie):
    await at_portal(portal)
    (sent,) = portal.post.letters
    subject = message_from_bytes(sent.octets, policy=policy.default)["Subject"]

    assert subject.rpartition(" ")[2] in (await rie.get("/postbus")).words


async def test_a_switched_message_says_that_it_may_come_twice_and_on_what_ground(portal, rie):
    message = await stuck((portal.town, portal.post))
    await portal.town[POLITIE].gateway.switch_to_mail(message, **SPOED)
    await portal.town.settle()
    letter = await letter_of(portal.town, message)

    page = await rie.get(f"/postbus/{letter.id}")

    assert "Mogelijk dubbel" in page.words
    assert SPOED["why"] in page.words


async def test_what_the_om_decided_on_is_read_once_it_is_released(portal, rie):
    _message, path = await at_portal(portal, aanhouding="ja, ter plaatse")
    assert (await rie.get(path)).status == 404

    await decide(portal.town)

    assert len(portal.post.letters) == 1
    assert NAME in (await rie.get(path)).text


async def test_what_the_om_takes_back_before_it_was_read_is_not_shown_any_more(portal, rie):
    message, path = await at_portal(portal, aanhouding="ja, ter plaatse")
    verdict = await decide(portal.town)
    assert path in (await rie.get("/postbus")).links()

    await portal.town[OM].gateway.deciding.withdraw(verdict.id, officer="anders", why="nieuw feit")
    await portal.town.settle()

    assert "Er wacht geen bericht." in (await rie.get("/postbus")).words
    for address in (path, f"{path}/bestand"):
        assert (await rie.get(address)).status == 404
    await rie.get("/postbus")
    assert (await rie.post(f"{path}/ontvangen")).status == 404
    assert await told(portal, message, "portal.read") == []
    assert (await letter_of(portal.town, message)).state is not State.DELIVERED


async def test_a_standing_approval_that_ends_before_it_was_read_ends_the_showing(portal, rie):
    _message, path = await at_portal(portal)
    police = portal.town[POLITIE]
    gate = police.snapshots.current().gate

    await police.change(gate=type(gate)(table=gate.table, confirmation=gate.confirmation))

    assert path not in (await rie.get("/postbus")).links()
    assert (await rie.get(path)).status == 404


async def test_a_row_that_was_edited_is_not_shown(portal, rie, tmp_path):
    """Past the program: a row whose mail left names what the OM holds, judged by its octets."""
    message, path = await at_portal(portal)
    held = melding(aanhouding="ja").replace(b"ref-1", b"ref-2")
    police = portal.town[POLITIE]
    other = (await police.gateway.hand_in(held, FREE, police.backend)).id
    assert NAME in (await rie.get(path)).words

    with closing(sqlite3.connect(tmp_path / "town" / POLITIE / "gateway.db")) as database:
        for ground in ("niet-gegate", "doorgestuurd", "doorlopend", "individueel"):
            for edit in NAME_OTHER_OCTETS.split(";"):
                database.execute(edit, {"it": message, "other": other, "ground": ground})
            database.commit()

            assert path not in (await rie.get("/postbus")).links()
            assert (await rie.get(path)).status == 404, ground
    assert await told(portal, message, "portal.read") == ["rie"]


async def test_a_partner_that_is_suspended_or_gets_no_mail_any_more_sees_nothing(portal, rie):
    _message, path = await at_portal(portal)
    police = portal.town[POLITIE]
    parties = police.snapshots.current().parties

    await police.change(suspended=frozenset({VT}))
    assert (await rie.get(path)).status == 404
    without = {**parties, VT: replace(parties[VT], mail=None)}
    await police.change(suspended=frozenset(), parties=without)
    assert (await rie.get(path)).status == 404


# --- who may --------------------------------------------------------------------------


async def test_a_message_of_another_partner_is_not_found(portal):
    message, path = await at_portal(portal)
    om = await portal.user("oma", RECIPIENT, party=OM)
    async with portal.browser() as browser:
        await browser.sign_in(om)

        assert "Er wacht geen bericht." in (await browser.get("/postbus")).words
        for address in (path, f"{path}/bestand"):
            assert (await browser.get(address)).status == 404
        await browser.get("/postbus")
        assert (await browser.post(f"{path}/ontvangen")).status == 404

    assert (await letter_of(portal.town, message)).state is State.SENT
    assert await told(portal, message, "portal.read") == []


async def test_nobody_gets_more_than_the_door(portal):
    async with portal.browser() as browser:
        for page in PAGES:
            if page.access is Access.ANYBODY:
                continue
            await browser.get("/aanmelden")
            call = browser.get if page.method == "GET" else browser.post
            found = await call(concrete(page.path), follow=False)
            door = found.status == 303 and found.headers["Location"].startswith("/aanmelden")
            assert door or (page.live and found.status == 401), page.path


def test_the_portal_has_no_page_of_another_role_and_the_console_none_of_this_one():
    assert {page.roles for page in PAGES if page.access is Access.ROLE} == {ONTVANGER}
    assert not any(page.allows(ONTVANGER) for page in CONSOLE if page.access is Access.ROLE)
    of_console = {page.path for page in CONSOLE if page.access is Access.ROLE}
    assert not of_console & {page.path for page in PAGES}


async def test_a_beheerder_adds_a_person_of_a_partner(portal, tmp_path):
    town = portal.town
    async with console(tmp_path, POLITIE, town=town) as inside:
        bea = await inside.user("bea", UserRole.BEHEERDER)
        async with inside.browser() as browser:
            await browser.sign_in(bea)
            await browser.get("/nieuwe-gebruiker")
            fields = {"login": "rie", "naam": "Rie", "rol": "ontvanger"}
            assert (await browser.post("/nieuwe-gebruiker", fields)).status == 422
            unknown = await browser.post("/nieuwe-gebruiker", {**fields, "partij": HUB})
            assert "wacht er niets op het portaal" in unknown.words

            made = await browser.post("/nieuwe-gebruiker", {**fields, "partij": VT})

            assert f"{ORIGIN}/activeren" in made.words
            assert "ontvanger" in (await browser.get("/gebruikers")).words
