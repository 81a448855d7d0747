"""Every way round the OM that we know of, tried. What is criminal stays where it is."""

import sqlite3
from base64 import b64encode
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509

from gateway import snapshots
from gateway.catalogue import Role
from gateway.config import GateMode
from gateway.directory import CLOSED, InForce
from gateway.errors import (
    DuplicateConflict,
    IllegalTransition,
    Misconfigured,
    PolicyViolation,
    Refused,
)
from gateway.lifecycle import State
from gateway.message import Aanlevering
from gateway.pipeline import answers
from gateway.pipeline.desk import own_signing
from gateway.pipeline.trying import Oordeel
from gateway.ports import Direction, RequestsWanted, VerdictState
from gateway.ports.overview import TrailWanted
from gateway.rules import officers
from gateway.rules.approval import Ground
from gateway.security.enveloped import sign_document
from gateway.web.console.pages.compliance import log
from gateway.wire import stuf, toets, toets_make
from gateway.wire.ebms2.cpa import read_cpa
from gateway.wire.ebms2.cpa_make import CpaSpec, make_cpa
from gateway.wire.toets import Besluit, Uitkomst, Voorwaarde
from tests.flow import town as towns
from tests.flow.test_gate import FREE, hand_in, melding
from tests.flow.test_toets import (
    RELEASE,
    arrived,
    at_hub,
    decide,
    held,
    state_of,
    the_request,
    with_gate,
    without_rules,
)
from tests.flow.town import HALT, HUB, OM, POLITIE, VT, leaf
from tests.sealing import Keys

CRIMINAL = {"aanhouding": "ja, ter plaatse"}


@pytest.fixture
async def town(tmp_path):
    made = await towns.build(tmp_path, parties=(POLITIE, HUB, VT, OM))
    yield made
    await made.close()


@pytest.fixture
def attempts(town):
    """Where the police tried to send a melding to; an Action is never encrypted."""
    found = []

    async def hear(me, endpoint, message):
        if me == POLITIE and b">vtMeldingDi01<" in message.body:
            found.append(endpoint.party)

    town.breaks.append(hear)
    return found


async def nothing_left(town, receipt, attempts, state=State.HELD):
    """Now, after a while, after housekeeping: it is where it was, and nothing was tried."""
    for hours in (0, 1, 100):
        town.clock.forward(hours=hours)
        await town.settle()
        await town.keep_house()
        assert await state_of(town, receipt) is state
    assert attempts == []
    assert not {"vtMeldingDi01", TO_BOTH} & set(await arrived(town))


# --- the label ------------------------------------------------------------------------

INNOCENT = (
    FREE,
    Aanlevering(acuut=True, onderzoek=False, wpg_artikel="8"),
    Aanlevering(acuut=False, onderzoek=False, wpg_artikel="13"),
)


@pytest.mark.parametrize("aanlevering", INNOCENT)
async def test_an_innocent_label(town, attempts, aanlevering):
    receipt = await hand_in(town, melding(**CRIMINAL), aanlevering)

    assert receipt.held
    await nothing_left(town, receipt, attempts)


async def test_another_message_around_the_same_words(town, attempts):
    """The words of an answer or of the gate's own messages are never handed in."""
    octets = melding(**CRIMINAL)
    for name in ("Bv01Bericht", "Fo01Bericht", toets.VOORWAARDEN, toets.BESLUIT):
        renamed = octets.replace(b"vtMeldingDi01", name.encode())
        with pytest.raises(Refused):
            await hand_in(town, renamed)
    await town.settle()

    assert attempts == []


async def test_the_same_referentienummer_with_kinder_words_after_the_decision(town, attempts):
    receipt = await held(town)
    with pytest.raises(DuplicateConflict):
        await hand_in(town, melding())
    await decide(town)

    with pytest.raises(DuplicateConflict):
        await hand_in(town, melding(aanhouding="ja", aangifte="ja"))
    await town.settle()

    assert await state_of(town, receipt) is State.DELIVERED
    assert attempts == [HUB]


async def test_a_dry_run_sends_and_stores_nothing(town, attempts):
    police = town[POLITIE]
    trial = await police.gateway.try_out(melding(**CRIMINAL), FREE, police.backend)
    await town.settle()

    assert trial.oordeel is Oordeel.HELD
    assert await police.message("ref-1") is None
    assert attempts == []


# --- the decision ---------------------------------------------------------------------


async def say(town, *, key=OM, **changes):
    """Send a decision as the OM's installation would, with something else in it."""
    om = town[OM]
    deciding, directory = om.gateway.deciding, om.snapshots.current()
    request, at = await the_request(town), town.clock.now()
    said = {
        "identificatie": "besluit-9",
        "verzoek": request.id,
        "sha256": request.payload_sha256,
        "ontvangers": (request.recipient,),
        "uitkomst": Uitkomst.VRIJGEVEN,
        "grond": "Aanwijzing 15.1",
        "te_melden": "",
        "voorwaarden": (),
        "officier": officers.as_told(directory.officers[0]),
        "tabelversie": request.table_version,
        "genomen_op": at,
        "geldig_tot": at + timedelta(hours=24),
        "bekend": False,
    }
    besluit = Besluit(**(said | changes))
    stuur = answers.stuur(deciding._house, directory, POLITIE, at)
    document = signed(toets_make.make_besluit(besluit, stuur), key, own_signing(directory, at))
    message = await deciding._to_holder(directory, document, at, facts={})
    await om.store.inbox.admit(message)
    await town.settle()
    return document


