"""What comes back on a letter: receipts that close it, bounces that do not, and forgeries."""

from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy
from hashlib import sha256

import pytest

from gateway.directory import OwnMail, OwnMailbox, PartyMail
from gateway.errors import StoreUnavailable, Unavailable
from gateway.lifecycle import State
from gateway.ports import DeliveryChannel, DeliveryKind
from gateway.ports.incoming import Arrived
from gateway.ports.mail import Deferred, Delivered
from gateway.rules.receipts import SIGNED as SIGNED_WORDS
from gateway.rules.receipts import UNSIGNED as UNSIGNED_WORDS
from gateway.security.smime.enveloped import encrypt
from gateway.security.smime.signed import sign
from gateway.store.links import BY_LINK
from gateway.web.api.steps import STEPS
from gateway.wire.mail_make import entity
from gateway.wire.mail_reports import acknowledgement
from gateway.wire.stuf import ANSWERS
from tests.flow import letters, mailbox
from tests.flow.letters import NO_REPLY, POLITIE_MAIL, PROOF, VT_MAIL
from tests.flow.mailbox import give
from tests.flow.test_gate import FREE, melding
from tests.flow.town import OM, POLITIE, VT, leaf
from tests.sealing import octets_from
from tests.smime import signer_of


@pytest.fixture
async def mailing(tmp_path):
    town, post = await mailbox.build(tmp_path)
    await both_ways(town)
    yield town, post
    await town.close()


async def both_ways(town, **changes):
    """Let the police read what comes back, and Veilig Thuis send it."""
    police, vt = town[POLITIE], town[VT]
    parties = police.snapshots.current().parties
    mail = replace(parties[VT].mail, signs=(leaf(VT, "sign").certificate,), **changes)
    inbox = OwnMailbox(address=POLITIE_MAIL, certificates=(leaf(POLITIE, "encrypt").certificate,))
    await police.change(mailbox=inbox, parties={**parties, VT: replace(parties[VT], mail=mail)})
    parties = vt.snapshots.current().parties
    ours = {use: (leaf(POLITIE, use).certificate,) for use in ("encrypt", "sign")}
    mail = PartyMail(address=POLITIE_MAIL, certificates=ours["encrypt"], signs=ours["sign"])
    back = replace(parties[POLITIE], mail=mail)
    own = OwnMail(address=VT_MAIL, sign=leaf(VT, "sign").certificate)
    await vt.change(mail=own, parties={**parties, POLITIE: back})


async def sent(mailing, *answers):
    """Let the police mail; return the letter on the wire and the id of the message."""
    town, post = mailing
    await letters.without_agreement(town, "vtMeldingDi01")
    post.answers.extend(answers)
    police = town[POLITIE]
    receipt = await police.gateway.hand_in(melding(), FREE, police.backend)
    await town.settle()
    return post.letters[-1], receipt.id


async def back(town, octets):
    """Hand a mail to the police, as their mail server does."""
    mail = Arrived(octets=octets, sender="", at=town.clock.now())
    await town[POLITIE].gateway.take_mail(mail)
    await town.settle()


async def view(town, message, where=POLITIE):
    return await town[where].store.reader.message(message)


async def state(town, message):
    found = await view(town, message)
    return next(d.state for d in found.deliveries if d.channel is DeliveryChannel.MAIL)


async def told(town, message, event):
    found = await view(town, message)
    return [dict(row.event.data) for row in found.trace if row.event.event == event]


async def alarms(town):
    return {(a.code, a.reason) for a in await town[POLITIE].store.reader.alarms(limit=20)}


async def held(town):
    return [one.code for one in await town[POLITIE].store.quarantine.items(limit=9, open_only=True)]


def mail_id(letter):
    return message_from_bytes(letter.octets, policy=policy.SMTP)["Message-ID"].strip("<>")


def report(kind, fields, returned=""):
    parts = (
        "Content-Type: text/plain\r\n\r\nFor people.",
        f"Content-Type: message/{kind}\r\n\r\n{fields}",
        f"Content-Type: text/rfc822-headers\r\n\r\n{returned}Subject: x\r\n",
    )
    body = "".join(f"--b\r\n{part}\r\n" for part in parts)
    head = f'Content-Type: multipart/report; report-type={kind}; boundary="b"\r\n\r\n'
    return f"From: post@vt.example\r\n{head}{body}--b--\r\n".encode()


