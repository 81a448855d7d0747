"""An officer reads and decides in the console; what holds at the desk holds here."""

from dataclasses import replace

import pytest

from gateway.credentials import UserRole
from gateway.lifecycle import State
from gateway.ports import RequestsWanted
from gateway.web.console import lists
from tests.consoles import console
from tests.flow.test_gate import FREE, hand_in, melding
from tests.flow.test_toets import arrived, state_of
from tests.flow.town import OM
from tests.web.test_console import audited

READ = {"doel": "Toets op opsporingsbelang"}
GROUND = "Geen opsporingsbelang dat zich tegen verstrekking verzet (Aanwijzing Wpg, 15.1)"
AGAINST = "Opsporing en vervolging verzetten zich tegen verstrekking (Aanwijzing Wpg, 8.2)"


@pytest.fixture
async def om(tmp_path):
    async with console(tmp_path, OM) as made:
        yield made


@pytest.fixture
async def held(om):
    """A melding with an aanhouding that waits: its receipt, and the id of the request."""
    receipt = await hand_in(om.town, melding(aanhouding="ja, ter plaatse"))
    await om.town.settle()
    return receipt, await request_id(om)


async def request_id(om):
    (one,) = await om.town[OM].gateway.deciding.requests(RequestsWanted())
    return one.id


@pytest.fixture
async def anna(om):
    user = await om.user("anna", UserRole.OFFICIER, officer="anders")
    async with om.browser() as browser:
        await browser.sign_in(user, to="/postvak")
        browser.user = user
        yield browser


@pytest.fixture
async def bob(om):
    user = await om.user("bob", UserRole.OFFICIER, officer="bos")
    async with om.browser() as browser:
        await browser.sign_in(user, to="/postvak")
        browser.user = user
        yield browser


async def to_the_check(browser, id_, outcome="vrijgeven", **more):
    await browser.get(f"/verzoeken/{id_}")
    await browser.post(f"/verzoeken/{id_}/inzage", READ)
    await browser.get(f"/verzoeken/{id_}/besluit")
    await browser.post(f"/verzoeken/{id_}/besluit", {"uitkomst": outcome})
    ground = GROUND if outcome.startswith("vrijgeven") else AGAINST
    return await browser.post(f"/verzoeken/{id_}/grond", {"grond": ground, **more})


def stand(page):
    (value,) = page.tree.xpath("//input[@name='stand']/@value")
    return value


async def decide(browser, id_, page):
    return await browser.post(f"/verzoeken/{id_}/controleren", {"stand": stand(page)})


async def test_who_chooses_nothing_is_told_so(held, anna):
    """A form of radios alone sends no field at all."""
    _, id_ = held
    await anna.get(f"/verzoeken/{id_}")
    await anna.post(f"/verzoeken/{id_}/inzage", READ)
    await anna.get(f"/verzoeken/{id_}/besluit")

    page = await anna.post(f"/verzoeken/{id_}/besluit", {})

    assert page.status == 422
    assert "Kies wat u besluit." in page.words


async def test_the_inbox_shows_what_waits_without_a_name_of_a_person(om, held, anna):
    page = await anna.get("/postvak")

    assert "ref-1" in page.words
    assert "Proefpersoon" not in page.text
    assert "aanhouding" in page.words.lower()
    assert f"/verzoeken/{held[1]}" in page.links()


async def test_reading_asks_a_purpose_and_is_written_down(om, held, anna):
    id_ = held[1]
    sent_back = await anna.get(f"/verzoeken/{id_}/lezen")
    assert sent_back.path == f"/verzoeken/{id_}"
    assert "Proefpersoon" not in sent_back.text
    empty = await anna.post(f"/verzoeken/{id_}/inzage", {})
    assert empty.status == 422
    assert not await audited(om, "toets.read")

    page = await anna.post(f"/verzoeken/{id_}/inzage", READ)

    assert page.path == f"/verzoeken/{id_}/lezen"
    assert "Proefpersoon" in page.text
    (mark,) = page.tree.xpath("//mark")
    assert mark.text_content() == "ja, ter plaatse"
    assert page.tree.xpath("//a[@href='#reden-1']")
    (event,) = await audited(om, "toets.read")
    assert event.actor == "anders"