def signed(octets, key, signing):
    one = leaf(key, "sign")
    signer = Keys(one).signer(one.certificate)
    mine = replace(signing, certificate=one.certificate)
    return stuf.read_document(sign_document(octets, signer=signer, signing=mine))


async def codes(town):
    rows = await town[POLITIE].store.reader.audit(after=0, limit=500)
    return {row.event.code for row in rows}


WRONG = {
    "another payload": ({"sha256": "ab" * 32}, "toets.besluit.inhoud"),
    "another receiver": ({"ontvangers": (HALT,)}, "toets.besluit.ontvanger"),
    "no receiver of ours": ({"ontvangers": (OM, HUB)}, "toets.besluit.ontvanger"),
    "an older table": ({"tabelversie": "2020-01-01"}, "toets.besluit.tabel"),
    "another question": ({"verzoek": "d-999-0"}, "toets.besluit.los"),
    "the hub's word": ({"key": HUB}, "toets.signature.party"),
    "the receiver's word": ({"key": VT}, "toets.signature.party"),
    "the police's own word": ({"key": POLITIE}, "toets.signature.party"),
}


@pytest.mark.parametrize(("changes", "code"), WRONG.values(), ids=list(WRONG))
async def test_a_decision_that_is_not_for_this(town, attempts, changes, code):
    receipt = await held(town)

    await say(town, **changes)

    assert code in await codes(town)
    await nothing_left(town, receipt, attempts)


async def test_a_decision_that_ended_on_its_way(town, attempts):
    receipt = await held(town)
    town[POLITIE].up = False
    await say(town, geldig_tot=town.clock.now() + timedelta(minutes=5))
    town.clock.forward(minutes=6)
    town[POLITIE].up = True

    await nothing_left(town, receipt, attempts)


def without_the_om():
    """The trust of the town, with the OM's certificate on the list."""
    pki, one = towns.pki(), leaf(OM, "sign")
    pki.revoke(one, at=towns.NOW - timedelta(hours=1))
    try:
        return pki.trust()
    finally:
        del pki._revoked[x509.load_der_x509_certificate(one.certificate).serial_number]


async def test_a_decision_by_a_revoked_certificate(town, attempts):
    receipt = await held(town)
    await town[POLITIE].change(trust=without_the_om())

    await say(town)

    await nothing_left(town, receipt, attempts)


async def test_a_certificate_that_is_revoked_before_it_leaves(town, attempts):
    receipt = await released_while_down(town)
    await town[POLITIE].change(trust=without_the_om())

    town.clock.forward(seconds=61)
    await town.settle()

    assert await state_of(town, receipt) is State.HELD
    assert await town[VT].message("ref-1") is None


async def test_a_replayed_decision(town, attempts):
    """The same words again, for what was held anew because the table changed."""
    receipt = await held(town)
    town.breaks.insert(0, _down(POLITIE))
    await hand_in(town, melding().replace(b"ref-1", b"ref-2"))
    await town.settle()
    document = await say(town)
    gate = town[POLITIE].snapshots.current().gate
    newer = replace(gate.table, version="T-2")
    word = replace(gate.confirmation, table_version="T-2")
    await town[POLITIE].change(gate=replace(gate, table=newer, confirmation=word))
    town.breaks.pop(0)
    town.clock.forward(seconds=61)
    await town.settle()
    assert await state_of(town, receipt) is State.HELD

    om, at = town[OM], town.clock.now()
    again = document.octets.replace(
        document.stuurgegevens.referentienummer.encode(), b"11111111-1111-4111-8111-111111111111"
    )
    for octets in (document.octets, again):
        replayed = stuf.read_document(octets)
        message = await om.gateway.deciding._to_holder(
            om.snapshots.current(), replayed, at, facts={}
        )
        await om.store.inbox.admit(message)
        await town.settle()

    assert await state_of(town, receipt) is State.HELD
    assert "vtMeldingDi01" not in await arrived(town)


async def test_silence(town, attempts):
    receipt = await held(town)
    town.clock.forward(days=60)

    await nothing_left(town, receipt, attempts)


async def test_a_clock_that_is_set_back(town, attempts):
    receipt = await held(town)
    await town[POLITIE].store.queue.heartbeat(worker="w")
    request = await the_request(town)
    town.clock.forward(hours=-3)

    await town[OM].gateway.deciding.decide(request.id, officer="anders", wish=RELEASE)
    await town.settle()

    assert await state_of(town, receipt) is State.HELD
    assert attempts == []


# --- the database and the administrator -----------------------------------------------


def tamper(folder, statement, at=POLITIE, **values):
    with closing(sqlite3.connect(folder / at / "gateway.db")) as file, file:
        assert file.execute(statement, values).rowcount > 0


def _down(oin):
    async def breaks(me, endpoint, message):
        if me == oin:
            raise towns.PeerUnreachable("peer.unreachable", "down")

    return breaks


async def released_while_down(town):
    """A delivery that is ready under a decision, and was not sealed yet."""
    receipt = await held(town)
    town.breaks.insert(0, _down(POLITIE))
    await hand_in(town, melding().replace(b"ref-1", b"ref-2"))
    await town.settle()
    await decide(town)
    assert await state_of(town, receipt) is State.READY
    town.breaks.pop(0)
    return receipt


