"""Operator, beheerder and compliance in the console, each with what is his."""

import json
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from gateway.config_algorithms import Weakness
from gateway.credentials import UserRole
from gateway.lifecycle import State
from gateway.pipeline import Weigering
from gateway.ports import Alarm, Answer
from gateway.ports.overview import TrailWanted
from gateway.store.tables import deliveries
from gateway.web.console.charts import bars
from gateway.web.console.pages.compliance.log import as_csv
from tests.consoles import console, refused_by_vt
from tests.flow import letters
from tests.flow import town as towns
from tests.flow.test_gate import hand_in, melding
from tests.flow.test_toets import decide, state_of
from tests.flow.town import HUB, NOW, OM, POLITIE, VT
from tests.weak import allowing


@pytest.fixture
async def police(tmp_path):
    async with console(tmp_path, POLITIE) as made:
        yield made


@asynccontextmanager
async def visiting(police, login, role):
    user = await police.user(login, role)
    async with police.browser() as browser:
        await browser.sign_in(user)
        browser.user = user
        yield browser


@pytest.fixture
async def otto(police):
    async with visiting(police, "otto", UserRole.OPERATOR) as browser:
        yield browser


@pytest.fixture
async def olga(police):
    async with visiting(police, "olga", UserRole.OPERATOR) as browser:
        yield browser


@pytest.fixture
async def bea(police):
    async with visiting(police, "bea", UserRole.BEHEERDER) as browser:
        yield browser


@pytest.fixture
async def cor(police):
    async with visiting(police, "cor", UserRole.COMPLIANCE) as browser:
        yield browser


@pytest.fixture
async def delivered(police):
    receipt = await hand_in(police.town, melding())
    await police.town.settle()
    return receipt


# --- operator -------------------------------------------------------------------------


async def test_today_counts_what_lies_where(police, delivered, otto):
    await hand_in(police.town, melding(aanhouding="ja").replace(b"ref-1", b"ref-2"))

    page = await otto.get("/vandaag")
    live = json.loads((await otto.get("/vandaag/stand")).text)

    assert live["vastgehouden"] == "1"
    assert "1 vastgehouden tot het OM beslist" in page.words.replace("1vast", "1 vast")
    assert "knooppunt" in page.words


async def test_today_on_an_empty_installation_says_what_there_is_not(otto):
    page = await otto.get("/vandaag")

    for text in ("Er staat geen alarm open.", "nog naar niemand", "kwam nog geen bericht in"):
        assert text in page.words


async def test_messages_are_found_by_status_reference_and_case(police, delivered, otto):
    for query in ("", "?status=bezorgd", "?kenmerk=ref-1", "?soort=vtMeldingDi01", "?richting=uit"):
        assert "ref-1" in (await otto.get(f"/berichten{query}")).words, query
    none = await otto.get("/berichten?kenmerk=anders")
    assert "Niets past bij deze filters." in none.words
    wrong = await otto.get("/berichten?sinds=gisteren")
    assert wrong.status == 422

    page = await otto.post("/berichten/zoeken", {"zaak": "PL0000-2026000001"})

    assert "PL0000" not in page.path
    assert "ref-1" in page.words


async def test_a_message_shows_its_trace_and_none_of_its_content(police, delivered, otto):
    page = await otto.get(f"/berichten/{delivered.id}")

    assert "Ontvangst bevestigd door de ontvanger" in page.words
    assert "Proefpersoon" not in page.text
    assert "999990019" not in page.text
    assert (await otto.get("/berichten/anders")).status == 404


async def test_messages_are_paged_newest_first(police, otto):
    for n in range(53):
        await hand_in(police.town, melding(aanhouding="x").replace(b"ref-1", b"ref-%d" % (100 + n)))

    first = await otto.get("/berichten")
    (onward,) = first.tree.xpath("//a[@rel='next']/@href")
    second = await otto.get(onward)

    assert "ref-152" in first.words
    assert "ref-152" not in second.words
    assert "ref-126" in second.words
    assert "/berichten" in second.links()
    assert (await otto.get(onward + "x")).status == 422


