"""Secure e-mail: the route where there is no agreement, the way out where it can not wait."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from gateway.directory import StandingSpoed
from gateway.errors import NoRoute, PeerUnreachable, PolicyViolation, StoreUnavailable
from gateway.lifecycle import State
from gateway.message import Address
from gateway.pipeline.accounts.people import digest_of
from gateway.pipeline.answers import own_answer
from gateway.pipeline.mail_words import why_by_mail
from gateway.ports import DeliveryChannel, Standing, standing
from gateway.ports.mail import CONFIRM, Deferred, NotProved, Rejected
from gateway.rules.approval import Ground
from gateway.security.smime.seal import TWICE
from gateway.wire import fout, stuf
from tests.flow import letters
from tests.flow.letters import NO_REPLY, PROOF, VT_MAIL
from tests.flow.test_gate import FREE, melding
from tests.flow.test_toets import decide, held
from tests.flow.town import APPLICATIE, HUB, NOW, OM, POLITIE, STANDING, VT

SPOED = {"who": "o.operator", "why": "het kind is nu in gevaar"}


@pytest.fixture
async def mailing(tmp_path):
    town, post = await letters.build(tmp_path)
    yield town, post
    await town.close()


async def hand_in(town, aanlevering=FREE, **filled):
    police = town[POLITIE]
    receipt = await police.gateway.hand_in(melding(**filled), aanlevering, police.backend)
    await town.settle()
    return receipt.id


async def view(town, message):
    return await town[POLITIE].store.reader.message(message)


async def letter_of(town, message):
    found = await view(town, message)
    (one,) = (d for d in found.deliveries if d.channel is DeliveryChannel.MAIL)
    return one


async def stands(town, message):
    found = await view(town, message)
    return standing([d.state for d in found.deliveries], accepted=True)


async def alarms(town):
    return {(a.code, a.reason) for a in await town[POLITIE].store.reader.alarms(limit=20)}


def steps(found, event):
    return [row.event for row in found.trace if row.event.event == event]


# --- the normal route -----------------------------------------------------------------


async def test_what_the_pair_never_agreed_on_goes_by_mail_without_a_ground(mailing):
    town, post = mailing
    await letters.without_agreement(town, "vtMeldingDi01")

    message = await hand_in(town)

    (sent,) = post.letters
    assert sent.recipients == (VT_MAIL,)
    assert sent.sender == letters.POLITIE_MAIL
    letter = await letter_of(town, message)
    assert (letter.state, letter.recipient) == (State.SENT, VT)
    assert letter.id not in sent.reference
    assert await stands(town, message) is Standing.SENT


async def test_a_person_reads_which_message_it_is_and_that_this_is_its_route(mailing):
    town, post = mailing
    await letters.without_agreement(town, "vtMeldingDi01")

    await hand_in(town)

    lines = letters.opened(town, post.letters[0].octets).text.splitlines()
    assert lines[0] == "Melding aan Veilig Thuis (vtMeldingDi01)"
    assert lines[2] == why_by_mail("")[0]
    assert TWICE not in lines


async def test_without_mail_there_is_no_route(mailing):
    town, post = mailing
    await letters.without_agreement(town, "vtMeldingDi01")
    await town[POLITIE].change(mail=None)

    with pytest.raises(NoRoute) as caught:
        await hand_in(town)

    assert caught.value.code == "route.agreement"
    assert post.letters == []


async def test_what_the_om_holds_waits_on_the_mail_route_as_well(mailing):
    town, post = mailing
    await letters.without_agreement(town, "vtMeldingDi01")

    message = await hand_in(town, aanhouding="ja")

    assert (await letter_of(town, message)).state is State.HELD
    assert post.letters == []


async def test_what_the_om_holds_is_not_switched_either_when_a_person_stopped_it(mailing):
    town, _ = mailing
    police = town[POLITIE]
    message = await hand_in(town, aanhouding="ja")
    await police.store.decisions.stop(message, who="o.operator", why="niet meer nodig")

    with pytest.raises(PolicyViolation) as caught:
        await police.gateway.switch_to_mail(message, **SPOED)

    assert caught.value.code == "mail.toets"


async def test_the_gate_is_tested_again_when_the_letter_is_claimed(mailing):
    town, post = mailing
    await letters.without_agreement(town, "vtMeldingDi01")
    police = town[POLITIE]
    receipt = await police.gateway.hand_in(melding(), FREE, police.backend)
    gate = police.snapshots.current().gate

    await police.change(gate=type(gate)(table=gate.table, confirmation=gate.confirmation))
    await town.settle()

    assert (await letter_of(town, receipt.id)).state is State.HELD
    assert post.letters == []


@pytest.mark.parametrize("ground", list(Ground))
async def test_a_row_that_was_edited_into_a_free_letter_does_not_leave(mailing, tmp_path, ground):
    """Past the program: the gate is tested on the octets as well, whatever the row says."""
    town, post = mailing
    await letters.without_agreement(town, "vtMeldingDi01")
    message = await hand_in(town, aanhouding="ja")

    with closing(sqlite3.connect(tmp_path / POLITIE / "gateway.db")) as database:
        database.execute(
            "UPDATE deliveries SET state = 'ready', next_at = 0, approval_id = ?, ground = ?"
            " WHERE channel = 'e-mail'",
            (STANDING.id, str(ground)),
        )
        database.commit()
    await town.settle()

    assert (await letter_of(town, message)).state is State.HELD
    assert post.letters == []


async def test_a_row_that_was_edited_into_a_letter_to_the_hub_does_not_leave(mailing, tmp_path):
    """A hub passes messages on over ebMS; a letter is for its receiver alone."""
    town, post = mailing
    police = town[POLITIE]
    parties = police.snapshots.current().parties
    await police.change(parties={**parties, HUB: replace(parties[HUB], mail=letters.to_vt())})
    message = await stuck(mailing)

    with closing(sqlite3.connect(tmp_path / POLITIE / "gateway.db")) as database:
        database.execute("UPDATE deliveries SET channel = 'e-mail', next_at = 0")
        database.commit()
    town.clock.forward(hours=1)
    await town.settle()

    assert post.letters == []
    assert (await letter_of(town, message)).state is State.HELD


@pytest.mark.parametrize("portal", [False, True], ids=["letter", "portal"])
async def test_a_row_that_was_edited_into_a_letter_to_its_receiver_does_not_leave(
    mailing, tmp_path, portal
):
    """Nobody gave a ground: no row of the audit log says how it became a letter."""
    town, post = mailing
    await letters.set_up(town, portal=portal)
    message = await stuck(mailing)

    with closing(sqlite3.connect(tmp_path / POLITIE / "gateway.db")) as database:
        database.execute(
            "UPDATE deliveries SET channel = 'e-mail', recipient = ?, next_at = 0", (VT,)
        )
        database.commit()
    town.clock.forward(hours=1)
    await town.settle()

    assert post.letters == []
    assert (await letter_of(town, message)).state is State.DEAD
    assert ("delivery.dead", "mail.onverklaard") in await alarms(town)


# --- what comes of it -----------------------------------------------------------------


async def mailed(mailing, *answers):
    town, post = mailing
    await letters.without_agreement(town, "vtMeldingDi01")
    post.answers.extend(answers)
    return await hand_in(town)


async def test_the_proof_of_the_transport_stands_in_the_trace(mailing):
    message = await mailed(mailing)

    (proof,) = steps(await view(mailing[0], message), "mail.proved")
    assert proof.data["mx"] == "mx.vt.example"
    assert proof.data["basis"] == "dane"
    assert proof.data["dnssec"] is True


async def test_not_proved_is_not_sent_but_waits_with_an_alarm_that_says_which_check(mailing):
    town, post = mailing
    message = await mailed(mailing, NotProved(code="dane.mismatch", seen="3 1 1 of another key"))

    assert (await letter_of(town, message)).state is State.READY
    assert ("mail.unproved", "dane.mismatch") in await alarms(town)

    town.clock.forward(minutes=16)
    await town.settle()

    assert (await letter_of(town, message)).state is State.SENT
    assert await alarms(town) == set()
    assert len(post.letters) == 2


async def test_a_mail_server_that_is_down_for_a_day_gets_it_the_day_after(mailing):
    town, _ = mailing
    down = [Deferred(code="smtp.unreachable", seen="no connection")] * 3
    message = await mailed(mailing, *down)
    for _ in range(3):
        town.clock.forward(hours=8)
        await town.settle()

    letter = await letter_of(town, message)
    assert (letter.state, letter.attempt) == (State.SENT, 4)


async def test_a_mail_server_that_stays_down_ends_with_an_alarm(mailing):
    town, post = mailing
    post.answers = [Deferred(code="smtp.deferred", seen="451")] * 4
    message = await mailed(mailing)

    town.clock.forward(hours=49)
    await town.settle()

    assert (await letter_of(town, message)).state is State.DEAD
    assert ("delivery.dead", "delivery.expired") in await alarms(town)


async def test_a_server_that_refuses_for_good_ends_it_with_an_alarm(mailing):
    town, post = mailing
    message = await mailed(mailing, Rejected(code="smtp.rejected", seen="550 5.1.1"))

    assert (await letter_of(town, message)).state is State.DEAD
    assert ("delivery.dead", "smtp.rejected") in await alarms(town)
    assert len(post.letters) == 1


async def test_without_a_reply_after_the_letter_a_person_decides_and_nothing_is_sent_again(mailing):
    town, post = mailing
    message = await mailed(mailing, NO_REPLY)
    town.clock.forward(hours=30)
    await town.settle()

    assert (await letter_of(town, message)).state is State.UNKNOWN
    assert ("delivery.unknown", "smtp.lost") in await alarms(town)
    assert len(post.letters) == 1

    await town[POLITIE].store.decisions.resume(message, who="o.operator", why="nogmaals")
    await town.settle()

    assert (await letter_of(town, message)).state is State.SENT
    assert [e.data["twice"] for e in steps(await view(town, message), "mail.sealed")] == [
        False,
        True,
    ]


async def test_a_letter_without_receipt_goes_to_a_person_not_out_again(mailing):
    town, post = mailing
    message = await mailed(mailing)

    town.clock.forward(hours=5)
    await town.settle()

    assert (await letter_of(town, message)).state is State.UNKNOWN
    assert ("delivery.unknown", "ack.overdue") in await alarms(town)
    assert len(post.letters) == 1


# --- what closes it -------------------------------------------------------------------


async def answered(town, message, name="Bv01Bericht"):
    """Veilig Thuis answers over the hub what came to it by e-mail."""
    known = (await view(town, message)).message
    made = stuf.bv01 if name == "Bv01Bericht" else partial(stuf.fo01, fout=fout.UNDELIVERED)
    octets = made(
        zender=Address(organisatie=VT, applicatie=APPLICATIE[VT]),
        ontvanger=Address(organisatie=POLITIE, applicatie=APPLICATIE[POLITIE]),
        referentienummer=town.dice.uuid(),
        cross_refnummer=known.referentienummer,
        at=town.clock.now(),
    )
    vt = town[VT].gateway
    admission = await own_answer(
        vt._house, vt.snapshots.current(), octets=octets, answered=None, party=VT, at=NOW
    )
    await town[VT].store.inbox.admit(admission)
    await town.settle()


@pytest.mark.parametrize("name", ["Bv01Bericht", "Fo01Bericht"])
async def test_an_answer_of_the_receiver_closes_the_letter_over_whichever_channel_it_came(
    mailing, name
):
    town, _ = mailing
    message = await mailed(mailing)

    await answered(town, message, name)

    assert await stands(town, message) is Standing.DELIVERED
    (receipt,) = steps(await view(town, message), "mail.receipt")
    assert receipt.data["kind"] == name


async def test_an_answer_settles_what_nobody_knew_of(mailing):
    town, _ = mailing
    message = await mailed(mailing, NO_REPLY)
    assert await stands(town, message) is Standing.UNKNOWN

    await answered(town, message)
    await answered(town, message)

    assert await stands(town, message) is Standing.DELIVERED
    assert await alarms(town) == set()
    assert len(steps(await view(town, message), "mail.receipt")) == 1


async def test_with_a_portal_a_person_confirms_by_the_link_in_the_letter(mailing):
    town, post = mailing
    await town[POLITIE].change(mail=letters.own(portal="https://portaal.example"))

    message = await mailed(mailing)

    read = letters.opened(town, post.letters[0].octets)
    (url,) = [line for line in read.text.splitlines() if line.startswith("https://")]
    begin, _, secret = url.rpartition("/")
    assert (begin, len(secret)) == (f"https://portaal.example{CONFIRM}", 64)
    assert secret not in repr(await view(town, message))
    assert await town[POLITIE].store.links.confirm(digest_of(secret))
    assert await stands(town, message) is Standing.DELIVERED


async def test_without_a_portal_no_letter_has_a_link(mailing):
    town, post = mailing

    await mailed(mailing)

    assert "https://" not in letters.opened(town, post.letters[0].octets).text


# --- the way out ----------------------------------------------------------------------


async def stuck(mailing, **filled):
    """A melding that the hub can not take."""
    town, _ = mailing
    town[HUB].up = False
    return await hand_in(town, **filled)


async def test_what_can_not_wait_goes_by_mail_past_the_hub_on_the_ground_of_a_person(mailing):
    town, post = mailing
    message = await stuck(mailing)

    switched = await town[POLITIE].gateway.switch_to_mail(message, **SPOED)
    await town.settle()

    assert (switched.cause, switched.twice) == ("onbereikbaar", True)
    (sent,) = post.letters
    assert sent.recipients == (VT_MAIL,)
    assert (await letter_of(town, message)).state is State.SENT
    assert await stands(town, message) is Standing.SENT
    (told,) = steps(await view(town, message), "delivery.switched")
    assert told.actor == SPOED["who"]
    assert told.data["reason"] == SPOED["why"]
    assert told.data["attempt"] == 1


async def test_what_was_destroyed_is_not_switched(mailing):
    town, _ = mailing
    message = await stuck(mailing)
    police = town[POLITIE]
    await police.store.payloads.destroy(((await view(town, message)).message.payload_id,))

    with pytest.raises(PolicyViolation) as caught:
        await police.gateway.switch_to_mail(message, **SPOED)

    assert caught.value.code == "mail.vernietigd"


async def test_a_person_reads_on_what_ground_it_came_and_that_it_may_come_twice(mailing):
    town, post = mailing
    message = await stuck(mailing)

    await town[POLITIE].gateway.switch_to_mail(message, **SPOED)
    await town.settle()

    lines = letters.opened(town, post.letters[0].octets).text.splitlines()
    assert lines[2:5] == [TWICE, *why_by_mail(SPOED["why"])]
    assert SPOED["who"] not in "".join(lines)


STANDS = StandingSpoed(
    id="acuut-2026",
    messages=frozenset({"vtMeldingDi01"}),
    ground="acuut gevaar voor een kind",
    given_by="B. Bestuurder, directeur",
    valid_from=NOW - timedelta(days=1),
    valid_until=NOW + timedelta(days=30),
)


async def test_on_a_standing_ground_it_goes_by_itself_once_the_route_fails(mailing):
    town, post = mailing
    await letters.set_up(town, spoed=(STANDS,))
    message = await stuck(mailing)

    await town.keep_house()
    await town.keep_house()

    assert len(post.letters) == 1
    (told,) = steps(await view(town, message), "delivery.switched")
    assert (told.actor, told.data["standing"]) == (STANDS.given_by, STANDS.id)
    lines = letters.opened(town, post.letters[0].octets).text.splitlines()
    assert f"Grond: {STANDS.ground}" in lines


@pytest.mark.parametrize(
    "changes",
    [
        {"messages": frozenset({"uciDi01"})},
        {"valid_until": NOW},
        {"valid_from": NOW + timedelta(days=1)},
    ],
    ids=["for another message", "over", "to come"],
)
async def test_a_standing_ground_is_for_its_messages_within_its_time(mailing, changes):
    town, post = mailing
    await letters.set_up(town, spoed=(replace(STANDS, **changes),))
    await stuck(mailing)

    await town.keep_house()

    assert post.letters == []


async def test_a_standing_ground_goes_round_neither_a_route_that_works_nor_the_om(mailing):
    town, post = mailing
    await letters.set_up(town, spoed=(STANDS,))
    await stuck(mailing, aanhouding="ja")
    await town.keep_house()
    town[HUB].up = True

    await town.keep_house()

    assert post.letters == []


async def test_a_message_goes_by_mail_once(mailing):
    town, _ = mailing
    message = await stuck(mailing)
    await town[POLITIE].gateway.switch_to_mail(message, **SPOED)

    with pytest.raises(PolicyViolation) as caught:
        await town[POLITIE].gateway.switch_to_mail(message, **SPOED)

    assert caught.value.code == "mail.al"


async def test_what_works_is_not_gone_round(mailing):
    town, post = mailing
    message = await hand_in(town)

    with pytest.raises(PolicyViolation) as caught:
        await town[POLITIE].gateway.switch_to_mail(message, **SPOED)

    assert caught.value.code == "mail.afgerond"
    assert post.letters == []


async def test_what_was_given_up_goes_on_and_its_alarm_is_over(mailing):
    town, _ = mailing
    message = await stuck(mailing)
    town.clock.forward(days=3)
    await town.settle()
    assert await stands(town, message) is Standing.DEAD

    switched = await town[POLITIE].gateway.switch_to_mail(message, **SPOED)
    await town.settle()

    assert switched.cause == "opgegeven"
    assert await stands(town, message) is Standing.SENT
    assert "delivery.dead" not in {code for code, _ in await alarms(town)}


async def test_what_the_om_holds_does_not_go_round_the_gate_by_mail(mailing):
    town, post = mailing
    message = await stuck(mailing, aanhouding="ja")

    with pytest.raises(PolicyViolation) as caught:
        await town[POLITIE].gateway.switch_to_mail(message, **SPOED)

    assert caught.value.code == "mail.toets"
    assert post.letters == []


async def test_an_approval_that_ended_between_switch_and_claim_holds_the_letter(mailing):
    town, post = mailing
    message = await stuck(mailing)
    await town[POLITIE].gateway.switch_to_mail(message, **SPOED)
    gate = town[POLITIE].snapshots.current().gate

    await town[POLITIE].change(gate=type(gate)(table=gate.table, confirmation=gate.confirmation))
    await town.settle()

    assert (await letter_of(town, message)).state is State.HELD
    assert post.letters == []
    assert gate.approvals == (STANDING,)


async def taken_unheard(town):
    """The hub takes the message, but the police hears nothing: no answer, no acknowledgement."""

    async def half(me, endpoint, message):
        if me == POLITIE:
            await town.carry(me, endpoint.party, message)
        raise PeerUnreachable("peer.timeout", "nothing was heard")

    town.breaks.append(half)
    return await hand_in(town)


async def hears(town):
    """The line is mended, and the hub says again what it had to say."""
    town.breaks.clear()
    town.clock.forward(minutes=1)
    await town[HUB].worker.step()


async def test_a_partner_that_acknowledges_after_all_stops_a_letter_that_is_still_here(mailing):
    town, post = mailing
    message = await taken_unheard(town)
    await town[POLITIE].gateway.switch_to_mail(message, **SPOED)

    await hears(town)
    await town.settle()

    assert await stands(town, message) is Standing.DELIVERED
    assert post.letters == []


async def test_a_partner_that_acknowledges_what_went_by_mail_is_told_to_a_person(mailing):
    town, post = mailing
    message = await taken_unheard(town)
    await town[POLITIE].gateway.switch_to_mail(message, **SPOED)
    await town[POLITIE].worker.step()

    await hears(town)

    assert len(post.letters) == 1
    assert ("delivery.twice", "mail.switched") in await alarms(town)
    assert (await letter_of(town, message)).state is State.SENT
    assert steps(await view(town, message), "delivery.acknowledged")


async def test_a_worker_that_dies_before_the_letter_is_handed_over_sends_it_after_all(mailing):
    town, post = mailing
    await letters.without_agreement(town, "vtMeldingDi01")
    police = town[POLITIE]
    await police.gateway.hand_in(melding(), FREE, police.backend)
    (claim,) = await police.worker._claim(1, sure=True)

    assert claim.channel is DeliveryChannel.MAIL
    town.clock.forward(seconds=1)
    await town.settle()

    assert len(post.letters) == 1


class Dies(Exception):
    pass


async def dies_in_the_attempt(mailing, send):
    """Hand a message in whose first attempt as a letter ends in `send`; return its id."""
    town, post = mailing
    await letters.without_agreement(town, "vtMeldingDi01")
    police = town[POLITIE]
    receipt = await police.gateway.hand_in(melding(), FREE, police.backend)
    (claim,) = await police.worker._claim(1, sure=True)

    post.send = send
    with pytest.raises(Dies):
        await police.gateway.deliver(claim)
    del post.send
    town.clock.forward(seconds=1)
    await town.settle()
    return receipt


async def test_a_worker_that_dies_while_the_transport_is_proved_sends_it_after_all(mailing):
    town, post = mailing

    async def send(letter, way, leaves):
        raise Dies

    receipt = await dies_in_the_attempt(mailing, send)

    assert (await letter_of(town, receipt.id)).state is State.SENT
    assert len(post.letters) == 1


async def test_a_worker_that_dies_while_the_letter_is_handed_over_leaves_it_to_a_person(mailing):
    town, post = mailing

    async def send(letter, way, leaves):
        await leaves(PROOF)
        post.letters.append(letter)
        raise Dies

    receipt = await dies_in_the_attempt(mailing, send)

    assert (await letter_of(town, receipt.id)).state is State.UNKNOWN
    assert ("delivery.unknown", "worker.lost") in await alarms(town)
    assert len(post.letters) == 1


async def test_a_letter_that_was_taken_is_not_sent_again_because_an_alarm_can_not_be_written(
    mailing, monkeypatch
):
    town, post = mailing
    await letters.without_agreement(town, "vtMeldingDi01")
    alarms = town[POLITIE].gateway._house.alarms
    change = alarms.change

    async def fails_behind_the_letter(**changes):
        if post.letters:
            raise StoreUnavailable("store.unreachable", "the database does not answer")
        await change(**changes)

    monkeypatch.setattr(alarms, "change", fails_behind_the_letter)

    message = await hand_in(town)
    town.clock.forward(minutes=2)
    await town.settle()

    assert len(post.letters) == 1
    assert (await letter_of(town, message)).state is State.SENT


# --- what one decision of the OM let go -----------------------------------------------


@pytest.fixture
async def decided(tmp_path):
    """The OM released a message that the hub does not take."""
    town, post = await letters.build(tmp_path, parties=(POLITIE, HUB, VT, OM))

    async def hub_is_deaf(me, _endpoint, message):
        if me == POLITIE and b">vtMeldingDi01<" in message.body:
            raise PeerUnreachable("peer.timeout", "nothing was heard")

    town.breaks.append(hub_is_deaf)
    receipt = await held(town)
    await decide(town)
    town[HUB].up = False
    town.clock.forward(minutes=1)
    await town.settle()
    yield town, post, receipt.id
    await town.close()


async def test_the_decision_goes_with_the_message_to_the_letter(decided):
    town, post, message = decided
    (ruling,) = await town[POLITIE].store.holds.rulings(message)

    await town[POLITIE].gateway.switch_to_mail(message, **SPOED)
    await town.settle()

    assert len(post.letters) == 1
    assert (await letter_of(town, message)).state is State.SENT
    assert await town[POLITIE].store.holds.late(ruling.id)


async def test_the_decision_lets_the_same_letter_be_tried_again_but_no_second_one(
    decided, tmp_path
):
    town, post, message = decided
    post.answers = [Deferred(code="smtp.deferred", seen="451"), NO_REPLY]
    await town[POLITIE].gateway.switch_to_mail(message, **SPOED)
    await town.settle()
    town.clock.forward(minutes=16)
    await town.settle()
    assert len(post.letters) == 2

    with closing(sqlite3.connect(tmp_path / POLITIE / "gateway.db")) as database:
        letter = (await letter_of(town, message)).id
        database.execute("UPDATE rulings SET delivery = 'another' WHERE delivery = ?", (letter,))
        database.execute(
            "UPDATE deliveries SET id = 'another', state = 'ready', next_at = 0 WHERE id = ?",
            (letter,),
        )
        database.commit()
    await town.settle()

    assert len(post.letters) == 2
    assert (await letter_of(town, message)).state is State.HELD


async def test_a_decision_that_ends_while_the_transport_is_proved_holds_the_letter(
    decided, tmp_path
):
    town, post, message = decided

    async def send(letter, way, leaves):
        with closing(sqlite3.connect(tmp_path / POLITIE / "gateway.db")) as database:
            database.execute("UPDATE rulings SET ended_at = 1")
            database.commit()
        await leaves(PROOF)
        post.letters.append(letter)

    post.send = send
    await town[POLITIE].gateway.switch_to_mail(message, **SPOED)
    await town.settle()
    town.clock.forward(minutes=1)
    await town.settle()

    assert post.letters == []
    assert (await letter_of(town, message)).state is State.HELD