EDITS = {
    "made ready": "UPDATE deliveries SET state = 'ready', next_at = 0 WHERE message = :m",
    **{
        f"made {ground}": "UPDATE deliveries SET state = 'ready', next_at = 0, "
        f"ground = '{ground}', table_version = :t WHERE message = :m"
        for ground in (Ground.NOT_GATED, Ground.FORWARDED, Ground.OWN, "", "iets")
    },
    "given the approval of another": (
        "UPDATE deliveries SET state = 'ready', next_at = 0, ground = 'doorlopend', "
        f"approval_id = '{towns.STANDING.id}', table_version = :t WHERE message = :m"
    ),
    "made an answer": (
        "UPDATE deliveries SET state = 'ready', next_at = 0, ground = 'eigen', kind = 'bericht', "
        "table_version = :t WHERE message = :m AND :m IN (SELECT id FROM messages)"
    ),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=list(EDITS))
async def test_a_row_that_is_changed_in_the_database(town, attempts, tmp_path, edit):
    receipt = await held(town)
    table = town[POLITIE].snapshots.current().gate.table.version

    tamper(tmp_path, edit, m=receipt.id, t=table) if ":t" in edit else tamper(
        tmp_path, edit, m=receipt.id
    )

    await nothing_left(town, receipt, attempts)


async def test_conditions_that_the_receiver_has_not_accepted_yet(town, attempts, tmp_path):
    receipt = await held(town)
    terms = (Voorwaarde(code="V1", tekst="Alleen voor triage.", aanvaarding=True),)
    wish = replace(RELEASE, outcome=Uitkomst.ONDER_VOORWAARDEN, conditions=terms)
    await decide(town, wish)
    assert await state_of(town, receipt) is State.HELD
    (ruling,) = await town[POLITIE].store.holds.rulings(receipt.id)

    freed = (
        "UPDATE deliveries SET state = 'ready', next_at = 0, ground = 'individueel', "
        "approval_id = :r WHERE message = :m"
    )
    tamper(tmp_path, freed, m=receipt.id, r=ruling.id)

    town.clock.forward(hours=1)
    await town.settle()
    assert await state_of(town, receipt) is State.HELD
    assert attempts == []


async def test_what_the_om_is_asked_sent_over_the_agreement_of_another(town, attempts, tmp_path):
    """The request has the octets in it that are held."""
    agreement = direct()
    for party in (POLITIE, VT):
        known = town[party].snapshots.current().agreements
        await town[party].change(agreements={**known, agreement.cpa_id: agreement})
    town.breaks.insert(0, _down(POLITIE))
    receipt = await hand_in(town, melding(**CRIMINAL))
    await town.settle()
    town.breaks.pop(0)
    tamper(
        tmp_path,
        "UPDATE deliveries SET cpa_id = 'cpa_direct', sealed_id = NULL, action = 'vtMeldingDi01', "
        "service = (SELECT service FROM deliveries WHERE message = :m) "
        "WHERE action = 'opsporingsbelangVerzoekDi01'",
        m=receipt.id,
    )

    for minutes in (2, 10, 60):
        town.clock.forward(minutes=minutes)
        await town.settle()

    assert VT not in attempts
    assert await arrived(town) == []
    rows = await town[VT].store.reader.audit(after=0, limit=200)
    assert [row.event.event for row in rows if row.event.message] == []


async def two_who_decide(town, police):
    """At the knooppunt: its own officers decide for Halt, and for the police as said."""
    parties = town[HUB].snapshots.current().parties
    halt = replace(parties[VT], oin=HALT, gate=GateMode.HERE)
    held = {POLITIE: replace(parties[POLITIE], gate=police), HALT: halt}
    await town[HUB].change(parties={**parties, **held})


OF_HALT = f"UPDATE messages SET party = '{HALT}', zender = '{HALT}' WHERE kind = 'vtMeldingDi01'"


async def test_another_om_is_not_asked_because_of_a_row(town, tmp_path):
    await two_who_decide(town, GateMode.DECISION)
    await without_rules(town)
    await hand_in(town, melding(**CRIMINAL))
    await town.settle()
    assert await at_hub(town) is State.HELD

    tamper(tmp_path, OF_HALT, at=HUB)
    await town.keep_house()

    assert await town[HUB].gateway.deciding.requests(RequestsWanted()) == ()
    (alarm,) = await town[HUB].store.reader.alarms(limit=5)
    assert (alarm.code, alarm.reason) == ("toets.geen_route", "toets.geen_om")


@pytest.mark.parametrize(
    ("police", "state"), [(GateMode.HERE, State.DELIVERED), (GateMode.DECISION, State.HELD)]
)
async def test_what_another_om_decided_releases_nothing_because_of_a_row(
    town, tmp_path, police, state
):
    await two_who_decide(town, GateMode.HERE)
    await without_rules(town)
    await hand_in(town, melding(**CRIMINAL))
    await town.settle()
    await town.keep_house()
    request = await the_request(town, HUB)
    down = _down(HUB)
    town.breaks.insert(0, down)
    await town[HUB].gateway.deciding.decide(request.id, officer="bos", wish=RELEASE)
    await town.settle()
    town.breaks.remove(down)
    assert await at_hub(town) is State.READY

    await two_who_decide(town, police)
    tamper(tmp_path, OF_HALT, at=HUB)
    if police is GateMode.DECISION:
        tamper(tmp_path, "UPDATE rulings SET seen = id", at=HUB)
    town.clock.forward(seconds=61)
    await town.settle()

    assert await at_hub(town) is state