async def test_a_held_message_is_stopped_with_a_reason_by_the_operator_only(police, otto, bea):
    receipt = await hand_in(police.town, melding(aanhouding="ja"))
    (delivery,) = (await police.town[POLITIE].store.reader.message(receipt.id)).deliveries
    path = f"/berichten/{receipt.id}/leveringen/{delivery.id}/staak"
    await bea.get(f"/berichten/{receipt.id}")
    assert (await bea.post(path, {"reden": "mag niet"})).status == 403
    await otto.get(f"/berichten/{receipt.id}")
    assert (await otto.post(path, {})).status == 422

    page = await otto.post(path, {"reden": "dubbel aangeleverd"})

    assert "gestaakt" in page.words
    view = await police.town[POLITIE].store.reader.message(receipt.id)
    assert view.deliveries[0].state is State.DEAD
    (event,) = [row.event for row in view.trace if row.event.event == "delivery.stopped"]
    assert (event.actor, event.data["reason"]) == ("otto", "dubbel aangeleverd")


async def test_an_alarm_is_dealt_with(police, otto):
    store = police.town[POLITIE].store
    await store.alarms.change(raised=(Alarm(code="partner.down", subject=HUB, party=HUB),))
    page = await otto.get("/alarmen")
    assert "De partner is niet bereikbaar." in page.words
    (alarm,) = await store.reader.alarms(limit=5)
    assert (await otto.post(f"/alarmen/{alarm.id}/af", {})).status == 422

    done = await otto.post(f"/alarmen/{alarm.id}/af", {"reden": "gebeld"})

    assert "Er staat geen alarm open." in done.words
    assert await store.reader.alarms(limit=5) == ()


async def test_somebody_looks_at_an_alarm_and_everybody_sees_it(police, otto, bea):
    store = police.town[POLITIE].store
    await store.alarms.change(raised=(Alarm(code="partner.down", subject=HUB, party=HUB),))
    (alarm,) = await store.reader.alarms(limit=5)
    assert "Wie kijkt ernaarniemand" in (await otto.get("/alarmen")).words

    page = await otto.post(f"/alarmen/{alarm.id}/kijkt", {})
    assert "Anderen zien nu dat u ernaar kijkt." in page.words
    assert "u, sinds" in page.words
    assert "otto, sinds" in (await bea.get("/alarmen")).words
    assert "u kijkt ernaar" in (await otto.get("/vandaag")).words

    page = await bea.post(f"/alarmen/{alarm.id}/kijkt", {})
    assert "u, sinds" in page.words
    assert "Ik neem het over" in (await otto.get("/alarmen")).words
    page = await bea.post(f"/alarmen/{alarm.id}/los", {})
    assert "Wie kijkt ernaarniemand" in page.words
    assert (await bea.post("/alarmen/99/kijkt", {})).status == 404


async def test_sending_to_a_partner_is_held_and_goes_on(police, otto, bea):
    town = police.town
    page = await otto.get(f"/verzending/{HUB}")
    assert "Verzending stilzetten" in page.words
    assert (await otto.post(f"/verzending/{HUB}/stil", {})).status == 422
    page = await otto.post(f"/verzending/{HUB}/stil", {"reden": "storing bij het knooppunt"})
    assert "De verzending staat stil." in page.words
    assert "storing bij het knooppunt" in page.words

    receipt = await hand_in(town, melding())
    await town.settle()
    assert await state_of(town, receipt) is State.READY
    assert "verzending staat stil sinds" in (await otto.get("/vandaag")).words

    page = await otto.post(f"/verzending/{HUB}/verder", {"reden": "storing voorbij"})
    assert "De verzending gaat verder." in page.words
    await town.settle()
    assert await state_of(town, receipt) is State.DELIVERED
    twice = await otto.post(f"/verzending/{HUB}/verder", {"reden": "storing voorbij"})
    assert "partner.gaat" in twice.words
    assert (await otto.get(f"/verzending/{POLITIE}")).status == 404
    assert (await bea.get(f"/verzending/{HUB}")).status == 403


async def test_what_a_recipient_refused_is_listed_with_who_must_act(police, otto, bea, cor):
    town = police.town
    assert "Er staat geen geweigerd bericht open." in (await otto.get("/geweigerd")).words
    receipt = await hand_in(town, melding())
    await town.settle()
    await refused_by_vt(town, Weigering(code="X1", omschrijving="Jan Jansen is hier onbekend"))

    page = await otto.get("/geweigerd")

    assert f"/berichten/{receipt.id}" in page.text
    assert "<td>veilig-thuis<br>" in page.text, "the knooppunt only brought it"
    assert "X1" in page.words
    assert "wie het weigerde: oorzaak wegnemen" in page.words
    assert "Jansen" not in page.text
    trace = await otto.get(f"/berichten/{receipt.id}")
    assert "X1" in trace.words
    assert "Jansen" not in trace.text
    assert "X1" in (await bea.get("/geweigerd")).words
    assert (await cor.get("/geweigerd")).status == 403


