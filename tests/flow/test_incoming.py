"""Mail that comes in: taken in once, as a message over ebMS is; or held for a person."""

import gzip
import io
import zipfile
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.catalogue import Catalogue
from gateway.config import GateMode
from gateway.directory import OwnMail, OwnMailbox
from gateway.errors import StaleSnapshot, StoreUnavailable, Unavailable
from gateway.lifecycle import State
from gateway.ports import DeliveryChannel, Standing, standing
from gateway.ports.incoming import Arrived
from gateway.wire.mail_make import entity
from gateway.wire.toets import INTREKKING
from tests.flow import letters, mailbox
from tests.flow.letters import POLITIE_MAIL, VT_MAIL
from tests.flow.mailbox import (
    give,
    held,
    multipart,
    only_code,
    plain_mail,
    sealed_around,
    sealed_by_gateway,
    signed_mail,
    xml_part,
)
from tests.flow.test_gate import FREE, melding
from tests.flow.town import APPLICATIE, HUB, OM, POLITIE, VERSION, VT, leaf

TEXT = b"Content-Type: text/plain\r\n\r\nGoedemiddag.\r\n"


@pytest.fixture
async def incoming(tmp_path):
    town, post = await mailbox.build(tmp_path)
    yield town, post
    await town.close()


async def taken_in(town):
    """Return what Veilig Thuis has of the police, newest first."""
    return await town[VT].store.reader.messages(party=None, before=None, limit=50)


async def in_postvak(town):
    vt = town[VT]
    found = await vt.gateway.collect(
        vt.backend, (APPLICATIE[VT],), limit=10, lease=timedelta(minutes=5)
    )
    return [await vt.store.payloads.get(one.payload_id) for one in found]


async def by_mail(town, post, **filled):
    """Let the police mail what its agreements do not have; return the letter and the id."""
    await letters.without_agreement(town, "vtMeldingDi01")
    police = town[POLITIE]
    receipt = await police.gateway.hand_in(melding(**filled), FREE, police.backend)
    await town.settle()
    return post.letters[-1].octets, receipt.id


async def alarms(town):
    return {(a.code, a.reason) for a in await town[VT].store.reader.alarms(limit=20)}


async def events(town, name):
    rows = await town[VT].store.reader.audit(after=0, limit=500)
    return [row.event for row in rows if row.event.event == name]


# --- a message ------------------------------------------------------------------------


async def test_a_message_by_mail_goes_the_way_of_every_message(incoming):
    town, post = incoming
    octets, _ = await by_mail(town, post)

    await give(town, octets)

    (known,) = await taken_in(town)
    assert (known.kind, known.version, known.party, known.cpa_id) == (
        "vtMeldingDi01",
        VERSION,
        POLITIE,
        "",
    )
    assert await in_postvak(town) == [melding()]
    view = await town[VT].store.reader.message(known.id)
    steps = [row.event.event for row in view.trace]
    assert {"message.received", "message.opened", "message.validated", "message.routed"} <= {*steps}
    (received,) = await events(town, "message.received")
    assert received.data["channel"] == "e-mail"
    assert await held(town) == ()


async def test_what_a_person_wrote_beside_a_message_is_held_for_a_person(incoming):
    town, _ = incoming
    mail = signed_mail(town, multipart(TEXT, xml_part(melding())))

    for _ in range(2):
        await give(town, mail)

    assert await in_postvak(town) == [melding()]
    (one,) = await held(town)
    assert (one.code, one.party, one.proven) == ("incoming.words", POLITIE, True)


async def test_its_answer_closes_the_letter(incoming):
    town, post = incoming
    octets, sent = await by_mail(town, post)
    await give(town, octets)
    await in_postvak(town)
    (known,) = await taken_in(town)
    view = await town[VT].store.reader.message(known.id)

    await town[VT].gateway.confirm(view.deliveries[0].id, town[VT].backend)
    await town.settle()

    found = await town[POLITIE].store.reader.message(sent)
    (letter,) = (d for d in found.deliveries if d.channel is DeliveryChannel.MAIL)
    assert letter.state is State.DELIVERED
    assert found.message.answer == "Bv01Bericht"