async def test_another_om_is_not_who_was_asked_because_of_a_row(town, tmp_path):
    await two_who_decide(town, GateMode.HERE)
    await without_rules(town)
    await hand_in(town, melding(**CRIMINAL))
    await town.settle()
    await town.keep_house()
    request = await the_request(town, HUB)
    await two_who_decide(town, GateMode.DECISION)
    tamper(tmp_path, OF_HALT, at=HUB)

    with pytest.raises(PolicyViolation) as caught:
        await town[HUB].gateway.deciding.decide(request.id, officer="bos", wish=RELEASE)
    assert caught.value.code == "toets.besluit.partij"


TO_BOTH = "ucobDi01"
"""The police may send it to the OM and to Veilig Thuis."""


async def called_the_om(town, oin):
    """At the police: a partner of its file has the role om, and is who decides."""
    police = town[POLITIE].snapshots.current()
    parties = {**police.parties, oin: replace(police.parties[oin], role=Role.OM)}
    deciding = police.deciding.model_copy(update={"om": oin})
    await town[POLITIE].change(parties=parties, deciding=deciding)


async def test_a_receiver_that_a_file_calls_the_om(town, attempts):
    await called_the_om(town, VT)

    receipt = await hand_in(town, melding(name=TO_BOTH))
    await town.settle()

    assert receipt.held
    await nothing_left(town, receipt, attempts)


async def test_the_om_of_a_file_is_not_asked_and_decides_nothing(town, attempts):
    """The request has the octets in it that are held."""
    await called_the_om(town, VT)
    receipt = await hand_in(town, melding(name=TO_BOTH))
    await town.settle()
    await town.keep_house()

    assert await town[POLITIE].store.holds.unasked(limit=5) != ()
    (alarm,) = await town[POLITIE].store.reader.alarms(limit=5)
    assert (alarm.code, alarm.reason) == ("toets.geen_route", "toets.geen_om")
    await nothing_left(town, receipt, attempts)


async def test_reasons_that_are_taken_from_the_row_before_the_om_is_asked(town, tmp_path):
    """By their categories the OM knows whether a second officer confirms."""
    deciding = town[POLITIE].snapshots.current().deciding
    nobody = deciding.model_copy(update={"om": VT})
    await town[POLITIE].change(deciding=nobody)
    await hand_in(town, melding(**CRIMINAL))
    tamper(tmp_path, "UPDATE holds SET reasons = '[]'")
    await town[POLITIE].change(deciding=deciding)
    await town.settle()
    await town.keep_house()

    request = await the_request(town)
    assert [one.category for one in request.reasons] == ["aanhouding"]


async def test_a_police_that_a_file_calls_something_else(town):
    police, before = town[POLITIE].store, town[POLITIE].snapshots.current()
    await snapshots._take_in(before, police)
    other = replace(before.parties[POLITIE], role=Role.HALT)
    after = replace(before, gate=CLOSED, parties={**before.parties, POLITIE: other})

    with pytest.raises(Misconfigured) as caught:
        await snapshots._take_in(after, police)
    assert caught.value.code == "gate.role"


AT_THE_OM = {
    "the content of another": "message = (SELECT r.message FROM requests r WHERE r.id <> :r)",
    "another digest": f"payload_sha256 = '{'ab' * 32}'",
    "another receiver": f"recipient = '{HALT}'",
    "without reasons": "reasons = '[]'",
    "another table": "table_version = 'T-0'",
    "another asker": "asker = 'niemand'",
    "another holder": f"holder = '{VT}'",
}
"""What a row of a request may say, where the request itself says something else."""


@pytest.mark.parametrize("edit", AT_THE_OM.values(), ids=list(AT_THE_OM))
async def test_a_request_that_is_changed_in_the_database_of_the_om(town, attempts, tmp_path, edit):
    """An officer reads and decides on what was sent, or on nothing."""
    receipt = await held(town)
    await hand_in(town, melding(registraties=["kinderlijk"]).replace(b"ref-1", b"ref-2"))
    await town.settle()
    om = town[OM].gateway.deciding
    asked = await om.requests(RequestsWanted())
    one = next(r for r in asked if r.referentienummer == "ref-1")
    tamper(tmp_path, f"UPDATE requests SET {edit} WHERE id = :r", at=OM, r=one.id)

    with pytest.raises(PolicyViolation) as reading:
        await om.read(one.id, officer="anders", purpose="toets")
    with pytest.raises(PolicyViolation) as deciding:
        await om.decide(one.id, officer="anders", wish=RELEASE)
    assert reading.value.code == deciding.value.code == "toets.verzoek.veranderd"
    (alarm,) = await town[OM].store.reader.alarms(limit=5)
    assert (alarm.code, alarm.subject) == ("toets.verzoek.veranderd", one.id)
    await nothing_left(town, receipt, attempts)


async def proposed(town):
    """A release that waits for a second officer: what is held, and the verdict."""
    receipt = await held(town)
    settings = town[OM].snapshots.current().deciding
    asks = settings.model_copy(update={"tweede_officier": ("aanhouding",)})
    await town[OM].change(deciding=asks)
    terms = (Voorwaarde(code="V1", tekst="Alleen voor triage.", aanvaarding=False),)
    wish = replace(RELEASE, outcome=Uitkomst.ONDER_VOORWAARDEN, conditions=terms)
    verdict = await decide(town, wish)
    assert verdict.state is VerdictState.PROPOSED
    return receipt, verdict