def dsn(letter, action="delivered", status="2.0.0", *, to=VT_MAIL, envelope=None):
    envelope = letter.reference if envelope is None else envelope
    return report(
        "delivery-status",
        f"Reporting-MTA: dns; mx.vt.example\r\nOriginal-Envelope-Id: {envelope}\r\n\r\n"
        f"Original-Recipient: rfc822;{to}\r\nFinal-Recipient: rfc822;bus7@vt.example\r\n"
        f"Action: {action}\r\nStatus: {status}\r\n",
        returned=f"Message-ID: <{mail_id(letter)}>\r\n",
    )


def mdn(letter, *, to=VT_MAIL, said="displayed"):
    return report(
        "disposition-notification",
        f"Final-Recipient: rfc822;{to}\r\nOriginal-Message-ID: <{mail_id(letter)}>\r\n"
        f"Disposition: manual-action/MDN-sent-manually; {said}\r\n",
    )


def notice(letter):
    """Return the notice as a mail program signs it: From stands outside."""
    return mdn(letter).partition(b"\r\n")[2]


def signed_by(party, content, *, at, outside=None, sealed=True):
    """Return a mail of a party with this entity signed in it."""
    octets = sign(content, signer_of(leaf(party, "sign")), at=at)
    head = {"From": VT_MAIL, "To": POLITIE_MAIL} | (outside or {})
    kind = "application/pkcs7-mime; smime-type=signed-data"
    inside = entity({} if sealed else head, octets, kind=kind)
    if not sealed:
        return inside
    certificates = (leaf(POLITIE, "encrypt").certificate,)
    envelope = encrypt(inside, certificates, maximum=200_000, random=octets_from())
    return entity(head, envelope, kind="application/pkcs7-mime")


def reply(letter, text="Ontvangen, dank.", **fields):
    head = {
        "From": VT_MAIL,
        "To": POLITIE_MAIL,
        "Message-ID": "<antwoord@vt.example>",
        "In-Reply-To": f"<{mail_id(letter)}>",
    }
    return entity(head | fields, text.encode(), kind="text/plain; charset=utf-8")


# --- what closes it -----------------------------------------------------------------------


async def test_the_gateway_of_the_partner_acknowledges_and_that_closes_the_letter(mailing):
    town, post = mailing
    letter, message = await sent(mailing)

    await give(town, letter.octets)
    await town.settle()
    receipt = post.letters[-1]
    await back(town, receipt.octets)

    assert (receipt.sender, receipt.recipients) == ("", (POLITIE_MAIL,))
    assert await state(town, message) is State.DELIVERED
    (closing,) = await told(town, message, "mail.receipt")
    assert closing["kind"] == "aangenomen"
    assert closing["certificate"]
    assert len(closing["evidence"]) == 64
    assert await held(town) == []


async def test_a_receipt_says_nothing_outside_and_is_never_answered(mailing):
    town, post = mailing
    letter, _ = await sent(mailing)
    await give(town, letter.octets)
    await town.settle()
    count = len(post.letters)
    receipt = message_from_bytes(post.letters[-1].octets, policy=policy.SMTP)

    await back(town, post.letters[-1].octets)
    town.clock.forward(hours=1)
    await town.settle()

    assert len(post.letters) == count
    assert receipt["Auto-Submitted"] == "auto-replied"
    assert receipt["Disposition-Notification-To"] is None
    assert mail_id(letter) not in str(receipt)


async def test_who_has_no_certificate_to_encrypt_for_gets_no_receipt(mailing):
    town, post = mailing
    letter, _ = await sent(mailing)
    vt = town[VT]
    parties = vt.snapshots.current().parties
    without = replace(parties[POLITIE].mail, certificates=(), portal=True)
    await vt.change(parties={**parties, POLITIE: replace(parties[POLITIE], mail=without)})

    await give(town, letter.octets)
    await town.settle()

    (known,) = await vt.store.reader.messages(party=None, before=None, limit=9)
    found = await view(town, known.id, VT)
    assert [d for d in found.deliveries if d.kind is DeliveryKind.SIGNAL] == []
    assert len(post.letters) == 1