@pytest.mark.parametrize("above", [b"", b"Received: from elders by hier; nu\r\n"])
async def test_the_same_mail_again_is_taken_in_once(incoming, above):
    town, post = incoming
    octets, _ = await by_mail(town, post)

    await give(town, octets)
    await give(town, above + octets)

    assert len(await taken_in(town)) == 1
    assert len(await in_postvak(town)) == 1
    (again,) = await events(town, "message.duplicate")
    assert again.message == (await taken_in(town))[0].id
    assert await alarms(town) == set()


async def test_a_crash_before_the_commit_leaves_it_with_the_mail_server(incoming, monkeypatch):
    town, post = incoming
    octets, _ = await by_mail(town, post)
    inbox = town[VT].store.inbox

    async def down(_admission):
        raise StoreUnavailable("store.gone", "the database went away")

    with monkeypatch.context() as broken:
        broken.setattr(inbox, "admit", down)
        with pytest.raises(StoreUnavailable):
            await give(town, octets)
    assert await taken_in(town) == ()

    await give(town, octets)
    assert len(await in_postvak(town)) == 1


async def test_another_attempt_at_the_letter_is_the_same_message(incoming):
    """Sealed anew, so other octets; what was signed inside says that it is the same."""
    town, _ = incoming

    await give(town, sealed_by_gateway(town, melding()))
    town.clock.forward(minutes=20)
    await give(town, sealed_by_gateway(town, melding()))

    assert len(await taken_in(town)) == 1
    assert await alarms(town) == set()


async def test_a_mail_program_needs_no_gateway(incoming):
    town, _ = incoming

    await give(town, signed_mail(town, xml_part(melding())))

    assert await in_postvak(town) == [melding()]


async def test_a_directory_that_changes_meanwhile_is_thought_of_again(incoming):
    town, _ = incoming
    await town[VT].overtaken()

    await give(town, sealed_by_gateway(town, melding()))

    assert await in_postvak(town) == [melding()]


@pytest.mark.parametrize(("agreed", "version"), [(True, VERSION), (False, "2.0.0")])
async def test_its_version_is_that_of_the_agreements_else_the_newest(incoming, agreed, version):
    town, _ = incoming
    kinds = town[VT].snapshots.current().catalogue.kinds
    newer = replace(kinds["vtMeldingDi01", VERSION], version="2.0.0")
    both = Catalogue(kinds={**kinds, ("vtMeldingDi01", "2.0.0"): newer})
    without = {} if agreed else {"agreements": {}}
    await town[VT].change(catalogue=both, **without)

    await give(town, sealed_by_gateway(town, melding()))

    (known,) = await taken_in(town)
    assert (known.version, known.accepted) == (version, True)


# --- over two channels ----------------------------------------------------------------


async def test_mail_first_then_ebms_is_taken_in_once_and_a_person_is_told(incoming):
    town, _ = incoming
    await give(town, sealed_by_gateway(town, melding()))
    (first,) = await taken_in(town)

    receipt = await hand_in(town)
    await town.settle()

    copy, _ = await taken_in(town)
    assert (copy.party, copy.accepted, first.accepted) == (HUB, False, True)
    assert await in_postvak(town) == [melding()]
    assert ("message.twice", "") in await alarms(town)
    (told,) = await events(town, "message.duplicate")
    assert (told.message, told.data["first"]) == (copy.id, first.id)
    # The partner's gateway gets its acknowledgement all the same.
    sent = await town[POLITIE].store.reader.message(receipt.id)
    assert standing([d.state for d in sent.deliveries], accepted=True) is Standing.DELIVERED


async def test_ebms_first_then_mail_is_taken_in_once_and_a_person_is_told(incoming):
    town, _ = incoming
    await hand_in(town)
    await town.settle()

    await give(town, sealed_by_gateway(town, melding()))
    await give(town, sealed_by_gateway(town, melding()))

    copy, first = await taken_in(town)
    assert (copy.cpa_id, copy.accepted, first.accepted) == ("", False, True)
    assert await in_postvak(town) == [melding()]
    found = [a for a in await town[VT].store.reader.alarms(limit=9) if a.code == "message.twice"]
    assert [(a.subject, a.message, a.times) for a in found] == [(first.id, first.id, 1)]


async def test_a_copy_over_ebms_alone_is_no_alarm(incoming):
    """A partner that sends again, under another MessageId, is nothing new."""
    town, _ = incoming
    await hand_in(town)
    await town.settle()

    assert await alarms(town) == set()