PROPOSED = {
    "another outcome": "outcome = 'vrijgeven', conditions = '[]'",
    "other conditions": "conditions = replace(conditions, 'Alleen voor triage', 'Vrij te delen')",
    "another ground": "ground = 'Geen'",
    "another officer": "officer = 'bos'",
    "for longer": "valid_until = valid_until + 86400000000",
    "known to the receiver": "known = 1",
}


@pytest.mark.parametrize("edit", PROPOSED.values(), ids=list(PROPOSED))
async def test_a_second_officer_confirms_only_what_the_first_proposed(
    town, attempts, tmp_path, edit
):
    receipt, verdict = await proposed(town)
    second = "anders" if edit.startswith("officer") else "bos"

    tamper(tmp_path, f"UPDATE verdicts SET {edit} WHERE id = :v", at=OM, v=verdict.id)

    await not_confirmed(town, receipt, attempts, verdict, second)


@pytest.mark.parametrize("taken", ["withdraw", "reject"])
async def test_what_an_officer_took_back_is_not_confirmed(town, attempts, tmp_path, taken):
    receipt, verdict = await proposed(town)
    who = "anders" if taken == "withdraw" else "bos"
    await getattr(town[OM].gateway.deciding, taken)(verdict.id, officer=who, why="nieuw feit")

    again = f"state = '{VerdictState.PROPOSED}', withdrawn_at = NULL, second = ''"
    tamper(tmp_path, f"UPDATE verdicts SET {again} WHERE id = :v", at=OM, v=verdict.id)

    await not_confirmed(town, receipt, attempts, verdict, "bos")


async def not_confirmed(town, receipt, attempts, verdict, second):
    with pytest.raises(PolicyViolation) as caught:
        await town[OM].gateway.deciding.confirm(verdict.id, officer=second)
    assert caught.value.code == "toets.besluit.veranderd"
    (alarm,) = await town[OM].store.reader.alarms(limit=5)
    assert (alarm.code, alarm.subject) == ("toets.besluit.veranderd", verdict.request)
    await nothing_left(town, receipt, attempts)


async def test_one_login_is_not_two_officers(town, attempts):
    """Whoever may say which officer a login is, gives it another one in between."""
    receipt = await held(town)
    settings = town[OM].snapshots.current().deciding
    asks = settings.model_copy(update={"tweede_officier": ("aanhouding",)})
    await town[OM].change(deciding=asks)
    om, request = town[OM].gateway.deciding, await the_request(town)
    verdict = await om.decide(request.id, officer="anders", wish=RELEASE, account="a-1")

    with pytest.raises(PolicyViolation) as caught:
        await om.confirm(verdict.id, officer="bos", account="a-1")
    assert caught.value.code == "toets.vier_ogen"
    await town.settle()
    assert (await state_of(town, receipt), attempts) == (State.HELD, [])

    await om.confirm(verdict.id, officer="bos", account="a-2")
    await town.settle()
    assert await state_of(town, receipt) is State.DELIVERED


async def test_a_user_of_the_police_who_is_an_officer_decides_nothing(town, attempts):
    """Who typed it stands in the message; the OM's own program need not have looked."""
    typed = b"<StUF:gebruiker>MR. Q. ANDERS</StUF:gebruiker></StUF:zender>"
    octets = melding(**CRIMINAL).replace(b"</StUF:zender>", typed)
    receipt = await hand_in(town, octets)
    await town.settle()
    officer = officers.as_told(town[OM].snapshots.current().officers[0])

    await say(town, officier=replace(officer, identificatie="piket", naam="mr. Q. Anders"))

    assert "toets.besluit.vier_ogen" in await codes(town)
    await nothing_left(town, receipt, attempts)


UNSAID = {
    "a running investigation": (replace(FREE, onderzoek=True), "onderzoek = 0"),
    "an investigation unsaid": (replace(FREE, onderzoek=None), "onderzoek = 0"),
    "another article": (replace(FREE, wpg_artikel=None), f"wpg_artikel = '{FREE.wpg_artikel}'"),
}
"""What alone holds a message without criminal fields, and a row that says it was never said."""


@pytest.mark.parametrize(("said", "edit"), UNSAID.values(), ids=list(UNSAID))
@pytest.mark.parametrize("label", ["kept", "of another", "gone"])
async def test_what_was_said_at_the_hand_in_changed_in_the_database(
    town, attempts, tmp_path, said, edit, label
):
    free = await hand_in(town, melding().replace(b"ref-1", b"ref-8"))
    await town.settle()
    attempts.clear()
    receipt = await hand_in(town, melding(), said)
    await town.settle()
    assert receipt.held
    table = town[POLITIE].snapshots.current().gate.table.version

    tamper(tmp_path, f"UPDATE messages SET {edit} WHERE id = :m", m=receipt.id)
    tamper(tmp_path, EDITS["given the approval of another"], m=receipt.id, t=table)
    if label != "kept":
        other = "(SELECT label FROM payloads JOIN messages f ON f.payload_id = payloads.id"
        mark = f"{other} WHERE f.id = :f)" if label == "of another" else "NULL AND :f = :f"
        tamper(
            tmp_path,
            f"UPDATE payloads SET label = {mark} "
            "WHERE id IN (SELECT payload_id FROM messages WHERE id = :m)",
            m=receipt.id,
            f=free.id,
        )

    town.clock.forward(hours=1)
    await town.settle()
    assert await state_of(town, receipt) is State.HELD
    assert attempts == []