async def test_a_dsn_of_the_mailbox_closes_the_letter(mailing):
    town, _ = mailing
    letter, message = await sent(mailing)

    await back(town, dsn(letter))

    assert await state(town, message) is State.DELIVERED
    (closing,) = await told(town, message, "mail.receipt")
    assert (closing["kind"], closing["status"]) == ("afgeleverd", "2.0.0")
    assert closing["certificate"] == ""


async def test_a_notice_that_it_was_shown_closes_the_letter(mailing):
    town, _ = mailing
    letter, message = await sent(mailing)

    await back(town, mdn(letter))

    assert await state(town, message) is State.DELIVERED


@pytest.mark.parametrize("sealed", [True, False])
async def test_a_signed_notice_closes_the_letter(mailing, sealed):
    town, _ = mailing
    letter, message = await sent(mailing)

    await back(town, signed_by(VT, notice(letter), at=town.clock.now(), sealed=sealed))

    assert await state(town, message) is State.DELIVERED
    assert (await told(town, message, "mail.receipt"))[0]["kind"] == "gelezen"


async def test_a_signed_answer_of_a_person_closes_the_letter_and_is_read_by_one(mailing):
    town, _ = mailing
    letter, message = await sent(mailing)

    await back(town, signed_by(VT, reply(letter), at=town.clock.now()))

    assert await state(town, message) is State.DELIVERED
    assert (await told(town, message, "mail.receipt"))[0]["kind"] == "beantwoord"
    assert await held(town) == ["incoming.person"]


@pytest.mark.parametrize("word", [dsn, mdn])
async def test_what_nobody_knew_of_is_settled(mailing, word):
    town, _ = mailing
    letter, message = await sent(mailing, NO_REPLY)
    assert await state(town, message) is State.UNKNOWN

    await back(town, word(letter))

    assert await state(town, message) is State.DELIVERED
    assert await alarms(town) == set()


# --- twice, late, lost --------------------------------------------------------------------


async def test_a_receipt_that_the_mail_server_gives_twice_closes_once(mailing):
    town, _ = mailing
    letter, message = await sent(mailing)

    await back(town, dsn(letter))
    await back(town, b"Received: from elders by hier; nu\r\n" + dsn(letter))

    assert await state(town, message) is State.DELIVERED
    assert len(await told(town, message, "mail.receipt")) == 1
    assert len(await told(town, message, "mail.noted")) == 1


async def test_a_receipt_that_comes_too_late_still_settles_it(mailing):
    town, _ = mailing
    letter, message = await sent(mailing)
    town.clock.forward(hours=5)
    await town.settle()
    assert await state(town, message) is State.UNKNOWN

    await back(town, dsn(letter))

    assert await state(town, message) is State.DELIVERED
    assert await alarms(town) == set()


async def test_a_receipt_behind_the_decision_of_a_person_counts_as_well(mailing):
    town, _ = mailing
    letter, message = await sent(mailing, NO_REPLY)
    await town[POLITIE].store.decisions.stop(message, who="o.operator", why="wij bellen")

    await back(town, dsn(letter))

    assert await state(town, message) is State.DELIVERED


async def test_a_receipt_that_was_lost_comes_again_with_the_letter(mailing):
    town, post = mailing
    letter, message = await sent(mailing)
    await give(town, letter.octets)
    await town.settle()
    town.clock.forward(hours=5)
    await town.settle()
    await town[POLITIE].store.decisions.resume(message, who="o.operator", why="nogmaals")
    await town.settle()
    again = post.letters[-1]
    assert again.recipients == (VT_MAIL,)

    await give(town, again.octets)
    await town.settle()
    await back(town, post.letters[-1].octets)

    assert again.reference != letter.reference
    assert await state(town, message) is State.DELIVERED
    assert len(await town[VT].store.reader.messages(party=None, before=None, limit=9)) == 1


async def test_a_receipt_waits_for_a_mail_server_and_then_is_given_up_without_an_alarm(mailing):
    town, post = mailing
    letter, _ = await sent(mailing)
    post.answers.extend([Deferred(code="smtp.unreachable", seen="no connection")] * 400)
    await give(town, letter.octets)
    for _ in range(200):
        town.clock.forward(minutes=16)
        await town.settle()

    (known,) = await town[VT].store.reader.messages(party=None, before=None, limit=9)
    found = await view(town, known.id, VT)
    (receipt,) = (d for d in found.deliveries if d.kind is DeliveryKind.SIGNAL)
    assert receipt.state is State.DEAD
    assert receipt.attempt == 193
    codes = {a.code for a in await town[VT].store.reader.alarms(limit=20)}
    assert "delivery.dead" not in codes