async def hand_in(town):
    police = town[POLITIE]
    return await police.gateway.hand_in(melding(), FREE, police.backend)


# --- what the pipeline refuses --------------------------------------------------------


async def test_what_breaks_its_schema_is_refused_with_a_fo01_that_reaches_the_sender(incoming):
    town, _ = incoming
    broken = melding().replace(b"<StUF:tijdstipBericht>", b"<StUF:tijdstipBericht>x")

    await give(town, sealed_by_gateway(town, broken))
    await town.settle()

    refused, fo01 = reversed(await taken_in(town))
    assert (refused.accepted, refused.kind) == (False, "vtMeldingDi01")
    assert fo01.kind == "Fo01Bericht"
    view = await town[VT].store.reader.message(fo01.id)
    assert [d.state for d in view.deliveries] == [State.DELIVERED]
    assert await in_postvak(town) == []
    assert await held(town) == ()


async def test_where_no_fo01_can_go_back_a_person_has_to(incoming):
    town, _ = incoming
    await town[VT].change(agreements={})
    broken = melding().replace(b"<StUF:tijdstipBericht>", b"<StUF:tijdstipBericht>x")

    await give(town, sealed_by_gateway(town, broken))

    (one,) = await held(town)
    assert one.code.startswith("schema.")
    assert (one.party, one.proven) == (POLITIE, True)
    assert await taken_in(town) == ()


async def test_without_an_agreement_the_fo01_goes_back_by_mail(incoming):
    town, post = incoming
    vt = town[VT]
    own = OwnMail(address=VT_MAIL, sign=leaf(VT, "sign").certificate)
    await vt.change(agreements={}, mail=own)
    broken = melding().replace(b"<StUF:tijdstipBericht>", b"<StUF:tijdstipBericht>x")

    await give(town, sealed_by_gateway(town, broken))
    await town.settle()

    (made,) = await events(town, "message.made")
    assert made.data["kind"] == "Fo01Bericht"
    (fo01,) = (await vt.store.reader.message(made.message)).deliveries
    assert (fo01.channel, fo01.recipient, fo01.state) == (
        DeliveryChannel.MAIL,
        POLITIE,
        State.SENT,
    )
    assert {one.recipients for one in post.letters} == {(POLITIE_MAIL,)}
    assert await held(town) == ()


async def test_what_was_signed_for_another_goes_to_nobody_here(incoming):
    """Who reads a mail of the police to the OM encrypts it again, for Veilig Thuis."""
    town, _ = incoming

    await give(town, signed_mail(town, xml_part(melding(ontvanger=OM))))
    await town.settle()

    assert await in_postvak(town) == []
    (refused, *_) = reversed(await taken_in(town))
    assert not refused.accepted


async def test_who_signs_speaks_for_himself_only(incoming):
    """The police can not hand in what the OM says, whoever wrote the address."""
    town, _ = incoming

    await give(town, sealed_by_gateway(town, melding(zender=OM)))
    await town.settle()

    (refused, *_) = reversed(await taken_in(town))
    assert not refused.accepted
    assert await in_postvak(town) == []


async def test_what_only_another_role_may_say_is_refused(incoming):
    town, _ = incoming

    await give(town, sealed_by_gateway(town, melding(name="vtTerugkoppelingDi01")))
    await town.settle()

    (event,) = await events(town, "message.refused")
    assert event.code == "regel.richting"
    assert await in_postvak(town) == []


@pytest.mark.parametrize("gate", [GateMode.HERE, GateMode.DECISION])
async def test_what_is_criminal_waits_for_the_om_at_a_knooppunt_as_over_ebms(incoming, gate):
    town, _ = incoming
    hub = town[HUB]
    parties = hub.snapshots.current().parties
    mail = town[VT].snapshots.current().parties[POLITIE].mail
    inbox = OwnMailbox(
        address="gateway@hub.example", certificates=(leaf(HUB, "encrypt").certificate,)
    )
    police = replace(parties[POLITIE], mail=mail, gate=gate)
    await hub.change(mailbox=inbox, parties={**parties, POLITIE: police})

    octets = signed_mail(town, xml_part(melding(aanhouding="ja, ter plaatse")), to=HUB)
    await hub.gateway.take_mail(Arrived(octets=octets, sender="", at=town.clock.now()))
    await town.settle()

    (known,) = await hub.store.reader.messages(party=POLITIE, before=None, limit=5)
    (delivery,) = (await hub.store.reader.message(known.id)).deliveries
    assert delivery.state is State.HELD
    assert await in_postvak(town) == []


