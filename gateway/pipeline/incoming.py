"""A mail comes in, from the organisation's own mail server.

`Incoming.take` sorts it: a notification (`multipart/report`), what a partner signed (S/MIME), in an
envelope or not, anything else.
Each kind is one function from a mail to None (all that it changes was committed) or `Held` (a
person must look). What is refused on the way is held with its code. So a mail is taken in, held,
or, when it can not be now, still with the mail server: nothing is lost between.
"""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Protocol

from gateway.directory import Directory, OwnMailbox
from gateway.errors import Malformed, PolicyViolation, Refused, Unavailable
from gateway.message import Oin
from gateway.pipeline.house import House
from gateway.pipeline.rethinking import rethinking
from gateway.ports import Alarm, AuditEvent
from gateway.ports.incoming import (
    FULL,
    NO_ROOM,
    QUARANTINE,
    SUSPENDED,
    Arrived,
    Bounds,
    Held,
    NewItem,
)
from gateway.security.certificates import TrustStore
from gateway.security.smime import (
    Encryption,
    Mailbox,
    MailLimits,
    Opened,
    Sender,
    open_mail,
    open_signed,
)
from gateway.wire.mail_read import Head, read_entity
from gateway.wire.mail_reports import is_report

PLAIN = "incoming.plain"
PERSON = "incoming.person"
OLD = "incoming.old"

MOST_AGE = timedelta(days=7)
"""From signature to arrival: longer than mail servers try. What is older may be a replay."""
_ENVELOPES = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})
_SAYS_WHICH = (
    *("message-id", "from", "to", "subject", "date"),
    *("content-type", "content-transfer-encoding"),
)
"""With the body they tell one mail from another; a copy differs in what servers wrote above it."""
_BLANK = re.compile(rb"\r\n\r\n")


class Opening(Protocol):
    """`open_mail`, or `open_signed`."""

    def __call__(
        self, octets: bytes, mailbox: Mailbox, *, trust: TrustStore, at: datetime
    ) -> Opened: ...


class Receipts(Protocol):
    """What comes back on a letter that left from here."""

    async def report(self, mail: Arrived) -> Held | None:
        """Take in a notification of delivery or reading (`multipart/report`), unsigned."""
        ...

    async def signed(self, mail: Arrived, opened: Opened) -> Held | None:
        """Take in what a partner signed that holds no message: his receipt, or his reply."""
        ...


class Messages(Protocol):
    """What takes messages in."""

    async def take(self, directory: Directory, mail: Arrived, opened: Opened) -> Held | None:
        """Take in a mail with XML that a partner signed."""
        ...


def of_partner(code: str, opened: Opened) -> Held:
    """Hold what a partner signed: its content is read without its envelope."""
    return Held(code=code, party=opened.party, proven=True, content=opened.content)