# --- what closes nothing --------------------------------------------------------------------


FORGED = {
    "a report without the secret": lambda letter: dsn(letter, envelope=""),
    "a report with a guessed secret": lambda letter: dsn(letter, envelope="0" * 40),
    "a report with the digest of it": lambda letter: dsn(
        letter, envelope=sha256(letter.reference.encode()).hexdigest()
    ),
    "a report about somebody else": lambda letter: dsn(letter, to="eve@vt.example"),
    "a report of another kind of recipient": lambda letter: dsn(letter, to="x"),
    "passed on": lambda letter: dsn(letter, "relayed"),
    "delayed": lambda letter: dsn(letter, "delayed", "4.4.1"),
    "a notice about somebody else": lambda letter: mdn(letter, to="eve@vt.example"),
    "thrown away": lambda letter: mdn(letter, said="deleted"),
    "shown in error": lambda letter: mdn(letter, said="displayed/error"),
    "an answer that nobody signed": reply,
}


@pytest.mark.parametrize("case", FORGED)
async def test_what_anybody_can_write_closes_nothing(mailing, case):
    town, post = mailing
    letter, message = await sent(mailing)

    await back(town, FORGED[case](letter))

    assert await state(town, message) is State.SENT
    assert len(post.letters) == 1


async def test_unsigned_reports_close_nothing_where_the_partner_signs(mailing):
    town, _ = mailing
    await both_ways(town, reports_close=False)
    letter, message = await sent(mailing)

    await back(town, dsn(letter))
    await back(town, mdn(letter))

    assert await state(town, message) is State.SENT
    assert [one["kind"] for one in await told(town, message, "mail.noted")] == [
        "afgeleverd",
        "getoond",
    ]


@pytest.mark.parametrize("word", ["dsn", "mdn", "signed notice", "signed answer"])
async def test_nothing_about_the_mail_closes_what_waits_at_the_portal(mailing, word):
    """It says only that a message waits: whoever saw that has not got the message."""
    town, _ = mailing
    await both_ways(town, portal=True, certificates=())
    letter, message = await sent(mailing)
    now = town.clock.now()
    words = {
        "dsn": dsn(letter),
        "mdn": mdn(letter),
        "signed notice": signed_by(VT, notice(letter), at=now),
        "signed answer": signed_by(VT, reply(letter), at=now),
    }

    await both_ways(town)  # certificates since then change nothing about that mail
    await back(town, words[word])

    assert await state(town, message) is State.SENT


async def test_a_letter_that_left_sealed_closes_though_its_partner_has_no_certificates_now(mailing):
    town, _ = mailing
    letter, message = await sent(mailing)
    await both_ways(town, portal=True, certificates=())

    await back(town, mdn(letter))

    assert await state(town, message) is State.DELIVERED


SIGNED = {
    "by another partner": (
        lambda town, letter: signed_by(
            OM, notice(letter), at=town.clock.now(), outside={"From": "gateway@om.example"}
        ),
        "receipt.other",
    ),
    "by another in the name of the partner": (
        lambda town, letter: signed_by(OM, notice(letter), at=town.clock.now()),
        "signature.certificate",
    ),
    "of other octets": (
        lambda town, letter: signed_by(VT, accepted(letter, digest="0" * 64), at=town.clock.now()),
        "receipt.other",
    ),
    "of another message": (
        lambda town, letter: signed_by(
            VT, accepted(letter, ebms_message_id="x@y"), at=town.clock.now()
        ),
        "receipt.other",
    ),
    "of a letter that never was": (
        lambda town, letter: signed_by(VT, accepted(letter, mail="x@y"), at=town.clock.now()),
        "receipt.unknown",
    ),
    "an answer to what is not signed": (
        lambda town, letter: signed_by(
            VT,
            b"Content-Type: text/plain\r\n\r\nDank.\r\n",
            at=town.clock.now(),
            outside={"In-Reply-To": f"<{mail_id(letter)}>"},
        ),
        "incoming.person",
    ),
    "an answer that a program gave": (
        lambda town, letter: signed_by(
            VT, reply(letter, **{"Auto-Submitted": "auto-replied"}), at=town.clock.now()
        ),
        "incoming.person",
    ),
    "an answer that was kept for long": (
        lambda town, letter: signed_by(VT, reply(letter), at=town.clock.now() - timedelta(days=8)),
        "incoming.old",
    ),
}


