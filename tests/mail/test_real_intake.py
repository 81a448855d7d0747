"""Mail through Postfix into a gateway, over LMTP on a Unix socket: taken in once, or held."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gateway.directory import PartyMail
from gateway.ports import DeliveryChannel
from gateway.ports.mail import Delivered, Letter
from gateway.web.inbound.lmtp import LmtpLimits, LmtpListener, Place, listen_lmtp
from gateway.wire.mail_make import entity
from tests.flow import letters, mailbox
from tests.flow import town as towns
from tests.flow.letters import POLITIE_MAIL
from tests.flow.mailbox import held, plain_mail, xml_part
from tests.flow.test_gate import FREE, melding
from tests.flow.town import APPLICATIE, POLITIE, VT, leaf
from tests.mail.lab import INTAKE
from tests.mail.test_real_mail import DANE, nobody_asks
from tests.pki import live, live_leaf
from tests.smime import openssl_cms, write

OURS = f"vt@{INTAKE}"
POSTFIX = "postfix"
"""The group of its processes."""
OAEP = ("-keyopt", "rsa_padding_mode:oaep", "-keyopt", "rsa_oaep_md:sha256")
PSS = ("-keyopt", "rsa_padding_mode:pss")


@pytest.fixture
async def town(lab, client, tmp_path):
    """The police, whose letters leave through real servers, and Veilig Thuis with a mailbox."""
    made = await towns.build(tmp_path, post=client)
    await letters.set_up(made, address=OURS)
    await letters.without_agreement(made, "vtMeldingDi01")
    await mailbox.open_mailbox(made, address=OURS)
    yield made
    await made.close()


@asynccontextmanager
async def taking_mail(lab, town):
    """Let Veilig Thuis listen where Postfix brings its mail."""
    vt = town[VT]
    listener = LmtpListener(
        take=vt.gateway.take_mail,
        mailbox=lambda: vt.snapshots.current().mailbox,
        clock=town.clock,
        limits=LmtpLimits(grace=timedelta(seconds=2)),
    )
    await listen_lmtp(listener, Place(path=lab.ours.intake[1], group=POSTFIX))
    try:
        yield
    finally:
        await listener.close()


async def hand_in(town):
    police = town[POLITIE]
    receipt = await police.gateway.hand_in(melding(), FREE, police.backend)
    await town.settle()
    found = await police.store.reader.message(receipt.id)
    (letter,) = (d for d in found.deliveries if d.channel is DeliveryChannel.MAIL)
    return letter


async def sent(client, octets):
    letter = Letter(
        octets=octets,
        sender="bericht@gateway.example",
        recipients=(OURS,),
        reference="proef-intake",
    )
    outcome = await client.send(letter, DANE, nobody_asks)
    assert isinstance(outcome, Delivered), outcome


async def until(found, *, seconds=30.0):
    """Return what `found` returns, as soon as that is something."""
    async with asyncio.timeout(seconds):
        seen = await found()
        while not seen:
            await asyncio.sleep(0.1)
            seen = await found()
    return seen


async def taken_in(town):
    return await town[VT].store.reader.messages(party=None, before=None, limit=50)


async def in_postvak(town):
    vt = town[VT]
    found = await vt.gateway.collect(
        vt.backend, (APPLICATIE[VT],), limit=10, lease=timedelta(minutes=5)
    )
    return [await vt.store.payloads.get(one.payload_id) for one in found]


async def delivered(lab):
    """Wait until Postfix has nothing left of what it was given."""

    async def empty():
        return not await asyncio.to_thread(lab.ours.queued)

    await until(empty)


async def test_a_letter_of_another_gateway_is_taken_in_through_all_servers(lab, town):
    async with taking_mail(lab, town):
        await hand_in(town)
        await until(lambda: taken_in(town))

    (known,) = await taken_in(town)
    assert (known.kind, known.party, known.cpa_id) == ("vtMeldingDi01", POLITIE, "")
    assert await in_postvak(town) == [melding()]
    assert await held(town) == ()


async def test_what_could_not_be_taken_in_waits_at_postfix_and_is_taken_in_once(lab, client, town):
    """Nothing listens, then the database is away; the same mail comes twice after that."""
    await hand_in(town)
    await until(lambda: asyncio.to_thread(lab.ours.queued))
    assert await taken_in(town) == ()

    octets = mailbox.sealed_by_gateway(town, melding(), recipient=OURS)
    async with taking_mail(lab, town):
        lab.ours.flush()
        await until(lambda: taken_in(town))
        for _ in range(2):
            await sent(client, octets)
        await delivered(lab)

    assert await in_postvak(town) == [melding()]
    assert await held(town) == ()


async def test_what_openssl_signed_and_encrypted_is_taken_in(lab, client, town, tmp_path):
    # Openssl signs by the clock of the machine: so here everything is of today.
    signs = live_leaf(POLITIE, "sign")
    town.clock.at = datetime.now(UTC)
    parties = town[VT].snapshots.current().parties
    theirs = PartyMail(address=POLITIE_MAIL, certificates=(signs.certificate,))
    await town[VT].change(
        trust=live().trust(),
        parties={**parties, POLITIE: replace(parties[POLITIE], mail=theirs)},
    )
    police = write(tmp_path, signs, "politie")
    vt = write(tmp_path, leaf(VT, "encrypt"), "vt")
    signed = openssl_cms(
        "-sign", "-nodetach", "-outform", "SMIME", "-signer", police[0], "-inkey", police[1], *PSS,
        octets=xml_part(melding()),
    )  # fmt: skip
    sealed = openssl_cms(
        "-encrypt", "-outform", "DER", "-aes-256-gcm", "-recip", vt[0], *OAEP, octets=crlf(signed)
    )
    head = {"From": POLITIE_MAIL, "To": OURS, "Message-ID": "<openssl@politie.example>"}
    mail = entity(head, sealed, kind="application/pkcs7-mime", name="smime.p7m")

    async with taking_mail(lab, town):
        await sent(client, mail)
        await delivered(lab)
        await until(lambda: either(town))

    assert [one.code for one in await held(town)] == []
    assert await in_postvak(town) == [melding()]


def crlf(octets):
    return octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


async def either(town):
    return await taken_in(town) or await held(town)


async def test_a_plain_mail_ends_in_quarantine_once(lab, client, town):
    mail = plain_mail(town, "Wilt u mij bellen?", To=OURS)

    async with taking_mail(lab, town):
        for _ in range(2):
            await sent(client, mail)
        await until(lambda: held(town))
        await delivered(lab)

    (one,) = await held(town)
    assert (one.code, one.party) == ("incoming.plain", "")
    assert b"Received: " in await town[VT].store.payloads.get(one.payload_id)
    assert await taken_in(town) == ()


async def test_an_address_that_is_not_ours_bounces(lab, client, town):
    mail = plain_mail(town, "wie bent u", To=f"bericht@{INTAKE}")

    async with taking_mail(lab, town):
        letter = Letter(
            octets=mail,
            sender="bericht@gateway.example",
            recipients=(f"bericht@{INTAKE}",),
            reference="proef-onbekend",
        )
        await client.send(letter, DANE, nobody_asks)
        await until(
            lambda: asyncio.to_thread(
                lab.dovecot.wait_for, "bericht@gateway.example", "proef-onbekend"
            )
        )

    assert await held(town) == ()
    assert "550 5.1.1 no such mailbox" in lab.ours.log()