async def test_what_was_refused_goes_again_with_a_reason(police, otto, bea):
    town = police.town
    await town[POLITIE].change(backends=(town[POLITIE].backend,))
    receipt = await hand_in(town, melding())
    await town.settle()
    await refused_by_vt(town, Weigering(code="X1", omschrijving="Onbekend"))
    page = await otto.get(f"/berichten/{receipt.id}")
    assert "geweigerd door de ontvanger" in page.words
    assert "FoutcodeX1" in page.words
    assert "geweigerd door de ontvanger" in (await otto.get("/berichten")).words
    only = await otto.get("/berichten?status=Fo01Bericht")
    assert [link for link in only.links() if receipt.id in link]
    assert "Status: geweigerd door de ontvanger" in only.words
    assert "Opnieuw aanbieden" not in (await bea.get(f"/berichten/{receipt.id}")).words
    await otto.get(f"/berichten/{receipt.id}")

    wrong = await otto.post(f"/berichten/{receipt.id}/opnieuw", {"reden": ""})
    done = await otto.post(f"/berichten/{receipt.id}/opnieuw", {"reden": "schema hersteld"})

    assert (wrong.status, done.status) == (422, 200)
    assert "Het bericht is opnieuw aangeboden" in done.words
    assert f"/berichten/{receipt.id}" in done.links()
    await town.settle()
    old = await otto.get(f"/berichten/{receipt.id}")
    assert done.path.split("?")[0] in old.links()
    assert "Er staat geen geweigerd bericht open." in (await otto.get("/geweigerd")).words
    assert "vervangen door een ander" in (await otto.get("/geweigerd?wat=alles")).words
    await otto.get(f"/berichten/{receipt.id}")
    twice = await otto.post(f"/berichten/{receipt.id}/opnieuw", {"reden": "schema hersteld"})
    assert "opnieuw.vervangen" in twice.words


async def test_an_operator_lets_what_can_not_wait_go_on_by_mail(police, otto, bea):
    town = police.town
    town[HUB].up = False
    receipt = await hand_in(town, melding())
    await town.settle()
    path = f"/berichten/{receipt.id}"
    assert "Kan dit niet wachten?" not in (await otto.get(path)).words
    await letters.set_up(town)
    assert "Kan dit niet wachten?" not in (await bea.get(path)).words

    page = await otto.get(path)
    assert "Kan dit niet wachten?" in page.words
    wrong = await otto.post(f"{path}/email", {"reden": "spoed"})
    assert "Geef in 10 tot 200 tekens de grond" in wrong.words
    done = await otto.post(f"{path}/email", {"reden": "het kind is nu in gevaar"})

    assert "Het bericht gaat verder per beveiligde e-mail." in done.words
    assert "omgezet" in done.words
    assert "gaat verder per beveiligde e-mail · mail.switched" in done.words
    assert "Laatste fout" not in done.words
    assert "het kind is nu in gevaar" in done.words
    assert "Kan dit niet wachten?" not in done.words
    twice = await otto.post(f"{path}/email", {"reden": "het kind is nu in gevaar"})
    assert "mail.al" in twice.words


async def test_an_operator_asks_the_receiver_whether_he_has_it(police, otto, bea):
    town = police.town
    receipt = await hand_in(town, melding())
    path = f"/berichten/{receipt.id}"
    button = "Vraag de ontvanger"
    assert button not in (await otto.get(path)).words  # nothing was sent yet

    async def acknowledgments_are_lost(me, _endpoint, message):
        return Answer(status=503) if me == HUB and b">Acknowledgment<" in message.body else None

    town.breaks.append(acknowledgments_are_lost)
    await town[POLITIE].worker.step()
    assert button not in (await bea.get(path)).words
    page = await otto.get(path)
    (form,) = [one for one in page.tree.xpath("//form/@action") if one.endswith("/navraag")]
    done = await otto.post(form, {})
    town[HUB].up = False
    silent = await otto.post(form, {})

    assert button in page.words
    assert "De ontvanger zegt dat hij het bericht heeft." in done.words
    assert "Received" in done.words
    assert "otto" in done.words
    assert "De ontvanger gaf geen bruikbaar antwoord" in silent.words
    assert (await bea.post(form, {})).status == 403
    elsewhere = f"{path}/leveringen/een-andere/navraag"
    assert (await otto.post(elsewhere, {})).status == 404
    view = await town[POLITIE].store.reader.message(receipt.id)
    assert view.deliveries[0].state is State.SENT