def accepted(letter, **changes):
    given = {
        "mail": mail_id(letter),
        "mailbox": VT_MAIL,
        "digest": "ab" * 32,
        "ebms_message_id": "",
    }
    return acknowledgement(**(given | changes))


@pytest.mark.parametrize("case", SIGNED)
async def test_what_a_partner_did_not_sign_about_this_letter_closes_nothing(mailing, case):
    town, _ = mailing
    await om_mails(town)
    letter, message = await sent(mailing)
    build, code = SIGNED[case]

    await back(town, build(town, letter))

    assert await state(town, message) is State.SENT
    assert await held(town) == [code]


async def om_mails(town):
    police = town[POLITIE]
    parties = police.snapshots.current().parties
    mail = letters.to_vt(address="gateway@om.example", certificates=(leaf(OM, "sign").certificate,))
    await police.change(parties={**parties, OM: replace(parties[OM], mail=mail)})


async def test_a_receipt_of_one_letter_closes_no_other(mailing):
    town, post = mailing
    first, one = await sent(mailing)
    police = town[POLITIE]
    other = melding().replace(b"ref-1", b"ref-2")
    second = await police.gateway.hand_in(other, FREE, police.backend)
    await town.settle()

    await back(town, dsn(post.letters[-1]))

    assert first.reference != post.letters[-1].reference
    assert await state(town, one) is State.SENT
    assert await state(town, second.id) is State.DELIVERED


async def test_reports_on_mail_of_others_in_our_name_do_not_fill_the_quarantine(mailing):
    town, _ = mailing
    letter, _ = await sent(mailing)
    other = replace(letter, octets=b"Message-ID: <spam@elders.example>\r\n\r\n")

    await back(town, dsn(other, "failed", "5.1.1", envelope="1" * 40))
    await back(town, mdn(other))

    assert await held(town) == []


# --- what came back --------------------------------------------------------------------------


async def test_what_came_back_for_now_goes_again_and_says_so(mailing):
    town, post = mailing
    letter, message = await sent(mailing)

    await back(town, dsn(letter, "failed", "4.4.7"))
    assert await state(town, message) is State.READY
    town.clock.forward(minutes=16)
    await town.settle()

    assert await state(town, message) is State.SENT
    assert len(post.letters) == 2
    assert [one["twice"] for one in await told(town, message, "mail.sealed")] == [False, True]
    assert await alarms(town) == set()


async def test_what_came_back_for_good_is_for_a_person(mailing):
    town, post = mailing
    letter, message = await sent(mailing)

    await back(town, dsn(letter, "failed", "5.1.1"))

    assert await state(town, message) is State.DEAD
    assert ("delivery.dead", "mail.bounced") in await alarms(town)
    assert (await told(town, message, "mail.bounced"))[0]["status"] == "5.1.1"
    assert len(post.letters) == 1


async def test_a_bounce_that_anybody_can_write_sends_nothing_and_is_for_a_person(mailing):
    town, post = mailing
    letter, message = await sent(mailing)

    await back(town, dsn(letter, "failed", "4.4.7", envelope=""))
    town.clock.forward(minutes=16)
    await town.settle()

    assert await state(town, message) is State.SENT
    assert len(post.letters) == 1
    assert await held(town) == ["receipt.unproven"]


async def test_a_late_bounce_of_an_earlier_attempt_does_not_end_the_newer_one(mailing):
    town, post = mailing
    letter, message = await sent(mailing)
    town.clock.forward(hours=5)
    await town.settle()
    await town[POLITIE].store.decisions.resume(message, who="o.operator", why="nogmaals")
    await town.settle()

    await back(town, dsn(letter, "failed", "5.1.1"))

    assert await state(town, message) is State.SENT
    assert len(post.letters) == 2
    assert ("delivery.dead", "mail.bounced") not in await alarms(town)