class Incoming:
    """The inbound half of secure e-mail."""

    def __init__(self, house: House, *, messages: Messages, receipts: Receipts) -> None:
        """Take the ports, and who takes in what."""
        self._house = house
        self._messages = messages
        self._receipts = receipts

    async def take(self, mail: Arrived) -> None:
        """Take in one mail; when this returns, all that it changes was committed.

        Twice the same is taken in once. Raises Unavailable and Misconfigured: nothing of it
        counts, the mail server must try again.
        """
        try:
            held = await rethinking(self._house.snapshots, lambda: self._sorted(mail))
        except Refused as error:
            held = Held(code=error.code, party=self._claimed(mail))
        if held is not None:
            await self._hold(mail, held)

    async def _sorted(self, mail: Arrived) -> Held | None:
        directory = self._house.snapshots.current()
        own = own_mailbox(directory)
        head = read_entity(mail.octets, limits=limits_of(own)).head
        if is_report(head):
            return await self._receipts.report(mail)
        if _is_signed_only(head):
            return await self._of_partner(directory, own, mail, open_signed)
        if head.kind.name in _ENVELOPES:
            return await self._of_partner(directory, own, mail, open_mail)
        return Held(code=PLAIN, party=_party_of(directory, head))

    async def _of_partner(
        self, directory: Directory, own: OwnMailbox, mail: Arrived, opening: Opening
    ) -> Held | None:
        """What was not encrypted closes a letter perhaps; no message is taken from it."""
        mailbox = mailbox_of(directory, own, self._house)
        trust = self._house.snapshots.trust(directory)
        opened = await self._house.think(
            len(mail.octets), lambda: opening(mail.octets, mailbox, trust=trust, at=mail.at)
        )
        if opened.party in directory.suspended:
            await self._tell_suspended(opened.party)
            raise Unavailable("party.suspended", "party is suspended here")
        try:
            _check_age(opened, mail.at)
            if opened.payloads and opening is open_mail:
                return await self._messages.take(directory, mail, opened)
            return await self._receipts.signed(mail, opened)
        except Refused as error:
            return of_partner(error.code, opened)

    async def _tell_suspended(self, party: Oin) -> None:
        """His mail waits at the mail server, which gives up after days."""
        alarm = Alarm(code=SUSPENDED, subject=party, party=party)
        await self._house.alarms.change(raised=(alarm,))

    # --- what a person must look at ---------------------------------------------------

    async def _hold(self, mail: Arrived, held: Held) -> None:
        own = own_mailbox(self._house.snapshots.current())
        self._house.count.refused(held.code)
        content = mail.octets if held.content is None else held.content
        digest, sha = await self._house.think(len(mail.octets), lambda: digests_of(mail.octets))
        item = NewItem(
            id=self._house.dice.uuid(),
            at=mail.at,
            held=held,
            digest=digest,
            payload=await self._house.payloads.put(content),
            until=mail.at + own.kept,
        )
        event = AuditEvent(
            event="incoming.held",
            at=mail.at,
            message=item.id,
            code=held.code,
            party=held.party,
            data={
                "size": len(mail.octets),
                "sha256": sha,
                "proven": held.proven,
            },
        )
        bounds = Bounds(items=own.items, octets=own.octets)
        try:
            await self._house.quarantine.hold(item, bounds, event)
        except Unavailable as error:
            if error.code == FULL:
                await self._house.alarms.change(raised=(Alarm(code=NO_ROOM, subject=QUARANTINE),))
            raise

    def _claimed(self, mail: Arrived) -> str:
        directory = self._house.snapshots.current()
        try:
            head = read_entity(mail.octets, limits=limits_of(own_mailbox(directory))).head
            return _party_of(directory, head)
        except Refused:
            return ""


def _is_signed_only(head: Head) -> bool:
    kind = head.kind
    if kind.name == "multipart/signed":
        return True
    return kind.name in _ENVELOPES and kind.parameters.get("smime-type", "") == "signed-data"


def own_mailbox(directory: Directory) -> OwnMailbox:
    """Return ours; raises Unavailable `incoming.off`."""
    if directory.mailbox is None:
        raise Unavailable("incoming.off", "no mail is taken in here")
    return directory.mailbox


def limits_of(own: OwnMailbox) -> MailLimits:
    """Return the bounds on one mail."""
    return MailLimits(octets=own.maximum)


def mailbox_of(directory: Directory, own: OwnMailbox, house: House) -> Mailbox:
    """Return what mail to us is opened with."""
    return Mailbox(
        address=own.address,
        certificates=own.certificates,
        keys=house.keyring,
        senders=tuple(_senders(directory)),
        limits=limits_of(own),
    )


def _senders(directory: Directory) -> Iterable[Sender]:
    for party in directory.parties.values():
        if party.mail is not None:
            yield Sender(
                party=party.oin,
                address=party.mail.address,
                certificates=(*party.mail.certificates, *party.mail.signs),
                encryption=Encryption(party.mail.encryption),
            )


def _party_of(directory: Directory, head: Head) -> str:
    """Return the partner that has the address which anybody may have written there."""
    address = head.address("from").casefold()
    for party in directory.parties.values():
        if party.mail is not None and party.mail.address.casefold() == address:
            return party.oin
    return ""


def _check_age(opened: Opened, at: datetime) -> None:
    """Who kept an old mail can encrypt it for us again and again."""
    if opened.signed_at is None or at - opened.signed_at > MOST_AGE:
        raise PolicyViolation(OLD, "mail was signed long ago, or does not say when")


def digests_of(octets: bytes) -> tuple[str, str]:
    """Return what two copies of one mail have in common, and the SHA-256 of this one, in hex.

    A copy has other lines of servers above it.
    """
    whole = sha256(octets).hexdigest()
    found = _BLANK.search(octets)
    if found is None:
        return whole, whole
    try:
        head = read_entity(octets[: found.end()], limits=MailLimits()).head
        said = [f"{name}:{head.one(name)}" for name in _SAYS_WHICH]
    except Malformed:
        return whole, whole
    seen = sha256("\0".join(said).encode("utf-8", "replace"))
    seen.update(memoryview(octets)[found.end() :])
    return seen.hexdigest(), whole
