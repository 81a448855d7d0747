"""A message that came in by secure e-mail: the same way through the house as one over ebMS.

Its version is what the agreements with its sender, or with the knooppunt, say, as over ebMS; where
none has the message, which is why it comes by e-mail at all, the newest that has a schema.
"""

from datetime import datetime
from hashlib import sha256

from gateway.directory import Directory
from gateway.errors import Malformed, PolicyViolation
from gateway.message import Oin
from gateway.pipeline import judge
from gateway.pipeline.admit import Admitting, Taken
from gateway.pipeline.house import House
from gateway.pipeline.incoming import of_partner
from gateway.pipeline.mail_acknowledging import acknowledgment_of
from gateway.ports import AuditEvent
from gateway.ports.incoming import Arrived, Held
from gateway.rules import routing
from gateway.security.smime import Opened
from gateway.wire import stuf, toets
from gateway.wire.stuf import Document

WORDS = "incoming.words"
_MOST_ID = 250
"""Characters of an id that a mail names."""


class MailMessages:
    """Takes in what a partner signed that holds a message."""

    def __init__(self, house: House, admitting: Admitting) -> None:
        """Take the ports, and what admits messages."""
        self._house = house
        self._admitting = admitting

    async def take(self, directory: Directory, mail: Arrived, opened: Opened) -> Held | None:
        """Admit it, or refuse it with a Fo01; the same mail again is only written down.

        What a person wrote beside it is held as well.

        Raises Refused for what a person must look at: more than one document, attachments, what
        is no message of the catalogue, and a refusal that no Fo01 can tell its sender.
        """
        octets = _only(opened)
        document = await judge.read(self._house, octets, directory)
        if document.name in toets.KINDS:
            raise PolicyViolation("incoming.gate", "a message of the gate came by e-mail")
        taken = Taken(
            id=self._house.dice.uuid(),
            party=opened.party,
            cpa_id="",
            message_id=_id_of(opened),
            conversation_id=stuf.conversation_id(document.stuurgegevens),
            action=document.name,
            signer=opened.holder.thumbprint,
            octets=octets,
            version=_version(directory, document, opened.party, mail.at),
            at=mail.at,
        )
        receipt = acknowledgment_of(self._house, directory, taken, opened)
        if await self._admitting.take(directory, taken, receipt):
            await self._came_again(taken)
        if opened.text.strip() and not opened.ebms_message_id:
            return of_partner(WORDS, opened)  # a gateway only says again what is in the message
        return None

    async def _came_again(self, taken: Taken) -> None:
        """Give the receipt of the first once more: who sends again may have missed it."""
        known = await self._house.inbox.find(taken.party, taken.cpa_id, taken.message_id)
        message = "" if known is None else known.id
        event = AuditEvent(
            event="message.duplicate",
            at=self._house.clock.now(),
            message=message,
            party=taken.party,
            data={"message_id": taken.message_id},
        )
        await self._house.inbox.repeat_acknowledgment(
            message, id_=self._house.dice.uuid(), event=event, bounded=True
        )
        self._house.count.received(taken.action, "duplicate")


def _only(opened: Opened) -> bytes:
    if len(opened.payloads) != 1:
        raise Malformed("payload.count", "exactly one payload is expected")
    if opened.attachments:
        raise PolicyViolation("incoming.attachments", "there are attachments beside the message")
    return opened.payloads[0]


def _id_of(opened: Opened) -> str:
    """Return what it is known by: as it was signed, else by what was signed."""
    id_ = opened.ebms_message_id or (opened.message_id if opened.protected else "")
    if id_ and len(id_) <= _MOST_ID and id_.isascii() and id_.isprintable():
        return id_
    return f"{sha256(opened.content).hexdigest()}@{opened.party}"


def _version(directory: Directory, document: Document, party: Oin, at: datetime) -> str:
    """Raise SchemaViolation `bericht.onbekend` for what is no message of the catalogue."""
    versions = directory.catalogue.versions(document.name)
    if not versions:
        judge.kind_of(document, "geen", directory)
    agreed = _agreed(directory, document.name, party, at)
    newest = [version for version in reversed(versions) if not agreed or version in agreed]
    for version in newest:
        kind = judge.kind_of(document, version, directory)
        if judge.has_schema(directory, kind, partner=party, at=at):
            return version
    return newest[0] if newest else versions[-1]


def _agreed(directory: Directory, name: str, party: Oin, at: datetime) -> frozenset[str]:
    """Return the versions by which it comes here over ebMS: from the sender, else from the hub."""
    for hop in routing.hops(directory, directory.parties[party]):
        found = frozenset(
            directory.services.get(binding.service, "")
            for agreement in directory.between(directory.me, hop, at=at)
            for binding in agreement.find(hop, name)
        )
        if found:
            return found
    return frozenset()