async def test_a_bounce_of_a_letter_that_arrived_changes_nothing(mailing):
    town, post = mailing
    letter, message = await sent(mailing)
    await back(town, dsn(letter))

    await back(town, dsn(letter, "failed", "4.4.7"))
    town.clock.forward(minutes=16)
    await town.settle()

    assert await state(town, message) is State.DELIVERED
    assert len(post.letters) == 1


async def test_behind_a_bounce_a_forger_knows_the_secret_and_closes_nothing(mailing):
    town, _ = mailing
    letter, message = await sent(mailing)
    await back(town, dsn(letter, "failed", "5.1.1"))

    await back(town, dsn(letter))
    await back(town, mdn(letter))

    assert await state(town, message) is State.DEAD


OPEN_ROAD = {
    "delayed": lambda letter: dsn(letter, "delayed", "4.4.1"),
    "passed on": lambda letter: dsn(letter, "relayed"),
    "a bounce of a server that was told no secret": lambda letter: dsn(
        letter, "failed", "5.1.1", envelope=""
    ),
    "a bounce of the mailbox behind": lambda letter: dsn(
        letter, "failed", "5.1.1", to="bus9@vt.example"
    ),
}


@pytest.mark.parametrize("case", OPEN_ROAD)
@pytest.mark.parametrize("word", [dsn, mdn])
async def test_behind_a_report_of_what_did_not_arrive_a_forger_closes_nothing(mailing, word, case):
    """It showed what it is about to everybody on its way back, as a bounce does."""
    town, _ = mailing
    letter, message = await sent(mailing)
    await back(town, OPEN_ROAD[case](letter))

    await back(town, word(letter))

    assert await state(town, message) is State.SENT
    await back(town, signed_by(VT, notice(letter), at=town.clock.now()))
    assert await state(town, message) is State.DELIVERED


async def test_one_mailbox_of_two_that_failed_is_for_a_person(mailing):
    """The other has it: to send again would give it twice."""
    town, post = mailing
    letter, message = await sent(mailing)
    octets = dsn(letter, "failed", "4.4.7")
    second = octets.partition(b"Original-Recipient")[2].partition(b"--b")[0]
    second = b"\r\nOriginal-Recipient" + second.replace(b"failed", b"delivered")
    at = octets.index(b"\r\n--b\r\nContent-Type: text/rfc822-headers")

    await back(town, octets[:at] + second.rstrip(b"\r\n") + b"\r\n" + octets[at:])

    assert await state(town, message) is State.DEAD
    assert len(post.letters) == 1


async def test_a_bounce_before_we_wrote_down_that_it_left_stays_with_the_mail_server(mailing):
    town, post = mailing
    refused = []

    async def leaves_first(letter, way, leaves):
        await leaves(PROOF)
        post.letters.append(letter)
        with pytest.raises(Unavailable) as caught:
            await town[POLITIE].gateway.take_mail(
                Arrived(octets=dsn(letter, "failed", "5.1.1"), sender="", at=town.clock.now())
            )
        refused.append(caught.value.code)
        return Delivered(proof=PROOF, reply="250 2.0.0", notifies=True)

    post.send = leaves_first
    _, message = await sent(mailing)

    assert refused == ["receipt.early"]
    assert await state(town, message) is State.SENT


async def test_a_crash_behind_the_commit_of_a_receipt_closes_once(mailing, monkeypatch):
    """Who does not hear that it was taken gives it again, as a mail server does."""
    town, _ = mailing
    letter, message = await sent(mailing)
    receipts = town[POLITIE].store.receipts
    take = receipts.take

    async def dies(receipt):
        await take(receipt)
        raise StoreUnavailable("store.gone", "the process died")

    with monkeypatch.context() as broken:
        broken.setattr(receipts, "take", dies)
        with pytest.raises(StoreUnavailable):
            await back(town, signed_by(VT, reply(letter), at=town.clock.now()))
    assert await held(town) == []

    await back(town, signed_by(VT, reply(letter), at=town.clock.now()))

    assert await state(town, message) is State.DELIVERED
    assert len(await told(town, message, "mail.receipt")) == 1
    assert await held(town) == ["incoming.person"]


WORDS = {f"mail.receipt.{word}" for word in (*SIGNED_WORDS, *UNSIGNED_WORDS, BY_LINK, *ANSWERS)}


def test_every_kind_of_receipt_has_words_for_a_person():
    assert set(STEPS) >= WORDS