async def test_the_message_relabelled_in_the_database(town, attempts, tmp_path):
    receipt = await held(town)
    table = town[POLITIE].snapshots.current().gate.table.version
    tamper(
        tmp_path,
        f"UPDATE messages SET kind = 'Bv01Bericht', direction = '{Direction.OWN}' WHERE id = :m",
        m=receipt.id,
    )
    tamper(tmp_path, EDITS["made eigen"], m=receipt.id, t=table)

    await nothing_left(town, receipt, attempts)


async def test_a_decision_that_is_written_into_the_database(town, attempts, tmp_path):
    """All rows as after a release; only the signed document is not for this question."""
    other = await held(town)
    await decide(town)
    attempts.clear()
    before = await arrived(town)
    receipt = await hand_in(town, melding(aanhouding="nog iemand").replace(b"ref-1", b"ref-9"))
    await town.settle()
    police = town[POLITIE].store
    (hold,) = await police.holds.of_message(receipt.id)
    table = town[POLITIE].snapshots.current().gate.table.version
    tamper(
        tmp_path,
        "INSERT INTO rulings SELECT 'nagemaakt', :h, :d, at, releases, outcome, recipient, :s, "
        "table_version, officer, told, conditions, decided_at, valid_until, signer, document, "
        "NULL, NULL, NULL, NULL, '', known FROM rulings",
        h=hold.id,
        d=hold.delivery,
        s=hold.payload_sha256,
    )
    tamper(
        tmp_path,
        "UPDATE deliveries SET state = 'ready', next_at = 0, ground = 'individueel', "
        "approval_id = 'nagemaakt', table_version = :t WHERE id = :d",
        t=table,
        d=hold.delivery,
    )
    town.clock.forward(seconds=61)
    await town.settle()

    assert await state_of(town, receipt) is State.HELD
    assert await state_of(town, other) is State.DELIVERED
    assert await arrived(town) == before
    assert attempts == []


async def test_a_decision_whose_receiver_is_changed_in_the_database(town, tmp_path):
    receipt = await released_while_down(town)
    tamper(tmp_path, "UPDATE rulings SET payload_sha256 = :s", s="ab" * 32)
    town.clock.forward(seconds=61)
    await town.settle()

    assert await state_of(town, receipt) is State.HELD


REVIVED = (
    "UPDATE rulings SET ended_at = NULL, ended_why = '' WHERE id = :r",
    (
        "UPDATE deliveries SET state = 'ready', next_at = 0, ground = 'individueel', "
        "approval_id = :r, table_version = :t WHERE message = :m"
    ),
)
"""What stands in the rows of a decision that is in force."""


async def revived(town, tmp_path, receipt, verdict):
    table = town[POLITIE].snapshots.current().gate.table.version
    facts = {"r": verdict.id, "t": table, "m": receipt.id}
    for edit in REVIVED:
        tamper(tmp_path, edit, **{k: v for k, v in facts.items() if f":{k}" in edit})
    town.clock.forward(seconds=61)
    await town.settle()


async def decided_while_down(town):
    """Ready under a decision, and nothing of it was tried."""
    receipt = await held(town)
    town.breaks.insert(0, _down(POLITIE))
    await hand_in(town, melding().replace(b"ref-1", b"ref-2"))
    await town.settle()
    verdict = await decide(town)
    assert await state_of(town, receipt) is State.READY
    town.breaks.pop(0)
    return receipt, verdict


async def test_a_decision_in_force_whose_rows_are_written_again_goes(town, tmp_path):
    """What the next two tests write does let go what the OM still stands by."""
    receipt, verdict = await decided_while_down(town)

    await revived(town, tmp_path, receipt, verdict)

    assert await state_of(town, receipt) is State.DELIVERED


async def test_a_decision_that_was_withdrawn_is_not_revived_in_the_database(town, tmp_path):
    receipt, verdict = await decided_while_down(town)
    await town[OM].gateway.deciding.withdraw(verdict.id, officer="anders", why="nieuw feit")
    await town.settle()
    assert await state_of(town, receipt) is State.HELD

    await revived(town, tmp_path, receipt, verdict)

    assert await state_of(town, receipt) is State.HELD
    assert await town[VT].message("ref-1") is None


async def test_a_withdrawn_decision_under_another_name_in_the_database(town, tmp_path):
    """It goes by what the OM signed, not by the id of a row."""
    receipt, verdict = await decided_while_down(town)
    await town[OM].gateway.deciding.withdraw(verdict.id, officer="anders", why="nieuw feit")
    await town.settle()

    tamper(tmp_path, "UPDATE rulings SET id = 'ander'")
    await revived(town, tmp_path, receipt, replace(verdict, id="ander"))

    assert await state_of(town, receipt) is State.HELD
    assert await town[VT].message("ref-1") is None


async def test_a_decision_that_was_used_releases_no_replay(town, attempts, tmp_path):
    """The rows as they stood before the first attempt: nothing in them tells of it."""
    receipt, verdict = await decided_while_down(town)
    town.clock.forward(seconds=61)
    await town.settle()
    assert await state_of(town, receipt) is State.DELIVERED
    assert attempts.count(HUB) == 2  # with ref-2
    attempts.clear()

    unsent = "sealed_id = NULL, signed_references = '[]', attempt = 0, delivered_at = NULL"
    tamper(tmp_path, f"UPDATE deliveries SET {unsent} WHERE message = :m", m=receipt.id)
    tamper(tmp_path, "UPDATE messages SET message_id = 'nieuw@politie' WHERE id = :m", m=receipt.id)
    tamper(tmp_path, "UPDATE rulings SET used_at = NULL")
    await revived(town, tmp_path, receipt, verdict)

    assert await state_of(town, receipt) is State.HELD
    assert attempts == []