async def test_the_whole_message_is_a_file_for_who_said_what_for(om, held, anna):
    id_ = held[1]
    assert (await anna.get(f"/verzoeken/{id_}/bestand")).path == f"/verzoeken/{id_}"
    await anna.post(f"/verzoeken/{id_}/inzage", READ)

    found = await anna.get(f"/verzoeken/{id_}/bestand")

    assert found.text.encode() == melding(aanhouding="ja, ter plaatse")
    assert found.headers["Content-Disposition"] == 'attachment; filename="bericht.xml"'
    assert found.headers["Content-Security-Policy"] == "sandbox"
    assert len(await audited(om, "toets.read")) == 2


async def test_an_officer_releases_in_three_steps(om, held, anna):
    receipt, id_ = held
    check = await to_the_check(anna, id_)
    assert "Controleer uw besluit" in check.words
    assert "Vrijgeven aan veilig-thuis" in check.words

    done = await decide(anna, id_, check)
    await om.town.settle()

    assert done.path == f"/verzoeken/{id_}/klaar"
    assert await state_of(om.town, receipt) is State.DELIVERED
    assert "vtMeldingDi01" in await arrived(om.town)


async def test_two_clicks_decide_once(om, held, anna):
    _, id_ = held
    check = await to_the_check(anna, id_)
    proof = anna.last.proof()
    fields = {"stand": stand(check)}

    first = await anna.post(f"/verzoeken/{id_}/controleren", fields, proof=proof)
    second = await anna.post(f"/verzoeken/{id_}/controleren", fields, proof=proof)

    assert first.path == second.path == f"/verzoeken/{id_}/klaar"
    assert len(await om.town[OM].store.desk.verdicts(id_)) == 1


async def test_a_refusal_needs_words_for_the_sender_and_nothing_leaves(om, held, anna):
    receipt, id_ = held
    page = await to_the_check(anna, id_, "nietVrijgeven")
    assert page.status == 422
    assert "Schrijf op wat de afzender mag weten." in page.words

    check = await to_the_check(anna, id_, "nietVrijgeven", melding="Het belang verzet zich.")
    await decide(anna, id_, check)
    await om.town.settle()

    assert await state_of(om.town, receipt) is State.WITHHELD
    assert await arrived(om.town) == []


async def test_a_ground_goes_with_what_is_decided(om, held, anna):
    _, id_ = held
    check = await to_the_check(anna, id_)
    fields = {"stand": stand(check)}
    await anna.get(f"/verzoeken/{id_}/besluit")
    page = await anna.post(f"/verzoeken/{id_}/besluit", {"uitkomst": "nietVrijgeven"})
    assert AGAINST in page.words
    assert GROUND not in page.words
    assert (await anna.get(f"/verzoeken/{id_}/controleren")).path == f"/verzoeken/{id_}/besluit"

    refused = await anna.post(f"/verzoeken/{id_}/controleren", fields)

    assert refused.status == 409
    assert await om.town[OM].store.desk.verdicts(id_) == ()
    await anna.get(f"/verzoeken/{id_}/grond")
    other = {"grond": GROUND, "melding": "Het belang verzet zich."}
    assert (await anna.post(f"/verzoeken/{id_}/grond", other)).status == 422


async def test_conditions_go_along(om, held, anna):
    _, id_ = held
    none = await to_the_check(anna, id_, "vrijgevenOnderVoorwaarden")
    assert "ten minste één voorwaarde" in none.words

    check = await to_the_check(
        anna, id_, "vrijgevenOnderVoorwaarden", voorwaarde1="Niet delen met de verdachte"
    )
    await decide(anna, id_, check)

    (verdict,) = await om.town[OM].store.desk.verdicts(id_)
    assert [v.tekst for v in verdict.conditions] == ["Niet delen met de verdachte"]


async def test_steps_can_not_be_skipped(om, held, anna):
    _, id_ = held
    for step in ("besluit", "grond", "controleren"):
        page = await anna.get(f"/verzoeken/{id_}/{step}")
        assert page.path in {f"/verzoeken/{id_}", f"/verzoeken/{id_}/besluit"}
    await anna.get(f"/verzoeken/{id_}")

    page = await anna.post(f"/verzoeken/{id_}/controleren", {"stand": "x"})

    assert page.status == 409
    assert await om.town[OM].store.desk.verdicts(id_) == ()