async def refusal(police, otto):
    """Return the address of a message of the police that VT refused."""
    town = police.town
    await town[POLITIE].change(backends=(town[POLITIE].backend,))
    receipt = await hand_in(town, melding())
    await town.settle()
    await refused_by_vt(town, Weigering(code="X1", omschrijving="Onbekend"))
    path = f"/berichten/{receipt.id}"
    await otto.get(path)
    return path


class LoseTheAcknowledgment:
    """Unit: nobody knows any more whether it arrived."""

    def run(self, tx):
        tx.write(sa.update(deliveries).values(state=str(State.UNKNOWN)))


async def test_each_form_of_a_message_has_a_reason_of_its_own(police, otto):
    path = await refusal(police, otto)
    await police.town[POLITIE].store._writer.commit(LoseTheAcknowledgment())

    asked = await otto.get(path)
    silent = await otto.post(f"{path}/opnieuw", {})

    for page in (asked, silent):
        reasons = page.tree.xpath("//input[@name='reden']/@id")
        assert len(reasons) == 2
        for one in reasons:
            assert len(page.tree.xpath(f"//*[@id='{one}']")) == 1
            assert len(page.tree.xpath(f"//label[@for='{one}']")) == 1
    (link,) = silent.tree.xpath("//*[@role='alert']//a/@href")
    assert silent.tree.xpath(f"//form[contains(@action, '/opnieuw')]//input[@id='{link[1:]}']")


async def test_a_refusal_is_taken_seen_by_others_and_free_again_after_a_while(police, otto, olga):
    path = await refusal(police, otto)
    assert "niemand" in (await otto.get("/geweigerd")).words

    page = await otto.post(f"{path}/neem", {})
    assert "Anderen zien nu dat u dit in behandeling hebt." in page.words
    assert "In behandeling biju, tot" in page.words
    assert "otto, tot" in (await olga.get("/geweigerd")).words
    page = await olga.get(path)
    assert "Ik neem het over" in page.words
    for form, said in (
        ("opnieuw", {"reden": "schema hersteld"}),
        ("sluit", {"grond": "niet_nodig", "toelichting": "gebeld"}),
        ("laat", {}),
    ):
        await olga.get(path)
        assert "geweigerd.genomen" in (await olga.post(f"{path}/{form}", said)).words

    await olga.get(path)
    assert "In behandeling biju, tot" in (await olga.post(f"{path}/neem", {})).words
    assert "geweigerd.genomen" in (await otto.post(f"{path}/laat", {})).words
    await olga.get(path)
    page = await olga.post(f"{path}/laat", {})
    assert "Anderen kunnen dit nu in behandeling nemen." in page.words
    await otto.get(path)
    await otto.post(f"{path}/neem", {})
    police.town.clock.forward(hours=4)
    async with visiting(police, "oda", UserRole.OPERATOR) as oda:
        assert "niemand" in (await oda.get("/geweigerd")).words


async def test_a_refusal_is_closed_on_a_ground_without_sending_anything(police, otto, bea):
    path = await refusal(police, otto)
    assert "Afsluiten zonder" not in (await bea.get(path)).words
    assert (await bea.post(f"{path}/sluit", {})).status == 403
    wrong = await otto.post(f"{path}/sluit", {"grond": "zomaar", "toelichting": ""})
    assert wrong.status == 422
    assert "Kies een grond." in wrong.words
    assert "Geef in 3 tot 200 tekens een toelichting." in wrong.words

    said = {"grond": "anders_gemeld", "toelichting": "gebeld met de ontvanger"}
    page = await otto.post(f"{path}/sluit", said)

    assert "Afgesloten. Het staat niet meer in de lijst Geweigerd." in page.words
    assert "gebeld met de ontvanger" in page.words
    assert "op een andere manier gemeld" in page.words
    assert "Een medewerker sloot de weigering af" in page.words
    assert "In behandeling nemen" not in page.words
    assert "Opnieuw aanbieden" in page.words
    assert "Er staat geen geweigerd bericht open." in (await otto.get("/geweigerd")).words
    assert "afgesloten: op een andere" in (await bea.get("/geweigerd?wat=alles")).words
    await otto.get(path)
    assert "geweigerd.klaar" in (await otto.post(f"{path}/sluit", said)).words