async def test_an_attempt_that_failed_is_made_again_under_the_same_decision(tmp_path):
    town = await towns.build(tmp_path, parties=(POLITIE, HUB, VT, OM), retries=8, seconds=3_600)
    receipt = await held(town)
    down = _down(POLITIE)
    town.breaks.append(down)
    await decide(town)
    view = await town[POLITIE].store.reader.message(receipt.id)
    assert view.deliveries[0].attempt > 0  # signed, and perhaps arrived
    town.breaks.remove(down)

    town.clock.forward(hours=2)
    await town.settle()

    assert await state_of(town, receipt) is State.DELIVERED
    await town.close()


async def test_a_decision_whose_row_was_gone_when_it_was_withdrawn(town, tmp_path):
    receipt, verdict = await decided_while_down(town)
    tamper(tmp_path, "UPDATE rulings SET id = 'weg'")
    await town[OM].gateway.deciding.withdraw(verdict.id, officer="anders", why="nieuw feit")
    await town.settle()
    assert "toets.besluit.vreemd" in await codes(town)

    tamper(tmp_path, "UPDATE rulings SET id = :r", r=verdict.id)
    await revived(town, tmp_path, receipt, verdict)

    assert await state_of(town, receipt) is State.HELD
    assert await town[VT].message("ref-1") is None


@pytest.mark.parametrize("more", ["", ", seen = id"], ids=["table", "as at a second gate"])
async def test_a_decision_by_a_table_of_before_is_not_revived_in_the_database(town, tmp_path, more):
    receipt, verdict = await decided_while_down(town)
    gate = town[POLITIE].snapshots.current().gate
    word = replace(gate.confirmation, table_version="T-2")
    newer = replace(gate.table, version="T-2")
    await town[POLITIE].change(gate=replace(gate, table=newer, confirmation=word))
    town.clock.forward(seconds=61)
    await town.settle()
    assert await state_of(town, receipt) is State.HELD

    tamper(tmp_path, f"UPDATE rulings SET table_version = 'T-2'{more}")
    await revived(town, tmp_path, receipt, verdict)

    assert await state_of(town, receipt) is State.HELD
    assert await town[VT].message("ref-1") is None


async def test_what_was_withdrawn_too_late_is_not_sent_again_by_hand(tmp_path):
    town = await towns.build(tmp_path, parties=(POLITIE, HUB, VT, OM), retries=8, seconds=3_600)
    receipt = await held(town)
    away = [_down(POLITIE)]
    town.breaks.insert(0, away[0])
    verdict = await decide(town)
    view = await town[POLITIE].store.reader.message(receipt.id)
    assert view.deliveries[0].attempt > 0  # sealed, and perhaps arrived
    await town[OM].gateway.deciding.withdraw(verdict.id, officer="anders", why="nieuw feit")
    await town.settle()
    town.breaks.remove(away[0])
    town.clock.forward(hours=2)
    await town.settle()
    assert await state_of(town, receipt) is State.HELD

    for ground in (Ground.NOT_GATED, Ground.OWN, Ground.FORWARDED):
        table = town[POLITIE].snapshots.current().gate.table.version
        tamper(tmp_path, EDITS[f"made {ground}"], m=receipt.id, t=table)
        town.clock.forward(hours=1)
        await town.settle()

    assert await state_of(town, receipt) is State.HELD
    assert await town[VT].message("ref-1") is None
    await town.close()


async def test_an_administrator_who_sends_it_again(town, attempts):
    receipt = await held(town)
    (hold,) = await town[POLITIE].store.holds.of_message(receipt.id)

    with pytest.raises((IllegalTransition, Refused)):
        await town[POLITIE].store.decisions.resume(hold.delivery, who="beheer", why="haast")

    await nothing_left(town, receipt, attempts)


async def test_what_was_refused_is_not_sent_again(town, attempts):
    receipt = await held(town)
    wish = replace(RELEASE, outcome=Uitkomst.NIET, told="Belang van opsporing.")
    await decide(town, wish)
    (hold,) = await town[POLITIE].store.holds.of_message(receipt.id)

    for act in ("resume", "stop"):
        with pytest.raises((IllegalTransition, Refused)):
            await getattr(town[POLITIE].store.decisions, act)(hold.delivery, who="b", why="haast")
    again = await hand_in(town, melding(aanhouding="ja, ter plaatse"))

    assert (again.id, again.fresh) == (receipt.id, False)
    await nothing_left(town, receipt, attempts, State.WITHHELD)


async def test_a_postvak_shows_nothing_that_is_held(town):
    """A police and a receiver that are both at the knooppunt itself."""
    await with_gate(town, GateMode.HERE)
    await town[POLITIE].change(
        gate=replace(
            towns.directory(POLITIE).gate,
            table=replace(towns.directory(POLITIE).gate.table, rules=()),
        )
    )
    await hand_in(town, melding(**CRIMINAL))
    await town.settle()
    hub = town[HUB]
    for party, applicaties in ((VT, ("VT",)), (HUB, ("GBO",)), (OM, ("OM",))):
        found = await hub.store.postvak.take(
            party=party,
            applicaties=applicaties,
            consumer="x",
            limit=5,
            lease=timedelta(minutes=5),
            gate=InForce(),
        )
        assert "vtMeldingDi01" not in [item.message.kind for item in found]


