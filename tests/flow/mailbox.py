"""Veilig Thuis with a mailbox: what its mail server gives it, and what partners seal for it."""

from dataclasses import replace
from email.utils import format_datetime
from hashlib import sha256

from gateway.directory import OwnMailbox, PartyMail
from gateway.ports.incoming import Arrived
from gateway.rules import approval
from gateway.security.smime import Draft, Recipients, seal_mail
from gateway.security.smime.enveloped import encrypt
from gateway.security.smime.signed import sign
from gateway.wire.mail_make import entity
from tests.flow import letters
from tests.flow.letters import POLITIE_MAIL, VT_MAIL
from tests.flow.town import POLITIE, VT, leaf
from tests.sealing import octets_from
from tests.smime import signer_of

MAXIMUM = 200_000


async def build(folder, **options):
    """Return the town, in which the police mails to Veilig Thuis, and the letterbox."""
    town, post = await letters.build(folder, **options)
    await open_mailbox(town)
    return town, post


async def open_mailbox(town, **changes):
    vt = town[VT]
    parties = vt.snapshots.current().parties
    one_for_each_use = PartyMail(
        address=POLITIE_MAIL,
        certificates=(leaf(POLITIE, "encrypt").certificate,),
        signs=(leaf(POLITIE, "sign").certificate,),
    )
    police = replace(parties[POLITIE], mail=one_for_each_use)
    mine = OwnMailbox(
        address=VT_MAIL, certificates=(leaf(VT, "encrypt").certificate,), maximum=MAXIMUM
    )
    await vt.change(mailbox=replace(mine, **changes), parties={**parties, POLITIE: police})


async def give(town, octets, *, sender=POLITIE_MAIL):
    """Hand a mail to Veilig Thuis, as its mail server does."""
    mail = Arrived(octets=octets, sender=sender, at=town.clock.now())
    await town[VT].gateway.take_mail(mail)


async def held(town, *, open_only=True):
    """Return what is in its quarantine, newest first."""
    return await town[VT].store.quarantine.items(limit=50, open_only=open_only)


async def only_code(town):
    (one,) = await held(town)
    return one.code


def signed_mail(town, content, *, by=POLITIE, to=VT, at=None, **outside):
    """Return a mail of the police with this entity signed in it, as a mail program makes it."""
    octets = sign(content, signer_of(leaf(by, "sign")), at=at or town.clock.now())
    inside = entity({}, octets, kind="application/pkcs7-mime")
    return sealed_around(inside, to=to, **outside)


def sealed_around(inside, *, to=VT, sender=POLITIE_MAIL, **outside):
    certificates = (leaf(to, "encrypt").certificate,)
    octets = encrypt(inside, certificates, maximum=MAXIMUM, random=octets_from())
    head = {"From": sender, "To": VT_MAIL, "Message-ID": "<een@politie.example>"}
    return entity(head | outside, octets, kind="application/pkcs7-mime")


def xml_part(document):
    return entity({}, document, kind="application/xml", name="bericht.xml")


def multipart(*parts, boundary="grens"):
    lines = b"".join(b"--%b\r\n%b\r\n" % (boundary.encode(), part) for part in parts)
    top = f'Content-Type: multipart/mixed; boundary="{boundary}"\r\n\r\n'
    return top.encode() + lines + f"--{boundary}--\r\n".encode()


def sealed_by_gateway(town, document, *, recipient=VT_MAIL, message_id="m-1@politie.example"):
    """Return the mail that a gateway of the police makes of a document."""
    trust = town[POLITIE].snapshots
    return seal_mail(
        approval.own(sha256(document).hexdigest()),
        Draft(
            payload=document,
            ebms_message_id=message_id,
            sender=POLITIE_MAIL,
            recipient=recipient,
            title="Melding aan Veilig Thuis",
        ),
        to=Recipients(certificates=(leaf(VT, "encrypt").certificate,)),
        signer=signer_of(leaf(POLITIE, "sign")),
        trust=trust.trust(trust.current()),
        maximum=MAXIMUM,
        random=octets_from(),
        at=town.clock.now(),
    ).octets


def plain_mail(town, text="Wilt u mij bellen?", **outside):
    """Return a mail of nobody in particular."""
    head = {
        "From": "iemand@elders.example",
        "To": VT_MAIL,
        "Date": format_datetime(town.clock.now()),
        "Message-ID": "<twee@elders.example>",
        "Subject": "Vraag",
    } | outside
    return entity(head, text.encode(), kind="text/plain")
