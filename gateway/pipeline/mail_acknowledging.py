"""The receipt of this gateway for a message that a partner's gateway mailed.

A notice (MDN) with the digest of what was taken in, signed and encrypted as all mail, in a lane of
its own. It can not go round: only a message with an ebMS MessageId gets one, nothing is asked back
for it, and it leaves without an envelope sender.
"""

from gateway.directory import Directory, OwnMail, PartyMail
from gateway.errors import PolicyViolation
from gateway.lifecycle import State
from gateway.message import Oin
from gateway.pipeline.admit import Acknowledgment, Taken
from gateway.pipeline.house import House
from gateway.ports import Claim, DeliveryChannel, DeliveryKind, NewDelivery, StoredPayload
from gateway.ports.mail import Letter
from gateway.security.smime import Opened, Recipients, Reply, message_id_of, seal_notice
from gateway.security.smime.recipients import Encryption
from gateway.wire.mail_reports import acknowledgement


def acknowledgment_of(
    house: House, directory: Directory, taken: Taken, opened: Opened
) -> Acknowledgment | None:
    """Return the receipt for what was taken in; None where its sender reads none, or no e-mail."""
    own, party = directory.mail, directory.party(opened.party)
    if own is None or party is None or party.mail is None or not party.mail.certificates:
        return None
    if not (opened.protected and opened.ebms_message_id):
        return None  # a mail program of a person, who reads answers
    try:
        octets = acknowledgement(
            mail=opened.message_id,
            mailbox=own.address,
            digest=taken.sha256,
            ebms_message_id=opened.ebms_message_id,
        )
    except PolicyViolation:
        return None  # ids that fit in no mail of ours: the answer itself has to do

    def queued(sealed: StoredPayload) -> NewDelivery:
        return NewDelivery(
            id=house.dice.uuid(),
            recipient=Oin(opened.party),
            channel=DeliveryChannel.MAIL,
            kind=DeliveryKind.SIGNAL,
            state=State.READY,
            next_at=house.clock.now(),
            ground="signaal",
            retries=own.lifetime // own.again,
            sealed=sealed,
            duplicate_safe=True,
        )

    return Acknowledgment(octets=octets, queued=queued)


async def sealed_receipt(
    house: House, directory: Directory, claim: Claim, *, own: OwnMail, mail: PartyMail
) -> Letter:
    """Return the letter of a receipt, by the certificates of this moment; raises `seal_notice`."""
    notice = await house.payloads.get(claim.sealed or "")
    domain = own.address.rpartition("@")[2]
    reply = Reply(
        sender=own.address,
        recipient=mail.address,
        message_id=message_id_of(claim.delivery, recipient=mail.address, domain=domain),
    )
    octets = seal_notice(
        notice,
        reply,
        to=Recipients(
            certificates=mail.certificates,
            encryption=Encryption(mail.encryption),
            header=mail.header,
        ),
        signer=house.keyring.signer(own.sign),
        trust=house.snapshots.trust(directory),
        maximum=own.maximum,
        random=house.dice.octets,
        at=house.clock.now(),
        chain=own.chain,
    )
    return Letter(octets=octets, sender="", recipients=(mail.address,), reference=claim.delivery)