async def test_it_is_said_until_when_a_refusal_can_go_again_and_that_it_is_too_late(police, otto):
    path = await refusal(police, otto)
    assert "Opnieuw aan te bieden tot" in (await otto.get(path)).words
    assert "nog 23 u 59 min" in (await otto.get("/geweigerd")).words
    message = (await police.town[POLITIE].store.reader.message(path.split("/")[-1])).message
    police.town.clock.forward(hours=25)
    async with visiting(police, "olga", UserRole.OPERATOR) as olga:
        page = await olga.get(path)
        assert "De termijn is voorbij, maar de inhoud staat er nog." in page.words

        await police.town[POLITIE].store.payloads.destroy((message.payload_id,))
        page = await olga.get(path)

        assert "De termijn is voorbij: de inhoud is na haar bewaartermijn" in page.words
        assert f"{path}/opnieuw" not in page.text
        assert "Afsluiten zonder opnieuw aan te bieden" in page.words
        assert "voorbij: de inhoud is vernietigd" in (await olga.get("/geweigerd")).words


# --- beheerder ------------------------------------------------------------------------


async def test_a_beheerder_sees_partners_and_agreements_in_words(bea):
    page = await bea.get("/partners")
    assert "knooppunt" in page.words

    partner = await bea.get(f"/partners/{HUB}")

    assert "cpa_politie_osb-rm-e" in partner.words
    assert "van kracht" in partner.words
    assert "van het adres staat niet in het servercertificaat" in partner.words
    assert (await bea.get("/partners/niemand")).status == 404
    for path in ("/certificaten", "/schemas", "/systemen"):
        assert (await bea.get(path)).status == 200, path


async def test_a_beheerder_sees_what_a_partner_may_still_use(police, bea):
    installation = police.town[POLITIE]
    parties = installation.snapshots.current().parties
    assert "Uitzonderingen" not in (await bea.get(f"/partners/{HUB}")).words
    party = allowing(parties[HUB], Weakness.RSA15, until=NOW + timedelta(days=10))
    party = replace(
        party,
        exceptions=(*party.exceptions, replace(party.exceptions[0], what=Weakness.SHA1, until=NOW)),
    )
    await installation.change(parties={**parties, HUB: party})

    words = (await bea.get(f"/partners/{HUB}")).words

    assert "Uitzonderingen op de algoritmen" in words
    assert "rsa-1.5adapter wordt vervangenvan kracht tot en met 2026-12-04" in words
    assert "sha1-controlerenadapter wordt vervangengeëindigd tot en met 2026-11-24" in words


async def test_a_beheerder_adds_changes_recovers_and_closes_a_user(police, bea):
    await bea.get("/nieuwe-gebruiker")
    wrong = await bea.post("/nieuwe-gebruiker", {"login": "Wrong!", "naam": "", "rol": "operator"})
    assert wrong.status == 422

    added = await bea.post(
        "/nieuwe-gebruiker", {"login": "piet", "naam": "P. Piet", "rol": "operator"}
    )

    assert "Activatiecode voor P. Piet" in added.words
    account = await police.people.accounts.find_login("piet")
    path = f"/gebruikers/{account.id}"
    await bea.get(path)
    changed = await bea.post(f"{path}/wijzigen", {"naam": "P. Piet", "rol": "compliance"})
    assert "gewijzigd" in changed.words
    assert (await bea.post(f"{path}/herstellen", {})).status == 422
    assert "Activatiecode" in (await bea.post(f"{path}/herstellen", {"reden": "kwijt"})).words
    assert "gesloten" in (await bea.post(f"{path}/sluiten", {"reden": "weg"})).words
    events = [e.event for e in await audited_all(police)]
    for name in ("user_added", "user_changed", "user_recovered", "user_closed"):
        assert f"console.{name}" in events


async def audited_all(om):
    rows = await om.town[om.oin].store.reader.audit(after=0, limit=10_000)
    return [row.event for row in rows]


