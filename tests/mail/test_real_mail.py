"""Letters through Postfix, Dovecot, knot and unbound: what is proved arrives, nothing else."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from email import message_from_bytes
from uuid import uuid4

import dkim
import dns.message
import dns.query
import pytest

from gateway.app import SystemClock, SystemDice
from gateway.cli.doctor_mail import examine_domain
from gateway.directory import MailWay, PinnedMail
from gateway.keys.test_pki import pem
from gateway.outbound.mail import MailClient
from gateway.ports.mail import Basis, Delivered, Letter, NotProved, Rejected
from tests.mail.lab import CHANGING, DKIM, HELD, OLD, POLICY_PORT
from tests.mail.zones import RESOLVER
from tests.outbound.mail_certificates import authority
from tests.pki import AT, POLITIE, leaf, pki
from tests.smime import bob, document, draft, openssl_cms, sealed, write

DANE = MailWay()


async def nobody_asks(_proof) -> None:
    """Let the letter leave."""


def letter(domain: str, *, local: str = "vt", size: int = 0) -> Letter:
    reference = f"b-{uuid4()}"
    lines = [
        "From: bericht@gateway.example",
        f"To: {local}@{domain}",
        "Subject: Beveiligd bericht",
        "Date: Sat, 28 Nov 2026 12:00:00 +0100",
        f"Message-ID: <{reference}@gateway.example>",
    ]
    body = [f"kenmerk {reference}", ".", "..", "x" * 998, *(["y" * 70] * (size // 72))]
    return Letter(
        octets="".join(f"{line}\r\n" for line in (*lines, "", *body)).encode(),
        sender="bericht@gateway.example",
        recipients=(f"{local}@{domain}",),
        reference=reference,
    )


def arrived(lab, sent: Letter) -> bool:
    return any(sent.reference.encode() in mail for mail in lab.dovecot.mails(sent.recipients[0]))


async def refused(lab, client, domain: str, way: MailWay = DANE) -> str:
    """Return why nothing was sent, and be sure that nothing was."""
    sent = letter(domain)
    outcome = await client.send(sent, way, nobody_asks)

    assert isinstance(outcome, NotProved), outcome
    assert not arrived(lab, sent)
    assert sent.reference not in lab.partner.log()
    return outcome.code


async def test_letter_arrives_octet_by_octet_and_the_notification_comes_back(lab, client):
    sent = letter("partner.example")

    outcome = await client.send(sent, DANE, nobody_asks)

    assert isinstance(outcome, Delivered), outcome
    assert (outcome.proof.basis, outcome.proof.record) == (Basis.DANE, str(HELD.tlsa(3)))
    assert outcome.notifies
    mail = lab.dovecot.wait_for("vt@partner.example", sent.reference)
    assert mail.endswith(sent.octets)
    # Back over our own MX, by a Postfix that demands DANE of it.
    notification = lab.dovecot.wait_for("bericht@gateway.example", sent.reference)
    assert f"Original-Envelope-Id: {sent.reference}".encode() in notification
    assert b"Action: delivered" in notification
    assert "Verified TLS connection established to mx.gateway.example" in lab.partner.log()


async def test_authority_that_the_domain_published_counts(lab, client):
    sent = letter("ta.partner.example")

    outcome = await client.send(sent, DANE, nobody_asks)

    assert isinstance(outcome, Delivered), outcome
    assert outcome.proof.record == str(authority().tlsa(2))
    assert lab.dovecot.wait_for("vt@ta.partner.example", sent.reference)


async def test_expired_certificate_counts_by_its_published_key_alone(lab, client):
    outcome = await client.send(letter("oud.partner.example"), DANE, nobody_asks)

    assert isinstance(outcome, Delivered), outcome
    assert outcome.proof.record == str(OLD.tlsa(3))


async def test_expired_certificate_does_not_count_under_a_recorded_policy(lab, client):
    pinned = PinnedMail(hosts=("mx-oud.partner.example",), anchors=(authority().der,))

    assert await refused(lab, client, "oud.partner.example", MailWay(pinned=pinned)) == (
        "certificate.expired"
    )


async def test_recorded_policy_reaches_a_partner_without_dnssec(lab, client):
    pinned = PinnedMail(hosts=("mx.partner.example",), anchors=(authority().der,))

    outcome = await client.send(letter("partner.example"), MailWay(pinned=pinned), nobody_asks)

    assert isinstance(outcome, Delivered), outcome
    assert outcome.proof.basis is Basis.PINNED


@pytest.mark.parametrize(
    ("domain", "code"),
    [
        ("verkeerd.partner.example", "dane.mismatch"),
        ("geen.partner.example", "dane.none"),
        ("kaal.partner.example", "smtp.starttls"),
        ("unsigned.example", "dns.unsigned"),
        ("bogus.example", "dns.bogus"),
        ("bestaat-niet.partner.example", "dns.nxdomain"),
        ("dood.example", "dns.servfail"),
    ],
)
async def test_what_is_not_proved_is_not_sent(lab, client, domain, code):
    assert await refused(lab, client, domain) == code


async def test_resolver_that_does_not_resolve_proves_nothing(lab, settings):
    # The name server itself: it knows the zone, and can not say that it validated anything.
    lame = settings.model_copy(update={"resolver": "127.0.0.53"})
    client = MailClient(lame, clock=SystemClock(), dice=SystemDice())

    assert await refused(lab, client, "partner.example") == "dns.lame"


@asynccontextmanager
async def asked_before_a_recipient(act):
    """Run `act` when Postfix asks whether it may take a recipient, then let it."""

    async def serve(reader, writer):
        while (await reader.readline()).strip():
            pass
        await asyncio.to_thread(act)
        writer.write(b"action=DUNNO\n\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, CHANGING, POLICY_PORT)
    try:
        yield
    finally:
        server.close()
        await server.wait_closed()


async def test_mx_that_changes_between_the_proof_and_the_letter_stops_it(lab, client):
    def change():
        lab.zones.change(
            "partner.example",
            ("zone-unset", "wissel", "MX"),
            ("zone-set", "wissel", "60", "MX", "10", "mx"),
        )

    async with asked_before_a_recipient(change):
        assert await refused(lab, client, "wissel.partner.example") == "mail.changed"

    outcome = await client.send(letter("wissel.partner.example"), DANE, nobody_asks)
    assert isinstance(outcome, Delivered), outcome
    assert outcome.proof.mx == "mx.partner.example"


async def test_mailbox_that_does_not_exist_is_refused_at_once(lab, client):
    outcome = await client.send(letter("partner.example", local="niemand"), DANE, nobody_asks)

    assert isinstance(outcome, Rejected), outcome
    assert (outcome.code, outcome.seen) == ("smtp.rejected", "RCPT 1: 550 5.1.1")


async def test_letter_larger_than_the_server_takes_is_not_begun(lab, client):
    outcome = await client.send(letter("partner.example", size=1_100_000), DANE, nobody_asks)

    assert isinstance(outcome, Rejected), outcome
    assert outcome.code == "smtp.size"


async def test_doctor_finds_our_own_domain_in_order(lab, settings):
    findings = await examine_domain(settings, (DKIM,))

    assert [finding.text for finding in findings if finding.code] == []
    assert [finding.text.split(":")[0] for finding in findings] == ["DANE", "SPF", "DKIM", "DMARC"]


async def test_doctor_finds_that_a_domain_is_not_signed(lab, settings):
    findings = await examine_domain(
        settings.model_copy(update={"domein": "unsigned.example"}),
        (replace(DKIM, domain="unsigned.example"),),
    )

    assert {finding.code for finding in findings} == {
        "email.dane",
        "email.spf",
        "email.dkim",
        "email.dmarc",
    }


def by_resolver(name, timeout=5):
    """Ask as the partner would."""
    question = dns.message.make_query(name.decode(), "TXT")
    (found,) = dns.query.tcp(question, RESOLVER, timeout=timeout).answer[0]
    return b"".join(found.strings)


async def test_what_we_seal_is_decrypted_and_verified_by_openssl_after_all_servers(
    lab, client, tmp_path
):
    mail = sealed(
        draft(sender="bericht@gateway.example", recipient="vt@partner.example"),
        chain=(leaf(POLITIE, "sign").issuer,),
    )
    sent = replace(letter("partner.example"), octets=mail.octets)

    outcome = await client.send(sent, DANE, nobody_asks)

    assert isinstance(outcome, Delivered), outcome
    came = lab.dovecot.wait_for("vt@partner.example", mail.message_id)
    assert await asyncio.to_thread(dkim.DKIM(came).verify, dnsfunc=by_resolver)
    certificate, key = write(tmp_path, bob(), "bob")
    root = tmp_path / "root.pem"
    root.write_bytes(pem(pki().root))
    signed = openssl_cms("-decrypt", "-recip", certificate, "-inkey", key, octets=came)
    moment = ("-attime", str(int(AT.timestamp())), "-purpose", "any")
    shown = openssl_cms("-verify", "-CAfile", str(root), *moment, octets=signed)
    assert message_from_bytes(shown).get_payload(1).get_payload(decode=True) == document()