VT_HERE, BACKUP = towns.APPLICATIE[VT], "BEHEER"
"""Applicaties of the receiver; the message is for the first."""


async def received_at_the_hub(town):
    """The receiver has no access point: two systems of its own look at the knooppunt."""
    await with_gate(town, GateMode.HERE)
    await without_rules(town)
    hub = town[HUB]
    parties = hub.snapshots.current().parties
    here = replace(parties[VT], local=True, applicaties=(VT_HERE, BACKUP))
    await hub.change(parties={**parties, VT: here})
    await hand_in(town, melding(**CRIMINAL))
    await town.settle()
    await town.keep_house()


async def looks(town, applicatie):
    """Return what the system of an applicatie of the receiver is shown."""
    backend = replace(town[VT].backend, applicaties=(applicatie,))
    found = await town[HUB].gateway.collect(backend, (applicatie,), limit=5, lease=LEASE)
    return [item.message.kind for item in found]


LEASE = timedelta(minutes=5)


@pytest.mark.parametrize("edit", ["", "state = 'ready', ground = 'eigen', next_at = 0, "])
async def test_the_postvak_of_another_applicatie_of_the_receiver(town, tmp_path, edit):
    await received_at_the_hub(town)
    where = "WHERE channel = 'postvak' AND recipient = :vt"
    moved = f"UPDATE deliveries SET {edit}applicatie = :a {where}"
    for applicatie in (BACKUP, VT_HERE):
        tamper(tmp_path, moved, at=HUB, a=applicatie, vt=VT)
        assert await looks(town, BACKUP) == await looks(town, VT_HERE) == []
        town.clock.forward(minutes=6)


async def test_what_was_released_to_one_applicatie_is_not_shown_to_another(town, tmp_path):
    await received_at_the_hub(town)
    request = await the_request(town, HUB)
    await town[HUB].gateway.deciding.decide(request.id, officer="bos", wish=RELEASE)
    assert await looks(town, BACKUP) == []

    moved = "UPDATE deliveries SET applicatie = :a WHERE channel = 'postvak' AND recipient = :vt"
    tamper(tmp_path, moved, at=HUB, a=BACKUP, vt=VT)
    assert await looks(town, BACKUP) == []
    town.clock.forward(minutes=6)
    tamper(tmp_path, moved, at=HUB, a=VT_HERE, vt=VT)
    assert await looks(town, VT_HERE) == ["vtMeldingDi01"]


# --- what is taken out of an installation ---------------------------------------------


def said_in(octets):
    """Return every text of a message but its address and numbers, as long as a word at least."""
    body = [part for part in stuf.read_document(octets).tree if "stuurgegevens" not in part.tag]
    found = (text.strip() for part in body for text in part.itertext())
    return {text for text in found if len(text) > 5 and not text.startswith(("PL0000", "20"))}


async def test_an_export_of_what_is_held(town):
    """The logs as files, the lists and the alarms: which element, never what it says."""
    octets = melding(aanhouding="ja, in de Kerkstraat", registraties=["steekpartij 2024"])
    receipt = await hand_in(town, octets)
    await town.settle()
    request = await the_request(town)
    om = town[OM].gateway.deciding
    assert await om.read(request.id, officer="anders", purpose="toets") == octets
    refusal = replace(RELEASE, outcome=Uitkomst.NIET, told="Belang van opsporing.")
    await om.decide(request.id, officer="anders", wish=refusal)
    town.clock.forward(hours=71)
    await town.settle()
    await town.keep_house()

    words = said_in(octets) | {"Kerkstraat", "steekpartij", b64encode(octets)[:40].decode()}
    assert {"ja, in de Kerkstraat", "steekpartij 2024"} < words
    for oin in (POLITIE, HUB, OM):
        store = town[oin].store
        trail = await store.overview.trail(TrailWanted(), below=None, limit=1_000)
        listed = await store.reader.messages(party=None, before=None, limit=50)
        alarms = await store.reader.alarms(limit=50)
        taken = (log.as_csv(trail.rows), log.as_json_lines(trail.rows), str(listed), str(alarms))
        assert receipt.id in taken[0] or oin != POLITIE
        assert [word for word in words for text in taken if word in text] == []


# --- another route --------------------------------------------------------------------


def direct():
    """A CPA of the police with the receiver itself."""
    return read_cpa(
        make_cpa(
            CpaSpec(
                cpa_id="cpa_direct",
                parties=(
                    towns._side(POLITIE, towns.SENDS[POLITIE]),
                    towns._side(VT, towns.SENDS[VT]),
                ),
                start=towns.NOW - timedelta(days=1),
                end=towns.NOW + timedelta(days=365),
                profile="osb-rm-e",
                retries=8,
                retry_interval=timedelta(seconds=10),
            )
        )
    )


@pytest.mark.parametrize(("filled", "leaves"), [({}, True), (CRIMINAL, False)])
async def test_another_route_past_the_hub(town, attempts, filled, leaves):
    agreement = direct()
    for oin in (POLITIE, VT):
        await town[oin].change(agreements={agreement.cpa_id: agreement})

    receipt = await hand_in(town, melding(**filled))
    await town.settle()

    assert attempts == ([VT] if leaves else [])
    assert await state_of(town, receipt) is (State.DELIVERED if leaves else State.HELD)