async def test_nobody_changes_his_own_rights(police, bea):
    await bea.get(f"/gebruikers/{bea.user.id}")

    page = await bea.post(f"/gebruikers/{bea.user.id}/wijzigen", {"naam": "Bea", "rol": "operator"})

    assert page.status == 422
    assert "Uw eigen rechten" in page.words
    account = await police.people.accounts.find(bea.user.id)
    assert account.roles == {UserRole.BEHEERDER}


async def test_a_recovered_user_is_out_at_once(police, bea):
    piet = await police.user("piet", UserRole.OPERATOR)
    async with police.browser() as browser:
        await browser.sign_in(piet)
        await bea.get(f"/gebruikers/{piet.id}")

        await bea.post(f"/gebruikers/{piet.id}/herstellen", {"reden": "telefoon kwijt"})

        assert (await browser.get("/vandaag")).path.startswith("/aanmelden")


async def test_users_are_filtered_and_looked_for_without_a_name_in_the_address(police, bea):
    await police.user("piet", UserRole.OPERATOR)

    assert "piet" in (await bea.get("/gebruikers?rol=operator&status=actief")).words
    keepers = await bea.get("/gebruikers?rol=beheerder")
    assert "piet" not in keepers.words
    assert "bea" in keepers.words
    found = await bea.post("/gebruikers/zoeken", {"naam": "PIE"})

    assert "pie" not in found.path.lower()
    assert "/gebruikers?zoek=" in found.path
    listed = [a.text for a in found.tree.xpath("//tbody//a")]
    assert listed == ["piet"]
    assert "Niets past bij deze filters." in (await bea.get("/gebruikers?status=gesloten")).words
    assert (await bea.post("/gebruikers/zoeken", {"naam": " "})).path == "/gebruikers"


# --- compliance -----------------------------------------------------------------------


async def test_the_log_is_filtered_and_looking_is_logged(police, delivered, cor):
    page = await cor.get("/verstrekkingen?wat=verstrekkingen")

    assert "Ontvangst bevestigd door de ontvanger" in page.words
    assert "Aangeleverd door het eigen systeem" not in page.words
    rows = await police.town[POLITIE].store.reader.audit(after=0, limit=10_000)
    (event,) = [row.event for row in rows if row.event.event == "console.looked"]
    assert (event.actor, event.data["filter_wat"]) == ("cor", "verstrekkingen")


async def test_a_delivery_is_found_by_its_kenmerk_with_all_that_happened(police, delivered, cor):
    await hand_in(police.town, melding().replace(b"ref-1", b"ref-2"))
    await police.town.settle()

    page = await cor.get("/verstrekkingen?kenmerk=ref-1")

    assert "Ontvangst bevestigd door de ontvanger" in page.words
    assert "Aangeleverd door het eigen systeem" in page.words
    rows = await shown(police, cor, kenmerk="ref-1")
    assert {row["bericht"] for row in rows} == {delivered.id}
    assert await shown(police, cor, kenmerk="ref-9") == []


async def shown(police, cor, **filters):
    await cor.get("/verstrekkingen")
    fields = {"vorm": "jsonl", "doel": "controle van de maand", **filters}
    found = await cor.post("/verstrekkingen/export", fields, proof=cor.last.proof())
    return [json.loads(line) for line in found.text.splitlines()]


async def test_the_log_is_filtered_by_ground_decision_and_officer(tmp_path):
    town = await towns.build(tmp_path / "town", parties=(POLITIE, HUB, VT, OM))
    async with (
        console(tmp_path, POLITIE, town=town) as police,
        visiting(police, "cor", UserRole.COMPLIANCE) as cor,
    ):
        await hand_in(town, melding())
        held = await hand_in(town, melding(aanhouding="ja").replace(b"ref-1", b"ref-2"))
        await town.settle()
        await decide(town)

        standing = await shown(police, cor, grond="doorlopend")
        decided = await shown(police, cor, grond="individueel")
        ruled = await shown(police, cor, besluit="vrijgeven", wie="ANDERS")

        assert [row["gebeurtenis"] for row in standing] == ["message.released"]
        assert [row["gebeurtenis"] for row in decided] == ["delivery.released"]
        assert {row["bericht"] for row in (*decided, *ruled)} == {held.id}
        assert [row["gebeurtenis"] for row in ruled] == ["toets.ruled"]
        assert await shown(police, cor, besluit="nietVrijgeven") == []
        assert await shown(police, cor, wie="%") == []
    await town.close()