async def test_who_decided_meanwhile_is_noticed_and_nothing_is_lost(om, held, anna):
    _, id_ = held
    check = await to_the_check(anna, id_)
    await om.town[OM].gateway.deciding.let_go(id_, officer="anders")
    from gateway.rules.officers import Wish
    from gateway.wire.toets import Uitkomst

    wish = Wish(outcome=Uitkomst.NIET, ground="anders", told="nee")
    await om.town[OM].gateway.deciding.decide(id_, officer="bos", wish=wish)

    page = await decide(anna, id_, check)

    assert page.status == 409
    assert "toets.gewijzigd" in page.words
    assert len(await om.town[OM].store.desk.verdicts(id_)) == 1


async def test_a_request_is_with_one_officer_at_a_time(om, held, anna, bob):
    _, id_ = held
    await anna.get(f"/verzoeken/{id_}")
    await anna.post(f"/verzoeken/{id_}/nemen")
    await bob.get(f"/verzoeken/{id_}")

    refused = await bob.post(f"/verzoeken/{id_}/nemen")

    assert refused.status == 409
    assert "mr. Anders" in (await bob.get(f"/verzoeken/{id_}")).words
    await anna.get(f"/verzoeken/{id_}")
    await anna.post(f"/verzoeken/{id_}/laten")
    await bob.get(f"/verzoeken/{id_}")
    assert (await bob.post(f"/verzoeken/{id_}/nemen")).status == 200


async def test_the_second_factor_is_asked_again_before_deciding(om, held, anna):
    _, id_ = held
    om.town.clock.forward(minutes=9)
    await anna.get("/postvak")
    om.town.clock.forward(minutes=5)

    asked = await to_the_check(anna, id_)

    assert asked.path.startswith("/nogmaals")
    code = om.code(anna.user)
    check = await anna.post("/nogmaals", {"code": code, "terug": f"/verzoeken/{id_}/controleren"})
    assert "Controleer uw besluit" in check.words


async def test_four_eyes(om, held, anna, bob):
    receipt, id_ = held
    deciding = om.town[OM].snapshots.current().deciding
    category = (await om.town[OM].store.desk.request(id_)).reasons[0].category
    await om.town[OM].change(deciding=deciding.model_copy(update={"tweede_officier": (category,)}))
    check = await to_the_check(anna, id_)
    assert "bevestigt een tweede officier" in check.words
    assert "wacht op tweede beoordelaar" not in (await anna.get("/postvak")).words
    waits = await decide(anna, id_, check)
    assert "mr. Bos" in waits.words
    assert "wacht op tweede beoordelaar" in (await bob.get("/postvak")).words
    (verdict,) = await om.town[OM].store.desk.verdicts(id_)
    path = f"/verzoeken/{id_}/besluiten/{verdict.id}/tweede"
    own = await anna.get(path)
    assert "kunt u niet bevestigen" in own.words
    unread = await bob.get(path)
    assert unread.path == f"/verzoeken/{id_}"

    await bob.post(f"/verzoeken/{id_}/inzage", {"doel": "Tweede beoordeling"})
    page = await bob.get(path)
    fields = {"oordeel": "bevestig", "stand": stand(page)}
    done = await bob.post(path, fields)
    await om.town.settle()

    assert done.path == f"/verzoeken/{id_}/klaar"
    assert await state_of(om.town, receipt) is State.DELIVERED


async def test_one_login_that_becomes_another_officer_does_not_confirm(om, held, anna):
    receipt, id_ = held
    deciding = om.town[OM].snapshots.current().deciding
    category = (await om.town[OM].store.desk.request(id_)).reasons[0].category
    await om.town[OM].change(deciding=deciding.model_copy(update={"tweede_officier": (category,)}))
    await decide(anna, id_, await to_the_check(anna, id_))
    (verdict,) = await om.town[OM].store.desk.verdicts(id_)
    roles = frozenset({UserRole.OFFICIER})
    await om.people.accounts.change(
        anna.user.id, name="Anna", roles=roles, officer="bos", by="beheer"
    )
    await anna.sign_in(anna.user, to="/postvak")
    await anna.get(f"/verzoeken/{id_}")
    await anna.post(f"/verzoeken/{id_}/inzage", {"doel": "Tweede beoordeling"})
    path = f"/verzoeken/{id_}/besluiten/{verdict.id}/tweede"
    page = await anna.get(path)

    done = await anna.post(path, {"oordeel": "bevestig", "stand": stand(page)})
    await om.town.settle()

    assert "Wie beslist, bevestigt niet" in done.words
    assert await state_of(om.town, receipt) is State.HELD