async def test_other_content_under_the_same_kenmerk_is_refused(incoming):
    town, _ = incoming
    await give(town, sealed_by_gateway(town, melding()))

    await give(town, sealed_by_gateway(town, melding(aangifte="nee"), message_id="m-2@x.example"))
    await town.settle()

    assert await in_postvak(town) == [melding()]
    (event,) = await events(town, "message.refused")
    assert event.code == "duplicate.referentienummer"


async def test_other_content_under_the_same_id_is_for_a_person(incoming):
    town, _ = incoming
    await give(town, sealed_by_gateway(town, melding()))
    other = melding().replace(b"ref-1", b"ref-2")

    await give(town, sealed_by_gateway(town, other))

    assert await only_code(town) == "duplicate.message_id"


async def test_a_suspended_partner_waits_at_the_mail_server(incoming):
    town, _ = incoming
    await town[VT].change(suspended=frozenset({POLITIE}))

    with pytest.raises(Unavailable) as caught:
        await give(town, sealed_by_gateway(town, melding()))

    assert caught.value.code == "party.suspended"
    assert await held(town) == ()
    assert await alarms(town) == {("incoming.suspended", "")}


async def test_a_directory_that_stays_behind_takes_nothing_in(incoming):
    town, _ = incoming
    await town[VT].store.sync_epoch("of another process")

    with pytest.raises(StaleSnapshot):
        await give(town, sealed_by_gateway(town, melding()))

    assert await taken_in(town) == ()


# --- what a person must look at -------------------------------------------------------

BOMB = gzip.compress(b"\0" * 1_000_000)


def zipped():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bericht.xml", b"0" * 1_000_000)
    return file.getvalue()


def nested(depth):
    inside = TEXT
    for n in range(depth):
        inside = multipart(inside, boundary=f"grens{n}")
    return inside


DTD = b'<!DOCTYPE vtMeldingDi01 [<!ENTITY a "b">]>'


def with_dtd():
    head, mark, rest = melding().partition(b"?>")
    return head + mark + DTD + rest


VECTORS = {
    "unsealed text": (plain_mail, "incoming.plain"),
    "html": (
        lambda town: entity({"From": POLITIE_MAIL}, b"<script>", kind="text/html"),
        "incoming.plain",
    ),
    "xml in the open": (
        lambda town: entity({"From": POLITIE_MAIL}, melding(), kind="application/xml"),
        "incoming.plain",
    ),
    "no mail at all": (lambda town: b"\x00\xff" * 50, "smime.head"),
    "header injection": (
        lambda town: sealed_around(TEXT).replace(b"To: ", b"X: a\nBcc: b\r\nTo: ", 1),
        "smime.head",
    ),
    "sender twice": (
        lambda town: b"From: eve@elders.example\r\n" + signed_mail(town, xml_part(melding())),
        "smime.field",
    ),
    "unknown sender": (
        lambda town: signed_mail(town, xml_part(melding()), sender="eve@elders.example"),
        "smime.sender",
    ),
    "another signer": (
        lambda town: signed_mail(town, xml_part(melding()), by=VT),
        "signature.certificate",
    ),
    "encrypted, not signed": (lambda town: sealed_around(xml_part(melding())), "smime.unsigned"),
    "encrypted for another": (
        lambda town: signed_mail(town, xml_part(melding()), to=OM),
        "decryption.failed",
    ),
    "signed for another mailbox": (
        lambda town: sealed_by_gateway(town, melding(), recipient="om@om.example"),
        "smime.misdirected",
    ),
    "signed last month": (
        lambda town: signed_mail(
            town, xml_part(melding()), at=town.clock.now() - timedelta(days=8)
        ),
        "incoming.old",
    ),
    "a person writes": (lambda town: signed_mail(town, TEXT), "incoming.person"),
    "two documents": (
        lambda town: signed_mail(town, multipart(xml_part(melding()), xml_part(melding()))),
        "payload.count",
    ),
    "attachment beside it": (
        lambda town: signed_mail(
            town, multipart(xml_part(melding()), entity({}, b"%PDF", kind="application/pdf"))
        ),
        "incoming.attachments",
    ),
    "zip bomb": (
        lambda town: signed_mail(town, entity({}, zipped(), kind="application/zip")),
        "incoming.person",
    ),
    "gzip bomb as xml": (
        lambda town: signed_mail(town, entity({}, BOMB, kind="application/xml")),
        "xml.encoding",
    ),
    "mime bomb": (lambda town: signed_mail(town, nested(9)), "smime.parts"),
    "document type": (lambda town: signed_mail(town, xml_part(with_dtd())), "xml.doctype"),
    "not of the catalogue": (
        lambda town: signed_mail(town, xml_part(b"<onbekend/>")),
        "stuf.root",
    ),
    "of the gate": (
        lambda town: signed_mail(town, xml_part(gate_message())),
        "incoming.gate",
    ),
    "larger than may come in": (
        lambda town: plain_mail(town, "x" * (mailbox.MAXIMUM + 1)),
        "smime.too_large",
    ),
}