async def test_a_period_that_can_not_be_read_is_said(cor):
    page = await cor.get("/verstrekkingen?van=morgen")

    assert page.status == 422
    assert "jjjj-mm-dd" in page.words


async def test_an_export_asks_a_purpose_and_says_the_same(police, delivered, cor):
    await cor.get("/verstrekkingen")
    assert (await cor.post("/verstrekkingen/export", {"vorm": "csv"})).status == 422
    await cor.get("/verstrekkingen")
    fields = {"vorm": "jsonl", "doel": "controle van de maand", "wat": "verstrekkingen"}

    found = await cor.post("/verstrekkingen/export", fields, proof=cor.last.proof())

    assert found.headers["Content-Disposition"].startswith('attachment; filename="verstrekking')
    assert found.headers["Content-Security-Policy"] == "sandbox"
    lines = [json.loads(line) for line in found.text.splitlines()]
    assert {line["gebeurtenis"] for line in lines} <= {
        "delivery.acknowledged", "delivery.sent", "postvak.shown", "postvak.confirmed",
    }  # fmt: skip
    assert all(len(line["hash"]) == 64 for line in lines)


async def test_formulas_are_defused_in_csv(police, delivered):
    trail = await police.office.overview.trail(TrailWanted(), below=None, limit=1)
    from dataclasses import replace

    row = replace(trail.rows[0], event=replace(trail.rows[0].event, actor="=cmd()"))

    assert "'=cmd()" in as_csv([row])


async def test_a_case_is_one_timeline_and_its_number_stands_in_no_address(police, delivered, cor):
    await cor.get("/zaken")

    page = await cor.post("/zaken", {"zaak": "PL0000-2026000001"})

    assert "PL0000" not in page.path
    assert "ref-1" in page.words
    assert page.tree.xpath("//*[local-name()='svg']//*[local-name()='circle']")
    message = await cor.get(f"/log/berichten/{delivered.id}")
    assert "Proefpersoon" not in message.text
    other = await cor.post("/zaken", {"zaak": "anders"})
    assert "geen bericht met dit nummer" in other.words


async def test_compliance_sees_users_and_changes_none(police, bea, cor):
    page = await cor.get("/gebruikers")
    assert "bea" in page.words
    assert "Gebruiker toevoegen" not in page.words
    await cor.get(f"/gebruikers/{bea.user.id}")

    refused = await cor.post(f"/gebruikers/{bea.user.id}/sluiten", {"reden": "mag niet"})

    assert refused.status == 403


async def test_every_change_of_rights_is_listed_with_who_did_it(police, bea, cor):
    piet = await police.user("piet", UserRole.OPERATOR)
    await bea.get(f"/gebruikers/{piet.id}")
    await bea.post(f"/gebruikers/{piet.id}/wijzigen", {"naam": "Piet", "rol": "beheerder"})
    await bea.post(f"/gebruikers/{piet.id}/herstellen", {"reden": "telefoon kwijt"})

    page = await cor.get(f"/gebruikers/{piet.id}")
    of_all = await cor.get("/rechten")
    of_one = await cor.get(f"/rechten?gebruiker={piet.id}")

    for shown in (page, of_all, of_one):
        assert "was: operator" in shown.words
        assert "telefoon kwijt" in shown.words
    assert "cor" in [cell.text for cell in of_all.tree.xpath("//tbody/tr/td[2]")]
    assert {cell.text for cell in of_one.tree.xpath("//tbody/tr/td[2]")} == {"piet"}
    assert (await cor.get("/rechten?gebruiker=niemand")).status == 200


async def test_a_session_that_another_ends_says_whose_it_was(police, bea, cor):
    piet = await police.user("piet", UserRole.OPERATOR)
    async with police.browser() as browser:
        await browser.sign_in(piet)
        await bea.get(f"/gebruikers/{piet.id}")
        (session,) = await police.people.accounts.sessions(account=piet.id)
        await bea.post(f"/gebruikers/{piet.id}/sessies/{session.id}/einde")

    page = await cor.get(f"/rechten?gebruiker={piet.id}")

    assert "Sessie beëindigd" in page.words


def test_bars_are_by_the_largest_and_something_is_never_nothing():
    found = bars([("09:00", 1_000), ("10:00", 1), ("11:00", 0)])

    assert [row.width for row in found.rows] == [200, 1, 0]
    assert found.highest.label == "09:00"
    assert bars([]).highest is None