async def test_a_decision_is_withdrawn_with_a_reason(om, held, anna):
    receipt, id_ = held
    check = await to_the_check(anna, id_)
    await decide(anna, id_, check)
    (verdict,) = await om.town[OM].store.desk.verdicts(id_)
    path = f"/verzoeken/{id_}/besluiten/{verdict.id}/intrekken"
    await anna.get(path)
    assert (await anna.post(path, {})).status == 422

    page = await anna.post(path, {"reden": "nieuw feit in het onderzoek"})
    await om.town.settle()

    (head,) = page.tree.find_class("bgw-identity")
    assert "ingetrokken" in head.text_content()
    assert await state_of(om.town, receipt) is not State.DELIVERED
    assert "vtMeldingDi01" not in await arrived(om.town)


async def test_an_account_without_officer_sees_nothing(om, held):
    from dataclasses import replace  # noqa: F401

    user = await om.user("zora", UserRole.OFFICIER, officer="onbekend")
    async with om.browser() as browser:
        await browser.sign_in(user)
        await browser.get(f"/verzoeken/{held[1]}")
        page = await browser.post(f"/verzoeken/{held[1]}/inzage", READ)

    assert page.status == 403
    assert "Proefpersoon" not in page.text


async def test_what_a_message_says_is_shown_and_not_done(om, anna):
    evil = "&lt;b onmouseover=alert(1)&gt;ja&lt;/b&gt;"
    octets = melding(aanhouding=evil).replace(b"ref-1", b"ref-2")
    await hand_in(om.town, octets)
    await om.town.settle()
    id_ = await request_id(om)
    await anna.get(f"/verzoeken/{id_}")

    page = await anna.post(f"/verzoeken/{id_}/inzage", READ)

    assert "<b onmouseover" not in page.text
    (mark,) = page.tree.xpath("//mark")
    assert mark.text_content() == "<b onmouseover=alert(1)>ja</b>"


async def test_all_requests_can_be_paged(om, held, anna):
    page = await anna.get("/besloten")
    assert "ref-1" in page.words
    forged = await anna.get("/besloten?na=1.xxxxxxxxxxxxxxxxxxxxxx")
    assert forged.status == 422
    assert "console.cursor" in forged.words


async def test_more_than_a_page_that_waits_is_reached(om, held, anna):
    last = f"ref-9{lists.PAGE}"
    for n in range(1, lists.PAGE + 1):
        await hand_in(om.town, melding(aanhouding="ja").replace(b"ref-1", b"ref-9%d" % n))
    await om.town.settle()

    page = await anna.get("/postvak")
    assert ("ref-1" in page.words, last in page.words) == (True, False)
    (onward,) = page.tree.xpath("//a[@rel='next']/@href")
    page = await anna.get(onward)

    assert ("ref-1" in page.words, last in page.words) == (False, True)
    assert not page.tree.xpath("//a[@rel='next']")
    made_up = await anna.get(onward[:-1] + ("A" if onward[-1] != "A" else "B"))
    assert "console.cursor" in made_up.words


async def test_the_next_request_is_the_most_urgent_that_this_officer_may_decide(om, held, anna):
    await hand_in(om.town, melding(aanhouding="ja").replace(b"ref-1", b"ref-2"))
    await om.town.settle()
    (other,) = [
        one.id
        for one in await om.town[OM].gateway.deciding.requests(RequestsWanted())
        if one.referentienummer == "ref-2"
    ]

    done = await decide(anna, held[1], await to_the_check(anna, held[1]))
    assert f"/verzoeken/{other}" in done.links()
    done = await decide(anna, other, await to_the_check(anna, other))

    assert "Naar het volgende verzoek" not in done.words
    assert "Naar het postvak" in done.words


async def test_what_a_request_names_is_a_link_where_it_was_asked_here(om, held, anna):
    said = replace(FREE, deel_van="ref-1")
    await hand_in(om.town, melding(aanhouding="ja").replace(b"ref-1", b"ref-2"), said)
    await om.town.settle()
    (other,) = [
        one.id
        for one in await om.town[OM].gateway.deciding.requests(RequestsWanted())
        if one.referentienummer == "ref-2"
    ]

    page = await anna.get(f"/verzoeken/{other}")

    assert "Andere deel vanref-1 · naar dat verzoek" in page.words
    assert f"/verzoeken/{held[1]}" in page.links()