def gate_message():
    return melding().replace(b"vtMeldingDi01", INTREKKING.encode())


@pytest.mark.parametrize("case", VECTORS)
async def test_what_no_system_may_take_in_is_held_with_its_code(incoming, case):
    town, _ = incoming
    make, code = VECTORS[case]

    await give(town, make(town))

    assert await only_code(town) == code
    assert await taken_in(town) == ()
    assert await alarms(town) == {("incoming.held", code)}


async def test_a_notification_that_nobody_can_read_is_held(incoming):
    town, _ = incoming
    report = multipart(TEXT).replace(b"multipart/mixed", b"multipart/report")

    await give(town, b"From: MAILER-DAEMON\r\n" + report, sender="")

    assert await only_code(town) == "mail.report"


async def test_what_a_partner_signed_is_held_without_its_envelope(incoming):
    town, _ = incoming

    await give(town, signed_mail(town, TEXT))

    (one,) = await held(town)
    assert (one.party, one.proven) == (POLITIE, True)
    assert await town[VT].store.payloads.get(one.payload_id) == TEXT


async def test_who_says_to_be_a_partner_is_not_believed(incoming):
    town, _ = incoming

    await give(town, plain_mail(town, From=POLITIE_MAIL))

    (one,) = await held(town)
    assert (one.party, one.proven) == (POLITIE, False)


async def test_the_same_mail_is_held_once_whatever_servers_write_above_it(incoming):
    town, _ = incoming
    octets = plain_mail(town)

    await give(town, octets)
    await give(town, b"Received: from elders by hier; later\r\n" + octets)

    assert len(await held(town)) == 1
    assert len(await events(town, "incoming.duplicate")) == 1


@pytest.mark.parametrize("field", [b"Content-Type", b"Content-Transfer-Encoding"])
async def test_a_mail_that_is_read_otherwise_is_no_copy(incoming, field):
    """Who made the first of the second would keep that from everybody."""
    town, _ = incoming
    octets = signed_mail(town, TEXT)

    await give(town, octets.replace(field, b"X-Was"))
    await give(town, octets)

    assert {one.proven for one in await held(town)} == {False, True}


async def test_a_full_quarantine_keeps_mail_at_the_mail_server_and_tells(incoming):
    town, _ = incoming
    await mailbox.open_mailbox(town, items=1)
    await give(town, plain_mail(town))

    with pytest.raises(Unavailable) as caught:
        await give(town, plain_mail(town, "nog een"))

    assert caught.value.code == "incoming.full"
    assert ("quarantine.full", "") in await alarms(town)
    assert len(await held(town)) == 1


async def test_a_message_still_comes_in_when_the_quarantine_is_full(incoming):
    town, _ = incoming
    await mailbox.open_mailbox(town, items=1)
    await give(town, plain_mail(town))

    await give(town, sealed_by_gateway(town, melding()))

    assert await in_postvak(town) == [melding()]


async def test_without_a_mailbox_nothing_is_taken(incoming):
    town, _ = incoming
    await town[VT].change(mailbox=None)

    with pytest.raises(Unavailable) as caught:
        await give(town, plain_mail(town))

    assert caught.value.code == "incoming.off"
